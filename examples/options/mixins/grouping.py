"""Contrast of whole groups."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor

from examples.options.mixins.base import BaseLoss


class GroupingMixin(BaseLoss):
    """Sums the positives of a row inside the logarithm."""

    def summed_positives(self, logits: Tensor, positives: Tensor) -> Tensor:
        """-log of the share that a row's positives have of its sum of exponentials, [rows]; 0 without positives or negatives."""
        pulled, pushed = self._masked_logsumexp(logits, positives), self._masked_logsumexp(logits, ~positives)
        return -F.logsigmoid(pulled - pushed).masked_fill(~positives.any(dim=1), 0.0)

    @staticmethod
    def _masked_logsumexp(logits: Tensor, mask: Tensor) -> Tensor:
        empty = ~mask.any(dim=1, keepdim=True)
        # The gradient of the lse of nothing but -inf is NaN, so such rows are computed in full and then overwritten.
        rows = logits.masked_fill(~(mask | empty), -math.inf).logsumexp(dim=1)
        return rows.masked_fill(empty.squeeze(1), -math.inf)
