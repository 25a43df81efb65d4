"""CLIP for the battery: Radford et al. 2021, figure 3, row by row."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import CLIPLoss
from tests.losses.battery import Entry, Inputs, grouped, two_modalities


def unit(row: Tensor) -> Tensor:
    length = (row * row).sum().sqrt()
    return row / length


def drawn(ids: list[str] | None, rows: int) -> list[int]:
    """One target a row, each by a draw of its own, as the formula says it."""
    if ids is None:
        return list(range(rows))
    candidates = [[j for j in range(rows) if ids[i] == ids[j]] for i in range(rows)]
    return [found[int(torch.randint(0, len(found), (1,)))] for found in candidates]


def row_loss(logits: Tensor, target: int, smoothing: float) -> Tensor:
    """-sum_j q_j log p_j with q = (1 - smoothing) [j = target] + smoothing / n."""
    log_p = logits - torch.log(torch.exp(logits - logits.max()).sum()) - logits.max()
    return -(1 - smoothing) * log_p[target] - smoothing * log_p.mean()


def reduced(values: Tensor, reduction: str) -> Tensor:
    return values if reduction == "none" else values.sum() / (len(values) if reduction == "mean" else 1)


def hits(logits: Tensor, targets: list[int], k: int) -> float:
    return sum(targets[i] in torch.topk(row, min(k, len(row))).indices.tolist() for i, row in enumerate(logits)) / len(targets)


def reference(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    vision, text, ids = inputs["vision_features"], inputs["text_features"], inputs.get("match_ids")
    rows = len(vision)
    given = inputs.get("similarity_matrix")
    s = (
        torch.stack([torch.stack([unit(v) @ unit(t) for t in text]) for v in vision]) / loss.temperature
        if given is None
        else given
    )
    v2t_targets, t2v_targets = drawn(ids, rows), drawn(ids, rows)
    v2t = torch.stack([row_loss(s[i], v2t_targets[i], loss.label_smoothing) for i in range(rows)])
    t2v = torch.stack([row_loss(s[:, j], t2v_targets[j], loss.label_smoothing) for j in range(rows)])
    figure = "sum" if loss.reduction == "sum" else "mean"
    matched = sum(s[i, v2t_targets[i]].item() for i in range(rows)) / rows
    accuracies = hits_of_best(s, v2t_targets), hits_of_best(s.t(), t2v_targets)
    found: dict[str, Tensor | float] = {
        "loss": reduced((v2t + t2v) / 2, loss.reduction),
        "v2t_loss": reduced(v2t, figure),
        "t2v_loss": reduced(t2v, figure),
        "v2t_accuracy": accuracies[0],
        "t2v_accuracy": accuracies[1],
        "accuracy": sum(accuracies) / 2,
        "mean_similarity": s.sum() / rows**2,
        "matched_similarity": matched,
        "similarity_gap": matched - (s.sum() / rows**2),
    }
    for k in (1, 5, 10):
        recalls = hits(s, v2t_targets, k), hits(s.t(), t2v_targets, k)
        found |= {f"v2t_recall@{k}": recalls[0], f"t2v_recall@{k}": recalls[1], f"avg_recall@{k}": sum(recalls) / 2}
    return found


def hits_of_best(logits: Tensor, targets: list[int]) -> float:
    return sum(int(row.argmax()) == target for row, target in zip(logits, targets, strict=True)) / len(targets)


def with_ids(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": grouped(rows, generator)}


def with_logits(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "similarity_matrix": torch.randn(rows, rows, generator=generator).double()}


def square_lost(inputs: Inputs) -> Inputs:
    return {**inputs, "similarity_matrix": torch.zeros(len(inputs["vision_features"]), 3)}


OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"label_smoothing": 0.1, "temperature": 0.5},
    {"reduction": "sum"},
    {"reduction": "none", "label_smoothing": 0.3},
)
WRONG: tuple[dict[str, Any], ...] = (
    *({"temperature": wrong} for wrong in (0, -0.1, float("nan"), float("inf"), None, "0.07")),
    *({"label_smoothing": wrong} for wrong in (-0.1, 1.1, float("nan"))),
)
FEATURES = ("vision_features", "text_features")

ENTRIES = (
    Entry(
        "clip", CLIPLoss, two_modalities, reference, OPTIONS, features=FEATURES, wrong_options=WRONG, wrong_inputs=(square_lost,)
    ),
    Entry("clip-ids", CLIPLoss, with_ids, reference, OPTIONS, features=FEATURES, ids="match_ids", random=True),
    Entry("clip-given-logits", CLIPLoss, with_logits, reference, OPTIONS, cold=None),
)
