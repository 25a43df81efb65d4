"""Run the three stages one after another on one encoder."""

from __future__ import annotations

import logging

import torch
from torch import nn

from examples.data import two_views
from examples.stages import VICRegLoss, contrast
from examples.stages.alignment import AlignmentStage
from examples.stages.hardest import HardestStage

DIM = 16
STEPS = 10


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    views = two_views(16, rings=8)
    ids = [f"ring-{group}" for group in views.groups.tolist()]
    encoder = nn.Sequential(nn.Linear(views.first.shape[1], 32), nn.ReLU(), nn.Linear(32, DIM))

    alignment = AlignmentStage(encoder, epochs=STEPS)
    if not isinstance(alignment.criterion, VICRegLoss):
        raise TypeError(f"stage one needs VICReg, found {type(alignment.criterion).__name__}")
    print(alignment.run(views.first, views.second))
    print(contrast.run(encoder, views.first, views.second, ids, 2 * STEPS))

    hardest = HardestStage(encoder, DIM)
    before = hardest.step(views.first, views.second, ids)
    for _ in range(STEPS // 2):
        after = hardest.step(views.first, views.second, ids)
    print(f"hardest: loss {sum(before) / 2:.3f} -> {sum(after) / 2:.3f}")


if __name__ == "__main__":
    main()
