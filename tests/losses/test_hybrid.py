"""What is special to the schedule from contrast to VICReg: when it moves, what it remembers, and which part is computed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from losses import HybridPretrainVICRegLoss

DIM = 4


def make(**options: Any) -> HybridPretrainVICRegLoss:
    torch.manual_seed(0)
    return HybridPretrainVICRegLoss(**{"fusion_dim": 3, "vision_dim": DIM, "text_dim": DIM, **options})


def views(rows: int = 6, *, apart: float = 0.1, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    first, other = torch.randn(2, rows, DIM, generator=generator)
    return first, first + apart * other


def gradients(loss: HybridPretrainVICRegLoss) -> list[Tensor | None]:
    total = loss(*views())["loss"]
    heads = list(loss.contrastive_loss.parameters())
    z = [view.requires_grad_() for view in views()]
    total = total + loss(*z)["loss"]
    return list(torch.autograd.grad(total, heads, allow_unused=True))


def test_a_fixed_schedule_switches_at_its_step_and_never_back() -> None:
    loss = make(adaptive_transition=False, contrastive_pretrain_steps=3)
    phases = []
    for step in (0, 2, 3, 4, 1):
        loss.update_step(step, 10)
        phases.append((loss.current_phase, loss.transition_progress))
    first, last = ("contrastive_pretrain", 0.0), ("vicreg", 1.0)
    assert phases == [first, first, last, last, last]


def test_one_aligned_batch_starts_the_blend_at_the_next_step_and_nothing_takes_it_back() -> None:
    loss = make(gradual_transition_steps=4)
    loss(*views(apart=5.0))
    loss.update_step(1, 100)
    assert loss.current_phase == "contrastive_pretrain"
    loss(*views())
    assert loss.alignment_gap > 0.3
    assert loss.current_phase == "contrastive_pretrain"
    loss.update_step(7, 100)
    assert (loss.current_phase, loss.early_transition_step, loss.transition_progress) == ("transition", 7, 0.0)
    loss(*views(apart=5.0))
    found = []
    for step in (8, 10, 11, 12):
        loss.update_step(step, 100)
        found.append((loss.current_phase, loss.transition_progress))
    assert found == [("transition", 0.25), ("transition", 0.75), ("vicreg", 1.0), ("vicreg", 1.0)]


def test_with_adaptation_the_step_limit_ends_nothing() -> None:
    loss = make(contrastive_pretrain_steps=10, min_alignment_threshold=2.0)
    loss(*views())
    loss.update_step(500, 1000)
    assert loss.current_phase == "contrastive_pretrain"
    assert loss(*views())["pretrain_progress"] == 1


def test_a_blend_of_no_steps_switches_at_once() -> None:
    loss = make(gradual_transition_steps=0, min_alignment_threshold=-2.0)
    loss.update_step(5, 10)
    assert (loss.current_phase, loss.transition_progress) == ("vicreg", 1.0)


def test_the_blend_stays_between_its_ends_when_steps_go_back() -> None:
    loss = make(gradual_transition_steps=4, min_alignment_threshold=-2.0)
    loss.update_step(10, 100)
    loss.update_step(3, 100)
    out = loss(*views())
    assert (out["contrastive_weight"], out["vicreg_weight"]) == (1, 0)


def test_every_phase_has_the_same_keys_and_zeros_for_what_is_not_computed() -> None:
    first = make()
    blend, last = make(min_alignment_threshold=-2.0), make(adaptive_transition=False, contrastive_pretrain_steps=0)
    for loss in (blend, last):
        loss.update_step(1, 100)
    results = [loss(*views()) for loss in (first, blend, last)]
    assert list(results[0]) == list(results[1]) == list(results[2])
    assert results[0]["vicreg_loss"] == results[0]["var_weight"] == results[0]["invariance_loss"] == 0
    assert results[2]["contrastive_loss"] == results[2]["accuracy"] == 0
    assert results[0]["loss"] == results[0]["contrastive_loss"]
    assert results[2]["loss"] == results[2]["vicreg_loss"]


def test_heads_get_a_gradient_only_while_there_is_contrast() -> None:
    assert all(gradient is not None for gradient in gradients(make()))
    last = make(adaptive_transition=False, contrastive_pretrain_steps=0)
    last.update_step(0, 10)
    assert all(gradient is None for gradient in gradients(last))


def test_the_reported_temperature_is_the_one_in_use() -> None:
    assert make(temperature=0.5)(*views())["temperature"] == 0.5


def test_two_widths_are_refused_when_the_loss_is_built() -> None:
    with pytest.raises(ValueError, match=r"vision_dim=5, text_dim=4: expected"):
        make(vision_dim=5)


def test_a_width_that_was_not_declared_is_refused_and_leaves_the_heads_alone() -> None:
    loss = make()
    heads = list(loss.contrastive_loss.parameters())
    with pytest.raises(ValueError, match=r"expected width 4, found .*\[6, 9\]"):
        loss(torch.ones(6, 9), torch.ones(6, 9))
    assert all(one is other for one, other in zip(heads, loss.contrastive_loss.parameters(), strict=True))


def test_float64_features_are_not_cast_to_float32_heads() -> None:
    with pytest.raises(RuntimeError):
        make()(*(view.double() for view in views()))


def test_768_columns_are_as_any_other_width() -> None:
    loss = make(vision_dim=768, text_dim=768)
    z = torch.randn(3, 768)
    assert loss(z, z)["contrastive_loss"] != loss.contrastive_loss(z * 0, z * 0)["loss"]
    assert loss.contrastive_loss.add_projection


def test_a_batch_that_is_refused_leaves_no_trace() -> None:
    loss = make()
    loss(*views())
    before = copy.deepcopy(loss.state_dict())
    with pytest.raises(ValueError, match="z_b: expected"):
        loss(views()[0], views(5)[1])
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


def test_figures_of_a_single_row_are_zero() -> None:
    out = make()(*views(1))
    assert out["alignment_gap"] == out["alignment_snr"] == 0


def test_the_largest_similarity_is_remembered_and_nan_does_not_count() -> None:
    loss = make()
    for batch in (views(apart=0.0), views(apart=9.0)):
        loss(*batch)
    assert loss.max_diag_similarity == pytest.approx(1.0)
    loss(torch.full((3, DIM), float("nan")), views(3)[1])
    assert loss.max_diag_similarity == pytest.approx(1.0)


def test_the_inner_vicreg_follows_epoch_and_step() -> None:
    loss = make()
    loss.update_epoch(3)
    loss.update_step(5, 50)
    inner = loss.vicreg_loss
    assert (inner.current_epoch, inner.current_step, inner.total_steps) == (3, 5, 50)
    assert (loss.current_step, loss.total_steps) == (5, 50)


@pytest.mark.parametrize("stop", [1, 3, 5, 9])
def test_a_run_that_is_restored_in_any_phase_goes_on_with_the_same_numbers(stop: int) -> None:
    def step(loss: HybridPretrainVICRegLoss, number: int) -> dict[str, Tensor]:
        loss.update_epoch(number // 4)
        loss.update_step(number, 12)
        torch.manual_seed(number)
        batch = views(4 + number % 3, apart=3.0 / (number + 1), seed=number)
        found: dict[str, Tensor] = loss(*batch, match_ids=list("aabbcc"[: 4 + number % 3]))
        return found

    whole, begun = make(gradual_transition_steps=5), make(gradual_transition_steps=5)
    expected = [step(whole, number) for number in range(12)]
    for number in range(stop):
        step(begun, number)
    restored = make(gradual_transition_steps=5)
    restored.load_state_dict(copy.deepcopy(begun.state_dict()))
    assert restored.current_phase == begun.current_phase
    for number in range(stop, 12):
        found = step(restored, number)
        assert all(torch.equal(found[key], value) for key, value in expected[number].items()), number
    assert whole.current_phase == "vicreg"
