"""Losses by a short name: every class is built and called in the same way.

Run from the project's folder: python examples/loss_registry.py [NAME ...]
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import two_views
from legacy import MultiModalMixedContrastiveLoss
from legacy.clip_style_loss import CLIPStyleLoss
from legacy.loss_factory import SimpleContrastiveLoss

LOSSES = {
    "clip": CLIPStyleLoss,
    "mixed": MultiModalMixedContrastiveLoss,
    "simple": SimpleContrastiveLoss,
}


def measure(name: str) -> float:
    """The loss of that name on one batch of two views."""
    torch.manual_seed(0)
    views = two_views(24, rings=6)
    ids = [f"ring-{group}" for group in views.groups.tolist()]
    criterion = LOSSES[name](temperature=0.2)
    out = criterion(views.first, views.second, ids)
    return float(out["loss"])


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    for name in sys.argv[1:] or ("clip", "mixed", "simple"):
        print(f"loss_registry, {name}: loss {measure(name):.3f}")


if __name__ == "__main__":
    main()
