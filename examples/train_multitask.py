"""Classify digits: first one task with label smoothing and sample weights, then three tasks at once.

Torch has a cross entropy of its own, and this file uses both: `nn.CrossEntropyLoss` is torch's.
Run from the project's folder: python examples/train_multitask.py
"""

# Names that come with `*` are invisible to a type checker that has no types for the module.
# mypy: disable-error-code=name-defined

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import digits_with_captions
from legacy.losses import *
from legacy.multitask_loss import MultitaskLoss

STEPS = 25


class Heads(nn.Module):
    """One trunk with a head for the digit, one for odd or even, and one for the amount of ink."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(width, 32), nn.ReLU())
        self.digit = nn.Linear(32, 10)
        self.parity = nn.Linear(32, 2)
        self.ink = nn.Linear(32, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        hidden = self.trunk(image)
        return {"digit": self.digit(hidden), "parity": self.parity(hidden), "ink": self.ink(hidden)}


def train_one_task(model: Heads, images: Tensor, labels: Tensor) -> str:
    """Digits only; dark images count twice."""
    criterion = CrossEntropyLoss(smoothing=0.1)
    squared_error = MeanSquaredError(reduction="mean")
    ink = images.mean(dim=1, keepdim=True)
    weight = 1.0 + (ink.squeeze(1) > ink.median()).float()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses: list[float] = []
    for _ in range(STEPS):
        predicted = model(images)
        loss = criterion(predicted["digit"], labels, sample_weight=weight) + squared_error(predicted["ink"], ink)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return f"one task: loss {losses[0]:.3f} -> {losses[-1]:.3f}"


def train_three_tasks(model: Heads, images: Tensor, labels: Tensor) -> str:
    """Digit, parity and ink together, with weights that follow the task losses."""
    tasks = {"digit": nn.CrossEntropyLoss(), "parity": nn.CrossEntropyLoss(), "ink": nn.MSELoss()}
    criterion = MultitaskLoss(
        loss_functions=tasks,
        loss_weights={"digit": 2.0, "parity": 1.0, "ink": 1.0},
        dynamic_weighting=True,
    )
    targets = {"digit": labels, "parity": labels % 2, "ink": images.mean(dim=1, keepdim=True)}
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses: list[float] = []
    digit_weight = 0.0
    for _ in range(STEPS):
        out = criterion(model(images), targets)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(float(out["digit_loss"].detach()))
        digit_weight = float(out["digit_weight"])
    return f"three tasks: digit loss {losses[0]:.3f} -> {losses[-1]:.3f}, digit weight {digit_weight:.2f}"


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    digits = digits_with_captions(128)
    model = Heads(digits.image.shape[1])
    print(f"train_multitask, {train_one_task(model, digits.image, digits.labels)}")
    print(f"train_multitask, {train_three_tasks(model, digits.image, digits.labels)}")


if __name__ == "__main__":
    main()
