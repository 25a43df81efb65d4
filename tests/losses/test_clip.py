"""What is special to the CLIP loss; what holds for every loss is in the battery."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import Tensor

from losses import CLIPLoss


def features(rows: int, *, dim: int = 4, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows)
    vision, text = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64).to(dtype)
    return vision.requires_grad_(), text.requires_grad_()


def test_the_defaults_are_those_of_the_paper_and_plain() -> None:
    defaults = {name: p.default for name, p in inspect.signature(CLIPLoss).parameters.items()}
    assert defaults == {"temperature": 0.07, "reduction": "mean", "label_smoothing": 0.0}


def test_pairs_that_agree_cost_little_and_pairs_that_do_not_cost_much() -> None:
    own = torch.eye(4)
    assert CLIPLoss(temperature=0.1)(own, own)["loss"] < 1e-3
    assert CLIPLoss(temperature=0.1)(own, own.roll(1, dims=0))["loss"] > 9


def test_options_changed_afterwards_count_from_the_next_call() -> None:
    vision, text = features(5)
    criterion = CLIPLoss()
    criterion.temperature, criterion.reduction = 0.5, "sum"
    assert criterion(vision, text)["loss"] == CLIPLoss(0.5, "sum")(vision, text)["loss"]


def test_without_ids_nothing_is_drawn() -> None:
    before = torch.get_rng_state()
    CLIPLoss()(*features(5))
    assert torch.equal(torch.get_rng_state(), before)


def test_several_positives_are_drawn_anew_in_every_call() -> None:
    criterion, (vision, text) = CLIPLoss(), features(6)
    torch.manual_seed(0)
    found = {criterion(vision, text, match_ids=["a"] * 6)["loss"].item() for _ in range(8)}
    assert len(found) == 8


@pytest.mark.parametrize("ids", [["a"] * 6, torch.zeros(6), [1, "1", 1.0, 1, "1", 1]], ids=["list", "tensor", "text"])
def test_the_mean_over_draws_is_the_mean_over_positives(ids: Any) -> None:
    vision, text = features(6, dtype=torch.float64)
    criterion = CLIPLoss(temperature=1.0)
    torch.manual_seed(0)
    mean = torch.stack([criterion(vision, text, match_ids=ids)["loss"].detach() for _ in range(400)]).mean()
    if isinstance(ids[0], int):  # as text, 1.0 stands alone
        groups = torch.tensor([0, 0, 1, 0, 0, 0])
        share = (groups[:, None] == groups).double()
    else:
        share = torch.ones(6, 6, dtype=torch.float64)
    share /= share.sum(dim=1, keepdim=True)
    logits = torch.nn.functional.normalize(vision) @ torch.nn.functional.normalize(text).t()
    expected = -(share * (logits.log_softmax(1) + logits.t().log_softmax(1))).sum() / 12
    # The standard deviation of one loss is about 0.2, of the mean of 400 about 0.01.
    torch.testing.assert_close(mean, expected.detach(), atol=0.04, rtol=0)


def test_given_logits_are_used_as_they_are_and_leave_the_features_alone() -> None:
    vision, text = features(5)
    logits = torch.randn(5, 5, requires_grad=True)
    found = CLIPLoss(temperature=0.01)(vision, text[:, :2], similarity_matrix=logits)
    assert found["mean_similarity"] == logits.mean()
    torch.autograd.backward(found["loss"])
    assert logits.grad is not None
    assert vision.grad is None


def test_all_mass_spread_makes_every_target_equal() -> None:
    vision, text = features(6)
    criterion = CLIPLoss(label_smoothing=1.0, temperature=1.0)
    found = {criterion(vision, text, match_ids=["a"] * 6)["loss"].item() for _ in range(4)}
    assert len(found) == 1


def test_smoothing_follows_the_targets_of_the_call_and_of_the_direction() -> None:
    """Nothing of an earlier call of the same size is left."""
    vision, text = features(6)
    criterion = CLIPLoss(label_smoothing=0.1)
    torch.manual_seed(1)
    criterion(vision, text, match_ids=["a"] * 6)
    torch.testing.assert_close(criterion(vision, text)["loss"], CLIPLoss(label_smoothing=0.1)(vision, text)["loss"])


def test_the_parts_of_a_loss_a_row_are_means() -> None:
    vision, text = features(6)
    rows, mean = CLIPLoss(reduction="none")(vision, text), CLIPLoss()(vision, text)
    assert rows["loss"].shape == (6,)
    for key in ("v2t_loss", "t2v_loss"):
        torch.testing.assert_close(rows[key], mean[key])


@pytest.mark.parametrize("shape", [(3, 3), (5, 4), (5,), (5, 5, 1)])
def test_logits_that_do_not_fit_are_refused_with_both_shapes(shape: tuple[int, ...]) -> None:
    vision, text = features(5)
    with pytest.raises(ValueError, match=r"similarity_matrix: expected floats of shape \[5, 5\], found .*" + str(shape[0])):
        CLIPLoss()(vision, text, similarity_matrix=torch.zeros(shape))


def test_the_second_derivative_is_there() -> None:
    vision, text = features(4, dtype=torch.float64)
    criterion = CLIPLoss(temperature=0.5)
    assert torch.autograd.gradgradcheck(lambda v, t: criterion(v, t)["loss"], (vision, text))
