"""Two losses on one batch, weighed and added; both parts are our own.

Run from the project's folder: python examples/combine.py
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import two_views
from legacy.combined_loss import CombinedLoss


class Distance(nn.Module):
    """How far apart the views of one point are."""

    def forward(self, vision_features: Tensor, text_features: Tensor, match_ids: list[str] | None = None) -> dict[str, Tensor]:
        return {"loss": (vision_features - text_features).square().sum(dim=1).mean()}


class Turn(nn.Module):
    """How far the second view is turned against the first, as one minus the cosine."""

    def forward(self, vision_features: Tensor, text_features: Tensor, match_ids: list[str] | None = None) -> dict[str, Tensor]:
        return {"loss": (1 - nn.functional.cosine_similarity(vision_features, text_features)).mean()}


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    views = two_views(24, rings=6)
    ids = [f"ring-{group}" for group in views.groups.tolist()]
    first = views.first.clone().requires_grad_()
    criterion = CombinedLoss(primary_loss=Distance(), secondary_loss=Turn(), secondary_loss_weight=0.25)
    out = criterion(vision_features=first, text_features=views.second, match_ids=ids)
    out["loss"].backward()
    assert first.grad is not None
    distance, turn = out["primary_loss"], out["secondary_loss"]
    print(f"combine: loss {out['loss'].item():.3f} = {distance:.3f} + 0.25 * {turn:.3f}")
    print(f"combine: gradient norm {first.grad.norm().item():.3f}")


if __name__ == "__main__":
    main()
