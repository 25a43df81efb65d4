"""The losses over groups of ids for the battery: sums over pairs of rows, one by one, as the formulas have them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from losses import DecoupledLoss, DynamicTemperatureLoss, HardNegativeLoss
from tests.losses.battery import Entry, Inputs, grouped, two_modalities

Mask = list[list[bool]]


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def cosines(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([torch.stack([unit(x) @ unit(y) for y in b]) for x in a])


def matches(ids: list[Any]) -> Mask:
    return [[one == other for other in ids] for one in ids]


def reduced(per_row: Tensor, pairs: int, reduction: str, more: Tensor | float = 0.0) -> Tensor:
    """Rows / pairs of each row's sum over its pairs, so that the mean is the mean over pairs."""
    per_sample = per_row * len(per_row) / max(pairs, 1) + more
    return {"none": per_sample, "sum": per_sample.sum(), "mean": per_sample.sum() / len(per_sample)}[reduction]


def both_ways(
    row_loss: Callable[[Tensor, list[bool]], Tensor], s: Tensor, mask: Mask, reduction: str, more: Tensor | float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    v2t = torch.stack([row_loss(s[i], mask[i]) for i in range(len(s))])
    t2v = torch.stack([row_loss(s[:, i], mask[i]) for i in range(len(s))])
    pairs = sum(map(sum, mask))
    return (
        reduced((v2t + t2v) / 2, pairs, reduction, more),
        reduced(v2t, pairs, "mean"),
        reduced(t2v, pairs, "mean"),
    )


# ---- a temperature of the batch


def dynamic(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    c, mask = cosines(inputs["vision_features"], inputs["text_features"]), matches(inputs["match_ids"])
    places = [(i, j) for i in range(len(c)) for j in range(len(c))]
    near = [c[i, j] for i, j in places if mask[i][j] and i != j]
    far = [c[i, j] for i, j in places if not mask[i][j]]
    near_mean, far_mean = (torch.stack(part).mean() if part else c.new_zeros(()) for part in (near, far))
    tau = loss.temperature * (0.8 + 0.4 * torch.exp(-2 * (near_mean - far_mean)))
    tau = torch.minimum(torch.maximum(tau, tau.new_tensor(loss.min_temperature)), tau.new_tensor(loss.max_temperature))

    def row_loss(row: Tensor, own: list[bool]) -> Tensor:
        total = torch.exp(row / tau).sum()
        return sum((torch.log(total) - row[p] / tau for p in range(len(row)) if own[p]), start=0 * total)

    value, v2t, t2v = both_ways(row_loss, c, mask, loss.reduction)
    return {
        "loss": value,
        "temperature": tau,
        "pos_similarity": near_mean,
        "neg_similarity": far_mean,
        "v2t_loss": v2t,
        "t2v_loss": t2v,
    }


# ---- weighted negatives


def hard_ones(row: Tensor, own: list[bool], strategy: str) -> set[int]:
    """Which negatives of a row are hard."""
    others = [j for j in range(len(row)) if not own[j]]
    ordered = sorted(others, key=lambda j: -row[j].item())
    if strategy == "hard":
        return set(ordered[: max(1, len(others) // 10)])
    if strategy == "none":
        return set()
    mean = sum(row[j].item() for j in range(len(row)) if own[j]) / max(sum(own), 1)
    return {j for j in others if mean - 0.2 < row[j].item() < mean}


def weighted(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    def row_loss(row: Tensor, own: list[bool]) -> Tensor:
        hard = hard_ones(row, own, loss.mining_strategy)
        e = torch.exp(row / loss.temperature)
        negatives = 0 * e.sum()
        for j in range(len(row)):
            if not own[j]:
                negatives = negatives + e[j] * (loss.hard_negative_factor if j in hard else 1.0)
        return sum((-torch.log(e[p] / (e[p] + negatives)) for p in range(len(row)) if own[p]), start=0 * e.sum())

    c, mask = cosines(inputs["vision_features"], inputs["text_features"]), matches(inputs["match_ids"])
    value, v2t, t2v = both_ways(row_loss, c, mask, loss.reduction)
    return {"loss": value, "v2t_loss": v2t, "t2v_loss": t2v, "hard_negative_factor": loss.hard_negative_factor}


# ---- terms within a modality


def share_of(row: Tensor, own: list[bool]) -> Tensor:
    e = torch.exp(row)
    if not any(own) or all(own):
        return 0 * e.sum()
    return -torch.log(e[torch.tensor(own)].sum() / e.sum())


def decoupled(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    vision, text, ids = inputs["vision_features"], inputs["text_features"], inputs["match_ids"]
    rows, mask = len(vision), matches(ids)
    itself = [[i == j for j in range(rows)] for i in range(rows)]
    within = {}
    for name, x in (("vision", vision), ("text", text)):
        s = cosines(x, x) / loss.temperature
        within[name] = torch.stack([share_of(s[i], itself[i]) for i in range(rows)])
    s = cosines(vision, text) / loss.temperature
    more = loss.lambda_v * within["vision"] + loss.lambda_t * within["text"]
    value, v2t, t2v = both_ways(share_of, s, mask, loss.reduction, more)
    firsts = [mask[i].index(True) for i in range(rows)]
    hits = [
        sum(int(best) == first for best, first in zip(scores.argmax(dim=1), firsts, strict=True)) / rows for scores in (s, s.t())
    ]
    vision_mean, text_mean = within["vision"].mean(), within["text"].mean()
    return {
        "loss": value,
        "cross_modal_loss": (v2t + t2v) / 2,
        "instance_loss": (vision_mean + text_mean) / 2,
        "v2t_loss": v2t,
        "t2v_loss": t2v,
        "vision_inst_loss": vision_mean,
        "text_inst_loss": text_mean,
        "v2t_accuracy": hits[0],
        "t2v_accuracy": hits[1],
        "accuracy": sum(hits) / 2,
    }


def with_groups(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": grouped(rows, generator)}


def all_distinct(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": list(range(rows))}


FEATURES = ("vision_features", "text_features")
TEMPERATURES: tuple[dict[str, Any], ...] = tuple({"temperature": wrong} for wrong in (0, -0.1, math.nan, math.inf, None, "0.07"))

ENTRIES = (
    Entry(
        "dynamic_temperature",
        DynamicTemperatureLoss,
        with_groups,
        dynamic,
        (
            {"max_temperature": 1.0},
            {"temperature": 0.5, "min_temperature": 0, "max_temperature": 10.0},
            {"min_temperature": 0.4, "max_temperature": 0.6, "reduction": "none"},
            {"min_temperature": 0.5, "max_temperature": 0.3, "reduction": "sum"},
        ),
        features=FEATURES,
        ids="match_ids",
        cold={"temperature": 0.01, "min_temperature": 0.01},
        wrong_options=(*TEMPERATURES, {"min_temperature": -0.1}, {"max_temperature": 0}, {"max_temperature": math.inf}),
    ),
    Entry(
        "dynamic_temperature-distinct",
        DynamicTemperatureLoss,
        all_distinct,
        dynamic,
        ({}, {"temperature": 1.0}),
        features=FEATURES,
    ),
    Entry(
        "hard_negative",
        HardNegativeLoss,
        with_groups,
        weighted,
        (
            {},
            {"mining_strategy": "hard", "hard_negative_factor": 5.0, "temperature": 0.5},
            {"mining_strategy": "none", "hard_negative_factor": 3, "reduction": "sum"},
            {"hard_negative_factor": 0, "temperature": 0.2, "reduction": "none"},
            {"mining_strategy": "hard", "hard_negative_factor": 0.0, "temperature": 0.2},
        ),
        features=FEATURES,
        ids="match_ids",
        wrong_options=(
            *TEMPERATURES,
            {"hard_negative_factor": -1.0},
            {"hard_negative_factor": math.nan},
            {"mining_strategy": "hardest"},
        ),
    ),
    Entry("hard_negative-distinct", HardNegativeLoss, all_distinct, weighted, ({"mining_strategy": "hard"},), features=FEATURES),
    Entry(
        "decoupled",
        DecoupledLoss,
        with_groups,
        decoupled,
        (
            {},
            {"temperature": 0.5, "lambda_v": 2.0, "lambda_t": 0.0},
            {"temperature": 0.2, "reduction": "sum"},
            {"temperature": 0.2, "lambda_t": 1.5, "reduction": "none"},
        ),
        features=FEATURES,
        ids="match_ids",
        wrong_options=TEMPERATURES,
    ),
    Entry("decoupled-distinct", DecoupledLoss, all_distinct, decoupled, features=FEATURES),
)
