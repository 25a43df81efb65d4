"""A reference model for tests: importable by its name, as pickle and the compiler want it."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Waves(nn.Module):
    """A reference for features of any width: a sine of its whole-number inputs, with one weight."""

    def __init__(self, weight: float = 0.7) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.sin(inputs.to(self.weight.dtype) * self.weight)
