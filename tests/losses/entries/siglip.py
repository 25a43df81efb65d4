"""The sigmoid loss for the battery: Zhai et al. 2023, equation 1, pair by pair."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import SigLIPLoss
from tests.losses.battery import Entry, Inputs, grouped, two_modalities


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def reference(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    vision, text = inputs["vision_features"], inputs["text_features"]
    rows = len(vision)
    ids = inputs.get("match_ids") or list(range(rows))
    scale, bias = torch.exp(loss.logit_scale), loss.logit_bias
    per_row, cosines = [], torch.zeros(rows, rows, dtype=vision.dtype)
    for i in range(rows):
        total = 0 * vision.sum()
        for j in range(rows):
            cosine = unit(vision[i]) @ unit(text[j])
            z = 1.0 if ids[i] == ids[j] else -1.0
            total = total - torch.log(1 / (1 + torch.exp(-z * (scale * cosine + bias))))
            cosines[i, j] = cosine.detach()
        per_row.append(total)
    found = torch.stack(per_row)
    hits = [
        sum(float(ids[i] == ids[int(row.argmax())]) for i, row in enumerate(table)) / rows for table in (cosines, cosines.t())
    ]
    return {
        "loss": {"none": found, "sum": found.sum(), "mean": found.sum() / rows}[loss.reduction],
        "v2t_accuracy": hits[0],
        "t2v_accuracy": hits[1],
        "accuracy": sum(hits) / 2,
        "scale": scale,
        "bias": bias,
    }


def with_ids(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": grouped(rows, generator)}


OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0.5, "bias": 0.0, "learnable": False},
    {"reduction": "sum"},
    {"reduction": "none", "bias": -2.0},
)
FEATURES = ("vision_features", "text_features")
WRONG: tuple[dict[str, Any], ...] = tuple({"temperature": wrong} for wrong in (0, -0.1, float("nan"), None))

ENTRIES = (
    Entry("siglip", SigLIPLoss, two_modalities, reference, OPTIONS, features=FEATURES, wrong_options=WRONG),
    Entry("siglip-ids", SigLIPLoss, with_ids, reference, OPTIONS, features=FEATURES, ids="match_ids"),
)
