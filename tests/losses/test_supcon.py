"""What is special to SupCon and to the loss over all pairs; what holds for every loss is in the battery."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from losses import AllPairsLoss, SupConLoss


def features(rows: int, *, dim: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(100 * seed + rows)
    vision, text = torch.randn(2, rows, dim, generator=generator)
    return vision.requires_grad_(), text.requires_grad_()


LABELS = torch.tensor([0, 1, 0, 1, 2])


# ---- what is a positive


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.view(-1, 1),
        LABELS.float(),
        LABELS.tolist(),
        ["a", "b", "a", "b", "c"],
        torch.nn.functional.one_hot(LABELS),
    ],
    ids=["column", "floats", "list", "strings", "one-hot"],
)
def test_labels_of_every_kind_mean_the_same(labels: Any) -> None:
    vision, text = features(5)
    found, expected = SupConLoss()(vision, text, labels=labels), SupConLoss()(vision, text, labels=LABELS)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)


def test_rows_that_share_one_of_several_labels_are_positives() -> None:
    vision, text = features(3)
    several = torch.tensor([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    found = SupConLoss()(vision, text, labels=several)
    torch.testing.assert_close(found["loss"], SupConLoss()(vision, text, labels=torch.tensor([0, 0, 1]))["loss"])


def test_scores_from_the_threshold_on_make_positives() -> None:
    vision, text = features(5)
    same = (LABELS[:, None] == LABELS).float()
    found = SupConLoss(similarity_threshold=0.5)(vision, text, similarity_scores=0.5 * same)
    torch.testing.assert_close(found["loss"], SupConLoss()(vision, text, labels=LABELS)["loss"])


def test_labels_go_before_scores() -> None:
    vision, text = features(5)
    found = SupConLoss()(vision, text, labels=LABELS, similarity_scores=torch.ones(5, 5))
    assert found["loss"] == SupConLoss()(vision, text, labels=LABELS)["loss"]


def test_text_to_vision_reads_the_columns_of_the_scores() -> None:
    vision, text = features(5)
    scores = torch.rand(5, 5, generator=torch.Generator().manual_seed(0))
    criterion = SupConLoss(contrast_mode="cross")
    found = criterion(vision, text, similarity_scores=scores)["loss"]
    torch.testing.assert_close(found, criterion(text, vision, similarity_scores=scores.t())["loss"])


def test_neither_labels_nor_scores_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected.*labels; found NoneType"):
        SupConLoss()(*features(5))


def test_unknown_keywords_are_refused() -> None:
    vision, text = features(5)
    with pytest.raises(TypeError, match="match_ids"):
        SupConLoss()(vision, text, labels=LABELS, match_ids=["a"] * 5)


def test_the_paired_row_is_pushed_away_unless_own_pairs_count() -> None:
    own, away = torch.eye(4), torch.eye(4).roll(1, dims=0)
    labels = torch.tensor([0, 0, 1, 1])

    def cross(text: Tensor, own_pairs: bool) -> Tensor:
        found: Tensor = SupConLoss(contrast_mode="cross", own_pairs=own_pairs)(own, text, labels=labels)["loss"]
        return found

    assert cross(own, own_pairs=False) > cross(away, own_pairs=False)
    assert cross(own, own_pairs=True) < cross(away, own_pairs=True)


# ---- rows without positives


@pytest.mark.parametrize("mode", ["all", "intra", "cross"])
def test_without_a_positive_the_loss_is_a_zero_that_can_be_differentiated(mode: str) -> None:
    vision, text = features(3)
    found = SupConLoss(contrast_mode=mode)(vision, text, labels=torch.arange(3))
    found["loss"].backward()
    assert found["loss"] == 0
    assert vision.grad is not None


def test_rows_without_positives_are_left_out_of_the_mean_and_are_zero_without_reduction() -> None:
    vision, text = features(5)
    mean = SupConLoss(contrast_mode="intra")(vision, text, labels=LABELS)["loss"]
    rows = SupConLoss(contrast_mode="intra", reduction="none")(vision, text, labels=LABELS)["loss"]
    assert rows[4] == 0
    torch.testing.assert_close(rows.sum() / 4, mean)


def test_without_reduction_the_parts_are_means() -> None:
    vision, text = features(5)
    found, mean = (SupConLoss(reduction=kind)(vision, text, labels=LABELS) for kind in ("none", "mean"))
    for key in ("intra_vision_loss", "intra_text_loss", "cross_modal_loss"):
        torch.testing.assert_close(found[key], mean[key])


# ---- widths, weights, accuracy


def test_within_modalities_widths_may_differ_and_then_nothing_is_ranked() -> None:
    vision, text = features(5)[0], features(5, dim=9)[1]
    found = SupConLoss(contrast_mode="intra")(vision, text, labels=LABELS)
    assert found["contrastive_accuracy"] == 0
    assert found["intra_text_loss"] > 0
    with pytest.raises(ValueError, match="expected"):
        SupConLoss()(vision, text, labels=LABELS)


def test_class_weights_count_only_with_the_option() -> None:
    vision, text = features(5)
    weights = torch.tensor([3.0, 0.5, 1.0])
    plain = SupConLoss()(vision, text, labels=LABELS)["loss"]
    assert SupConLoss()(vision, text, labels=LABELS, class_weights=weights)["loss"] == plain
    assert SupConLoss(use_class_weights=True)(vision, text, labels=LABELS)["loss"] == plain
    assert SupConLoss(use_class_weights=True)(vision, text, labels=LABELS, class_weights=weights)["loss"] != plain


def test_several_labels_weigh_by_their_mean() -> None:
    vision, text = features(2)
    several = torch.tensor([[1, 1, 0], [1, 0, 0]])
    criterion = SupConLoss(use_class_weights=True, reduction="none", contrast_mode="intra")
    ones = criterion(vision, text, labels=several, class_weights=torch.ones(3))["loss"]
    found = criterion(vision, text, labels=several, class_weights=torch.tensor([1.0, 4.0, 9.0]))["loss"]
    torch.testing.assert_close(found, torch.tensor([2.5, 1.0]) * ones)


def test_the_accuracy_is_one_when_positives_are_nearer_and_zero_when_farther() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    rows = torch.tensor([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.1], [-1.0, -0.1]])
    criterion = SupConLoss()
    assert criterion(rows, rows, labels=labels)["contrastive_accuracy"] == 1
    assert criterion(rows, -rows, labels=labels)["contrastive_accuracy"] == 0


def test_ties_are_not_right() -> None:
    same = torch.ones(4, 3)
    assert SupConLoss()(same, same, labels=torch.tensor([0, 0, 1, 1]))["contrastive_accuracy"] == 0


# ---- all pairs


def test_unique_ids_give_plain_infonce_with_a_gradient() -> None:
    vision, text = features(5)
    found = AllPairsLoss(temperature=0.2)(vision, text, list("abcde"))
    found["loss"].backward()
    assert found["loss"] > 0
    assert found["instance_loss"] == 0
    assert vision.grad is not None
    assert vision.grad.abs().sum() > 0


def test_ids_compare_by_value() -> None:
    vision, text = features(4)
    criterion = AllPairsLoss()
    assert criterion(vision, text, [1, 1.0, "1", "1"])["loss"] == criterion(vision, text, ["a", "a", "b", "b"])["loss"]


def test_an_id_equal_to_nothing_is_a_negative_alone() -> None:
    vision, text = features(4)
    nan = float("nan")
    found = AllPairsLoss()(vision, text, ["a", "a", nan, nan])
    assert found["v2t_accuracy"] <= 0.5
    assert found["loss"] != AllPairsLoss()(vision, text, ["a", "a", "b", "b"])["loss"]


def test_two_rows_of_one_id_leave_nothing_to_tell_apart_within_a_modality() -> None:
    found = AllPairsLoss()(*features(2), ["a", "a"])
    assert found["vision_inst_loss"] == found["text_inst_loss"] == 0
    assert found["accuracy"] == 1
