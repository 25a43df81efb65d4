"""Call sites of the CLIP-style loss, one a behaviour.

Left out, as no call reaches it: the recall helper without targets (forward always gives both).
"""

from legacy.clip_style_loss import CLIPStyleLoss
from lossport.inputs import Inputs


def diagonal(inputs: Inputs):
    """Without ids, row i belongs to row i."""
    criterion = CLIPStyleLoss()
    vision, text = inputs.paired(batch=12, dim=8)
    yield criterion(vision, text)


def options_by_position(inputs: Inputs):
    """The sum of the rows, at another temperature; hard-negative options do nothing."""
    criterion = CLIPStyleLoss(0.5, True, 4.0, "sum")
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text)


def options_by_name(inputs: Inputs):
    """The lowest temperature in use."""
    criterion = CLIPStyleLoss(temperature=0.01, use_hard_negatives=False, hard_negative_weight=0.5, reduction="mean")
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(text_features=text, vision_features=vision)


def ids_in_groups(inputs: Inputs):
    """One positive of several, drawn for each row and column, anew in every call."""
    criterion = CLIPStyleLoss()
    for _ in range(3):
        vision, text = inputs.paired(batch=8, dim=8)
        yield criterion(vision, text, match_ids=inputs.ids(8, groups=3))


def ids_all_distinct(inputs: Inputs):
    """One positive each: the diagonal, but a draw for every row and column all the same."""
    criterion = CLIPStyleLoss(temperature=0.2)
    vision, text = inputs.paired(batch=7, dim=8)
    yield criterion(vision, text, inputs.ids(7))


def ids_all_equal(inputs: Inputs):
    """No negatives in the ids: every row may be drawn."""
    criterion = CLIPStyleLoss()
    vision, text = inputs.paired(batch=5, dim=8)
    yield criterion(vision, text, match_ids=inputs.ids(5, groups=1))


def ids_of_other_kinds(inputs: Inputs):
    """Integers, tuples and whole-number tensors are compared as well."""
    criterion = CLIPStyleLoss()
    for kind in ("int", "tuple", "tensor", "float"):
        vision, text = inputs.paired(batch=6, dim=4)
        yield criterion(vision, text, match_ids=inputs.ids(6, groups=2, kind=kind))


def ids_of_mixed_kinds(inputs: Inputs):
    """A list that begins with a number is compared as text, so 1 and "1" match; one that begins with a string is not."""
    criterion = CLIPStyleLoss()
    for first in (1, "1"):
        vision, text = inputs.paired(batch=6, dim=4)
        ids = [first, "1", 1, "2", 2.0, 1]
        yield criterion(vision, text, match_ids=inputs.keep("ids", (ids * len(vision))[: len(vision)]))


def ids_unequal_to_themselves(inputs: Inputs):
    """A NaN among strings matches nothing: its target is itself, without a draw."""
    criterion = CLIPStyleLoss()
    vision, text = inputs.paired(batch=6, dim=4)
    nan = float("nan")
    ids = ["a", nan, "a", "b", nan, "b"]
    yield criterion(vision, text, match_ids=inputs.keep("ids", (ids * len(vision))[: len(vision)]))


def ids_that_print_alike(inputs: Inputs):
    """Floats of a tensor that agree to four decimals."""
    criterion = CLIPStyleLoss()
    vision, text = inputs.paired(batch=16, dim=4)
    close = 1.0 + inputs.integers(0, 3, len(vision)) * 1e-5
    yield criterion(vision, text, match_ids=close)


def smoothing_on_the_diagonal(inputs: Inputs):
    """The cache holds what every call without ids needs."""
    criterion = CLIPStyleLoss(label_smoothing=0.1)
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=8)
        yield criterion(vision, text)


def smoothing_without_the_cache(inputs: Inputs):
    """Each direction has its own targets."""
    criterion = CLIPStyleLoss(label_smoothing=0.2, cache_labels=False, reduction="sum")
    for _ in range(2):
        vision, text = inputs.paired(batch=6, dim=8)
        yield criterion(vision, text, match_ids=inputs.ids(6, groups=2))


def smoothing_with_the_cache(inputs: Inputs):
    """Three calls of one size, with other targets each."""
    criterion = CLIPStyleLoss(label_smoothing=0.1)
    for _ in range(3):
        vision, text = inputs.paired(batch=12, dim=8)
        yield criterion(vision, text, match_ids=inputs.ids(12, groups=3))


def smoothing_of_zero(inputs: Inputs):
    """None at all."""
    criterion = CLIPStyleLoss(label_smoothing=0, cache_labels=True)
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text)


def given_logits(inputs: Inputs):
    """A given matrix is used as it is: no temperature, and no gradient for the features."""
    criterion = CLIPStyleLoss()
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text, similarity_matrix=inputs.similarity(6))


