"""What is special to the simple contrastive loss; what holds for every loss is in the battery."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from losses import CLIPLoss, SimpleContrastiveLoss


def features(rows: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows)
    vision, text = torch.randn(2, rows, 4, generator=generator)
    return vision, text


def test_without_ids_it_is_clip_and_the_distance_of_the_pairs() -> None:
    vision, text = features(6)
    out = SimpleContrastiveLoss(0.2)(vision, text)
    unit = [x / x.norm(dim=1, keepdim=True) for x in (vision, text)]
    distance = (unit[0] - unit[1]).square().mean()
    torch.testing.assert_close(out["loss"], CLIPLoss(0.2)(vision, text)["loss"] + 0.5 * distance)
    torch.testing.assert_close(out["mse_loss"], distance)


@pytest.mark.parametrize(
    "ids", [["a", "b", "a", "c", "b", "a"], torch.tensor([0, 1, 0, 2, 1, 0]), None], ids=["list", "tensor", "none"]
)
def test_draws_are_those_of_one_call_for_each_row_three_times_over(ids: Any) -> None:
    torch.manual_seed(0)
    SimpleContrastiveLoss()(*features(6), ids)
    found = torch.get_rng_state()
    torch.manual_seed(0)
    for _ in range(18):
        torch.randint(0, 3, (1,))
    assert torch.equal(found, torch.get_rng_state())


def test_where_all_rows_match_there_is_no_distance() -> None:
    assert SimpleContrastiveLoss()(*features(5), ["a"] * 5)["mse_loss"] == 0
    assert SimpleContrastiveLoss()(*features(1))["mse_loss"] == 0


def test_ids_compare_by_value_and_one_that_equals_nothing_is_its_own_positive() -> None:
    nan = float("nan")
    torch.manual_seed(0)
    mixed = SimpleContrastiveLoss()(*features(6), [1, 1.0, "1", nan, "1", nan])
    torch.manual_seed(0)
    plain = SimpleContrastiveLoss()(*features(6), ["a", "a", "b", "c", "b", "d"])
    assert all(torch.equal(mixed[key], value) for key, value in plain.items())


@pytest.mark.parametrize("other", [0.5, torch.tensor(0.5)], ids=["number", "tensor"])
def test_another_loss_is_added_as_a_number_or_a_tensor(other: Any) -> None:
    vision, text = features(6)
    alone, both = SimpleContrastiveLoss()(vision, text), SimpleContrastiveLoss()(vision, text, decor_loss=other)
    torch.testing.assert_close(both["loss"], alone["loss"] + 0.1)
    assert (alone["decor_loss"], both["decor_loss"]) == (0.0, 0.5)


def test_the_gradient_of_another_loss_passes() -> None:
    vision, text = features(6)
    other = torch.tensor(0.5, requires_grad=True)
    SimpleContrastiveLoss()(vision, text, decor_loss=other)["loss"].backward()
    assert other.grad == 0.2
