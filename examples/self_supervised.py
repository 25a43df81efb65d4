"""Learn from two views without labels: Barlow Twins, a schedule from contrast to VICReg, and a decorrelation penalty.

Run from the project's folder: python examples/self_supervised.py
"""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import Views, two_views

if TYPE_CHECKING:
    from legacy.barlow_twins_loss import BarlowTwinsLoss

try:
    from legacy.hybrid_pretrain_vicreg_loss import HybridPretrainVICRegLoss
except ImportError:
    HAS_HYBRID = False
else:
    HAS_HYBRID = True

DIM = 12
STEPS = 20


def describe(criterion: "BarlowTwinsLoss") -> str:
    """One line about the loss."""
    return f"{type(criterion).__name__} in {'training' if criterion.training else 'evaluation'} mode"


def decorrelation_penalty(features: Tensor) -> Tensor:
    """How much the columns of the features repeat each other."""
    from legacy.decorrelation_loss import DecorrelationLoss  # noqa: PLC0415 - few runs ask for the penalty

    criterion = DecorrelationLoss(coef=0.1, track_feature_stats=False)
    out = criterion(features=features)
    penalty: Tensor = out["loss"]
    return penalty


def train_barlow(encoder: nn.Module, views: Views) -> str:
    """Barlow Twins on the encoder's own output, plus a little decorrelation."""
    from legacy.barlow_twins_loss import BarlowTwinsLoss  # noqa: PLC0415 - as above

    criterion = BarlowTwinsLoss(lambda_coeff=0.01, correlation_mode="cross_modal", add_projection=False)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    on_diagonal: list[float] = []
    for _ in range(STEPS):
        first, second = encoder(views.first), encoder(views.second)
        loss, parts = criterion(first, second)
        total = loss + decorrelation_penalty(first)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        on_diagonal.append(parts["diagonal_loss"])
    return f"{describe(criterion)}: diagonal loss {on_diagonal[0]:.3f} -> {on_diagonal[-1]:.3f}"


def train_hybrid(encoder: nn.Module, views: Views) -> str:
    """Contrast for the first half of the steps, VICReg for the second."""
    criterion = HybridPretrainVICRegLoss(
        contrastive_pretrain_steps=STEPS // 2,
        adaptive_transition=False,
        fusion_dim=DIM,
        vision_dim=DIM,
        text_dim=DIM,
    )
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    similarities: list[float] = []
    for step in range(STEPS):
        criterion.update_step(step, STEPS)
        out = criterion(encoder(views.first), encoder(views.second))
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        similarities.append(out["diagonal_similarity"])
    return f"hybrid: similarity of the views {similarities[0]:.3f}, then {similarities[-1]:.3f}"


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    views = two_views(48)
    encoder = nn.Sequential(nn.Linear(views.first.shape[1], 32), nn.ReLU(), nn.Linear(32, DIM))
    print(f"self_supervised, {train_barlow(encoder, views)}")
    if HAS_HYBRID:
        print(f"self_supervised, {train_hybrid(encoder, views)}")


if __name__ == "__main__":
    main()
