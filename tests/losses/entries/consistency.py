"""Feature consistency for the battery: distances between rows, number by number."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import FeatureConsistencyLoss
from tests.losses.battery import Entry, Inputs, two_modalities
from tests.losses.waves import Waves


def distance(loss: Any, x: Tensor, r: Tensor) -> Tensor:
    if loss.normalize:
        x, r = (z / (z * z).sum().sqrt() for z in (x, r))
    if loss.distance_fn == "cosine":
        return 1 - (x * r).sum()
    apart = [abs(a - b) for a, b in zip(x, r, strict=True)]
    if loss.distance_fn == "l1":
        return torch.stack(apart).sum()
    if loss.distance_fn == "l2":
        return torch.stack([a * a for a in apart]).sum().sqrt()
    return torch.stack([a * a / 2 if a < 1 else a - 0.5 for a in apart]).sum()


def reference(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    found: dict[str, Tensor | float] = {}
    for side, model in (("vision", loss.reference_vision_model), ("text", loss.reference_text_model)):
        found[side] = 0.0
        if model is not None:
            made = model(inputs[f"{side}_inputs"])
            made = made.detach() if loss.detach_reference else made
            rows = [distance(loss, x, r) for x, r in zip(inputs[f"{side}_features"], made, strict=True)]
            found[side] = torch.stack(rows).sum() / (len(rows) if loss.reduction == "mean" else 1)
    total = loss.vision_weight * found["vision"] + loss.text_weight * found["text"]
    return {
        "loss": total,
        "feature_consistency_loss": total,
        "vision_consistency_loss": found["vision"],
        "text_consistency_loss": found["text"],
        "vision_weight": loss.vision_weight,
        "text_weight": loss.text_weight,
    }


def both_sides(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    vision, text = torch.randint(1, 9, (2, rows, dim), generator=generator)
    return {**two_modalities(rows, dim, generator), "vision_inputs": vision, "text_inputs": text}


def make(**options: Any) -> FeatureConsistencyLoss:
    return FeatureConsistencyLoss(Waves(), Waves(1.3), **options)


def make_one(**options: Any) -> FeatureConsistencyLoss:
    return FeatureConsistencyLoss(reference_vision_model=Waves(), **options)


def vision_of_another_width(inputs: Inputs) -> Inputs:
    return {**inputs, "vision_features": torch.ones(7, 6)}


def text_of_sequences(inputs: Inputs) -> Inputs:
    return {**inputs, "text_features": torch.ones(7, 2, 5)}


OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"distance_fn": "l2", "vision_weight": 0.5, "text_weight": 2.0},
    {"distance_fn": "l1", "reduction": "sum", "detach_reference": False},
    {"distance_fn": "smooth_l1", "normalize": False},
    {"normalize": False, "detach_reference": False},
)
WRONG: tuple[dict[str, Any], ...] = (
    *({name: wrong} for name in ("vision_weight", "text_weight") for wrong in (-1.0, float("nan"), None)),
    {"distance_fn": "kl"},
    {"reduction": "none"},
)
FEATURES = ("vision_features",)

ENTRIES = (
    Entry(
        "feature-consistency", make, both_sides, reference, OPTIONS, reductions=("mean", "sum"), adds_up=False, features=FEATURES,
        wrong_options=WRONG, wrong_inputs=(vision_of_another_width, text_of_sequences), cold=None,
    ),
    Entry(
        "feature-consistency-of-one", make_one, both_sides, reference, ({}, {"distance_fn": "l2"}),
        reductions=("mean", "sum"), adds_up=False, cold=None,
    ),
)  # fmt: skip
