"""Call sites of feature consistency, one a behaviour."""

import torch
from torch import Tensor, nn

from legacy.feature_consistency_loss import FeatureConsistencyLoss
from lossport.inputs import Inputs


class _TakesDict(nn.Module):
    """A text model that is called with its tokenizer's output."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear

    def forward(self, batch: dict[str, Tensor | str]) -> Tensor:
        return self.linear(batch["x"])


def cosine_of_both(inputs: Inputs):
    """Default options: frozen references, inputs without a gradient."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"))
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=5)
        yield criterion(
            vision_features=vision,
            text_features=text,
            vision_inputs=inputs.normal(len(vision), 3),
            text_inputs=inputs.normal(len(text), 4),
        )


def euclidean_with_weights(inputs: Inputs):
    """All by position."""
    criterion = FeatureConsistencyLoss(
        inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"), 0.5, 2.0, "l2", True, True, "mean"
    )
    vision, text = inputs.paired(batch=6, dim=5)
    yield criterion(vision, text, inputs.normal(len(vision), 3), inputs.normal(len(text), 4))


def manhattan_summed_as_they_are(inputs: Inputs):
    """Without normalisation, summed, whole weights."""
    criterion = FeatureConsistencyLoss(
        reference_vision_model=inputs.linear(3, 5),
        vision_weight=3,
        distance_fn="l1",
        normalize_features=False,
        reduction="sum",
    )
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision_features=vision, vision_inputs=inputs.normal(len(vision), 3))


def manhattan_of_a_row(inputs: Inputs):
    """Sums along a row, the mean over rows."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5), distance_fn="l1")
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def smooth_on_both_sides_of_one(inputs: Inputs):
    """Differences above and below the bend."""
    criterion = FeatureConsistencyLoss(
        reference_text_model=inputs.linear(3, 5), text_weight=1.5, distance_fn="smooth_l1", normalize_features=False
    )
    _, text = inputs.paired(batch=6, dim=5)
    yield criterion(text_features=text * 2, text_inputs=inputs.normal(len(text), 3))


def plain_products(inputs: Inputs):
    """Cosine without normalisation is one minus the product."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5), normalize_features=False)
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def equal_to_the_reference(inputs: Inputs):
    """Distance 0, where the Euclidean one has no slope."""
    model = nn.Linear(5, 5, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.eye(5))
    criterion = FeatureConsistencyLoss(model, distance_fn="l2", normalize_features=False)
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision_features=vision, vision_inputs=vision.detach())


def references_that_learn(inputs: Inputs):
    """Gradients reach the references and what goes into them."""
    criterion = FeatureConsistencyLoss(
        inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"), distance_fn="l2", detach_reference=False
    )
    vision, text = inputs.paired(batch=6, dim=5)
    yield criterion(vision, text, inputs.normal(len(vision), 3), inputs.normal(len(text), 4))


def references_that_learn_in_part(inputs: Inputs):
    """What the caller froze stays frozen."""
    model = inputs.linear(3, 5)
    model.bias.requires_grad_(False)
    criterion = FeatureConsistencyLoss(model, detach_reference=False)
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def references_in_evaluation_from_the_start(inputs: Inputs):
    """A reference with dropout that was in training mode before."""
    criterion = FeatureConsistencyLoss(nn.Sequential(inputs.linear(3, 5), nn.Dropout(0.5)))
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def text_as_a_dictionary(inputs: Inputs):
    """It goes to the model as its one argument; what is no tensor goes along."""
    criterion = FeatureConsistencyLoss(reference_text_model=_TakesDict(inputs.linear(3, 5)))
    _, text = inputs.paired(batch=6, dim=5)
    yield criterion(text_features=text, text_inputs={"x": inputs.normal(len(text), 3), "language": "en"})


