"""Momentum contrast, twice: a queue beside encoders that the training script averages, and a loss that owns both.

Run from the project's folder: python examples/train_moco.py
"""

from __future__ import annotations

import copy
import logging
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import legacy.ema_moco_loss
from examples.data import Views, two_views
from legacy.memory_queue_contrastive_loss import MemoryQueueContrastiveLoss

DIM = 16
STEPS = 20
BATCH = 16
MOMENTUM = 0.9


def build_encoder(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, DIM))


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module) -> None:
    """Move the averaged weights a little towards those of the model."""
    for old, new in zip(average.parameters(), model.parameters(), strict=True):
        old.lerp_(new, 1 - MOMENTUM)


def batch_rows(step: int, size: int) -> slice:
    start = step * BATCH % size
    return slice(start, start + BATCH)


@torch.no_grad()
def found(queries: nn.Module, keys: nn.Module, views: Views) -> float:
    """The share of points whose first view is nearest to a second view from the same ring."""
    first = nn.functional.normalize(queries(views.first), dim=1)
    second = nn.functional.normalize(keys(views.second), dim=1)
    return views.groups[(first @ second.T).argmax(dim=1)].eq(views.groups).float().mean().item()


def train_with_queue(views: Views) -> str:
    """Queries come from the model, keys from its average; old keys wait in the queue of the loss."""
    torch.manual_seed(0)
    queries = build_encoder(views.first.shape[1])
    keys = copy.deepcopy(queries)
    criterion = MemoryQueueContrastiveLoss(dim=DIM, queue_size=64, temperature=0.2)
    optimizer = torch.optim.Adam(queries.parameters(), lr=0.01)
    before = found(queries, keys, views)
    filled = 0.0
    for step in range(STEPS):
        rows = batch_rows(step, len(views))
        ids = [f"ring-{group}" for group in views.groups[rows].tolist()]
        with torch.no_grad():
            target = keys(views.second[rows])
        out = criterion(vision_features=queries(views.first[rows]), text_features=target, match_ids=ids)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        follow(keys, queries)
        filled = out["queue_fill"]
    after = found(queries, keys, views)
    return f"queue filled {filled:.2f}: {before:.2f} of the points find their ring before, {after:.2f} after"


def train_with_momentum_loss(views: Views) -> str:
    """The loss holds the key encoders and the queues; the encoders that are trained are handed to it."""
    torch.manual_seed(0)
    vision = build_encoder(views.first.shape[1])
    text = build_encoder(views.second.shape[1])
    criterion = legacy.ema_moco_loss.EMAMoCoLoss(vision, text, dim=DIM, K=64, m=MOMENTUM, T=0.2)
    criterion.vision_encoder = vision
    criterion.text_encoder = text
    optimizer = torch.optim.Adam([*vision.parameters(), *text.parameters()], lr=0.01)
    losses: list[float] = []
    momentum = 0.0
    for step in range(STEPS):
        rows = batch_rows(step, len(views))
        out = criterion(views.first[rows], views.second[rows])
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(float(out["loss"].detach()))
        momentum = out["momentum"]
    return f"momentum {momentum:.1f}: loss {losses[0]:.3f} -> {losses[-1]:.3f}"


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    views = two_views(160, rings=8)
    print(f"train_moco, {train_with_queue(views)}")
    print(f"train_moco, {train_with_momentum_loss(views)}")


if __name__ == "__main__":
    main()
