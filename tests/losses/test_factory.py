"""The loss that a training script's arguments ask for."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest
import torch

import losses
from losses import create_loss_function
from losses.factory import BUILDERS

COMMON = {"temperature": 0.1, "fusion_dim": 8, "batch_size": 16, "memory_bank_size": 8}
MIXTURE = {"contrastive_weight": 1.0, "classification_weight": 0.5, "multimodal_matching_weight": 0.25}


def build(kind: str, size: int | None = None, **given: Any) -> Any:
    return create_loss_function(Namespace(loss_type=kind, **{**COMMON, **MIXTURE, **given}), size)


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("barlow_twins", losses.BarlowTwinsLoss),
        ("combined", losses.CombinedLoss),
        ("contrastive", losses.InfoNCELoss),
        ("decoupled", losses.DecoupledLoss),
        ("dynamic_temp", losses.DynamicTemperatureLoss),
        ("hard_negative", losses.HardNegativeLoss),
        ("memory_queue", losses.MemoryQueueLoss),
        ("mixed", losses.MixedContrastiveLoss),
        ("simple", losses.SimpleContrastiveLoss),
        ("vicreg", losses.VICRegLoss),
    ],
)
def test_every_type_builds_a_loss_that_trains(kind: str, cls: type) -> None:
    criterion = build(kind)
    assert type(criterion).__name__ == cls.__name__
    generator = torch.Generator().manual_seed(0)
    vision, text = torch.randn(2, 6, 8, generator=generator).requires_grad_()
    given = {} if kind in ("vicreg", "barlow_twins") else {"match_ids": ["a", "b", "a", "c", "d", "e"]}
    loss = criterion(vision, text, **given)["loss"]
    loss.backward()
    assert loss.isfinite()


def test_no_type_is_left_untested() -> None:
    tested = vars(test_every_type_builds_a_loss_that_trains)["pytestmark"][0].args[1]
    assert [kind for kind, _ in tested] == sorted(BUILDERS)


@pytest.mark.parametrize("kind", ["contrastiv", "", None, "VICReg"])
def test_an_unknown_type_is_answered_with_the_known_ones(kind: str | None) -> None:
    found = "none" if kind is None else kind
    with pytest.raises(ValueError, match=rf"loss_type={found!r}: expected one of 'barlow_twins'.*'vicreg'"):
        build(kind)  # type: ignore[arg-type]


def test_switches_go_before_the_type_and_the_simple_one_first() -> None:
    assert isinstance(build("vicreg", use_mixed_loss=True), losses.MixedContrastiveLoss)
    assert isinstance(build("vicreg", use_mixed_loss=True, use_simple_model=True), losses.SimpleContrastiveLoss)


def test_what_is_none_is_as_good_as_not_given() -> None:
    plain = build("decoupled")
    assert repr(build("decoupled", lambda_v=None, lambda_t=None, dynamic_temp_min=None)) == repr(plain)


def test_a_temperature_that_is_not_given_is_the_usual_one() -> None:
    assert create_loss_function(Namespace(loss_type="decoupled")).temperature == 0.07


def test_any_object_with_attributes_will_do() -> None:
    class Arguments:
        loss_type = "decoupled"

        def __init__(self) -> None:
            self.temperature = 0.3

    assert create_loss_function(Arguments()).temperature == 0.3


def test_a_missing_attribute_is_named() -> None:
    with pytest.raises(ValueError, match=r"loss_type='hard_negative': expected args\.batch_size"):
        create_loss_function(Namespace(loss_type="hard_negative"))


@pytest.mark.parametrize("kind", sorted(BUILDERS))
@pytest.mark.parametrize("wrong", [{"temperature": 0.0}, {"fusion_dim": 0}], ids=str)
def test_temperatures_and_widths_have_to_be_above_zero_for_every_type(kind: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected a finite number above 0"):
        build(kind, **wrong)


def test_the_width_is_the_one_that_is_given() -> None:
    head = build("contrastive", fusion_dim=512, vision_model="vit-base").vision_projection
    assert head[0].in_features == 512


@pytest.mark.parametrize(
    ("sampling", "size", "batch", "strategy", "scale"),
    [
        ("auto", None, 16, "memory-bank", 1.0),
        ("auto", 999, 16, "global", 1.05),
        ("auto", 1000, 16, "memory-bank", 1.0),
        ("auto", 9999, 16, "memory-bank", 1.0),
        ("auto", 10_000, 63, "in-batch", 0.85),
        ("in-batch", 5, 64, "in-batch", 0.9),
        ("in-batch", None, 128, "in-batch", 0.95),
        ("global", None, 16, "global", 1.05),
    ],
)
def test_strategy_and_temperature_of_the_contrastive_loss(
    sampling: str, size: int | None, batch: int, strategy: str, scale: float
) -> None:
    criterion = build("contrastive", size, contrastive_sampling=sampling, batch_size=batch)
    assert criterion.sampling_strategy == strategy
    assert criterion.temperature == pytest.approx(0.1 * scale)
    assert criterion.memory_bank_size == 16


@pytest.mark.parametrize(
    ("size", "keys"), [(None, 8192), (-1, 2048), (0, 2048), (1000, 2048), (1001, 4096), (5001, 8192), (10_001, 16_384)]
)
def test_a_queue_fits_the_data_set_unless_its_size_is_given(size: int | None, keys: int) -> None:
    criterion = build("memory_queue", size)
    assert (criterion.queue_size, criterion.temperature) == (keys, pytest.approx(0.11))
    assert build("memory_queue", size, queue_size=32).queue_size == 32


def test_a_queue_of_size_zero_is_refused_rather_than_replaced() -> None:
    with pytest.raises(ValueError, match="queue_size=0"):
        build("memory_queue", queue_size=0)


@pytest.mark.parametrize("temperature", [0.005, 0.07, 0.5])
def test_the_range_of_the_dynamic_temperature_has_the_temperature_inside(temperature: float) -> None:
    criterion = build("dynamic_temp", temperature=temperature)
    assert criterion.min_temperature <= temperature <= criterion.max_temperature
    assert build("dynamic_temp", dynamic_temp_min=0.05, dynamic_temp_max=0.2).max_temperature == 0.2
    assert build("dynamic_temp", temperature=0.015).min_temperature == 0.01, "0.6 of it is below the floor"


@pytest.mark.parametrize(
    ("given", "strategy", "factor"),
    [
        ({}, "semi-hard", 3.0),
        ({"batch_size": 32}, "hard", 2.0),
        ({"mining_strategy": "hard"}, "hard", 2.0),
        ({"mining_strategy": "hard", "hard_negative_factor": 0.0}, "hard", 0.0),
    ],
)
def test_the_chosen_mining_strategy_is_used(given: dict[str, Any], strategy: str, factor: float) -> None:
    criterion = build("hard_negative", **given)
    assert (criterion.mining_strategy, criterion.hard_negative_factor) == (strategy, factor)


def test_vicreg_after_contrast_is_the_hybrid_loss() -> None:
    criterion = build("vicreg", use_contrastive_pretrain=True, sim_weight=50.0)
    assert isinstance(criterion, losses.HybridPretrainVICRegLoss)
    assert (criterion.contrastive_pretrain_steps, criterion.vicreg_loss.sim_coeff) == (200, 50.0)
    heads = criterion.contrastive_loss
    assert (heads.temperature, heads.input_dim, heads.projection_dim) == (0.1, 8, 8)


def test_the_schedule_of_the_hybrid_loss_comes_from_the_arguments() -> None:
    given: dict[str, Any] = {"contrastive_pretrain_steps": 5, "gradual_transition_steps": 7}
    given |= {"adaptive_transition": False, "min_alignment_threshold": 0.6}
    criterion = build("vicreg", use_contrastive_pretrain=True, **given)
    assert {name: getattr(criterion, name) for name in given} == given


def test_encoders_of_a_known_width_set_that_of_the_hybrid_loss() -> None:
    criterion = build("vicreg", use_contrastive_pretrain=True, vision_model="vit-base-16", text_model="bert-base")
    assert criterion.contrastive_loss.input_dim == 768


def test_the_mixture_has_the_width_of_all_others_and_heads_if_asked() -> None:
    assert build("mixed").vision_projection is None
    assert build("mixed", use_hard_negatives=True).vision_projection[0].in_features == 8
    assert build("mixed").loss_weights == {"infonce": 1.0, "nt_xent": 0.5, "supervised": 0.25}


def test_weights_of_the_combination() -> None:
    criterion = build("combined", secondary_loss_weight=0.1)
    assert (criterion.secondary_loss_weight, criterion.tertiary_loss_weight) == (0.1, 0.3)
