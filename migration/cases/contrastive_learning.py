"""Call sites of the contrastive functions in their second home, and of the decoupled loss that is not the exported one."""

import torch
from torch import nn

from legacy import contrastive_learning as learning
from legacy.contrastive_learning import DecoupledContrastiveLoss, compute_recall_at_k, nt_xent_loss, supervised_contrastive_loss
from lossport.inputs import Inputs


def nt_xent_mean(inputs: Inputs):
    for batch in (1, 2, 7):
        vision, text = inputs.paired(batch=batch, dim=6)
        yield nt_xent_loss(nn.functional.normalize(vision, dim=1), nn.functional.normalize(text, dim=1))


def nt_xent_reductions(inputs: Inputs):
    vision, text = inputs.paired(batch=5, dim=6)
    yield nt_xent_loss(vision_features=vision, text_features=text, temperature=0.5, reduction="sum")
    yield learning.nt_xent_loss(vision, text, 0.5, "none")


def supervised_mean(inputs: Inputs):
    vision, text = inputs.paired(batch=6, dim=6)
    unit_vision, unit_text = nn.functional.normalize(vision, dim=1), nn.functional.normalize(text, dim=1)
    yield supervised_contrastive_loss(unit_vision, unit_text, inputs.labels(6, classes=3))


def supervised_by_labels_equal_to_nothing(inputs: Inputs):
    """Such a row has no positive."""
    vision, text = inputs.normal(6, 6, name="vision"), inputs.normal(6, 6, name="text")
    labels = torch.tensor([0.0, 1.0, float("nan"), 1.0, 2.0, float("nan")])
    yield supervised_contrastive_loss(vision, text, labels=labels, temperature=1.0)


def supervised_reductions(inputs: Inputs):
    vision, text = inputs.paired(batch=5, dim=6)
    labels = inputs.labels(5, classes=2).view(-1, 1)
    yield supervised_contrastive_loss(vision, text, labels, temperature=1.5, reduction="sum")
    yield learning.supervised_contrastive_loss(vision, text, labels, 1.5, "none")


def supervised_of_long_features(inputs: Inputs):
    vision, text = inputs.paired(batch=4, dim=6)
    yield supervised_contrastive_loss(10 * vision, 10 * text, inputs.labels(4, classes=2))


def an_unknown_reduction(inputs: Inputs):
    vision, text = inputs.paired(batch=4, dim=6)
    yield supervised_contrastive_loss(vision, text, inputs.labels(4, classes=2), 2.0, "average")


def empty_batches(inputs: Inputs):
    yield nt_xent_loss(inputs.normal(0, 6, name="vision"), inputs.normal(0, 6, name="text"))


def recall(inputs: Inputs):
    similarity = inputs.similarity(12, grad=False)
    yield compute_recall_at_k(similarity)
    yield compute_recall_at_k(similarity, K=[0, 2, 50])
    targets = inputs.labels(12, classes=12)
    yield compute_recall_at_k(similarity, [3], targets, targets.flip(0))
    recalls = learning.compute_recall_at_k(similarity=similarity, K=[1, 5])
    yield recalls["v2t_recall@5"] - recalls["t2i_recall@1"]


def recall_of_a_wide_matrix(inputs: Inputs):
    yield compute_recall_at_k(inputs.similarity(4, 6, grad=False))


def decoupled_groups(inputs: Inputs):
    criterion = DecoupledContrastiveLoss()
    for kind in ("str", "int", "float", "tuple", "tensor"):
        vision, text = inputs.paired(batch=6, dim=8)
        yield criterion(vision, text, inputs.ids(6, groups=3, kind=kind))


def decoupled_raw_ids(inputs: Inputs):
    """1 equals 1.0, not "1"; an id that is not equal to itself has no positives."""
    criterion = DecoupledContrastiveLoss(temperature=0.2, lambda_v=1.0, lambda_t=0.25, reduction="sum")
    vision, text = inputs.normal(6, 8, name="vision"), inputs.normal(6, 8, name="text")
    yield criterion(vision_features=vision, text_features=text, match_ids=[1, 1.0, "1", float("nan"), "1", float("nan")])
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(4, groups=1))


def decoupled_unique_ids(inputs: Inputs):
    criterion = learning.DecoupledContrastiveLoss(0.2)
    vision, text = inputs.paired(batch=5, dim=8)
    yield criterion(vision, text, inputs.ids(5))


def decoupled_edges(inputs: Inputs):
    criterion = DecoupledContrastiveLoss(temperature=0.2)
    for batch in (2, 1, 0):
        vision, text = inputs.normal(batch, 8, name="vision"), inputs.normal(batch, 8, name="text")
        yield criterion(vision, text, ["same"] * batch)


def decoupled_rows_that_differ(inputs: Inputs):
    criterion = DecoupledContrastiveLoss(temperature=0.2)
    vision, _ = inputs.paired(batch=4, dim=6)
    _, text = inputs.paired(batch=3, dim=6)
    yield criterion(vision, text, inputs.ids(4, groups=2))


def decoupled_reads_keys(inputs: Inputs):
    criterion = DecoupledContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=6, dim=8)
    out = criterion(vision, text, match_ids=inputs.ids(6, groups=2))
    yield out["loss"]
    yield out["cross_modal_loss"] + out["instance_loss"], out["accuracy"]
