"""The simple contrastive loss for the battery, row by row, with its three kinds of draws."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import SimpleContrastiveLoss
from tests.losses.battery import Entry, Inputs, grouped, two_modalities

Ids = list[Any]


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def drawn(ids: Ids) -> list[int]:
    """One positive a row, each by a draw of its own."""
    candidates = [[j for j, other in enumerate(ids) if other == own] for own in ids]
    return [found[int(torch.randint(0, len(found), (1,)))] for found in candidates]


def mean(values: list[Tensor]) -> Tensor | float:
    return torch.stack(values).mean() if values else 0.0


def reference(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    vision, text = ([unit(row) for row in inputs[name]] for name in ("vision_features", "text_features"))
    rows = range(len(vision))
    ids = inputs.get("match_ids") or list(rows)
    decor = inputs.get("decor_loss", 0.0)
    s = torch.stack([torch.stack([v @ t for t in text]) for v in vision]) / loss.temperature
    v2t_targets, t2v_targets, partners = drawn(ids), drawn(ids), drawn(ids)
    v2t = torch.stack([torch.log(torch.exp(s[i]).sum()) - s[i, v2t_targets[i]] for i in rows])
    t2v = torch.stack([torch.log(torch.exp(s[:, j]).sum()) - s[t2v_targets[j], j] for j in rows])
    pull = torch.stack([(vision[i] - text[partners[i]]).square().mean() for i in rows])
    if len(set(ids)) == 1:
        pull = 0 * pull

    def reduced(values: Tensor, reduction: str) -> Tensor:
        return values if reduction == "none" else values.sum() / (len(values) if reduction == "mean" else 1)

    kind = "sum" if loss.reduction == "sum" else "mean"
    near = mean([s[i, j] for i in rows for j in rows if ids[i] == ids[j]])
    far = mean([s[i, j] for i in rows for j in rows if ids[i] != ids[j]])
    hits = [float(ids[i] == ids[int(s[i].argmax())]) + float(ids[i] == ids[int(s[:, i].argmax())]) for i in rows]
    return {
        "loss": reduced((v2t + t2v) / 2 + 0.5 * pull + 0.2 * decor, loss.reduction)
        if loss.reduction != "sum"
        else reduced((v2t + t2v) / 2 + 0.5 * pull, "sum") + 0.2 * decor,
        "infonce_loss": (reduced(v2t, kind) + reduced(t2v, kind)) / 2,
        "mse_loss": reduced(pull, kind),
        "v2t_loss": reduced(v2t, kind),
        "t2v_loss": reduced(t2v, kind),
        "accuracy": sum(hits) / 2 / len(hits),
        "pos_sim": near,
        "neg_sim": far,
        "separation": near - far,
        "temperature": loss.temperature,
        "decor_loss": decor,
    }


def with_ids(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": grouped(rows, generator)}


def all_alike(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": ["a"] * rows, "decor_loss": 0.75 if rows else 0.0}


OPTIONS: tuple[dict[str, Any], ...] = ({}, {"temperature": 0.5}, {"reduction": "sum"}, {"reduction": "none"})
FEATURES = ("vision_features", "text_features")
WRONG: tuple[dict[str, Any], ...] = tuple({"temperature": wrong} for wrong in (0, -0.1, float("nan"), None))

ENTRIES = (
    Entry(
        "simple", SimpleContrastiveLoss, two_modalities, reference, OPTIONS, features=FEATURES, wrong_options=WRONG, random=True
    ),
    Entry("simple-ids", SimpleContrastiveLoss, with_ids, reference, OPTIONS, features=FEATURES, ids="match_ids", random=True),
    Entry("simple-alike", SimpleContrastiveLoss, all_alike, reference, OPTIONS[:2], reductions=(), random=True),
)
