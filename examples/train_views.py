"""Train one encoder so that two noisy views of a point agree; points of one ring count as the same thing.

Run from the project's folder: python examples/train_views.py
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import legacy.clip_style_loss as clip
from examples.data import two_views

STEPS = 40
BATCH = 16


class ViewTrainer:
    """Holds the encoder, the loss and the optimizer; `step` is one update."""

    def __init__(self, dim: int) -> None:
        self.encoder = nn.Sequential(nn.Linear(dim, 32), nn.ReLU(), nn.Linear(32, 16))
        self.criterion = clip.CLIPStyleLoss(0.2, False, 0.5, "mean", 0.1, False)
        self.optimizer = torch.optim.Adam(self.encoder.parameters(), lr=0.01)

    def step(self, first: torch.Tensor, second: torch.Tensor, rings: list[str]) -> tuple[float, float]:
        """One update; returns the loss and how far matched pairs stand out from all pairs."""
        out = self.criterion(self.encoder(first), self.encoder(second), rings)
        self.optimizer.zero_grad()
        out["loss"].backward()
        self.optimizer.step()
        return float(out["loss"].detach()), out["similarity_gap"]


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    views = two_views(160)
    rings = [f"ring-{group}" for group in views.groups.tolist()]
    trainer = ViewTrainer(views.first.shape[1])

    losses: list[float] = []
    gap = 0.0
    for step in range(STEPS):
        rows = slice(step * BATCH % len(views), step * BATCH % len(views) + BATCH)
        loss, gap = trainer.step(views.first[rows], views.second[rows], rings[rows])
        losses.append(loss)

    print(f"train_views: loss {losses[0]:.3f} -> {losses[-1]:.3f}, similarity gap {gap:.2f}")


if __name__ == "__main__":
    main()
