"""Call sites of the loss with terms within each modality, one a behaviour.

Left out, as no call reaches it: the empty batch near the end of forward (it has returned long before).
"""

import torch

from legacy.decoupled_contrastive_loss import DecoupledContrastiveLoss
from lossport.inputs import Inputs


def ids_in_groups(inputs: Inputs):
    """One term a row with its positives summed, divided by the number of pairs."""
    criterion = DecoupledContrastiveLoss()
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=8)
        out = criterion(vision, text, [f"id{n % 4}" for n in range(len(vision))])
        yield out["loss"], out["cross_modal_loss"].item(), out["instance_loss"].item(), out["accuracy"]


def every_part(inputs: Inputs):
    """A training loop that logs all it gets."""
    criterion = DecoupledContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=12, dim=8)
    out = criterion(vision_features=vision, text_features=text, match_ids=[n % 5 for n in range(len(vision))])
    yield out["loss"]
    yield out["cross_modal_loss"].item(), out["instance_loss"].item()
    yield out["v2t_loss"].item(), out["t2v_loss"].item()
    yield out["vision_inst_loss"].item(), out["text_inst_loss"].item()
    yield out["v2t_accuracy"], out["t2v_accuracy"], out["accuracy"].item()


def ids_all_distinct(inputs: Inputs):
    """One positive each."""
    criterion = DecoupledContrastiveLoss(temperature=0.1)
    vision, text = inputs.paired(batch=8, dim=8)
    out = criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(8))
    yield out["loss"], out["v2t_loss"].item(), out["t2v_loss"].item(), out["v2t_accuracy"], out["t2v_accuracy"]


def ids_of_other_kinds(inputs: Inputs):
    """Numbers, tuples and tensors are compared by value."""
    criterion = DecoupledContrastiveLoss(temperature=0.2)
    for kind in ("int", "float", "tuple", "tensor"):
        vision, text = inputs.paired(batch=5, dim=4)
        out = criterion(vision, text, inputs.ids(5, groups=2, kind=kind))
        yield out["loss"]


def ids_of_mixed_kinds(inputs: Inputs):
    """Numbers compare across types; text is no number."""
    criterion = DecoupledContrastiveLoss(temperature=0.3)
    vision, text = inputs.paired(batch=6, dim=4)
    out = criterion(vision, text, inputs.keep("ids", ([1, "1", 1.0, True, "1", 2] * len(vision))[: len(vision)]))
    yield out["loss"], out["cross_modal_loss"].item(), out["accuracy"]


def ids_unequal_to_themselves(inputs: Inputs):
    """A NaN matches nothing: no anchor, but a negative of all, and right when it finds its own partner."""
    criterion = DecoupledContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=6, dim=4, shared=0.9)
    nan = float("nan")
    out = criterion(vision, text, inputs.keep("ids", ([1.0, nan, 1.0, 2.0, nan, 2.0] * len(vision))[: len(vision)]))
    yield out["loss"], out["cross_modal_loss"].item(), out["v2t_accuracy"], out["t2v_accuracy"]


def ids_unequal_to_themselves_under_anomaly_detection(inputs: Inputs):
    """Rows that match nothing put no NaN on the way back, not even one that is thrown away."""
    criterion = DecoupledContrastiveLoss(temperature=0.2)
    vision, text = inputs.paired(batch=4, dim=4)
    ids = inputs.keep("ids", ([1.0, float("nan"), 1.0, 2.0] * len(vision))[: len(vision)])
    with torch.autograd.detect_anomaly():
        yield criterion(vision, text, ids)["loss"]


def options_by_position(inputs: Inputs):
    """Other weights; the reduction changes nothing."""
    criterion = DecoupledContrastiveLoss(0.5, 2.0, 0.0, "sum")
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))["loss"]


def options_by_name(inputs: Inputs):
    """Weights of zero leave the cross-modal term alone."""
    criterion = DecoupledContrastiveLoss(reduction="none", lambda_t=0.0, lambda_v=0.0, temperature=0.2)
    vision, text = inputs.paired(batch=8, dim=8)
    out = criterion(vision, text, inputs.ids(8))
    yield out["loss"], out["instance_loss"].item()


def batches_of_different_sizes(inputs: Inputs):
    """Nothing is kept between calls."""
    criterion = DecoupledContrastiveLoss()
    for batch in (6, 4, 6):
        vision, text = inputs.paired(batch=batch, dim=8)
        out = criterion(vision, text, inputs.ids(batch))
        yield out["loss"], out["accuracy"]


def whole_results(inputs: Inputs):
    """All that a call returns, kept: the parts hold on to their graph."""
    criterion = DecoupledContrastiveLoss()
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def ids_all_equal(inputs: Inputs):
    """No negatives: the terms within the modalities remain."""
    criterion = DecoupledContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text, inputs.ids(6, groups=1))


def one_row(inputs: Inputs):
    """A single pair: nothing to contrast."""
    criterion = DecoupledContrastiveLoss()
    yield criterion(inputs.normal(1, 8, name="vision"), inputs.normal(1, 8, name="text"), ["only"])


def low_temperature(inputs: Inputs):
    """Exponentials beyond float32."""
    criterion = DecoupledContrastiveLoss(temperature=0.01)
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text, inputs.ids(6, groups=3))


def no_pairs(inputs: Inputs):
    """No id matches any, itself included."""
    criterion = DecoupledContrastiveLoss()
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text, torch.full((len(vision),), float("nan")))


def empty_batch(inputs: Inputs):
    """No rows."""
    criterion = DecoupledContrastiveLoss()
    yield criterion(inputs.normal(0, 8, name="vision"), inputs.normal(0, 8, name="text"), [])


def rows_that_differ(inputs: Inputs):
    """More texts than images."""
    criterion = DecoupledContrastiveLoss()
    yield criterion(inputs.normal(4, 8, name="vision"), inputs.normal(5, 8, name="text"), ["a", "b", "c", "d"])


def wrong_widths(inputs: Inputs):
    """Features of different widths."""
    criterion = DecoupledContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 6), ["a", "b", "c", "d"])


def wrong_number_of_ids(inputs: Inputs):
    """Too few ids."""
    criterion = DecoupledContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), ["a", "b"])


def wrong_surplus_of_ids(inputs: Inputs):
    """More ids than rows."""
    criterion = DecoupledContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), ["a", "b", "a", "b", "c"])


def wrong_ids(inputs: Inputs):
    """None at all."""
    criterion = DecoupledContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), None)
