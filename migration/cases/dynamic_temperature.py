"""Call sites of the loss with a temperature of the batch, one a behaviour."""

import torch

from legacy.dynamic_temperature_contrastive_loss import DynamicTemperatureContrastiveLoss
from lossport.inputs import Inputs


def ids_in_groups(inputs: Inputs):
    """Repeated ids; the gradient also flows through the temperature."""
    criterion = DynamicTemperatureContrastiveLoss()
    for _ in range(2):
        vision, text = inputs.paired(batch=8, dim=8)
        yield criterion(vision, text, inputs.ids(8, groups=3))


def ids_all_distinct(inputs: Inputs):
    """No other positives than the pairs themselves: the negatives alone move the temperature."""
    criterion = DynamicTemperatureContrastiveLoss(base_temperature=0.1)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(8))


def ids_all_equal(inputs: Inputs):
    """No negatives: every pair is a positive."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text, inputs.ids(6, groups=1))


def ids_of_other_kinds(inputs: Inputs):
    """Numbers, tuples and tensors are compared by value."""
    criterion = DynamicTemperatureContrastiveLoss(dim=4)
    for kind in ("int", "float", "tuple", "tensor"):
        vision, text = inputs.paired(batch=6, dim=4)
        yield criterion(vision, text, inputs.ids(6, groups=2, kind=kind))


def ids_of_mixed_kinds(inputs: Inputs):
    """Numbers compare across types; text is no number."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text, inputs.keep("ids", ([1, "1", 1.0, True, "1", 2] * len(vision))[: len(vision)]))


def ids_unequal_to_themselves(inputs: Inputs):
    """A NaN matches nothing, itself included: no anchor, but a candidate and a negative of all."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=4)
    nan = float("nan")
    yield criterion(vision, text, inputs.keep("ids", ([1.0, nan, 1.0, 2.0, nan, 2.0] * len(vision))[: len(vision)]))


def ids_of_a_tensor_with_nan(inputs: Inputs):
    """Likewise in a tensor of floats; a negative zero is zero."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=4)
    ids = torch.arange(len(vision)).float() // 2
    ids[:1] = -0.0
    ids[2:3] = float("nan")
    yield criterion(vision, text, ids)


def options_by_position(inputs: Inputs):
    """A temperature above the upper bound is cut there, and then has no gradient."""
    criterion = DynamicTemperatureContrastiveLoss(0.07, 0.01, 0.02, 5)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def cut_at_the_lower_bound(inputs: Inputs):
    """A temperature below the lower bound."""
    criterion = DynamicTemperatureContrastiveLoss(min_temp=0.3, max_temp=0.5, base_temperature=0.05)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def bounds_that_contradict_each_other(inputs: Inputs):
    """The upper one holds."""
    criterion = DynamicTemperatureContrastiveLoss(base_temperature=0.6, min_temp=0.36, max_temp=0.3, dim=8)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def wide_bounds(inputs: Inputs):
    """Bounds that are never reached, the lower one zero."""
    criterion = DynamicTemperatureContrastiveLoss(0.2, min_temp=0.0, max_temp=10.0)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def groups_far_apart(inputs: Inputs):
    """A wide gap brings the temperature to its lowest, a negative one to the upper bound."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.features(6, 8, name="vision"), inputs.features(6, 8, name="text")
    ids = [f"side{n % 2}" for n in range(len(vision))]
    side = torch.tensor([[10.0 - 20.0 * (n % 2)] for n in range(len(vision))]).to(vision)
    yield criterion(vision + side, text + side, ids)
    yield criterion(vision + side, text - side, ids)


def one_row(inputs: Inputs):
    """A single pair: 1.2 times the base temperature, and no loss."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.features(1, 8, name="vision"), inputs.features(1, 8, name="text")
    yield criterion(vision, text, ["only"] * len(vision))


def training_and_evaluation(inputs: Inputs):
    """The mode makes no difference."""
    criterion = DynamicTemperatureContrastiveLoss()
    for batch, mode in ((6, True), (3, False), (6, False)):
        criterion.train(mode)
        vision, text = inputs.paired(batch=batch, dim=8)
        yield criterion(vision, text, inputs.ids(batch, groups=2))


def reads_numbers(inputs: Inputs):
    """A training loop that logs what it reads."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.paired(batch=12, dim=8)
    out = criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(12, groups=4))
    yield out["loss"]
    yield out["temperature"], out["pos_similarity"], out["neg_similarity"]
    yield out["v2t_loss"] + out["t2v_loss"]


def reads_and_sets_options(inputs: Inputs):
    """A schedule that moves the bounds."""
    criterion = DynamicTemperatureContrastiveLoss(base_temperature=0.1)
    for _ in range(2):
        criterion.min_temp = 0.1
        criterion.max_temp *= 0.8
        vision, text = inputs.paired(batch=8, dim=8)
        yield criterion(vision, text, inputs.ids(8, groups=3))


def no_pairs(inputs: Inputs):
    """No id matches any, itself included."""
    criterion = DynamicTemperatureContrastiveLoss()
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text, [float("nan") for _ in range(len(vision))])


def empty_batch(inputs: Inputs):
    """No rows."""
    criterion = DynamicTemperatureContrastiveLoss()
    yield criterion(inputs.normal(0, 8, name="vision"), inputs.normal(0, 8, name="text"), [])


def one_id_for_all_rows(inputs: Inputs):
    """A single id spreads over the batch in some places, not in others."""
    criterion = DynamicTemperatureContrastiveLoss()
    yield criterion(inputs.normal(4, 8, name="vision"), inputs.normal(4, 8, name="text"), ["a"])


def wrong_number_of_ids(inputs: Inputs):
    """Too few ids."""
    criterion = DynamicTemperatureContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), ["a", "b"])


def wrong_rows(inputs: Inputs):
    """More texts than images."""
    criterion = DynamicTemperatureContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(5, 8), ["a", "b", "c", "d"])


def wrong_widths(inputs: Inputs):
    """Features of different widths."""
    criterion = DynamicTemperatureContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 6), ["a", "b", "c", "d"])


def wrong_axes(inputs: Inputs):
    """One-dimensional features."""
    criterion = DynamicTemperatureContrastiveLoss()
    yield criterion(inputs.normal(4), inputs.normal(4), ["a", "b", "c", "d"])


def wrong_ids(inputs: Inputs):
    """None at all."""
    criterion = DynamicTemperatureContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), None)
