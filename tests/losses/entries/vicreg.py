"""VICReg, decorrelation and Barlow Twins for the battery: column by column, entry by entry of their matrices."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from losses import BarlowTwinsLoss, DecorrelationLoss, VICRegLoss
from tests.losses.battery import DIM, Entry, Inputs, two_modalities


def unit(row: Tensor) -> Tensor:
    return row / (row * row).sum().sqrt()


def centred(z: Tensor) -> Tensor:
    return torch.stack([row - z.sum(dim=0) / len(z) for row in z])


def products(a: Tensor, b: Tensor, divisor: float) -> list[list[Tensor]]:
    return [[(a[:, i] * b[:, j]).sum() / divisor for j in range(b.shape[1])] for i in range(a.shape[1])]


def off_diagonal(c: list[list[Tensor]]) -> Tensor:
    return torch.stack([c[i][j] ** 2 for i in range(len(c)) for j in range(len(c)) if i != j]).sum()


# ---- VICReg, Bardes et al. 2022, equations 1 to 6, of centred views


def factors(loss: Any) -> tuple[float, float]:
    """The factor as reported, and as applied."""
    if not loss.curriculum:
        return 1.0, 1.0
    epoch, step, steps = loss.progress.tolist()
    if epoch < 2:
        return ((0.1, 0.01), (0.3, 0.3))[epoch]
    done = epoch / loss.warmup_epochs
    if step and steps:
        done = step / (loss.warmup_epochs * max(1, steps / loss.num_epochs))
    factor = max(0.3, min(0.5, done**0.33))
    return factor, factor


def vicreg(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    views = centred(inputs["z_a"]), centred(inputs["z_b"])
    rows, width = views[0].shape
    matrices = [products(z, z, rows - 1) for z in views]
    invariance = torch.stack([(a - b) ** 2 for a, b in zip(views[0].flatten(), views[1].flatten(), strict=True)]).sum() / (
        rows * width
    )
    deviations = [torch.sqrt(c[d][d] + loss.epsilon) for c in matrices for d in range(width)]
    variance = torch.stack([torch.clamp(1 - deviation, min=0) for deviation in deviations]).sum() / width
    covariance = sum((off_diagonal(c) / width for c in matrices), start=torch.zeros(()))
    reported, applied = factors(loss)
    v, c = loss.var_coeff * applied, loss.cov_coeff * applied
    return {
        "loss": loss.sim_coeff * invariance + v * variance + c * covariance,
        "invariance_loss": invariance,
        "variance_loss": variance,
        "covariance_loss": covariance,
        "sim_weight": loss.sim_coeff,
        "var_weight": v,
        "cov_weight": c,
        "warmup_factor": reported,
    }


def two_views(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    found = two_modalities(rows, dim, generator)
    return {"z_a": found["vision_features"], "z_b": found["text_features"]}


def told(progress: tuple[int, int, int], **options: Any) -> VICRegLoss:
    """VICReg, somewhere in its warm-up: epoch, step, and steps in all."""
    loss = VICRegLoss(**options)
    loss.update_epoch(progress[0])
    loss.update_step(*progress[1:])
    return loss


# ---- decorrelation, Bardes et al. 2022, equation 4, as a mean over pairs of columns


def decorrelation(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    sides = {"vision_features": ("vision", "vision"), "text_features": ("text", "text"), "features": ("generic", "feature")}
    parts: dict[str, Tensor] = {}
    statistics: dict[str, Tensor | float] = {}
    for name, (side, prefix) in sides.items():
        if name in inputs:
            x = centred(torch.stack([unit(row) for row in inputs[name]]) if loss.normalize else inputs[name])
            c = products(x, x, len(x) - 1)
            pairs = len(c) * (len(c) - 1) if loss.reduction == "mean" else 1
            parts[f"{side}_decorrelation_loss"] = off_diagonal(c) / pairs
            variances = [c[d][d].item() for d in range(len(c))]
            low = sum(variance < 1e-4 for variance in variances)
            found = {"min_var": min(variances), "max_var": max(variances), "mean_var": sum(variances) / len(c)}
            found |= {"low_var_dims": low, "low_var_pct": low / len(c)}
            statistics |= {f"{prefix}_{key}": value for key, value in found.items()}
    total = loss.coef * torch.stack(list(parts.values())).sum() / len(parts)
    metrics = statistics if loss.track_feature_stats else {}
    return {"loss": total, "decorrelation_loss": total, **parts, **metrics}


def one_input(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    """The last column hardly varies."""
    features = torch.randn(rows, dim, generator=generator, dtype=torch.float64)
    features[:, -1] *= 1e-3
    return {"features": features}


def three_inputs(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    text = torch.randn(rows + 2, dim + 1, generator=generator, dtype=torch.float64) if rows else torch.zeros(0, dim).double()
    vision = torch.randn(rows, dim, generator=generator, dtype=torch.float64)
    return {"vision_features": vision, "text_features": text, **one_input(rows, dim, generator)}


def nothing_given(inputs: Inputs) -> Inputs:
    return {}


def integers_given(inputs: Inputs) -> Inputs:
    return {**inputs, "text_features": torch.ones(4, 3, dtype=torch.int64)}


# ---- Barlow Twins, Zbontar et al. 2021, equation 1, on a covariance


def barlow_twins(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    sides = [inputs["vision_features"], inputs["text_features"]]
    if loss.add_projection:
        sides = [loss.vision_projection(sides[0]), loss.text_projection(sides[1])]
    if loss.normalize:
        sides = [torch.stack([unit(row) for row in side]) for side in sides]
    vision, text = (centred(side) for side in sides)
    rows = len(vision)
    if loss.correlation_mode == "cross_modal":
        c = products(vision, text, rows)
    else:
        pairs = zip(products(vision, vision, rows), products(text, text, rows), strict=True)
        c = [[(v + t) / 2 for v, t in zip(one, other, strict=True)] for one, other in pairs]
    diagonal = torch.stack([(c[d][d] - 1) ** 2 for d in range(len(c))]).sum() / len(c)
    rest = off_diagonal(c) / len(c) ** 2
    return {"loss": diagonal + loss.lambda_coeff * rest, "diagonal_loss": diagonal, "off_diagonal_loss": rest}


def as_wide_as_the_heads(rows: int, _: int, generator: torch.Generator) -> Inputs:
    return two_modalities(rows, DIM, generator)


def of_another_width(inputs: Inputs) -> Inputs:
    return {name: value.new_ones(7, DIM + 1) for name, value in inputs.items()}


VIEWS, MODALITIES = ("z_a", "z_b"), ("vision_features", "text_features")
NOT_WEIGHTS = (-1.0, float("nan"), float("inf"), None, "1")
HEADS: dict[str, Any] = {"add_projection": True, "input_dim": DIM, "projection_dim": 4}
WARM_UPS: tuple[dict[str, Any], ...] = (
    {"progress": (0, 0, 0)},
    {"progress": (1, 3, 90)},
    {"progress": (2, 0, 0), "warmup_epochs": 40, "var_coeff": 2.0},
    {"progress": (4, 0, 0), "warmup_epochs": 200},
    {"progress": (3, 20, 900), "warmup_epochs": 9},
    {"progress": (9, 0, 0), "sim_coeff": 0.5, "cov_coeff": 7.0},
)

ENTRIES = (
    Entry(
        "vicreg", VICRegLoss, two_views, vicreg,
        ({"curriculum": False}, {"curriculum": False, "sim_coeff": 25, "var_coeff": 25, "cov_coeff": 1, "epsilon": 1e-4}, {}),
        reductions=(), features=VIEWS, cold=None,
        wrong_options=(
            *({name: wrong} for name in ("sim_coeff", "var_coeff", "cov_coeff", "warmup_epochs") for wrong in NOT_WEIGHTS),
            {"epsilon": 0.0}, {"epsilon": -1e-3},
        ),
    ),
    Entry("vicreg-warming-up", told, two_views, vicreg, WARM_UPS, reductions=(), cold=None),
    Entry(
        "decorrelation", DecorrelationLoss, one_input, decorrelation,
        ({}, {"normalize": False, "coef": 0.5}, {"reduction": "sum", "track_feature_stats": False}),
        reductions=("mean", "sum"), adds_up=False, features=("features",), cold=None,
        wrong_options=tuple({"coef": wrong} for wrong in NOT_WEIGHTS), wrong_inputs=(nothing_given, integers_given),
    ),
    Entry(
        "decorrelation-of-three", DecorrelationLoss, three_inputs, decorrelation, ({}, {"normalize": False}),
        reductions=("mean", "sum"), adds_up=False, cold=None,
    ),
    Entry(
        "barlow-twins", BarlowTwinsLoss, two_modalities, barlow_twins,
        ({}, {"correlation_mode": "within_batch", "lambda_coeff": 0.1}, {"normalize": False, "lambda_coeff": 1.0}),
        reductions=(), features=MODALITIES, cold=None,
        wrong_options=(
            *({"lambda_coeff": wrong} for wrong in NOT_WEIGHTS), {"correlation_mode": "within"}, {"add_projection": True},
        ),
    ),
    Entry(
        "barlow-twins-heads", BarlowTwinsLoss, as_wide_as_the_heads, barlow_twins,
        # Rows first that keep their length: of rows that are all equal, three batch norms leave rounding noise times 3e7. Rows of
        # length 1 would be made of it, and its gradient leaves the range of float16, whatever the loss.
        ({**HEADS, "normalize": False}, HEADS, {**HEADS, "batch_norm_last_layer": False, "correlation_mode": "within_batch"}),
        reductions=(), features=MODALITIES, wrong_inputs=(of_another_width,), cold=None, stateful=True, smallest=2,
        autocast_tolerance=0.02,
    ),
)  # fmt: skip
