"""Call sites of the loss with weighted negatives, one a behaviour."""

import torch

from legacy.hard_negative_mining_contrastive_loss import HardNegativeMiningContrastiveLoss
from lossport.inputs import Inputs


def semi_hard_in_groups(inputs: Inputs):
    """The default: a factor of 2 in the band below the mean positive."""
    criterion = HardNegativeMiningContrastiveLoss()
    for _ in range(2):
        vision, text = inputs.paired(batch=8, dim=8)
        yield criterion(vision, text, inputs.ids(8, groups=3))


def semi_hard_of_similar_rows(inputs: Inputs):
    """Many negatives fall into the band."""
    criterion = HardNegativeMiningContrastiveLoss(hard_negative_factor=5.0, temperature=0.1, dim=16)
    vision, text = inputs.paired(batch=10, dim=8, shared=0.9)
    common = torch.full((1, vision.shape[1]), 2.0).to(vision)
    yield criterion(vision + common, text + common, inputs.ids(10))


def semi_hard_with_an_empty_band(inputs: Inputs):
    """Positives are less similar than negatives: nothing is weighted."""
    criterion = HardNegativeMiningContrastiveLoss(temperature=0.5)
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, -text, inputs.ids(4))


def semi_hard_at_the_edges_of_the_band(inputs: Inputs):
    """Negatives as similar as the positive, and less similar by the width of the band: both are outside."""
    criterion = HardNegativeMiningContrastiveLoss(hard_negative_factor=5.0, temperature=0.5)
    vision = inputs.keep("vision", torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    text = inputs.keep("text", torch.tensor([[1.0, 0.0], [0.8, 0.6], [1.0, 0.0]]))
    yield criterion(vision, text, ["a", "b", "c"])


def hard_with_one_negative(inputs: Inputs):
    """By position, small batch: exactly one negative of a row is hard."""
    criterion = HardNegativeMiningContrastiveLoss(0.1, 3.0, "hard", 8)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def hard_with_two_negatives(inputs: Inputs):
    """Of 18 negatives the most similar one, of 20 the two most similar ones: a started ten does not count."""
    criterion = HardNegativeMiningContrastiveLoss(mining_strategy="hard", temperature=0.2)
    for batch in (19, 21):
        vision, text = inputs.paired(batch=batch, dim=8)
        yield criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(batch))


def hard_in_groups_of_two_sizes(inputs: Inputs):
    """A row of the large group has fewer than twenty negatives, the others have more."""
    criterion = HardNegativeMiningContrastiveLoss(mining_strategy="hard", temperature=0.2, hard_negative_factor=4.0)
    vision, text = inputs.paired(batch=22, dim=4)
    yield criterion(vision, text, [max(number - 3, 0) for number in range(len(vision))])


def pairs_far_apart(inputs: Inputs):
    """In double precision, with positives much less similar than negatives."""
    criterion = HardNegativeMiningContrastiveLoss(mining_strategy="none", temperature=0.05)
    vision, text = inputs.paired(batch=5, dim=4, shared=0.95)
    yield criterion(vision.double(), -text.double(), inputs.ids(5))


def no_mining(inputs: Inputs):
    """All negatives count once, whatever the factor."""
    criterion = HardNegativeMiningContrastiveLoss(mining_strategy="none", hard_negative_factor=9.0)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def factor_below_one(inputs: Inputs):
    """Hard negatives count for less."""
    criterion = HardNegativeMiningContrastiveLoss(hard_negative_factor=0.5)
    vision, text = inputs.paired(batch=8, dim=8)
    yield criterion(vision, text, inputs.ids(8, groups=3))


def hard_with_factor_zero(inputs: Inputs):
    """Hard negatives are left out; with a single negative nothing is left."""
    criterion = HardNegativeMiningContrastiveLoss(hard_negative_factor=0, mining_strategy="hard", temperature=0.2)
    for batch in (8, 2):
        vision, text = inputs.paired(batch=batch, dim=8)
        yield criterion(vision, text, inputs.ids(batch))


def ids_of_other_kinds(inputs: Inputs):
    """Numbers, tuples and tensors are compared by value."""
    criterion = HardNegativeMiningContrastiveLoss(temperature=0.2)
    for kind in ("int", "float", "tuple", "tensor"):
        vision, text = inputs.paired(batch=6, dim=4)
        yield criterion(vision, text, inputs.ids(6, groups=3, kind=kind))


def ids_of_mixed_kinds(inputs: Inputs):
    """Numbers compare across types; text is no number."""
    criterion = HardNegativeMiningContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=4)
    yield criterion(vision, text, inputs.keep("ids", ([1, "1", 1.0, True, "1", 2] * len(vision))[: len(vision)]))


