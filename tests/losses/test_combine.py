"""What is special to sums of losses: parts of all kinds, schedules that reach them, weights that follow."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from losses import CLIPLoss, CombinedLoss, MultitaskLoss, VICRegLoss
from losses.targets import MeanSquaredError
from tests.losses.parts import Distance, MeanOf

ONE = torch.ones(4, 2)


def returning(value: Any) -> Any:
    return lambda *_: value


# ---- combined


@pytest.mark.parametrize(
    "value",
    [torch.tensor(2.0), 2.0, 2, {"loss": torch.tensor(2.0)}, {"loss": 2.0}, (torch.tensor(2.0), {"terms": 3})],
    ids=["tensor", "float", "int", "dictionary", "dictionary of a number", "tuple"],
)
def test_a_part_may_return_its_loss_in_any_of_these_forms(value: Any) -> None:
    out = CombinedLoss(returning(value), returning(value), 0.25)(ONE)
    assert (out["loss"].item(), out["primary_loss"].item(), out["secondary_loss"].item()) == (2.5, 2.0, 2.0)


def test_a_part_that_returns_a_dictionary_without_a_loss_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="loss"):
        CombinedLoss(returning({"cost": 1.0}))(ONE)


def test_numbers_and_inner_dictionaries_become_tensors_and_texts_are_left_out() -> None:
    numbers = {"recalls": {"recall@1": 0.5, "loss": 3.0}, "size": 7, "flag": True}
    out = CombinedLoss(returning({"loss": 1.0, **numbers, "phase": "warmup", "best": None}))(ONE)
    assert {name: value.item() for name, value in out.items()} == {
        "loss": 1.0,
        "recall@1": 0.5,
        "size": 7,
        "flag": True,
        "primary_loss": 1.0,
    }


def test_entries_of_the_parts_are_detached() -> None:
    x = ONE.clone().requires_grad_()
    out = CombinedLoss(lambda x: {"loss": x.sum(), "term": x.mean()})(x)
    assert out["loss"].requires_grad
    assert not out["term"].requires_grad


def test_a_loss_for_each_row_stays_one_and_is_reported_as_its_mean() -> None:
    rows = torch.arange(4.0)
    out = CombinedLoss(returning(rows), returning({"loss": rows}), 2.0)(ONE)
    assert out["loss"].tolist() == [0.0, 3.0, 6.0, 9.0]
    assert out["primary_loss"] == out["secondary_loss"] == 1.5


def test_of_two_entries_of_one_name_the_later_one_stands() -> None:
    inner = CombinedLoss(returning(1.0), returning(2.0), 0.5)
    out = CombinedLoss(inner, returning(4.0), 0.25)(ONE)
    assert {name: value.item() for name, value in out.items()} == {
        "loss": 3.0,
        "primary_loss": 2.0,
        "secondary_loss": 4.0,
        "secondary_weight": 0.25,
    }


def test_a_part_of_weight_zero_is_called_and_its_nan_counts() -> None:
    assert CombinedLoss(returning(1.0), returning(float("nan")), 0.0)(ONE)["loss"].isnan()


def test_epochs_and_steps_reach_the_parts_that_want_to_know() -> None:
    vicreg = VICRegLoss()
    criterion = CombinedLoss(CLIPLoss(), vicreg, 0.5, Distance())
    criterion.update_epoch(3)
    criterion.update_step(7, total_steps=10)
    assert (vicreg.current_epoch, vicreg.current_step, vicreg.total_steps) == (3, 7, 10)


def test_parts_that_are_modules_are_in_the_state_and_follow_the_mode() -> None:
    criterion = CombinedLoss(nn.Linear(2, 2), tertiary_loss=VICRegLoss())
    assert {name.partition(".")[0] for name in criterion.state_dict()} == {"primary_loss", "tertiary_loss"}
    assert not criterion.eval().tertiary_loss.training  # type: ignore[union-attr]


# ---- multitask


def two_tasks(**options: Any) -> MultitaskLoss:
    return MultitaskLoss({"near": MeanOf(2), "far": nn.L1Loss()}, **options)


def batch(near: float, far: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs whose losses are these."""
    given = {"near": torch.full((4, 1), near**0.5), "far": torch.full((4, 1), far)}
    return given, {name: torch.zeros(4, 1) for name in given}


def test_weights_are_scaled_to_sum_one_and_equal_unless_given() -> None:
    assert two_tasks().loss_weights == {"near": 0.5, "far": 0.5}
    assert two_tasks(loss_weights={"far": 3.0, "near": 1.0}).loss_weights == {"near": 0.25, "far": 0.75}


@pytest.mark.parametrize(
    "weights", [{"near": 1.0}, {"near": 1.0, "far": 1.0, "other": 1.0}, {"near": 1.0, "far": -1.0}, {}], ids=str
)
def test_weights_that_do_not_fit_the_tasks_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"expected one for each of \['near', 'far'\].*found"):
        two_tasks(loss_weights=weights)


def test_no_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one for each"):
        MultitaskLoss({})


def test_a_task_that_is_absent_is_left_out_with_a_warning_and_its_weight_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    given, wanted = batch(4.0, 1.0)
    with caplog.at_level(logging.WARNING, logger="losses"):
        out = two_tasks()({"near": given["near"]}, wanted)
    assert list(out) == ["loss", "near_loss", "near_weight", "far_weight"]
    assert (out["loss"].item(), out["far_weight"].item()) == (2.0, 0.5)
    assert "far" in caplog.text


