"""What is special to the losses with queues: filling, wrapping, restoring, encoders; the rest is in the battery."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from losses import MemoryQueueLoss, MoCoLoss


def features(rows: int, *, dim: int = 4, seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1000 * seed + rows)
    vision, text = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64).to(dtype)
    return vision.requires_grad_(), ((vision + text) / 2).detach().requires_grad_()


def step(criterion: nn.Module, rows: int, *, dim: int = 4, seed: int = 0) -> dict[str, Tensor]:
    found: dict[str, Tensor] = criterion(*features(rows, dim=dim, seed=seed), list(range(rows)))
    return found


def same_state(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return list(first) == list(second) and all(torch.equal(first[name], second[name]) for name in first)


# ---- a memory of features


def test_building_draws_nothing_and_the_first_batch_draws_vision_then_text() -> None:
    torch.manual_seed(1)
    criterion = MemoryQueueLoss(queue_size=6)
    assert list(criterion.state_dict()) == ["queue_ptr", "queue_fill_level"]
    step(criterion, 2)
    after = torch.get_rng_state()
    torch.manual_seed(1)
    vision, text = (F.normalize(torch.randn(4, 6), dim=0) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), after)
    assert torch.equal(criterion.get_buffer("vision_queue")[:, 2:], vision[:, 2:])
    assert torch.equal(criterion.get_buffer("text_queue")[:, 2:], text[:, 2:])


def test_later_batches_draw_nothing() -> None:
    criterion = MemoryQueueLoss(queue_size=6)
    step(criterion, 2)
    before = torch.get_rng_state()
    step(criterion, 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_empty_queue_is_as_many_negatives_of_logit_zero() -> None:
    vision, text = features(3, dtype=torch.float64)
    found = MemoryQueueLoss(queue_size=100, temperature=0.5)(vision, text, ["a"] * 3)
    logits = F.normalize(vision) @ F.normalize(text).t() / (1.3 * 0.5)
    torch.testing.assert_close(found["v2t_loss"], torch.log1p(100 * torch.exp(-logits)).mean().detach())


def test_temperature_and_weight_follow_the_fill() -> None:
    criterion = MemoryQueueLoss(queue_size=20, temperature=0.1)
    found = [step(criterion, rows, seed=n) for n, rows in enumerate((3, 1, 15, 1))]
    fills = [out["queue_fill"].item() for out in found]
    assert fills == [0, 0.15, 0.2, 0.95]
    taus = [out["temperature"].item() for out in found]
    assert taus == pytest.approx([0.13, 0.13 - 0.03 * 0.15, 0.13 - 0.03 * 0.2, 0.1], rel=1e-12)


def test_keys_enter_after_the_loss_normalised_and_round_the_end() -> None:
    criterion = MemoryQueueLoss(queue_size=5)
    stored = [F.normalize(features(rows, seed=rows)[0]).detach() for rows in (3, 4)]
    step(criterion, 3, seed=3)
    step(criterion, 4, seed=4)
    ring = criterion.get_buffer("vision_queue").t()
    assert torch.equal(ring[[3, 4, 0, 1]], stored[1])
    assert torch.equal(ring[2], stored[0][2])
    assert (criterion.queue_ptr.item(), criterion.queue_fill_level.item()) == (2, 5)


@pytest.mark.parametrize("rows", [6, 7, 25])
def test_of_a_batch_longer_than_the_queue_the_last_rows_stay(rows: int) -> None:
    criterion = MemoryQueueLoss(queue_size=5)
    step(criterion, 2)
    step(criterion, rows, seed=1)
    kept = F.normalize(features(rows, seed=1)[1])[-5:]
    assert torch.equal(criterion.get_buffer("text_queue").t().roll(-int(criterion.queue_ptr), 0), kept)


def test_another_width_starts_anew_at_the_first_slot() -> None:
    criterion = MemoryQueueLoss(queue_size=5)
    step(criterion, 3)
    found = step(criterion, 2, dim=7)
    assert found["queue_fill"] == 0
    assert criterion.get_buffer("vision_queue").shape == (7, 5)
    assert (criterion.queue_ptr.item(), criterion.queue_fill_level.item()) == (2, 2)


def test_evaluation_changes_no_state_and_draws_nothing() -> None:
    criterion = MemoryQueueLoss(queue_size=5)
    step(criterion, 3)
    before, stream = copy.deepcopy(criterion), torch.get_rng_state()
    criterion.eval()
    for dim in (4, 6):
        step(criterion, 2, dim=dim)
    assert same_state(before, criterion)
    assert torch.equal(torch.get_rng_state(), stream)


def test_evaluation_before_training_meets_an_empty_queue() -> None:
    fresh = MemoryQueueLoss(queue_size=5)
    first = step(fresh.eval(), 3)
    assert list(fresh.state_dict()) == ["queue_ptr", "queue_fill_level"]
    torch.testing.assert_close(first["loss"], step(MemoryQueueLoss(queue_size=5), 3)["loss"])


def test_training_without_gradients_stores_as_well() -> None:
    criterion = MemoryQueueLoss(queue_size=5)
    with torch.no_grad():
        step(criterion, 3)
    assert criterion.queue_fill_level.item() == 3


def test_enqueue_stores_without_a_loss_also_in_evaluation() -> None:
    criterion = MemoryQueueLoss(queue_size=5).eval()
    criterion.enqueue(*features(3))
    assert criterion.queue_fill_level.item() == 3
    assert step(criterion, 2)["queue_fill"] == 0.6
    with pytest.raises(ValueError, match="vision_features: expected floats"):
        criterion.enqueue([[1.0]], [[1.0]])  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="text_features: expected floats"):
        criterion.enqueue(torch.ones(1, 4), [[1.0]])  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("rows", [2, 9])
def test_it_trains_on_a_queue_that_was_filled_in_inference_mode(rows: int) -> None:
    criterion, elsewhere = MemoryQueueLoss(queue_size=6), MemoryQueueLoss(queue_size=6)
    torch.manual_seed(1)
    with torch.inference_mode():
        criterion.enqueue(*features(rows))
    torch.manual_seed(1)
    elsewhere.enqueue(*features(rows))
    assert same_state(criterion, elsewhere)
    assert not any(buffer.is_inference() for buffer in criterion.buffers())
    vision, text = features(3, seed=1)
    criterion(vision, text, [0, 1, 2])["loss"].backward()
    assert vision.grad is not None
    assert vision.grad.isfinite().all()


def test_only_filled_slots_are_negatives_if_so_asked() -> None:
    vision, text = features(3, dtype=torch.float64)
    criterion = MemoryQueueLoss(queue_size=50, temperature=0.5, only_filled=True)
    empty = criterion(vision, text, ["a", "b", "c"])["v2t_loss"]
    logits = F.normalize(vision) @ F.normalize(text).t() / 0.65
    torch.testing.assert_close(empty, F.cross_entropy(logits, torch.arange(3)).detach())
    assert MemoryQueueLoss(only_filled=True)(vision[:1], text[:1], ["a"])["loss"] == 0


def test_a_checkpoint_restores_queues_pointer_and_fill_in_a_fresh_loss() -> None:
    criterion = MemoryQueueLoss(queue_size=7)
    for n, rows in enumerate((3, 2, 5)):
        step(criterion, rows, seed=n)
    restored = MemoryQueueLoss(queue_size=7)
    restored.load_state_dict(criterion.state_dict())
    assert same_state(criterion, restored)
    for n, rows in enumerate((1, 9, 4), start=5):
        one, other = step(criterion, rows, seed=n), step(restored, rows, seed=n)
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert same_state(criterion, restored)


def test_a_checkpoint_is_restored_inside_a_model_and_over_queues_of_another_width() -> None:
    model, other = (nn.ModuleDict({"loss": MemoryQueueLoss(queue_size=5)}) for _ in range(2))
    step(model["loss"], 3)
    step(other["loss"], 2, dim=9)
    other.load_state_dict(model.state_dict())
    assert same_state(model, other)


def test_the_state_of_an_unused_loss_empties_a_used_one() -> None:
    used = MemoryQueueLoss(queue_size=5)
    step(used, 3)
    used.load_state_dict(MemoryQueueLoss(queue_size=5).state_dict())
    assert used.vision_queue is None
    assert used.queue_fill_level.item() == 0


def test_a_checkpoint_of_another_size_is_refused() -> None:
    saved = MemoryQueueLoss(queue_size=5)
    step(saved, 3)
    with pytest.raises(RuntimeError, match="size mismatch for vision_queue"):
        MemoryQueueLoss(queue_size=6).load_state_dict(saved.state_dict())


def test_a_state_of_something_else_leaves_the_queues_alone() -> None:
    criterion = MemoryQueueLoss(queue_size=5)
    step(criterion, 3)
    before = copy.deepcopy(criterion)
    criterion.load_state_dict({"weight": torch.ones(1)}, strict=False)
    assert same_state(before, criterion)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_features_of_any_precision_meet_the_queue(dtype: torch.dtype) -> None:
    criterion = MemoryQueueLoss(queue_size=6)
    step(criterion, 4)
    found = criterion(*features(3, dtype=dtype), ["a", "b", "c"])["loss"]
    assert found.isfinite()
    assert criterion.get_buffer("text_queue").dtype == torch.float32


def test_earlier_losses_can_be_differentiated_after_later_calls() -> None:
    criterion = MemoryQueueLoss(queue_size=6)
    vision, text = features(4)
    step(criterion, 4, seed=1)
    twin = copy.deepcopy(criterion)
    one = criterion(vision, text, list(range(4)))["loss"]
    step(criterion, 5, seed=2)
    late = torch.autograd.grad(one, vision)[0]
    assert torch.equal(late, torch.autograd.grad(twin(vision, text, list(range(4)))["loss"], vision)[0])


def test_the_second_derivative_is_that_of_the_formula() -> None:
    criterion = MemoryQueueLoss(queue_size=6, temperature=0.5).double()
    criterion.enqueue(*features(4, seed=1))

    def loss(vision: Tensor, text: Tensor) -> Tensor:
        found: Tensor = copy.deepcopy(criterion)(vision, text, [0, 0, 1])["loss"]
        return found

    assert torch.autograd.gradgradcheck(loss, features(3, dtype=torch.float64))


# ---- momentum contrast


def encoders(seed: int = 0) -> tuple[nn.Linear, nn.Linear]:
    torch.manual_seed(seed)
    return nn.Linear(4, 3), nn.Linear(4, 3)


def moco(**options: Any) -> tuple[MoCoLoss, nn.Linear, nn.Linear]:
    vision_encoder, text_encoder = encoders()
    return MoCoLoss(vision_encoder, text_encoder, **{"dim": 3, "queue_size": 8, **options}), vision_encoder, text_encoder


def key_weight(criterion: MoCoLoss, modality: str = "vision") -> nn.Parameter:
    return criterion.get_parameter(f"{modality}_key_encoder.weight")


def raw(rows: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    vision, text = features(rows, seed=seed)
    return vision.detach(), text.detach()


def test_the_query_encoders_are_used_and_trained_but_are_not_sub_modules() -> None:
    criterion, vision_encoder, text_encoder = moco()
    torch.autograd.backward(criterion(*raw(5))["loss"])
    assert vision_encoder.weight.grad is not None
    assert text_encoder.weight.grad is not None
    names = {name for name, _ in criterion.named_parameters()} | set(criterion.state_dict())
    assert not any(name.startswith(("vision_encoder.", "text_encoder.")) for name in names)
    assert [p for p in criterion.parameters() if p.requires_grad] == []
    assert criterion.vision_encoder is vision_encoder


def test_encoders_attached_from_outside_take_over() -> None:
    criterion, _, _ = moco(momentum=0.0)
    other = encoders(seed=5)
    criterion.vision_encoder, criterion.text_encoder = other
    criterion(*raw(5))
    assert torch.equal(key_weight(criterion), other[0].weight)
    assert torch.equal(key_weight(criterion, "text"), other[1].weight)
    assert "vision_encoder.weight" in criterion.state_dict()


def test_key_encoders_follow_by_the_momentum_after_the_call() -> None:
    criterion, vision_encoder, _ = moco(momentum=0.75)
    before = key_weight(criterion).clone()
    with torch.no_grad():
        vision_encoder.weight.add_(1.0)
    criterion(*raw(5))
    torch.testing.assert_close(key_weight(criterion), 0.75 * before + 0.25 * vision_encoder.weight.detach())
    assert not key_weight(criterion).requires_grad


def test_key_encoders_stand_still_if_so_asked_and_are_copies() -> None:
    criterion, vision_encoder, _ = moco(update_key_encoder=False)
    before = key_weight(criterion).clone()
    with torch.no_grad():
        vision_encoder.weight.add_(1.0)
    vision, text = features(5, dim=3)
    criterion(*raw(5), vision_features=vision, text_features=text)
    assert torch.equal(key_weight(criterion), before)
    assert vision_encoder.weight.requires_grad


def test_buffers_of_key_encoders_have_statistics_of_their_own_in_training() -> None:
    encoder = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    criterion = MoCoLoss(encoder, encoder, dim=3, queue_size=8, momentum=0.0)
    criterion(*raw(5))
    norm, key_norm = encoder[1], criterion.get_submodule("vision_key_encoder.1")
    assert norm.get_buffer("num_batches_tracked") == 2  # it encodes both modalities
    assert key_norm.get_buffer("num_batches_tracked") == 1
    criterion.eval()
    criterion(*raw(5))
    assert key_norm.get_buffer("num_batches_tracked") == 1


def test_a_positive_that_is_in_the_queue_costs_log_two_at_least() -> None:
    criterion, _, _ = moco(temperature=0.01)
    found = criterion(*raw(4), *(x[:, :3] for x in raw(4)))
    assert min(found["v2t_loss"], found["t2v_loss"]) >= torch.tensor(2.0).log()


def test_keys_that_enter_after_the_loss_are_negatives_of_later_batches_only() -> None:
    criterion, vision_encoder, text_encoder = moco(temperature=0.5, enqueue_first=False, symmetric=False)
    queue = criterion.get_buffer("text_queue").clone()
    vision, text = raw(4)
    found = criterion(vision, text)["loss"]
    query, keys = F.normalize(vision_encoder(vision)), F.normalize(text_encoder(text))
    logits = torch.cat((query @ keys.t(), query @ queue), dim=1) / 0.5
    torch.testing.assert_close(found, F.cross_entropy(logits, torch.arange(4)))
    torch.testing.assert_close(criterion.get_buffer("text_queue")[:, :4], keys.t().detach())
    torch.autograd.backward(found)


def test_one_direction_has_one_queue_and_reports_zeros_for_the_other() -> None:
    criterion, _, _ = moco(symmetric=False)
    found = criterion(*raw(4))
    assert "vision_queue" not in criterion.state_dict()
    assert (found["t2v_loss"], found["t2v_accuracy"]) == (0, 0)
    assert found["loss"] == found["v2t_loss"]
    assert found["accuracy"] == found["v2t_accuracy"]


def test_inputs_that_are_no_tensors_make_the_features_their_own_keys() -> None:
    criterion, _, _ = moco()
    before = criterion.get_buffer("vision_queue").clone()
    vision, text = features(4, dim=3)
    criterion({"pixels": 1}, ["two"], vision, text)
    assert torch.equal(criterion.get_buffer("vision_queue")[:, :4], F.normalize(vision).t())
    assert torch.equal(criterion.get_buffer("vision_queue")[:, 4:], before[:, 4:])


def test_the_pointer_wraps_and_a_batch_that_ends_at_the_end_starts_over() -> None:
    criterion, _, _ = moco(queue_size=6)
    pointers = []
    for n in range(4):
        criterion(*raw(4 if n < 3 else 6, seed=n))
        pointers.append(criterion.get_buffer("text_queue_ptr").item())
    assert pointers == [4, 2, 0, 0]


@pytest.mark.parametrize("scale", [1.0, 0.01, 100.0])
def test_a_positive_that_ties_with_its_copy_in_the_queue_is_right(scale: float) -> None:
    criterion, _, _ = moco(temperature=0.07 * scale, queue_size=64)
    key = F.normalize(torch.randn(16, 3))
    found = criterion(None, None, key, key)
    assert found["accuracy"] == 1


def test_logits_near_zero_tie_by_how_far_apart_they_are() -> None:
    criterion = MoCoLoss(nn.Identity(), nn.Identity(), dim=2, queue_size=2, temperature=1.0, symmetric=False)
    text = F.normalize(torch.tensor([[1e-3, 1.0], [1.005e-3, 1.0]]))
    assert criterion(torch.eye(2), text)["accuracy"] == 1


def test_a_positive_that_is_clearly_beaten_is_wrong() -> None:
    criterion = MoCoLoss(nn.Identity(), nn.Identity(), dim=2, queue_size=4)
    text = torch.tensor([[1.0, 0.0], [1.0, 0.01]])
    vision = torch.tensor([[1.0, 0.01], [1.0, 0.0]])
    found = criterion(vision, text)
    assert found["v2t_accuracy"] == 0


@pytest.mark.parametrize("spoil", ["long", "narrow", "uneven", "elsewhere"])
def test_nothing_has_changed_when_shapes_are_found_wrong(spoil: str) -> None:
    criterion, _, _ = moco(queue_size=6)
    before = copy.deepcopy(criterion)
    vision, text = features(4, dim=3)
    inputs: dict[str, Any] = {"vision_queries": None, "text_queries": None, "vision_features": vision, "text_features": text}
    inputs |= {
        "long": {"vision_features": vision.repeat(2, 1), "text_features": text.repeat(2, 1)},
        "narrow": {"vision_features": vision[:, :2], "text_features": text[:, :2]},
        "uneven": {"text_features": text[:3]},
        "elsewhere": {"vision_features": vision.to("meta"), "text_features": text.to("meta")},
    }[spoil]
    with pytest.raises(ValueError, match="expected"):
        criterion(**inputs)
    assert same_state(before, criterion)


def test_a_batch_that_the_queue_cannot_take_is_told_its_size() -> None:
    criterion, _, _ = moco(queue_size=6)
    with pytest.raises(ValueError, match=r"at most queue_size=6 rows on cpu; found .*\[7, 3\]"):
        criterion(*raw(7))


def test_encoders_of_another_make_are_not_followed() -> None:
    criterion, vision_encoder, _ = moco()
    criterion.vision_encoder = nn.Sequential(vision_encoder, nn.Linear(3, 3))
    with pytest.raises(ValueError, match="zip"):
        criterion(*raw(4))


def test_queries_of_double_precision_meet_keys_of_single_precision() -> None:
    criterion, _, _ = moco()
    vision, text = features(4, dim=3, dtype=torch.float64)
    found = criterion(*raw(4), vision, text)
    assert found["loss"].dtype == torch.float64
    assert {found[f"{way}accuracy"].dtype for way in ("v2t_", "t2v_", "")} == {torch.float32}


def test_a_loss_restored_in_the_middle_of_a_run_goes_on_with_the_same_numbers() -> None:
    criterion, vision_encoder, text_encoder = moco(momentum=0.5)
    for n in range(3):
        criterion(*raw(5, seed=n))
    restored = MoCoLoss(vision_encoder, text_encoder, dim=3, queue_size=8, momentum=0.5)
    restored.load_state_dict(criterion.state_dict())
    for n in range(3, 6):
        one, other = criterion(*raw(n, seed=n)), restored(*raw(n, seed=n))
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert same_state(criterion, restored)


def test_the_printed_form_has_options_and_no_encoders() -> None:
    criterion, _, _ = moco()
    options = criterion.extra_repr()
    assert "queue_size=8" in options
    assert "Linear" not in options


def test_the_queues_follow_the_features_to_their_device() -> None:
    criterion = MemoryQueueLoss(queue_size=6)
    criterion.enqueue(*features(3))
    criterion.enqueue(torch.zeros(3, 4, device="meta"), torch.zeros(3, 4, device="meta"))
    assert {buffer.device.type for buffer in criterion.buffers()} == {"meta"}
