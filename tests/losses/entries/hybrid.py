"""The schedule from contrast to VICReg for the battery, in each of its phases."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import HybridPretrainVICRegLoss
from tests.losses.battery import DIM, Entry, Inputs, grouped, two_modalities


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def cosines(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([torch.stack([unit(x) @ unit(y) for y in b]) for x in a])


def drawn(ids: list[str], rows: int) -> list[int]:
    candidates = [[j for j in range(rows) if ids[i] == ids[j]] for i in range(rows)]
    return [found[int(torch.randint(0, len(found), (1,)))] for found in candidates]


def contrast(loss: Any, a: Tensor, b: Tensor, ids: list[str]) -> tuple[Tensor, float]:
    """InfoNCE of both directions behind the heads, and the share of right answers."""
    heads = loss.contrastive_loss
    a, b = torch.stack([unit(x) for x in a]), torch.stack([unit(x) for x in b])
    s = cosines(heads.vision_projection(a), heads.text_projection(b)) / heads.temperature
    total, right = [], 0
    for logits in (s, s.t()):
        for row, target in zip(logits, drawn(ids, len(s)), strict=True):
            total.append(torch.log(torch.exp(row - row.max()).sum()) + row.max() - row[target])
            right += int(row.argmax()) == target
    return torch.stack(total).sum() / len(total), right / len(total)


def vicreg(loss: Any, a: Tensor, b: Tensor) -> tuple[Tensor, dict[str, Tensor | float]]:
    """VICReg of centred views in epoch 0, where both regularisers count a hundredth."""
    part = loss.vicreg_loss
    views = [z - z.sum(dim=0) / len(z) for z in (a, b)]
    invariance = ((views[0] - views[1]) ** 2).sum() / a.numel()
    matrices = [torch.stack([(z * z[:, [i]]).sum(dim=0) for i in range(z.shape[1])]) / (len(z) - 1) for z in views]
    variance = (
        torch.stack([torch.clamp(1 - (c.diagonal() + part.epsilon).sqrt(), min=0).sum() for c in matrices]).sum() / a.shape[1]
    )
    covariance = torch.stack([(c**2).sum() - (c.diagonal() ** 2).sum() for c in matrices]).sum() / a.shape[1]
    v, c = 0.01 * part.var_coeff, 0.01 * part.cov_coeff
    terms = {"invariance_loss": invariance, "variance_loss": variance, "covariance_loss": covariance}
    weights = {"sim_weight": part.sim_coeff, "var_weight": v, "cov_weight": c, "warmup_factor": 0.1}
    return part.sim_coeff * invariance + v * variance + c * covariance, {**terms, **weights}


def reference(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    a, b, p = inputs["z_a"], inputs["z_b"], loss.transition_progress
    first, accuracy = torch.zeros(()).double(), 0.0
    if loss.current_phase != "vicreg":
        first, accuracy = contrast(loss, a, b, inputs["match_ids"])
    second, figures = vicreg(loss, a, b)
    if loss.current_phase == "contrastive_pretrain":
        second, figures = torch.zeros(()).double(), {name: 0.0 for name in figures} | {"sim_weight": loss.vicreg_loss.sim_coeff}
    all_pairs = cosines(a, b).detach()
    mean, pairs = all_pairs.sum() / all_pairs.numel(), all_pairs.diagonal().sum() / len(a)
    deviation = (((all_pairs - mean) ** 2).sum() / (all_pairs.numel() - 1)).sqrt()
    return {
        "loss": (1 - p) * first + p * second,
        "contrastive_loss": first,
        "vicreg_loss": second,
        "accuracy": accuracy,
        "temperature": loss.contrastive_loss.temperature,
        "contrastive_weight": 1 - p,
        "vicreg_weight": p,
        "transition_progress": p,
        "pretrain_progress": min(1, loss.current_step / loss.contrastive_pretrain_steps),
        "diagonal_similarity": pairs,
        "mean_similarity": mean,
        "alignment_gap": pairs - mean,
        "alignment_snr": abs(pairs - mean) / (deviation + 1e-6),
        **figures,
    }


def views(rows: int, _: int, generator: torch.Generator) -> Inputs:
    """As wide as the heads take them."""
    found = two_modalities(rows, DIM, generator)
    return {"z_a": found["vision_features"], "z_b": found["text_features"], "match_ids": grouped(rows, generator)}


def make(**options: Any) -> HybridPretrainVICRegLoss:
    return HybridPretrainVICRegLoss(**{"fusion_dim": 4, "vision_dim": DIM, "text_dim": DIM, **options})


def in_transition(**options: Any) -> HybridPretrainVICRegLoss:
    """At 3 of 10 steps of the blend."""
    loss = make(gradual_transition_steps=10, **options)
    loss.alignment_gap = 0.9
    loss.update_step(7, 100)
    loss.update_step(10, 100)
    return loss


def in_vicreg(**options: Any) -> HybridPretrainVICRegLoss:
    loss = make(adaptive_transition=False, contrastive_pretrain_steps=5, **options)
    loss.update_step(5, 100)
    return loss


def of_another_width(inputs: Inputs) -> Inputs:
    return {**inputs, "z_a": torch.ones(7, DIM + 1), "z_b": torch.ones(7, DIM + 1)}


FEATURES = ("z_a", "z_b")
WRONG: tuple[dict[str, Any], ...] = (
    {"vision_dim": 4},
    {"temperature": 0.0},
    {"sim_coeff": -1.0},
    {"epsilon": 0.0},
    *({name: wrong} for name in ("contrastive_pretrain_steps", "gradual_transition_steps") for wrong in (-1, None)),
)

ENTRIES = (
    Entry(
        "hybrid-contrast", make, views, reference, ({}, {"temperature": 0.5, "min_alignment_threshold": 0.9}), reductions=(),
        features=FEATURES, ids="match_ids", wrong_options=WRONG, wrong_inputs=(of_another_width,), stateful=True, random=True,
        compiles=False, half_tolerance=2e-5, autocast_tolerance=0.1,
    ),
    Entry(
        "hybrid-transition", in_transition, views, reference, ({}, {"sim_coeff": 25.0, "cov_coeff": 9.0}), reductions=(),
        features=FEATURES, ids="match_ids", stateful=True, random=True, compiles=False, autocast_tolerance=0.1,
    ),
    Entry(
        "hybrid-vicreg", in_vicreg, views, reference, ({}, {"sim_coeff": 2.0}), reductions=(), features=FEATURES, stateful=True,
        compiles=False, cold=None,
    ),
)  # fmt: skip
