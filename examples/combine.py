"""Two losses on one batch, weighed and added: one that treats the views apart, one that does not.

Run from the project's folder: python examples/combine.py
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import two_views
from legacy.combined_loss import CombinedLoss
from legacy.contrastive_loss import ContrastiveLoss
from legacy.decoupled_contrastive_loss import DecoupledContrastiveLoss


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    views = two_views(24, rings=6)
    ids = [f"ring-{group}" for group in views.groups.tolist()]
    first = views.first.clone().requires_grad_()
    criterion = CombinedLoss(
        primary_loss=ContrastiveLoss(temperature=0.2, add_projection=False),
        secondary_loss=DecoupledContrastiveLoss(temperature=0.2),
        secondary_loss_weight=0.25,
    )
    out = criterion(vision_features=first, text_features=views.second, match_ids=ids)
    out["loss"].backward()
    assert first.grad is not None
    print(f"combine: loss {out['loss'].item():.3f} = {out['primary_loss']:.3f} + 0.25 * {out['secondary_loss']:.3f}")
    print(f"combine: gradient norm {first.grad.norm().item():.3f}")


if __name__ == "__main__":
    main()
