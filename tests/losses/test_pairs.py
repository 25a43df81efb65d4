"""What is special to the losses over groups of ids; what holds for every loss is in the battery."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from losses import DecoupledLoss, DynamicTemperatureLoss, HardNegativeLoss

NAN = float("nan")
ALL = (DynamicTemperatureLoss, HardNegativeLoss, DecoupledLoss)

each = pytest.mark.parametrize("build", ALL, ids=lambda build: build.__name__)


def features(rows: int, *, dim: int = 6, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(100 * seed + rows)
    vision, text = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64).to(dtype)
    return vision.requires_grad_(), ((vision + text) / 2).detach().requires_grad_()


def gradients(loss: Tensor, *leaves: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss, leaves)


def assert_zero_and_differentiable(loss: Tensor, *leaves: Tensor) -> None:
    assert loss == 0
    for gradient in gradients(loss, *leaves):
        assert torch.equal(gradient, torch.zeros_like(gradient))


@each
def test_no_positive_pair_at_all_is_a_zero_that_can_be_differentiated(build: type[nn.Module]) -> None:
    vision, text = features(4)
    for ids in ([NAN, NAN, NAN, NAN], torch.full((4,), NAN)):
        assert_zero_and_differentiable(build()(vision, text, ids)["loss"], vision, text)


@each
@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c", "d", "e"], []], ids=len)
def test_there_is_one_id_a_row(build: type[nn.Module], ids: list[str]) -> None:
    with pytest.raises(ValueError, match=rf"4 in all, found {len(ids)}"):
        build()(*features(4), ids)


@each
def test_numbers_match_across_types_and_text_is_no_number(build: type[nn.Module]) -> None:
    vision, text = features(5)
    mixed = build()(vision, text, [1, 1.0, True, "1", "1"])["loss"]
    assert mixed == build()(vision, text, ["x", "x", "x", "y", "y"])["loss"]
    assert mixed == build()(vision, text, torch.tensor([[3.5], [3.5], [3.5], [-0.0], [0.0]]))["loss"]


@each
def test_an_id_unequal_to_itself_is_no_anchor_but_a_negative_of_all(build: type[nn.Module]) -> None:
    vision, text = features(4, dtype=torch.float64)
    three = build(temperature=0.5)(vision[:3], text[:3], ["a", "b", "c"])["v2t_loss"]
    with_nan = build(temperature=0.5)(vision, text, ["a", "b", "c", NAN])["v2t_loss"]
    assert with_nan > three


@each
def test_large_groups_weigh_by_their_pairs(build: type[nn.Module]) -> None:
    vision, text = features(6, dtype=torch.float64)
    ids = ["a", "a", "a", "a", "b", "c"]
    per_sample, mean = (build(temperature=0.5, reduction=kind)(vision, text, ids)["loss"] for kind in ("none", "mean"))
    torch.testing.assert_close(per_sample.mean(), mean)


@each
def test_the_mode_changes_nothing(build: type[nn.Module]) -> None:
    vision, text = features(5)
    criterion = build()
    training = criterion(vision, text, [0, 0, 1, 2, 1])["loss"]
    assert criterion.eval()(vision, text, [0, 0, 1, 2, 1])["loss"] == training


# ---- a temperature of the batch


def test_without_other_positives_and_without_negatives_the_gap_is_what_is_left() -> None:
    vision, text = features(5, dtype=torch.float64)
    criterion = DynamicTemperatureLoss(min_temperature=0, max_temperature=10)
    distinct, equal = criterion(vision, text, list(range(5))), criterion(vision, text, [7] * 5)
    assert distinct["pos_similarity"] == 0
    assert equal["neg_similarity"] == 0
    for found in (distinct, equal):
        gap = found["pos_similarity"] - found["neg_similarity"]
        torch.testing.assert_close(found["temperature"], 0.07 * (0.8 + 0.4 * torch.exp(-2 * gap)))


def test_the_temperature_belongs_to_the_graph_unless_it_is_cut() -> None:
    vision, text = features(6, dtype=torch.float64)
    ids = [0, 0, 1, 1, 2, 2]

    def gradient(found: dict[str, Tensor]) -> Tensor:
        return gradients(found["loss"], vision)[0]

    free = DynamicTemperatureLoss(min_temperature=0, max_temperature=10)(vision, text, ids)
    tau = free["temperature"].item() + 1e-9  # at the bound itself there still is a gradient
    cut = DynamicTemperatureLoss(min_temperature=tau, max_temperature=tau)(vision, text, ids)
    torch.testing.assert_close(free["loss"], cut["loss"])
    assert (gradient(free) - gradient(cut)).abs().max() > 1e-3


def test_groups_far_apart_sharpen_and_opposed_pairs_soften() -> None:
    side = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).repeat(3, 1)
    ids = [0, 1] * 3
    criterion = DynamicTemperatureLoss()
    assert criterion(side, side, ids)["temperature"] == pytest.approx(0.07 * (0.8 + 0.4 * math.exp(-4)), rel=1e-6)
    assert criterion(side, -side, ids)["temperature"] == pytest.approx(0.2, rel=1e-6)


def test_where_the_bounds_contradict_each_other_the_upper_one_holds() -> None:
    found = DynamicTemperatureLoss(0.6, min_temperature=0.36, max_temperature=0.3)(*features(4), list("abcd"))
    assert found["temperature"] == pytest.approx(0.3)


def test_one_row_has_no_loss_and_the_temperature_of_gap_zero() -> None:
    found = DynamicTemperatureLoss()(*features(1), ["only"])
    assert found["loss"] == 0
    assert found["temperature"] == pytest.approx(1.2 * 0.07)


def test_the_negatives_of_one_row_that_matches_nothing_are_itself() -> None:
    vision, text = features(1)
    found = DynamicTemperatureLoss()(vision, text, [NAN])
    torch.testing.assert_close(found["neg_similarity"], torch.cosine_similarity(vision, text)[0].detach())


# ---- weighted negatives


@pytest.mark.parametrize(("rows", "ids"), [(1, ["a"]), (4, ["a"] * 4)], ids=["one row", "one group"])
def test_without_negatives_the_loss_is_a_zero_that_can_be_differentiated(rows: int, ids: list[str]) -> None:
    vision, text = features(rows)
    found = HardNegativeLoss(hard_negative_factor=3.0)(vision, text, ids)
    assert_zero_and_differentiable(found["loss"], vision, text)
    assert (found["v2t_loss"], found["t2v_loss"], found["hard_negative_factor"]) == (0, 0, 3)


def test_a_negative_that_alone_is_hard_and_weighs_nothing_leaves_no_loss() -> None:
    vision, text = features(2)
    for factor in (0, 0.0):
        found = HardNegativeLoss(hard_negative_factor=factor, mining_strategy="hard")(vision, text, ["a", "b"])
        assert_zero_and_differentiable(found["loss"], vision, text)


def test_a_factor_of_one_is_no_mining() -> None:
    vision, text = features(8)
    ids = [0, 0, 1, 1, 2, 2, 3, 3]
    plain = HardNegativeLoss(mining_strategy="none", hard_negative_factor=9.0)(vision, text, ids)["loss"]
    for strategy in ("hard", "semi-hard"):
        found = HardNegativeLoss(mining_strategy=strategy, hard_negative_factor=1.0)(vision, text, ids)["loss"]
        torch.testing.assert_close(found, plain)


def test_only_negatives_in_the_band_below_the_mean_positive_are_semi_hard() -> None:
    def loss(cosine: float, factor: float) -> float:
        row = torch.tensor([[cosine, math.sqrt(1 - cosine**2)]])
        text = torch.cat((torch.tensor([[0.9, math.sqrt(1 - 0.81)]]), row))
        found: float = HardNegativeLoss(1.0, factor, reduction="sum")(torch.eye(2), text, ["a", "b"])["v2t_loss"].item()
        return found

    # Row 0 has the positive 0.9 and the negative `cosine`; row 1 sees the same in both runs but for its own band.
    assert loss(0.8, 5.0) > loss(0.8, 1.0)
    first = torch.tensor([[1.0, 0.0]])
    for cosine in (0.69, 0.9, 0.95):
        text = torch.tensor([[0.9, math.sqrt(1 - 0.81)], [cosine, math.sqrt(1 - cosine**2)]])
        values = [
            HardNegativeLoss(1.0, factor, reduction="none")(first.repeat(2, 1), text, ["a", NAN])["v2t_loss"]
            for factor in (1.0, 5.0)
        ]
        assert values[0] == values[1], cosine


def test_the_hardest_tenth_counts_and_at_least_one() -> None:
    vision, text = features(31, dtype=torch.float64)
    ids = list(range(31))
    criterion = HardNegativeLoss(1.0, hard_negative_factor=0.0, mining_strategy="hard", reduction="sum")
    found = criterion(vision, text, ids)["v2t_loss"]
    cosines = nn.functional.normalize(vision) @ nn.functional.normalize(text).t()
    expected = []
    for i in range(31):
        negatives = torch.cat((cosines[i, :i], cosines[i, i + 1 :])).sort().values[:-3]
        expected.append(torch.log1p(torch.exp(negatives - cosines[i, i]).sum()))
    torch.testing.assert_close(found, torch.stack(expected).mean().detach())


def test_where_negatives_tie_the_first_is_the_hardest() -> None:
    vision = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    text = vision.clone().requires_grad_()
    found = HardNegativeLoss(1.0, 5.0, "hard", reduction="none")(vision, text, ["a", "b", "c"])
    pull = gradients(found["loss"].sum(), text)[0]
    assert pull[1, 0] > pull[2, 0] > 0


def test_exponentials_do_not_overflow_at_a_low_temperature() -> None:
    vision, text = features(6, dtype=torch.float64)
    ids = [0, 0, 1, 1, 2, 2]
    for build in (HardNegativeLoss, DecoupledLoss):
        exact = build(temperature=0.002)(vision, text, ids)["loss"]
        found = build(temperature=0.002)(vision.float(), text.float(), ids)["loss"]
        assert found.isfinite()
        torch.testing.assert_close(found.double(), exact, rtol=1e-3, atol=1e-3)
        assert all(gradient.isfinite().all() for gradient in gradients(found, vision, text))


@pytest.mark.parametrize("strategy", ["hardest", "semi_hard", "", None])
def test_an_unknown_strategy_is_refused_with_the_known_ones(strategy: Any) -> None:
    with pytest.raises(ValueError, match=r"mining_strategy=.*'semi-hard', 'hard', 'none'"):
        HardNegativeLoss(mining_strategy=strategy)


def test_options_of_other_losses_are_refused() -> None:
    with pytest.raises(TypeError, match="queue_size"):
        HardNegativeLoss(queue_size=64)  # type: ignore[call-arg]  # what is tested


# ---- terms within a modality


def test_one_row_gives_tensors_that_can_be_differentiated() -> None:
    vision, text = features(1)
    found = DecoupledLoss()(vision, text, ["only"])
    assert_zero_and_differentiable(found["loss"], vision, text)
    assert all(isinstance(value, Tensor) for value in found.values())
    assert found["accuracy"] == 1


def test_one_group_leaves_the_terms_within_the_modalities() -> None:
    vision, text = features(5)
    found = DecoupledLoss(lambda_v=2.0, lambda_t=0.25)(vision, text, ["a"] * 5)
    assert found["cross_modal_loss"] == 0
    torch.testing.assert_close(found["loss"], 2 * found["vision_inst_loss"] + 0.25 * found["text_inst_loss"])


def test_parts_hold_on_to_no_graph() -> None:
    found = DecoupledLoss()(*features(5), list(range(5)))
    assert [name for name, value in found.items() if value.requires_grad] == ["loss"]


def test_groups_of_two_halve_the_cross_modal_term() -> None:
    vision, text = features(4, dtype=torch.float64)
    ids = [0, 0, 1, 1]
    logits = nn.functional.normalize(vision) @ nn.functional.normalize(text).t() / 0.07
    mask = torch.tensor([[a == b for b in ids] for a in ids])
    per_anchor = logits.logsumexp(1) - logits.masked_fill(~mask, -math.inf).logsumexp(1)
    torch.testing.assert_close(DecoupledLoss()(vision, text, ids)["v2t_loss"], per_anchor.mean().detach() / 2)


def test_only_the_first_row_with_the_id_is_right_and_without_a_match_the_row_itself() -> None:
    own = torch.eye(4)
    found = DecoupledLoss()(own, own, ["a", "a", NAN, "b"])
    assert found["v2t_accuracy"] == found["t2v_accuracy"] == 0.75


def test_within_a_modality_rows_of_one_id_push_each_other_apart() -> None:
    vision, text = features(3)
    one, other = (DecoupledLoss()(vision, text, ids) for ids in (["a", "a", "b"], ["a", "b", "c"]))
    assert one["vision_inst_loss"] == other["vision_inst_loss"] > 0
