"""The way of features onto the unit sphere."""

from __future__ import annotations

import contextlib

import torch
import torch.nn.functional as F
from torch import Tensor

from examples.options.mixins.base import BaseLoss

NORM_EPS = 1e-12


class ProjectionMixin(BaseLoss):
    """Checks features, scales their rows to length 1 and compares them."""

    @staticmethod
    def check_features(vision: Tensor, text: Tensor, *, same_width: bool = True) -> None:
        """Both must be [rows, width] tensors of floats, with as many rows."""
        for x in (vision, text):
            if x.dim() != 2 or not x.dtype.is_floating_point:
                raise ValueError(f"expected floats of shape [rows, width], found {x.dtype} of shape {list(x.shape)}")
        if len(vision) != len(text) or (same_width and vision.shape != text.shape):
            raise ValueError(f"vision {list(vision.shape)} and text {list(text.shape)} do not go together")

    def project(self, x: Tensor) -> Tensor:
        """Every row scaled to length 1; a zero row stays zero. float16 takes an eps whose inverse it can hold."""
        eps = torch.finfo(torch.float16).eps if x.dtype == torch.float16 else NORM_EPS
        return F.normalize(self.full_precision(x), p=2.0, dim=1, eps=eps)

    def cosines(self, a: Tensor, b: Tensor) -> Tensor:
        """Cosines between all rows of `a` and all rows of `b`, in full precision, also under autocast."""
        with torch.autocast(a.device.type, enabled=False) if a.device.type in ("cpu", "cuda") else contextlib.nullcontext():
            return self.project(a) @ self.project(b).t()
