"""Stage two: pairs are told apart by a contrastive loss with fixed projection heads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .objectives import PairLoss


def run(encoder: nn.Module, first: Tensor, second: Tensor, ids: list[str], steps: int) -> str:
    """Train for `steps` full batches; a line with the losses and the accuracy."""
    options = {"temperature": 0.2, "add_projection": False, "loss_type": "infonce"}
    criterion = PairLoss(**options)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.005)
    losses: list[float] = []
    accuracy = 0.0
    for _ in range(steps):
        out = criterion(encoder(first), encoder(second), match_ids=ids)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(float(out["loss"].detach()))
        accuracy = out["accuracy"]
    return f"contrast: loss {losses[0]:.3f} -> {losses[-1]:.3f}, accuracy {accuracy:.2f}"
