"""Call sites of the supervised contrastive loss over two modalities."""

import torch

from legacy.supervised_contrastive_loss import SupervisedContrastiveLoss
from lossport.inputs import Inputs


def labels(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(0.2)
    for batch in (8, 5):
        vision, text = inputs.paired(batch=batch, dim=6)
        yield criterion(vision, text, labels=inputs.labels(batch, classes=3))


def a_pair_of_rows(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.5)
    vision, text = inputs.normal(2, 6, name="vision"), inputs.normal(2, 6, name="text")
    yield criterion(vision, text, torch.tensor([1, 1]))


def default_temperature(inputs: Inputs):
    """The own similarity is the maximum that is subtracted: the small constant in the logarithm matters."""
    criterion = SupervisedContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision_features=vision, text_features=text, labels=inputs.labels(6, classes=2))


def float16_at_the_default_temperature(inputs: Inputs):
    criterion = SupervisedContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision.half(), text.half(), inputs.labels(6, classes=2))


def across_modalities(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2, contrast_mode="cross")
    vision, text = inputs.paired(batch=8, dim=6)
    yield criterion(vision, text, inputs.labels(8, classes=3))


def within_modalities(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(0.2, "intra", 0.1)
    vision, text = inputs.paired(batch=8, dim=6)
    yield criterion(vision, text, inputs.labels(8, classes=3))


def modalities_of_two_widths(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2, contrast_mode="intra")
    yield criterion(inputs.normal(6, 8, name="vision"), inputs.normal(6, 5, name="text"), torch.tensor([0, 1, 0, 1, 2, 2]))


def sums_over_another_base(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.1, base_temperature=0.2, reduction="sum")
    vision, text = inputs.paired(batch=8, dim=6)
    yield criterion(vision, text, inputs.labels(8, classes=3))


def labels_of_every_kind(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, labels=inputs.labels(6, classes=2).view(-1, 1))
    vision, text = inputs.normal(6, 6, name="vision"), inputs.normal(6, 6, name="text")
    yield criterion(vision, text, labels=torch.tensor([0.5, 0.5, 1.5, float("nan"), float("nan"), 1.5]))
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    yield criterion(vision, text, labels=torch.tensor([True, False, True]))


def rows_with_and_without_positives(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.normal(5, 6, name="vision"), inputs.normal(5, 6, name="text")
    yield criterion(vision, text, labels=torch.tensor([0, 1, 0, 2, 3]))


def all_labels_alike(inputs: Inputs):
    """No negative, so no comparison in the accuracy."""
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text, labels=inputs.labels(4, classes=1))


def class_weights(inputs: Inputs):
    for mode in ("all", "intra", "cross"):
        criterion = SupervisedContrastiveLoss(temperature=0.2, contrast_mode=mode, use_class_weights=True)
        vision, text = inputs.paired(batch=6, dim=6)
        yield criterion(vision, text, inputs.labels(6, classes=3), class_weights=inputs.weights(3))
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, inputs.labels(6, classes=3))


def class_weights_of_a_column(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2, use_class_weights=True)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, inputs.labels(6, classes=3).view(-1, 1), class_weights=inputs.weights(3))


def class_weights_that_are_not_used(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=6, dim=6)
    yield criterion(vision, text, inputs.labels(6, classes=3), class_weights=inputs.weights(3))


def scores(inputs: Inputs):
    """Symmetric ones; the last row has no positive, a NaN is none."""
    criterion = SupervisedContrastiveLoss(temperature=0.2, similarity_threshold=0.4)
    table = torch.tensor(
        [[1.0, 0.4, 0.9, 0.1], [0.4, 0.2, 0.3, 0.0], [0.9, 0.3, 1.0, float("nan")], [0.1, 0.0, float("nan"), 1.0]]
    )
    vision, text = inputs.normal(4, 6, name="vision"), inputs.normal(4, 6, name="text")
    yield criterion(vision, text, similarity_scores=table)


def scores_of_a_single_pair(inputs: Inputs):
    """One row has a positive, and one negative to compare it with."""
    criterion = SupervisedContrastiveLoss(temperature=0.2, contrast_mode="intra")
    table = torch.tensor([[1.0, 0.9, 0.1], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    yield criterion(vision, text, similarity_scores=table)


def scores_that_are_not_symmetric(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=5, dim=6)
    yield criterion(vision, text, similarity_scores=inputs.similarity(5, grad=False))


def scores_alike_for_all_rows(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.normal(4, 6, name="vision"), inputs.normal(4, 6, name="text")
    yield criterion(vision, text, similarity_scores=torch.tensor([0.9, 0.1, 0.5, 0.2]))


def labels_go_before_scores(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=5, dim=6)
    ids = inputs.ids(5)
    yield criterion(vision, text, inputs.labels(5, classes=2), inputs.similarity(5, grad=False), match_ids=ids)


def nothing_given(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=5, dim=6)
    yield criterion(vision, text)


def match_ids_alone(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=5, dim=6)
    ids = inputs.ids(5, groups=2)
    yield criterion(vision_features=vision, text_features=text, match_ids=ids)


def labels_without_a_pair(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.normal(4, 6, name="vision"), inputs.normal(4, 6, name="text")
    yield criterion(vision, text, labels=torch.tensor([0, 1, 2, 3]))


def batches_of_one_and_of_none(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    for batch in (1, 0):
        vision, text = inputs.normal(batch, 6, name="vision"), inputs.normal(batch, 6, name="text")
        yield criterion(vision, text, torch.zeros(batch))


def several_labels_a_row(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2)
    vision, text = inputs.normal(3, 6, name="vision"), inputs.normal(3, 6, name="text")
    yield criterion(vision, text, labels=torch.tensor([[1, 0, 1], [0, 1, 1], [1, 0, 0]]))


def reduction_none(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2, reduction="none")
    vision, text = inputs.normal(4, 6, name="vision"), inputs.normal(4, 6, name="text")
    yield criterion(vision, text, torch.tensor([0, 1, 0, 1]))


def an_unknown_reduction(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2, reduction="average")
    vision, text = inputs.normal(4, 6, name="vision"), inputs.normal(4, 6, name="text")
    yield criterion(vision, text, torch.tensor([0, 1, 0, 1]))


def an_unknown_mode(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2, contrast_mode="both")
    vision, text = inputs.normal(4, 6, name="vision"), inputs.normal(4, 6, name="text")
    yield criterion(vision, text, torch.tensor([0, 1, 0, 1]))


def float64(inputs: Inputs):
    criterion = SupervisedContrastiveLoss(temperature=0.2, use_class_weights=True)
    vision, text = inputs.paired(batch=6, dim=6)
    out = criterion(vision.double(), text.double(), inputs.labels(6, classes=2), class_weights=torch.tensor([0.5, 2.0]))
    yield out["loss"]
    yield out["intra_vision_loss"], out["contrastive_accuracy"]
