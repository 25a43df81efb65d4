"""Pull clouds of points together by class, then fine-tune with a temperature that follows the similarities.

Run from the project's folder: python examples/train_classes.py
"""

# Base classes may carry no types.
# mypy: disable-error-code=misc

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import blobs
from legacy.dynamic_temperature_contrastive_loss import DynamicTemperatureContrastiveLoss
from legacy.supervised_contrastive_loss import SupervisedContrastiveLoss

STEPS = 14

ClassLoss = SupervisedContrastiveLoss


class WarmTemperatureLoss(DynamicTemperatureContrastiveLoss):
    """The temperature range of our fine-tuning runs."""

    def __init__(self) -> None:
        super().__init__(base_temperature=0.2, min_temp=0.1, max_temp=0.4)

    def extra_repr(self) -> str:
        return "warm"


def train_by_class(encoder: nn.Module, first: Tensor, second: Tensor, labels: Tensor) -> str:
    """Points of one class attract each other across the two noisy copies."""
    criterion = ClassLoss(temperature=0.2, contrast_mode="cross")
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    losses: list[float] = []
    accuracy = 0.0
    for _ in range(STEPS):
        out = criterion(encoder(first), encoder(second), labels=labels)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(float(out["loss"].detach()))
        accuracy = out["contrastive_accuracy"]
    return f"by class: loss {losses[0]:.3f} -> {losses[-1]:.3f}, accuracy {accuracy:.2f}"


def fine_tune(encoder: nn.Module, first: Tensor, second: Tensor, labels: Tensor) -> str:
    """A few steps with the subclass."""
    criterion = WarmTemperatureLoss()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.002)
    ids = labels.tolist()
    losses: list[float] = []
    temperature = 0.0
    for _ in range(STEPS // 2):
        out = criterion(encoder(first), encoder(second), ids)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(float(out["loss"].detach()))
        temperature = out["temperature"]
    return f"fine-tuned, {criterion}: loss {losses[0]:.3f} -> {losses[-1]:.3f}, temperature {temperature:.2f}"


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    features, labels = blobs(20)
    first = features + 0.1 * torch.randn_like(features)
    second = features + 0.1 * torch.randn_like(features)
    encoder = nn.Sequential(nn.Linear(features.shape[1], 32), nn.ReLU(), nn.Linear(32, 16))
    print(f"train_classes, {train_by_class(encoder, first, second, labels)}")
    print(f"train_classes, {fine_tune(encoder, first, second, labels)}")


if __name__ == "__main__":
    main()
