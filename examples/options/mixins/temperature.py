"""The temperature of a loss."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from torch import Tensor

from examples.options.mixins.base import BaseLoss


class TemperatureMixin(BaseLoss):
    """Divides cosines by a fixed temperature."""

    def __init__(self, *, temperature: float = 0.07, **options: Any) -> None:
        super().__init__(**options)
        if not (isinstance(temperature, Real) and 0 < temperature < math.inf):
            raise ValueError(f"temperature={temperature!r}: expected a finite number above 0")
        self.temperature: float = temperature

    def scaled(self, cosines: Tensor) -> Tensor:
        """The logits."""
        return cosines / self.temperature
