"""What is special to the losses on columns: the warm-up, what has no spread, and what the heads do."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from losses import BarlowTwinsLoss, DecorrelationLoss, VICRegLoss


def features(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def weights(loss: VICRegLoss) -> tuple[float, float, float]:
    out = loss(features(5, 3), features(5, 3, seed=1))
    return out["var_weight"].item(), out["cov_weight"].item(), out["warmup_factor"].item()


# ---- VICReg


def test_a_constant_shift_between_the_views_costs_nothing() -> None:
    z = features(8, 4)
    assert VICRegLoss()(z, z + 7.0)["invariance_loss"] < 1e-28


def test_the_first_epochs_have_factors_of_their_own_and_the_warm_up_never_ends() -> None:
    loss = VICRegLoss(var_coeff=5.0, cov_coeff=2.0)
    found = []
    for epoch in (0, 1, 2, 1000):
        loss.update_epoch(epoch)
        found.append(weights(loss))
    assert found[0] == (5.0 * 0.1 * 0.1, 2.0 * 0.1 * 0.1, 0.1)
    assert found[1] == (5.0 * 0.3, 2.0 * 0.3, 0.3)
    assert found[2] == found[3] == (2.5, 1.0, 0.5)


@pytest.mark.parametrize(("epoch", "factor"), [(2, 0.3), (12, (12 / 200) ** 0.33), (40, 0.5)])
def test_a_long_warm_up_grows_by_a_power_between_floor_and_cap(epoch: int, factor: float) -> None:
    loss = VICRegLoss(warmup_epochs=200)
    loss.update_epoch(epoch)
    assert loss.get_warmup_factor() == pytest.approx(factor, rel=1e-15)


@pytest.mark.parametrize(
    ("epoch", "step", "total", "factor"),
    [
        (1, 5000, 6000, 0.3),
        (2, 400, 30_000, (400 / 5000) ** 0.33),
        (2, 1, 30_000, 0.3),
        (2, 0, 30_000, (2 / 5) ** 0.33),
        (2, 7, 0, (2 / 5) ** 0.33),
        (2, 1, 3, (1 / 5) ** 0.33),
    ],
)
def test_steps_count_from_the_third_epoch_on_if_there_are_any(epoch: int, step: int, total: int, factor: float) -> None:
    loss = VICRegLoss(warmup_epochs=5, num_epochs=30)
    loss.update_epoch(epoch)
    loss.update_step(step, total)
    assert loss.get_warmup_factor() == pytest.approx(max(0.3, min(0.5, factor)), rel=1e-15)


def test_progress_reads_as_plain_numbers_that_can_be_set() -> None:
    loss = VICRegLoss()
    loss.update_step(3, 40)
    loss.current_epoch = 2
    assert (loss.current_epoch, loss.current_step, loss.total_steps) == (2, 3, 40)
    assert all(type(number) is int for number in (loss.current_epoch, loss.current_step, loss.total_steps))


def test_progress_is_restored_by_state_dict_and_survives_half_precision() -> None:
    loss = VICRegLoss()
    loss.update_epoch(70_001)
    loss.update_step(3_000_001, 90_000_001)
    restored = VICRegLoss().to(torch.bfloat16)
    restored.load_state_dict(copy.deepcopy(loss.half().state_dict()))
    assert (restored.current_epoch, restored.current_step, restored.total_steps) == (70_001, 3_000_001, 90_000_001)


def test_a_new_epoch_is_no_reason_to_compile_anew() -> None:
    torch.compiler.reset()
    loss = VICRegLoss(var_coeff=3.0)
    compiled = torch.compile(loss, fullgraph=True, backend="eager")
    compiled(features(5, 3), features(5, 3, seed=1))
    with torch._dynamo.config.patch(error_on_recompile=True):
        loss.update_epoch(1)
        loss.update_step(2, 10)
        found = compiled(features(5, 3), features(5, 3, seed=1))
    assert found["var_weight"].item() == 3.0 * 0.3


def test_a_single_row_has_no_spread_and_pulls_nowhere() -> None:
    z = features(1, 4).requires_grad_()
    out = VICRegLoss(curriculum=False)(z, features(1, 4, seed=1))
    assert out["loss"] == out["variance_loss"] == out["covariance_loss"] == 0
    out["loss"].backward()
    assert torch.equal(z.grad, torch.zeros(1, 4).double())  # type: ignore[arg-type]  # there is a gradient now


def test_a_negative_epoch_is_refused_when_it_is_told() -> None:
    loss = VICRegLoss()
    with pytest.raises(ValueError, match=r"epoch=-1: expected"):
        loss.update_epoch(-1)
    assert loss.current_epoch == 0


@pytest.mark.parametrize(("rows", "columns"), [(1, 3), (5, 1), (5, 2)])
def test_a_second_view_of_another_shape_is_refused_although_it_would_broadcast(rows: int, columns: int) -> None:
    with pytest.raises(ValueError, match=rf"z_b: expected \[5, 3\].*found .*\[{rows}, {columns}\]"):
        VICRegLoss()(features(5, 3), features(rows, columns))


def test_wide_features_give_the_loss_of_the_full_covariance() -> None:
    a, b = features(6, 700), features(6, 700, seed=1)
    covariances = [torch.cov(z.t()) for z in (a, b)]
    expected = sum((c.square().sum() - c.diagonal().square().sum()) / 700 for c in covariances)
    assert VICRegLoss()(a, b)["covariance_loss"].item() == pytest.approx(float(expected), rel=1e-12)


def test_it_is_the_paper_s_loss_for_views_of_one_mean() -> None:
    a, b = (z - z.mean(dim=0) + 1.0 for z in (features(9, 4), features(9, 4, seed=1)))
    variances = sum(torch.relu(1 - torch.sqrt(z.var(dim=0) + 1e-4)).mean() for z in (a, b))
    covariances = sum((torch.cov(z.t()).square().sum() - z.var(dim=0).square().sum()) / 4 for z in (a, b))
    expected = 25 * (a - b).square().mean() + 25 * variances + covariances
    loss = VICRegLoss(25.0, 25.0, 1.0, 1e-4, curriculum=False)
    assert loss(a, b)["loss"].item() == pytest.approx(float(expected), rel=1e-12)


# ---- decorrelation


def test_the_mean_over_no_pairs_of_columns_is_zero() -> None:
    assert DecorrelationLoss(normalize=False)(features(6, 1))["loss"] == 0


def test_an_input_of_one_row_counts_in_the_mean_as_zero() -> None:
    many = features(6, 4)
    alone = DecorrelationLoss()(text_features=many)["loss"]
    assert DecorrelationLoss()(features(1, 3), many)["loss"] == alone / 2


def test_columns_of_an_input_without_rows_have_no_variance() -> None:
    out = DecorrelationLoss()(features=torch.zeros(0, 4))
    assert (out["feature_mean_var"], out["feature_low_var_dims"], out["feature_low_var_pct"]) == (0, 4, 1)


def test_columns_below_the_threshold_are_counted() -> None:
    x = features(50, 4) * torch.tensor([1.0, 9e-3, 1.1e-2, 0.0])
    out = DecorrelationLoss(normalize=False)(x)
    assert x.var(dim=0)[1] < 1e-4 < x.var(dim=0)[2]
    assert (out["vision_low_var_dims"], out["vision_low_var_pct"]) == (2, 0.5)


def test_keys_name_the_inputs_that_are_given() -> None:
    parts = {"loss", "decorrelation_loss"}
    untracked = DecorrelationLoss(track_feature_stats=False)
    assert untracked(features=features(4, 2)).keys() == parts | {"generic_decorrelation_loss"}
    given = untracked(features(4, 2), features(4, 2))
    assert given.keys() == parts | {"vision_decorrelation_loss", "text_decorrelation_loss"}
    assert "feature_min_var" in DecorrelationLoss()(features=features(4, 2))


def test_no_input_at_all_is_refused_with_what_may_be_given() -> None:
    with pytest.raises(ValueError, match="expected at least one of vision_features, text_features, features; found none"):
        DecorrelationLoss()()


@pytest.mark.parametrize("reduction", ["none", "average"])
def test_reductions_that_leave_a_matrix_are_refused(reduction: str) -> None:
    with pytest.raises(ValueError, match=r"reduction=.*'mean', 'sum'"):
        DecorrelationLoss(reduction=reduction)


# ---- Barlow Twins


def test_the_loss_is_zero_for_twins_without_redundancy() -> None:
    x = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert BarlowTwinsLoss(normalize=False)(x, x)["loss"] == 0


def test_one_row_is_its_own_mean() -> None:
    out = BarlowTwinsLoss()(features(1, 4), features(1, 4, seed=1))
    assert (out["loss"], out["diagonal_loss"], out["off_diagonal_loss"]) == (1, 1, 0)


def test_within_the_batch_nothing_ties_the_modalities() -> None:
    loss = BarlowTwinsLoss(correlation_mode="within_batch")
    vision, text = features(6, 4), features(6, 4, seed=1)
    torch.testing.assert_close(loss(vision, text)["loss"], loss(vision, text.flip(0))["loss"])


@pytest.mark.parametrize("mode", ["cross_modal", "within_batch"])
def test_wide_features_give_the_loss_of_the_full_matrix(mode: str) -> None:
    vision, text = (z - z.mean(dim=0) for z in (features(6, 700), features(6, 700, seed=1)))
    c = vision.t() @ text / 6 if mode == "cross_modal" else (vision.t() @ vision + text.t() @ text) / 12
    out = BarlowTwinsLoss(correlation_mode=mode, normalize=False)(vision, text)
    off = c.square().sum() - c.diagonal().square().sum()
    assert out["off_diagonal_loss"].item() == pytest.approx(off.item() / 700**2, rel=1e-12)
    assert out["diagonal_loss"].item() == pytest.approx((c.diagonal() - 1).square().mean().item(), rel=1e-12)


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"correlation_mode='within'.*'cross_modal', 'within_batch'"):
        BarlowTwinsLoss(correlation_mode="within")


@pytest.mark.parametrize("mode", ["cross_modal", "within_batch"])
@pytest.mark.parametrize("shape", [(4, 5), (6, 1), (0, 5)])
def test_a_text_batch_of_another_shape_is_refused(mode: str, shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="text_features: expected"):
        BarlowTwinsLoss(correlation_mode=mode)(features(6, 5), features(*shape))


HEADS: dict[str, Any] = {"add_projection": True, "input_dim": 4, "projection_dim": 3}


def test_an_empty_batch_leaves_the_statistics_of_the_heads_alone() -> None:
    loss = BarlowTwinsLoss(**HEADS)
    before = copy.deepcopy(loss.state_dict())
    assert loss(torch.zeros(0, 4), torch.zeros(0, 4))["loss"] == 0
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


def test_heads_end_in_a_batch_norm_without_weights_unless_asked() -> None:
    names = BarlowTwinsLoss(**HEADS).state_dict().keys()
    assert {"vision_projection.7.running_mean", "text_projection.6.bias"} <= names
    assert "vision_projection.7.weight" not in names
    assert not any(".7." in name for name in BarlowTwinsLoss(**HEADS, batch_norm_last_layer=False).state_dict())


def test_projected_rows_have_length_one_unless_asked() -> None:
    rows = BarlowTwinsLoss(**HEADS).eval().project(features(5, 4).float(), features(5, 4).float())
    for projected in rows:
        torch.testing.assert_close(projected.norm(dim=1), torch.ones(5))
    raw, _ = BarlowTwinsLoss(normalize=False).project(features(5, 4), features(5, 4))
    assert torch.equal(raw, features(5, 4))


def test_heads_refuse_features_of_another_width() -> None:
    with pytest.raises(ValueError, match=r"expected width 4, found .*\[6, 5\]"):
        BarlowTwinsLoss(**HEADS)(torch.zeros(6, 5), torch.zeros(6, 5))