def given_logits_with_ids_and_smoothing(inputs: Inputs):
    """All of it together, by position, with features of different widths."""
    criterion = CLIPStyleLoss(label_smoothing=0.3, cache_labels=False)
    vision = inputs.features(6, 8, name="vision")
    text = inputs.normal(len(vision), 3, name="text")
    yield criterion(vision, text, inputs.ids(6, groups=3), inputs.similarity(6))


def no_reduction(inputs: Inputs):
    """A loss a row, plain."""
    criterion = CLIPStyleLoss(reduction="none")
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text)


def no_reduction_with_smoothing(inputs: Inputs):
    """A loss a row, smoothed."""
    criterion = CLIPStyleLoss(reduction="none", label_smoothing=0.1)
    vision, text = inputs.paired(batch=6, dim=8)
    yield criterion(vision, text)


def one_row(inputs: Inputs):
    """A single pair: the loss is zero, and everything is found."""
    vision, text = inputs.normal(1, 8, name="vision"), inputs.normal(1, 8, name="text")
    for reduction in ("mean", "sum", "none"):
        yield CLIPStyleLoss(reduction=reduction)(vision, text, match_ids=["only"])


def empty_batch(inputs: Inputs):
    """No rows."""
    criterion = CLIPStyleLoss()
    yield criterion(inputs.normal(0, 8, name="vision"), inputs.normal(0, 8, name="text"))


def training_and_evaluation(inputs: Inputs):
    """The mode makes no difference, and neither does the order of calls of different sizes."""
    criterion = CLIPStyleLoss(temperature=1.0)
    for batch, mode in ((6, True), (3, False), (6, False)):
        criterion.train(mode)
        vision, text = inputs.paired(batch=batch, dim=8)
        yield criterion(vision, text, match_ids=inputs.ids(batch, groups=2))


def reads_numbers(inputs: Inputs):
    """A training loop that logs what it reads."""
    criterion = CLIPStyleLoss(temperature=0.1)
    vision, text = inputs.paired(batch=12, dim=8)
    out = criterion(vision_features=vision, text_features=text)
    yield out["loss"]
    yield out["v2t_loss"], out["t2v_loss"], out["accuracy"]
    yield out["matched_similarity"], out["mean_similarity"], out["similarity_gap"]
    yield out["recalls"]["v2t_recall@1"], out["recalls"]["avg_recall@5"]


def unknown_reduction(inputs: Inputs):
    """A word that is no reduction."""
    criterion = CLIPStyleLoss(reduction="average")
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text)


def unknown_reduction_with_smoothing(inputs: Inputs):
    """A word that is no reduction, where labels are smoothed."""
    criterion = CLIPStyleLoss(reduction="average", label_smoothing=0.1)
    vision, text = inputs.paired(batch=4, dim=8)
    yield criterion(vision, text)


def rows_that_differ(inputs: Inputs):
    """More texts than images."""
    criterion = CLIPStyleLoss()
    yield criterion(inputs.normal(4, 8, name="vision"), inputs.normal(5, 8, name="text"))


def rows_that_differ_beside_given_logits(inputs: Inputs):
    """More texts than images, though neither is compared."""
    criterion = CLIPStyleLoss()
    vision, text = inputs.normal(4, 8, name="vision"), inputs.normal(5, 8, name="text")
    yield criterion(vision, text, similarity_matrix=inputs.normal(4, 4, name="similarity"))


def logits_of_another_size(inputs: Inputs):
    """A given matrix that does not fit the batch."""
    criterion = CLIPStyleLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), similarity_matrix=inputs.normal(5, 5))


def wrong_widths(inputs: Inputs):
    """Features of different widths."""
    criterion = CLIPStyleLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 6))


def wrong_axes(inputs: Inputs):
    """One-dimensional features."""
    criterion = CLIPStyleLoss()
    yield criterion(inputs.normal(4), inputs.normal(4))


def wrong_number_of_ids(inputs: Inputs):
    """Too few ids."""
    criterion = CLIPStyleLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), match_ids=["a", "b", "c"])


def wrong_surplus_of_ids(inputs: Inputs):
    """More ids than rows."""
    criterion = CLIPStyleLoss()
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8), match_ids=["a", "b", "c", "d", "a"])


def wrong_smoothing(inputs: Inputs):
    """A share that is none."""
    criterion = CLIPStyleLoss(label_smoothing=-0.1)
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8))


def wrong_temperature(inputs: Inputs):
    """Nothing to divide by."""
    criterion = CLIPStyleLoss(temperature=0.0)
    yield criterion(inputs.normal(4, 8), inputs.normal(4, 8))