def ids_unequal_to_themselves(inputs: Inputs):
    """A NaN matches nothing: no anchor, but a negative of all."""
    criterion = HardNegativeMiningContrastiveLoss()
    vision, text = inputs.paired(batch=6, dim=4)
    nan = float("nan")
    yield criterion(vision, text, inputs.keep("ids", ([1.0, nan, 1.0, 2.0, nan, 2.0] * len(vision))[: len(vision)]))


def training_and_evaluation(inputs: Inputs):
    """The mode makes no difference."""
    criterion = HardNegativeMiningContrastiveLoss()
    for batch, mode in ((5, True), (4, False), (5, False)):
        criterion.train(mode)
        vision, text = inputs.paired(batch=batch, dim=8)
        yield criterion(vision, text, inputs.ids(batch))


def reads_numbers(inputs: Inputs):
    """A training loop that logs what it reads."""
    criterion = HardNegativeMiningContrastiveLoss(temperature=0.05, hard_negative_factor=3.5)
    vision, text = inputs.paired(batch=12, dim=8)
    out = criterion(vision_features=vision, text_features=text, match_ids=inputs.ids(12, groups=4))
    yield out["loss"]
    yield out["v2t_loss"] + out["t2v_loss"], out["hard_negative_factor"]


def sets_an_option(inputs: Inputs):
    """A schedule of the factor."""
    criterion = HardNegativeMiningContrastiveLoss(hard_negative_factor=1.0)
    for _ in range(2):
        criterion.hard_negative_factor += 1.0
        vision, text = inputs.paired(batch=8, dim=8)
        yield criterion(vision, text, inputs.ids(8, groups=3))


def low_temperature(inputs: Inputs):
    """Exponentials beyond float32."""
    criterion = HardNegativeMiningContrastiveLoss(temperature=0.005)
    vision, text = inputs.paired(batch=6, dim=8, shared=0.95)
    yield criterion(vision, text, inputs.ids(6, groups=3))


def no_negatives(inputs: Inputs):
    """All ids are equal."""
    criterion = HardNegativeMiningContrastiveLoss()
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text, inputs.ids(4, groups=1))


def no_negatives_of_one_row(inputs: Inputs):
    """A single pair."""
    criterion = HardNegativeMiningContrastiveLoss()
    yield criterion(inputs.normal(1, 8, name="vision"), inputs.normal(1, 8, name="text"), ["only"])


def no_pairs(inputs: Inputs):
    """No id matches any, itself included."""
    criterion = HardNegativeMiningContrastiveLoss()
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text, [float("nan") for _ in range(len(vision))])


def empty_batch(inputs: Inputs):
    """No rows."""
    criterion = HardNegativeMiningContrastiveLoss()
    yield criterion(inputs.normal(0, 8, name="vision"), inputs.normal(0, 8, name="text"), [])


def fewer_ids_than_rows(inputs: Inputs):
    """Only the leading rows count."""
    criterion = HardNegativeMiningContrastiveLoss()
    yield criterion(inputs.normal(5, 8, name="vision"), inputs.normal(5, 8, name="text"), ["a", "b", "a"])


def more_ids_than_rows(inputs: Inputs):
    """An index beyond the batch."""
    criterion = HardNegativeMiningContrastiveLoss()
    yield criterion(inputs.normal(3, 8, name="vision"), inputs.normal(3, 8, name="text"), ["a", "b", "a", "c"])


def unknown_strategy(inputs: Inputs):
    """A word that is no strategy."""
    criterion = HardNegativeMiningContrastiveLoss(mining_strategy="hardest")
    yield criterion(inputs.normal(4, 8, name="vision"), inputs.normal(4, 8, name="text"), ["a", "b", "c", "d"])


def wrong_factor(inputs: Inputs):
    """A weight below zero."""
    criterion = HardNegativeMiningContrastiveLoss(hard_negative_factor=-1.0, mining_strategy="hard")
    yield criterion(inputs.normal(4, 8, name="vision"), inputs.normal(4, 8, name="text"), ["a", "b", "c", "d"])


def wrong_rows(inputs: Inputs):
    """More images than texts."""
    criterion = HardNegativeMiningContrastiveLoss()
    yield criterion(inputs.normal(5, 8), inputs.normal(4, 8), ["a", "b", "c", "d", "e"])


def wrong_widths(inputs: Inputs):
    """Features of different widths."""
    criterion = HardNegativeMiningContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 6), ["a", "b", "c", "d"])


def wrong_ids(inputs: Inputs):
    """None at all."""
    criterion = HardNegativeMiningContrastiveLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), None)
