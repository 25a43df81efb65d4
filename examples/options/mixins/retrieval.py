"""Retrieval metrics."""

from __future__ import annotations

import torch
from torch import Tensor

from examples.options.mixins.base import BaseLoss


class RetrievalMixin(BaseLoss):
    """How often rows, and columns, find their targets."""

    def accuracy(self, logits: Tensor, row_targets: Tensor, column_targets: Tensor) -> dict[str, Tensor]:
        """The share of rows, and of columns, whose largest logit is their target's."""
        pairs = ((logits, row_targets), (logits.t(), column_targets))
        v2t, t2v = (self.mean((self._best(s) == t).float()) for s, t in pairs)
        return {"v2t_accuracy": v2t, "t2v_accuracy": t2v, "accuracy": (v2t + t2v) / 2}

    def recall_at_k(self, logits: Tensor, row_targets: Tensor, column_targets: Tensor) -> dict[str, Tensor]:
        """The share of rows, and of columns, whose target is among their k largest logits, for k = 1, 5, 10."""
        found: dict[str, Tensor] = {}
        for k in (1, 5, 10):
            row, column = self._among_top(logits, row_targets, k), self._among_top(logits.t(), column_targets, k)
            found |= {f"v2t_recall@{k}": row, f"t2v_recall@{k}": column, f"avg_recall@{k}": (row + column) / 2}
        return found

    @staticmethod
    def _best(logits: Tensor) -> Tensor:
        return logits.argmax(dim=1) if logits.numel() else torch.zeros(len(logits), dtype=torch.int64, device=logits.device)

    def _among_top(self, logits: Tensor, targets: Tensor, k: int) -> Tensor:
        best = torch.topk(logits, min(k, logits.shape[1]), dim=1).indices
        return self.mean((best == targets[:, None]).any(dim=1).float())
