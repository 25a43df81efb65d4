"""What is special to InfoNCE with its stores and to the mixture; what holds for every loss is in the battery."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from losses import CLIPLoss, InfoNCELoss, MixedContrastiveLoss, nt_xent_loss, supervised_contrastive_loss

DIM = 6


def features(rows: int, *, dim: int = DIM, seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(100 * seed + rows)
    vision, text = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64).to(dtype)
    return vision.requires_grad_(), text.requires_grad_()


def unit(*batches: Tensor) -> tuple[Tensor, ...]:
    return tuple(nn.functional.normalize(x.detach(), dim=1) for x in batches)


def bank(size: int = 10, **options: Any) -> InfoNCELoss:
    return InfoNCELoss(temperature=0.2, sampling_strategy="memory-bank", memory_bank_size=size, input_dim=DIM, **options)


def table(size: int = 12, **options: Any) -> InfoNCELoss:
    return InfoNCELoss(temperature=0.2, sampling_strategy="global", dataset_size=size, input_dim=DIM, **options)


# ---- without a store


def test_it_can_be_built_without_options_and_then_has_no_heads() -> None:
    assert dict(InfoNCELoss().named_parameters()) == {}


def test_on_the_batch_alone_it_is_clip() -> None:
    vision, text = features(7)
    ids = ["a", "b", "a", "c", "b", "a", "d"]
    torch.manual_seed(1)
    found = InfoNCELoss(temperature=0.1)(vision, text, ids)
    torch.manual_seed(1)
    expected = CLIPLoss(temperature=0.1)(vision, text, ids)
    for key, value in found.items():
        assert torch.equal(value, expected[key]), key


@pytest.mark.parametrize(
    ("size", "strategy"),
    [(None, "auto"), (999, "global"), (1000, "memory-bank"), (9_999, "memory-bank"), (10_000, "in-batch")],
)
def test_auto_follows_the_size_of_the_data_set(size: int | None, strategy: str) -> None:
    assert InfoNCELoss(dataset_size=size, input_dim=2).sampling_strategy == strategy
    assert InfoNCELoss(dataset_size=size, input_dim=2, sampling_strategy="in-batch").sampling_strategy == "in-batch"


@pytest.mark.parametrize("build", [InfoNCELoss, MixedContrastiveLoss])
def test_noise_is_for_small_batches_in_training_and_can_be_left_out(build: Any) -> None:
    options = {"sampling_strategy": "in-batch"} if build is InfoNCELoss else {}
    vision, text = features(15)
    training = [build(**options)(vision, text)["loss"] for _ in range(2)]
    assert training[0] != training[1]
    for still in (build(**options).eval(), build(**options, small_batch_noise=False)):
        assert still(vision, text)["loss"] == still(vision, text)["loss"]
    criterion, (vision, text) = build(**options), features(16)
    assert criterion(vision, text)["loss"] == criterion(vision, text)["loss"]


def test_supervised_without_labels_is_infonce() -> None:
    vision, text = features(5)
    assert InfoNCELoss(loss_type="supervised")(vision, text)["loss"] == InfoNCELoss()(vision, text)["loss"]


def test_other_losses_are_over_rows_of_length_one() -> None:
    vision, text = features(5)
    v, t = unit(vision, text)
    labels = torch.tensor([0, 1, 0, 1, 1])
    found = InfoNCELoss(temperature=0.3, loss_type="nt_xent")(vision, text)["loss"]
    torch.testing.assert_close(found, nt_xent_loss(v, t, 0.3))
    found = InfoNCELoss(temperature=0.3, loss_type="supervised")(vision, text, labels=labels)["loss"]
    torch.testing.assert_close(found, supervised_contrastive_loss(v, t, labels, 0.3))


def test_without_reduction_there_is_one_loss_a_pair() -> None:
    vision, text = features(5)
    labels = torch.tensor([0, 1, 0, 1, 1])
    for kind in ("nt_xent", "supervised"):
        per_pair = InfoNCELoss(loss_type=kind, reduction="none")(vision, text, labels=labels)["loss"]
        assert per_pair.shape == (5,)
        torch.testing.assert_close(per_pair.mean(), InfoNCELoss(loss_type=kind)(vision, text, labels=labels)["loss"])


def test_floats_that_differ_in_the_fifth_decimal_are_different_ids() -> None:
    vision, text = features(4)
    found = InfoNCELoss()(vision, text, match_ids=torch.tensor([1.00001, 1.00002, 1.00003, 1.00004]))
    assert found["loss"] == InfoNCELoss()(vision, text)["loss"]


# ---- heads


@pytest.mark.parametrize("build", [InfoNCELoss, MixedContrastiveLoss])
def test_heads_keep_their_names_and_are_drawn_vision_first(build: Any) -> None:
    torch.manual_seed(0)
    criterion = build(add_projection=True, input_dim=4, projection_dim=3)
    torch.manual_seed(0)
    expected = [nn.Linear(4, 4), nn.Linear(4, 3), nn.Linear(4, 4), nn.Linear(4, 3)]
    names = [f"{side}_projection.{layer}" for side in ("vision", "text") for layer in (0, 2)]
    state = criterion.state_dict()
    assert list(state) == [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    for name, layer in zip(names, expected, strict=True):
        assert torch.equal(state[f"{name}.weight"], layer.weight)


@pytest.mark.parametrize("build", [InfoNCELoss, MixedContrastiveLoss])
def test_heads_of_width_768_are_used_like_others(build: Any) -> None:
    criterion = build(add_projection=True, input_dim=768, projection_dim=5)
    vision, text = features(3, dim=768)
    criterion(vision, text)["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in criterion.vision_projection[2].parameters())
    assert criterion.project(vision, text)[0].shape == (3, 5)


@pytest.mark.parametrize("build", [InfoNCELoss, MixedContrastiveLoss])
def test_features_of_another_width_are_refused_and_the_heads_stay(build: Any) -> None:
    criterion = build(add_projection=True, input_dim=4, projection_dim=3)
    before = copy.deepcopy(criterion.state_dict())
    with pytest.raises(ValueError, match=r"expected width 4.*found.*\[5, 6\]"):
        criterion(*features(5))
    assert all(torch.equal(value, before[name]) for name, value in criterion.state_dict().items())


def test_float64_features_and_float32_heads_do_not_go_together() -> None:
    with pytest.raises(RuntimeError, match="dtype"):
        InfoNCELoss(add_projection=True, input_dim=DIM)(*features(5, dtype=torch.float64))


# ---- the bank


def test_the_bank_fills_in_training_and_goes_round() -> None:
    criterion, given = bank(size=10), []
    for step in range(3):
        vision, text = features(4, seed=step)
        criterion(vision, text)
        given.append(unit(vision, text))
    assert (criterion.bank_ptr.item(), criterion.bank_size.item()) == (2, 10)
    rows = torch.cat([v for v, _ in given])
    torch.testing.assert_close(criterion.vision_bank, torch.cat((rows[10:], rows[2:10])))
    rows = torch.cat([t for _, t in given])
    torch.testing.assert_close(criterion.text_bank, torch.cat((rows[10:], rows[2:10])))


def test_an_empty_bank_adds_no_candidate() -> None:
    vision, text = features(4)
    found = bank()(vision, text)
    torch.testing.assert_close(found["loss"], InfoNCELoss(temperature=0.2)(vision, text)["loss"])


def test_the_bank_stays_as_it_is_in_evaluation() -> None:
    criterion = bank().eval()
    criterion(*features(4))
    assert criterion.bank_size.item() == 0


def test_rows_of_the_bank_are_further_negatives_for_the_loss_and_not_for_ranks() -> None:
    criterion = bank()
    own = torch.eye(4, DIM)
    alone = criterion(own, own)
    beside = criterion(own, own)
    assert beside["loss"] > alone["loss"] + 0.5
    assert beside["accuracy"] == beside["v2t_recall@1"] == 1


def test_a_batch_longer_than_the_bank_leaves_its_last_rows() -> None:
    criterion, (vision, text) = bank(size=3), features(8)
    criterion(vision, text)
    v, _ = unit(vision, text)
    torch.testing.assert_close(torch.sort(criterion.vision_bank, dim=0).values, torch.sort(v[5:], dim=0).values)
    assert criterion.bank_size.item() == 3


@pytest.mark.parametrize("criterion", [bank(), table()], ids=["bank", "table"])
def test_a_training_call_can_be_differentiated_after_it_has_written(criterion: InfoNCELoss) -> None:
    indices = torch.arange(4) if criterion.sampling_strategy == "global" else None
    for step in range(2):
        vision, text = features(4, seed=step)
        criterion(vision, text, indices=indices)["loss"].backward()
        assert vision.grad is not None
        assert vision.grad.abs().sum() > 0


def test_what_is_stored_behind_heads_is_what_comes_out_of_them() -> None:
    criterion = InfoNCELoss(
        add_projection=True, input_dim=DIM, projection_dim=3, sampling_strategy="memory-bank", memory_bank_size=4
    )
    vision, text = features(4)
    criterion(vision, text)
    torch.testing.assert_close(criterion.vision_bank, criterion.project(vision, text)[0].detach())


def test_without_a_width_the_bank_is_as_wide_as_a_base_size_encoder() -> None:
    assert InfoNCELoss(sampling_strategy="memory-bank", memory_bank_size=2).vision_bank.shape == (2, 768)


# ---- the table


def test_features_of_another_width_than_the_bank_are_refused_with_both_widths() -> None:
    criterion = InfoNCELoss(sampling_strategy="memory-bank", memory_bank_size=2)
    with pytest.raises(ValueError, match=r"expected width 768, .*input_dim.*found torch.float32 of shape \[3, 5\]"):
        criterion(torch.randn(3, 5), torch.randn(3, 5))


def test_the_table_holds_each_sample_where_its_index_says() -> None:
    criterion, (vision, text) = table(), features(3)
    criterion(vision, text, indices=torch.tensor([7, 2, 5]))
    torch.testing.assert_close(criterion.vision_bank[[7, 2, 5]], unit(vision)[0])
    assert criterion.bank_written.nonzero().flatten().tolist() == [2, 5, 7]


def test_a_sample_that_is_not_in_the_table_is_compared_within_the_batch() -> None:
    criterion, (vision, text) = table(reduction="none").eval(), features(3)
    plain = InfoNCELoss(temperature=0.2, reduction="none")(vision, text)["loss"]
    torch.testing.assert_close(criterion(vision, text, indices=torch.arange(3))["loss"], plain)
    stored = unit(*features(2, seed=9))
    criterion.update_global_embeddings(stored[0], stored[1], torch.tensor([1, 4]))
    found = criterion(vision, text, indices=torch.arange(3))["loss"]
    torch.testing.assert_close(found[[0, 2]], plain[[0, 2]])
    assert found[1] != plain[1]


def test_rows_that_were_never_written_are_no_candidates() -> None:
    small, large = table(size=4).eval(), table(size=40).eval()
    stored = unit(*features(4, seed=9))
    vision, text = features(3)
    for criterion in (small, large):
        criterion.update_global_embeddings(stored[0], stored[1], torch.arange(4))
    found = [criterion(vision, text, indices=torch.tensor([0, 3, 1]))["loss"] for criterion in (small, large)]
    torch.testing.assert_close(found[0], found[1])


def test_without_indices_the_table_is_neither_read_nor_written() -> None:
    criterion, (vision, text) = table(), features(3)
    assert criterion(vision, text)["loss"] == InfoNCELoss(temperature=0.2)(vision, text)["loss"]
    assert not criterion.bank_written.any()


@pytest.mark.parametrize("outside", [12, -1])
@pytest.mark.parametrize("call", ["forward", "update_global_embeddings"])
def test_an_index_outside_the_table_is_refused_before_anything_is_written(outside: int, call: str) -> None:
    criterion, (vision, text) = table(), features(3)
    with pytest.raises(IndexError, match=r"expected 0 to 11, found"):
        getattr(criterion, call)(vision, text, indices=torch.tensor([0, outside, 1]))
    assert not criterion.bank_written.any()
    assert not criterion.vision_bank.any()


def test_stores_of_other_strategies_are_not_written() -> None:
    criterion = InfoNCELoss()
    criterion.update_memory_bank(*features(3))
    criterion.update_global_embeddings(*features(3), torch.arange(3))
    assert criterion.state_dict() == {}


@pytest.mark.parametrize("build", [bank, table])
def test_stores_take_features_of_double_precision(build: Any) -> None:
    criterion = build()
    for step in range(2):
        loss = criterion(*features(4, seed=step, dtype=torch.float64), indices=torch.arange(4))["loss"]
    assert loss.dtype == torch.float64


# ---- the mixture


def test_the_mixture_is_the_weighted_sum_of_its_parts() -> None:
    weights = {"infonce": 0.5, "nt_xent": 2.0, "supervised": 0.25, "more": 9.0}
    vision, text = features(18)
    found = MixedContrastiveLoss(loss_weights=weights)(vision, text, labels=torch.arange(18) // 3)
    total = 0.5 * found["loss_infonce"] + 2 * found["loss_nt_xent"] + 0.25 * found["loss_supervised"]
    torch.testing.assert_close(found["loss"].detach(), total)


def test_a_missing_weight_is_found_at_construction() -> None:
    with pytest.raises(KeyError, match="nt_xent"):
        MixedContrastiveLoss(loss_weights={"infonce": 1.0, "supervised": 1.0})


def test_weights_changed_by_the_caller_afterwards_do_not_count() -> None:
    weights = {"infonce": 1.0, "nt_xent": 1.0, "supervised": 1.0}
    criterion = MixedContrastiveLoss(loss_weights=weights)
    weights["nt_xent"] = 5.0
    assert criterion.loss_weights["nt_xent"] == 1.0


def test_a_part_of_weight_zero_stays_out_of_the_sum_even_as_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    vision, text = features(18)
    labels = torch.arange(18) // 3
    criterion = MixedContrastiveLoss(loss_weights={"infonce": 1.0, "nt_xent": 0.0, "supervised": 0.0})
    expected = criterion(vision, text, labels=labels)["loss"]
    monkeypatch.setattr("losses.views.nt_xent_loss", lambda *_: torch.tensor(float("nan")))
    found = criterion(vision, text, labels=labels)
    assert found["loss"] == expected
    assert found["loss_nt_xent"].isnan()


def test_with_no_weight_at_all_the_loss_is_a_zero_that_can_be_differentiated() -> None:
    vision, text = features(18)
    loss = MixedContrastiveLoss(loss_weights=dict.fromkeys(("infonce", "nt_xent", "supervised"), 0.0))(vision, text)["loss"]
    loss.backward()
    assert loss == 0
    for x in (vision, text):
        assert x.grad is not None
        assert not x.grad.any()


def test_a_low_temperature_does_not_overflow_in_the_supervised_part() -> None:
    vision, text = features(18)
    found = MixedContrastiveLoss(temperature=0.005)(vision, text, labels=torch.arange(18) // 3)
    assert found["loss_supervised"].isfinite()


@pytest.mark.parametrize("build", [InfoNCELoss, MixedContrastiveLoss])
def test_options_beyond_the_first_three_are_given_by_name(build: Any) -> None:
    kinds = [p.kind for p in inspect.signature(build).parameters.values()]
    assert kinds == [inspect.Parameter.POSITIONAL_OR_KEYWORD] * 3 + [inspect.Parameter.KEYWORD_ONLY] * (len(kinds) - 3)
