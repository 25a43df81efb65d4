"""The base of all mixins: the end of the chain of constructors, and the results contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class BaseLoss(nn.Module):
    """A loss: a reduction in the constructor, a dictionary of tensors out of `forward`.

    Every mixin takes its own options and hands the rest on by `super().__init__(**options)`. What arrives here and is not known
    was known to nobody.
    """

    def __init__(self, *, reduction: str = "mean", **unknown: Any) -> None:
        if unknown:
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(unknown))}")
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction={reduction!r}: expected one of 'mean', 'sum', 'none'")
        super().__init__()
        self.reduction = reduction

    @staticmethod
    def full_precision(x: Tensor) -> Tensor:
        """`x` in float32, or as it is in float64."""
        return x if x.dtype in (torch.float32, torch.float64) else x.float()

    @staticmethod
    def mean(values: Tensor) -> Tensor:
        """The mean, 0 over nothing."""
        return values.mean() if values.numel() else values.sum()

    @staticmethod
    def results(loss: Tensor, metrics: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`loss` first, with its graph, then the metrics without theirs."""
        return {"loss": loss, **{name: value.detach() for name, value in metrics.items()}}
