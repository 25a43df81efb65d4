"""Save a model with its loss, load both into fresh objects, and get the same numbers.

The loss has projection heads and buffers of its own, so it belongs into the checkpoint.
Run from the project's folder: python examples/checkpoint.py
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import two_views
from legacy import ContrastiveLoss


class PairModel(nn.Module):
    """An encoder and the loss it is trained with, saved together."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.encoder = nn.Linear(width, 16)
        self.criterion = ContrastiveLoss(
            temperature=0.2,
            add_projection=True,
            projection_dim=8,
            input_dim=16,
            sampling_strategy="memory-bank",
            memory_bank_size=64,
        )

    def forward(self, first: Tensor, second: Tensor, ids: list[str]) -> Tensor:
        out = self.criterion(vision_features=self.encoder(first), text_features=self.encoder(second), match_ids=ids)
        loss: Tensor = out["loss"]
        return loss


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    views = two_views(32, rings=8)
    ids = [f"ring-{group}" for group in views.groups.tolist()]
    model = PairModel(views.first.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        model(views.first, views.second, ids).backward()
        optimizer.step()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "checkpoint.pt")
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
        torch.manual_seed(1)
        loaded = PairModel(views.first.shape[1])
        loaded.load_state_dict(torch.load(path, weights_only=True)["model"])

    values: list[float] = []
    for one in (model, loaded):
        torch.manual_seed(2)
        with torch.no_grad():
            values.append(one.eval()(views.first, views.second, ids).item())
    if values[0] != values[1]:
        raise SystemExit(f"checkpoint: {values[0]} before saving, {values[1]} after loading")
    print(f"checkpoint: loss {values[0]:.3f} before saving and after loading")


if __name__ == "__main__":
    main()
