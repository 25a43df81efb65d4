"""The whole result is walked, whatever its keys are, so nobody can read from the text which entries are used."""

from __future__ import annotations

import torch

from examples.data import two_views
from legacy.memory_queue_contrastive_loss import MemoryQueueContrastiveLoss


def measure() -> str:
    """Every number of the result, under its own name."""
    torch.manual_seed(0)
    criterion = MemoryQueueContrastiveLoss(dim=3, queue_size=32, temperature=0.2)
    views = two_views(16)
    out = criterion(views.first, views.second, views.groups.tolist())
    metrics = {name: float(value) for name, value in out.items()}
    return f"whole_result: {len(metrics)} numbers, loss {metrics['loss']:.3f}"
