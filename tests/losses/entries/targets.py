"""Cross entropy and squared error for the battery, entry by entry."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from losses import LabelSmoothingCrossEntropy, MeanSquaredError
from tests.losses.battery import DIM, Entry, Inputs


def reduced(entries: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return entries
    return entries.sum() / (entries.numel() if reduction == "mean" else 1)


def weighed(rows: list[Tensor], weights: Tensor | None) -> Tensor:
    return torch.stack([row if weights is None else row * weights[i] for i, row in enumerate(rows)])


# ---- cross entropy


def cross_entropy(loss: Any, inputs: Inputs) -> dict[str, Tensor]:
    """-sum over c of q_c log p_c, with q = (1 - s) [c = target] + s / C."""
    rows = []
    for logits, target in zip(inputs["input"], inputs["target"], strict=True):
        classes = len(logits)
        log_p = logits - torch.log(torch.exp(logits).sum())
        total = 0 * log_p.sum()
        if target != -100:
            for c in range(classes):
                q = (1 - loss.smoothing) * (c == int(target)) + loss.smoothing / classes
                total = total - q * log_p[c]
        rows.append(total)
    return {"loss": reduced(weighed(rows, inputs.get("sample_weight")), loss.reduction)}


def logits_and_classes(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    logits = torch.randn(rows, dim, generator=generator, dtype=torch.float64)
    return {"input": logits, "target": torch.randint(0, dim, (rows,), generator=generator)}


def with_weights(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    given = logits_and_classes(rows, dim, generator)
    given["target"][: rows // 3] = -100
    return {**given, "sample_weight": torch.rand(rows, generator=generator, dtype=torch.float64) + 0.5}


def a_target_short(inputs: Inputs) -> Inputs:
    return {**inputs, "target": inputs["target"][:-1]}


def targets_in_a_list(inputs: Inputs) -> Inputs:
    return {**inputs, "target": inputs["target"].tolist()}


def a_column_of_weights(inputs: Inputs) -> Inputs:
    return {**inputs, "sample_weight": inputs["sample_weight"][:, None].detach()}


# ---- squared error


def squared_error(loss: Any, inputs: Inputs) -> dict[str, Tensor]:
    rows = [(x - y) * (x - y) for x, y in zip(inputs["input"], inputs["target"], strict=True)]
    found = reduced(weighed(rows, inputs.get("sample_weight")), loss.reduction)
    limit = math.inf if loss.max_loss is None else loss.max_loss
    return {"loss": torch.where(found > limit, torch.full_like(found, min(limit, 1e9)), found)}


def two_alike(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    given, wanted = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64)
    return {"input": given, "target": wanted, "sample_weight": torch.rand(rows, generator=generator, dtype=torch.float64)}


def another_width(inputs: Inputs) -> Inputs:
    return {**inputs, "target": inputs["target"][:, :1].detach()}


ENTRIES = (
    Entry(
        "cross-entropy",
        LabelSmoothingCrossEntropy,
        logits_and_classes,
        cross_entropy,
        ({}, {"smoothing": 0.0}, {"smoothing": 0.4, "reduction": "sum"}, {"reduction": "none"}),
        features=("input",),
        wrong_options=tuple({"smoothing": wrong} for wrong in (-0.1, 1.1, float("nan"), None)),
        wrong_inputs=(a_target_short, targets_in_a_list),
        cold=None,
    ),
    Entry(
        "cross-entropy-weights",
        LabelSmoothingCrossEntropy,
        with_weights,
        cross_entropy,
        ({}, {"smoothing": 0.0}, {"reduction": "none", "smoothing": 1.0}),
        wrong_inputs=(a_column_of_weights,),
        cold=None,
    ),
    Entry(
        "squared-error",
        MeanSquaredError,
        two_alike,
        squared_error,
        ({}, {"reduction": "sum", "max_loss": 1e6}, {"reduction": "none", "max_loss": 0.5}, {"max_loss": 0.01}),
        per_sample=lambda rows: (rows, DIM),
        features=("input",),
        wrong_inputs=(another_width, a_column_of_weights),
        cold=None,
    ),
)
