"""Cross entropy with smoothed labels."""

from __future__ import annotations

from numbers import Real
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from examples.options.mixins.base import BaseLoss


class SmoothingMixin(BaseLoss):
    """Cross entropy in the loss's reduction, with part of each target's mass spread over all candidates."""

    def __init__(self, *, label_smoothing: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        if not (isinstance(label_smoothing, Real) and 0 <= label_smoothing <= 1):
            raise ValueError(f"label_smoothing={label_smoothing!r}: expected a number from 0 to 1")
        self.label_smoothing: float = label_smoothing

    def cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Every row with its target among all columns."""
        if not len(logits):
            rows = logits.sum(dim=1)
            return rows if self.reduction == "none" else rows.sum()
        return F.cross_entropy(logits, targets, reduction=self.reduction, label_smoothing=self.label_smoothing)