def text_without_a_reference(inputs: Inputs):
    """It is ignored."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5))
    vision, text = inputs.paired(batch=6, dim=5)
    yield criterion(vision, text, inputs.normal(len(vision), 3), inputs.normal(len(text), 4))


def vision_without_inputs(inputs: Inputs):
    """The text still counts."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"))
    vision, text = inputs.paired(batch=6, dim=5)
    yield criterion(vision, text, text_inputs=inputs.normal(len(text), 4))


def text_without_inputs(inputs: Inputs):
    """The vision still counts."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"))
    vision, text = inputs.paired(batch=6, dim=5)
    yield criterion(vision, text, vision_inputs=inputs.normal(len(text), 3))


def vision_without_features(inputs: Inputs):
    """There is nothing to compare."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"))
    _, text = inputs.paired(batch=6, dim=5)
    yield criterion(text_features=text, vision_inputs=inputs.normal(6, 3), text_inputs=inputs.normal(len(text), 4))


def text_without_features(inputs: Inputs):
    """Likewise."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"))
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3), text_inputs=inputs.normal(6, 4))


def trainer(inputs: Inputs):
    """A stage that logs the drift."""
    criterion = FeatureConsistencyLoss(reference_vision_model=inputs.linear(3, 5), distance_fn="cosine")
    drift = 0.0
    for _ in range(2):
        vision, _ = inputs.paired(batch=6, dim=5)
        out = criterion(vision_features=vision, vision_inputs=inputs.normal(len(vision), 3))
        drift += out["vision_consistency_loss"]
        yield out["loss"]
        yield drift, out["feature_consistency_loss"], out["text_consistency_loss"]


def training_and_evaluation(inputs: Inputs):
    """References without dropout or batch norm do not notice."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5))
    for mode in (False, True):
        criterion.train(mode)
        vision, _ = inputs.paired(batch=6, dim=5)
        yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def references_that_sleep(inputs: Inputs):
    """A reference with dropout, in a loss that is put into training mode."""
    criterion = FeatureConsistencyLoss(nn.Sequential(inputs.linear(3, 5), nn.Dropout(0.5)))
    criterion.train()
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def nothing_given(inputs: Inputs):
    """No arguments at all."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5))
    yield criterion()


def neither_has_a_reference(inputs: Inputs):
    """Features alone."""
    criterion = FeatureConsistencyLoss()
    vision, text = inputs.paired(batch=6, dim=5)
    yield criterion(vision, text)


def neither_has_features(inputs: Inputs):
    """Inputs alone."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5))
    yield criterion(vision_inputs=inputs.normal(6, 3))


def neither_has_more_than_text_inputs(inputs: Inputs):
    """Text inputs alone."""
    criterion = FeatureConsistencyLoss(reference_text_model=inputs.linear(3, 5))
    yield criterion(text_inputs=inputs.normal(6, 3))


def no_reduction(inputs: Inputs):
    """A vector cannot be a number."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5), reduction="none")
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def unknown_distance(inputs: Inputs):
    """A word that is no distance."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5), distance_fn="kl")
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 3))


def sequences(inputs: Inputs):
    """Features with a time axis."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5))
    yield criterion(inputs.normal(2, 4, 5), vision_inputs=inputs.normal(2, 4, 3))


def shapes_that_differ(inputs: Inputs):
    """On the only side."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5))
    yield criterion(inputs.normal(6, 4), vision_inputs=inputs.normal(6, 3))


def shapes_that_differ_on_one_side(inputs: Inputs):
    """The other still counted."""
    criterion = FeatureConsistencyLoss(inputs.linear(3, 5, name="v"), inputs.linear(4, 5, name="t"))
    yield criterion(inputs.normal(6, 5), inputs.normal(6, 4), inputs.normal(6, 3), inputs.normal(6, 4))


def reference_without_parameters(inputs: Inputs):
    """It has no device of its own."""
    criterion = FeatureConsistencyLoss(nn.Identity(), distance_fn="l1", normalize_features=False)
    vision, _ = inputs.paired(batch=6, dim=5)
    yield criterion(vision, vision_inputs=inputs.normal(len(vision), 5))
