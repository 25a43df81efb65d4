"""Sums of losses for the battery. Their parts have entries of their own: here they are taken for granted, and added by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import CLIPLoss, CombinedLoss, DecoupledLoss
from tests.losses.battery import Entry, Inputs, grouped, two_modalities
from tests.losses.parts import Distance, MeanOf, Tasks

Expected = dict[str, Tensor | float]


def combined(**options: Any) -> CombinedLoss:
    return CombinedLoss(CLIPLoss(temperature=0.5), DecoupledLoss(temperature=0.2), tertiary_loss=Distance(), **options)


def sum_of_three(loss: Any, inputs: Inputs) -> Expected:
    first, second, third = (part(**inputs) for part in (loss.primary_loss, loss.secondary_loss, loss.tertiary_loss))
    weights = loss.secondary_loss_weight, loss.tertiary_loss_weight
    total = first["loss"] + weights[0] * second["loss"] + weights[1] * third["loss"]
    figures = {name: value for name, value in first.items() if name != "loss"} | {"primary_loss": first["loss"]}
    figures |= {"secondary_loss": second["loss"], "secondary_weight": weights[0]}
    figures |= {f"secondary_{name}": value for name, value in second.items() if name != "loss"}
    return {"loss": total, **figures, "tertiary_loss": third["loss"], "tertiary_weight": weights[1], "tertiary_count": 2.0}


def with_ids(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    return {**two_modalities(rows, dim, generator), "match_ids": grouped(rows, generator)}


def tasks(**options: Any) -> Tasks:
    return Tasks({"near": MeanOf(2), "far": MeanOf(4)}, **options)


def sum_of_tasks(loss: Any, inputs: Inputs) -> Expected:
    near = inputs["given"].square().mean()
    far = (inputs["other"] - 1).pow(4).mean()
    weights = dict(loss.loss_weights)
    loss_ = weights["near"] * near + weights["far"] * far
    shown = {task: torch.tensor(weight, dtype=torch.float32).item() for task, weight in weights.items()}
    return {"loss": loss_, "near_loss": near, "far_loss": far, "near_weight": shown["near"], "far_weight": shown["far"]}


def two_of_them(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    given, other = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64)
    return {"given": given, "other": other}


WRONG: tuple[dict[str, Any], ...] = tuple(
    {"loss_weights": wrong} for wrong in ({}, {"near": 1.0}, {"near": 1.0, "far": 1.0, "depth": 1.0}, {"near": 0.0, "far": 0.0})
)

ENTRIES = (
    Entry(
        "combined",
        combined,
        with_ids,
        sum_of_three,
        ({}, {"secondary_loss_weight": 0, "tertiary_loss_weight": 2.0}),
        reductions=(),
        random=True,
        cold=None,
    ),
    Entry(
        "multitask",
        tasks,
        two_of_them,
        sum_of_tasks,
        ({}, {"loss_weights": {"near": 3.0, "far": 1}}),
        reductions=(),
        wrong_options=WRONG,
        cold=None,
    ),
)