def test_without_any_task_the_loss_is_a_zero_that_can_be_differentiated() -> None:
    loss = two_tasks(dynamic_weighting=True)({}, {})["loss"]
    loss.backward()
    assert loss == 0


def test_a_task_may_return_a_dictionary() -> None:
    criterion = MultitaskLoss({"far": MeanSquaredError()})
    assert criterion({"far": ONE}, {"far": 0 * ONE})["loss"] == 1


def test_dynamic_weights_are_the_inverse_of_running_means() -> None:
    criterion = two_tasks(dynamic_weighting=True, loss_weights={"near": 1.0, "far": 9.0})
    means = {"near": 1.0, "far": 1.0}
    for near, far in ((4.0, 0.5), (2.0, 3.0), (0.25, 8.0)):
        out = criterion(*batch(near, far))
        means = {task: 0.9 * means[task] + (1 - 0.9) * value for task, value in (("near", near), ("far", far))}
        total = sum(1 / mean for mean in means.values())
        weights = {task: 1 / mean / total for task, mean in means.items()}
        assert out["near_weight"].item() == pytest.approx(weights["near"])
        assert out["loss"].item() == pytest.approx(weights["near"] * near + weights["far"] * far)
    assert criterion.running_losses == pytest.approx(means)
    assert means["far"] > means["near"]
    assert out["far_weight"] < out["near_weight"], "small losses weigh more"


def test_dynamic_weights_of_a_loss_in_half_precision_stay_finite() -> None:
    criterion = two_tasks(dynamic_weighting=True, momentum=0.0).half()
    out = criterion(*batch(4.0, 0.0))
    assert out["near_weight"].item() == pytest.approx(2.5e-9)
    assert out["far_weight"].item() == pytest.approx(1.0)


def test_running_means_lose_nothing_to_half_precision() -> None:
    criterion = MultitaskLoss({"near": MeanSquaredError(), "far": MeanSquaredError()}, dynamic_weighting=True)
    halves = {"near": 0.3 * ONE.half(), "far": 0.7 * ONE.half()}
    out = criterion(halves, {task: 0 * value for task, value in halves.items()})
    for task, mean in criterion.running_losses.items():
        assert mean == pytest.approx(0.9 + (1 - 0.9) * out[f"{task}_loss"].item(), rel=1e-14)


def test_weights_move_in_training_only() -> None:
    criterion = two_tasks(dynamic_weighting=True).eval()
    criterion(*batch(4.0, 1.0))
    assert criterion.loss_weights == {"near": 0.5, "far": 0.5}


def test_it_trains_on_weights_that_moved_in_inference_mode() -> None:
    criterion = two_tasks(dynamic_weighting=True)
    with torch.inference_mode():
        criterion(*batch(4.0, 1.0))
    moved = criterion.loss_weights
    assert moved["near"] < moved["far"]
    assert not any(buffer.is_inference() for buffer in criterion.buffers())
    inputs, targets = batch(4.0, 1.0)
    near = inputs["near"].clone().requires_grad_()
    criterion({**inputs, "near": near}, targets)["loss"].backward()
    assert near.grad is not None


def test_a_loss_that_is_not_finite_leaves_the_weights_as_they_were() -> None:
    criterion = two_tasks(dynamic_weighting=True)
    criterion(*batch(4.0, 1.0))
    before = criterion.running_losses
    criterion(*batch(4.0, float("nan")))
    assert criterion.running_losses["far"] == before["far"]
    assert criterion.running_losses["near"] > before["near"]
    assert all(0 < weight < 1 for weight in criterion.loss_weights.values())


def test_a_negative_running_mean_counts_by_its_size() -> None:
    criterion = MultitaskLoss({"near": MeanOf(2), "far": MeanOf(1)}, dynamic_weighting=True, momentum=0.0)
    criterion(*batch(4.0, -2.0))
    assert criterion.loss_weights == pytest.approx({"near": 1 / 3, "far": 2 / 3})


def test_weights_are_carried_on_by_the_state_and_the_steps_after_it_are_the_same() -> None:
    criterion = two_tasks(dynamic_weighting=True)
    criterion(*batch(4.0, 0.5))
    restored = two_tasks(dynamic_weighting=True)
    restored.load_state_dict(copy.deepcopy(criterion.state_dict()))
    for near, far in ((1.0, 2.0), (0.5, 5.0)):
        expected, found = criterion(*batch(near, far)), restored(*batch(near, far))
        assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_fixed_weights_are_not_in_the_state_so_that_older_checkpoints_load() -> None:
    assert not two_tasks().state_dict()


def test_losses_of_several_kinds_are_added_as_torch_adds() -> None:
    criterion = MultitaskLoss({"near": nn.MSELoss(), "far": nn.L1Loss(reduction="none")})
    out = criterion({"near": ONE, "far": ONE.double()}, {"near": 0 * ONE, "far": 0 * ONE.double()})
    assert out["loss"].dtype == torch.float64
    assert out["loss"].shape == (4, 2)
    assert out["far_loss"] == 1
