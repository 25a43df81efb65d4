"""Call sites of the mixture of InfoNCE, NT-Xent and the supervised contrastive loss."""

import logging

import torch

from legacy.multimodal_mixed_contrastive_loss import MultiModalMixedContrastiveLoss
from lossport.inputs import Inputs


def noise_in_small_training_batches(inputs: Inputs):
    """Without labels the third weight is lost."""
    criterion = MultiModalMixedContrastiveLoss()
    for batch in (4, 12, 15, 16):
        vision, text = inputs.paired(batch=batch, dim=8)
        out = criterion(vision, text)
        yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()
    criterion.eval()
    vision, text = inputs.paired(batch=4, dim=8)
    out = criterion(vision, text)
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()
    criterion.train()
    vision, text = inputs.paired(batch=4, dim=8)
    out = criterion(vision, text)
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()


def noise_in_half_precision(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=5, dim=6)
    yield criterion(vision.half(), text.half())["loss"]


def whole_results(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=18, dim=8)
    yield criterion(vision, text, inputs.ids(18, groups=4), inputs.labels(18, classes=3))
    vision, text = inputs.paired(batch=16, dim=8)
    yield criterion(vision, text)


def labels(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    for _ in range(2):
        vision, text = inputs.paired(batch=16, dim=8)
        out = criterion(vision_features=vision, text_features=text, labels=inputs.labels(16, classes=3))
        yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()
    vision, text = inputs.paired(batch=16, dim=8)
    out = criterion(vision, text, labels=inputs.labels(16, classes=3).view(-1, 1))
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()


def groups_of_ids(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(0.2)
    for _ in range(3):
        vision, text = inputs.paired(batch=16, dim=6)
        out = criterion(vision, text, match_ids=inputs.ids(16, groups=3), labels=inputs.labels(16, classes=3))
        yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()


def ids_of_every_kind(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    for kind in ("int", "float", "tuple", "tensor"):
        vision, text = inputs.paired(batch=16, dim=6)
        out = criterion(vision, text, inputs.ids(16, groups=3, kind=kind))
        yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()
    vision, text = inputs.paired(batch=16, dim=6)
    out = criterion(vision, text, inputs.ids(16, groups=1))
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()
    vision, text = inputs.paired(batch=16, dim=6)
    out = criterion(vision, text, inputs.ids(16))
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()


def ids_of_mixed_kinds(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    criterion.eval()
    vision, text = inputs.normal(5, 6, name="vision"), inputs.normal(5, 6, name="text")
    out = criterion(vision, text, ["a", float("nan"), "a", 1, "1"])
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()


def ids_that_differ_in_the_fifth_decimal(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text, match_ids=torch.tensor([1.00001, 1.00002, 1.00003, 1.00004]))


def weights_of_one_part(inputs: Inputs):
    for weights in (
        {"infonce": 1.0, "nt_xent": 0.0, "supervised": 0.0},
        {"infonce": 0.0, "nt_xent": 1.0, "supervised": 0.0, "more": 3.0},
        {"infonce": 0, "nt_xent": 0, "supervised": 2},
    ):
        criterion = MultiModalMixedContrastiveLoss(temperature=0.2, loss_weights=weights)
        vision, text = inputs.paired(batch=16, dim=6)
        yield criterion(vision, text, labels=inputs.labels(16, classes=3))["loss"]


def no_weight_at_all(inputs: Inputs):
    """The loss is a zero with gradients that are zeros."""
    weights = {"infonce": 0.0, "nt_xent": 0.0, "supervised": 0.0}
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2, loss_weights=weights)
    vision, text = inputs.paired(batch=16, dim=6)
    yield criterion(vision, text, labels=inputs.labels(16, classes=3))["loss"]


def a_weight_is_missing(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(loss_weights={"infonce": 1.0, "nt_xent": 1.0})
    vision, text = inputs.paired(batch=16, dim=6)
    yield criterion(vision, text)


def weights_that_the_caller_changes(inputs: Inputs):
    weights = {"infonce": 0.5, "nt_xent": 0.0, "supervised": 0.0}
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2, loss_weights=weights)
    weights["infonce"] = 2.0
    vision, text = inputs.paired(batch=16, dim=6)
    yield criterion(vision, text)["loss"]


def a_part_that_overflowed(inputs: Inputs):
    weights = {"infonce": 0.5, "nt_xent": 0.5, "supervised": 0.0}
    criterion = MultiModalMixedContrastiveLoss(temperature=0.01, loss_weights=weights)
    vision, text = inputs.paired(batch=16, dim=6)
    yield criterion(vision, text, labels=inputs.labels(16, classes=3))


def sums(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2, reduction="sum")
    vision, text = inputs.paired(batch=17, dim=6)
    out = criterion(vision, text, labels=inputs.labels(17, classes=3))
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()


def reduction_none(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2, reduction="none")
    vision, text = inputs.paired(batch=4, dim=6)
    yield criterion(vision, text)


def one_row_without_reduction(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2, reduction="none")
    vision, text = inputs.normal(1, 6, name="vision"), inputs.normal(1, 6, name="text")
    yield criterion(vision, text, labels=torch.tensor([2]))


def a_batch_of_one(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    vision, text = inputs.normal(1, 6, name="vision"), inputs.normal(1, 6, name="text")
    out = criterion(vision, text, match_ids=["only"])
    yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()


def an_empty_batch(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    vision, text = inputs.normal(0, 6, name="vision"), inputs.normal(0, 6, name="text")
    yield criterion(vision, text)


def rows_that_differ(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    vision, _ = inputs.paired(batch=4, dim=6)
    _, text = inputs.paired(batch=3, dim=6)
    yield criterion(vision, text)


def heads_in_training_and_evaluation(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2, add_projection=True, input_dim=8, projection_dim=4)
    for _ in range(2):
        vision, text = inputs.paired(batch=16, dim=8)
        out = criterion(vision, text, labels=inputs.labels(16, classes=3))
        yield out["loss"], out["loss_infonce"].item(), out["loss_nt_xent"].item(), out["loss_supervised"].item()
    criterion.train(False)
    vision, text = inputs.paired(batch=16, dim=8)
    yield criterion.project(vision, text)


def heads_of_a_width_that_is_not_given(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2, add_projection=True, input_dim=4)
    criterion.eval()
    vision, text = inputs.paired(batch=3, dim=4)
    yield criterion(vision, text)["loss"]


def heads_without_a_width(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(add_projection=True)
    vision, text = inputs.paired(batch=16, dim=8)
    yield criterion(vision, text)


def reads_keys(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=16, dim=8)
    out = criterion(vision, text, inputs.ids(16, groups=2))
    yield out["loss"]
    yield out["v2t_accuracy"], out["t2v_accuracy"], out["accuracy"]
    yield out["recalls"]["v2t_recall@5"], out["recalls"]["t2i_recall@1"], out["recalls"]["avg_recall@10"]


def with_debug_logging(inputs: Inputs):
    criterion = MultiModalMixedContrastiveLoss(temperature=0.2)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        vision, text = inputs.paired(batch=4, dim=3)
        loss = criterion(vision, text)["loss"]
    finally:
        logging.getLogger().setLevel(level)
    yield loss
