"""What is special to cross entropy and squared error; what holds for every loss is in the battery."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from losses import LabelSmoothingCrossEntropy, MeanSquaredError

LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0], [-2.0, 0.0, 2.0]])
LABELS = torch.tensor([0, 2, 1, 0])
WEIGHT = torch.tensor([0.5, 2.0, 1.0])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_class_weights_count_with_and_without_smoothing_as_in_torch(smoothing: float) -> None:
    found = LabelSmoothingCrossEntropy(smoothing, "none", WEIGHT)(LOGITS, LABELS)["loss"]
    expected = F.cross_entropy(LOGITS, LABELS, WEIGHT, reduction="none", label_smoothing=smoothing)
    torch.testing.assert_close(found, expected)


def test_the_mean_divides_by_the_number_of_rows_whatever_they_weigh() -> None:
    rows = LabelSmoothingCrossEntropy(0.0, "none", WEIGHT)(LOGITS, LABELS)["loss"]
    assert LabelSmoothingCrossEntropy(0.0, "mean", WEIGHT)(LOGITS, LABELS)["loss"] == rows.mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_an_ignored_target_costs_nothing_and_counts_in_the_mean(smoothing: float) -> None:
    ignored = torch.tensor([0, -100, 1, 0])
    rows = LabelSmoothingCrossEntropy(smoothing, "none")(LOGITS, ignored)["loss"]
    assert rows[1] == 0
    assert LabelSmoothingCrossEntropy(smoothing)(LOGITS, ignored)["loss"] == rows.sum() / 4


def test_classes_are_the_second_axis_of_more() -> None:
    pixels, labels = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
    found = LabelSmoothingCrossEntropy(0.1, "none")(pixels, labels)["loss"]
    torch.testing.assert_close(found, F.cross_entropy(pixels, labels, reduction="none", label_smoothing=0.1))


def test_targets_may_be_probabilities_and_narrow_integers() -> None:
    wanted = LOGITS.softmax(dim=1)
    found = LabelSmoothingCrossEntropy(0.1)(LOGITS.half(), wanted)["loss"]
    torch.testing.assert_close(found, F.cross_entropy(LOGITS, wanted, label_smoothing=0.1), rtol=1e-3, atol=1e-3)
    criterion = LabelSmoothingCrossEntropy()
    assert criterion(LOGITS, LABELS.int())["loss"] == criterion(LOGITS, LABELS)["loss"]


def test_class_weights_move_with_the_module_and_are_not_saved() -> None:
    criterion = LabelSmoothingCrossEntropy(weight=WEIGHT)
    assert criterion.double().weight is not None
    assert criterion.weight is not None
    assert criterion.weight.dtype == torch.float64
    assert not criterion.state_dict()


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 3, 2)])
def test_row_weights_belong_to_rows_in_any_number_of_dimensions(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    given, wanted = torch.randn(2, *shape, generator=generator)
    weights = torch.tensor([1.0, 0.0, 2.0, 0.5])
    found = MeanSquaredError("none")(given, wanted, weights)["loss"]
    expected = torch.stack([weight * (x - y) ** 2 for weight, x, y in zip(weights, given, wanted, strict=True)])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("weights", [torch.ones(4, 1), torch.ones(3), torch.tensor(1.0)], ids=["column", "short", "one"])
def test_row_weights_of_another_shape_are_refused(weights: torch.Tensor) -> None:
    for criterion, target in ((LabelSmoothingCrossEntropy(), LABELS), (MeanSquaredError(), LOGITS)):
        with pytest.raises(ValueError, match=r"sample_weight: expected \[4\]"):
            criterion(LOGITS, target, weights)


def test_shapes_that_would_spread_over_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match=r"target: expected.*found"):
        MeanSquaredError()(torch.zeros(4, 1), torch.zeros(4))


def test_above_the_cap_there_is_no_gradient_and_at_it_there_is() -> None:
    for value, gradient in ((1.0, 2.0), (2.0, 4.0), (3.0, 0.0)):
        x = torch.tensor([[value]], requires_grad=True)
        loss = MeanSquaredError(max_loss=4.0)(x, torch.zeros(1, 1))["loss"]
        loss.backward()
        assert x.grad is not None
        assert (loss.item(), x.grad.item()) == (min(value**2, 4.0), gradient)


def test_whole_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="input: expected floats"):
        MeanSquaredError()(torch.zeros(4, 1, dtype=torch.int64), torch.zeros(4, 1))
