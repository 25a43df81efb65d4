"""Rounding moved about: the same code with every computed value off by one unit in its last place, up or down at random.

Whole numbers that the precision holds exactly stay: masks, counts and indices are not rounded.
Known as Monte Carlo arithmetic. How far results scatter is how far the code's own rounding can be trusted; a single run may be
right by luck, as where equal terms cancel to exactly zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_EXACT_NAMES = """
_to_copy clone copy contiguous cat stack index index_select gather take scatter scatter_add masked_fill masked_select
where flip roll repeat tril triu diag_embed sort topk max min amax amin maximum minimum clamp clamp_min clamp_max relu
neg abs sign floor ceil round zeros ones full empty zeros_like ones_like full_like empty_like new_zeros new_ones
new_full new_empty arange linspace eye rand randn rand_like randn_like normal bernoulli multinomial lift_fresh
scalar_tensor nan_to_num embedding index_put constant_pad_nd select_backward slice_backward mode median kthvalue
threshold hardtanh _local_scalar_dense fill detach alias
"""
EXACT = frozenset(f"aten::{name}" for name in _EXACT_NAMES.split())
"""Operations that move, choose or make values without rounding."""


NORMAL_DRAWS = frozenset(f"aten::{name}" for name in ("randn", "randn_like", "normal", "normal_"))
"""Draws from the normal distribution: r cos(t) of two uniform numbers, which each processor computes with its own cosine."""

DRAW_ERROR = 12.0
"""How far apart two processors draw a normal number of float32, in units of its epsilon: an angle of up to 2 pi is rounded by two
of them, and the radius goes up to 5.8, the largest that 24 bits give. Uniform draws have the same bits everywhere."""

SIGNS = 4099
"""Directions are drawn once and taken up one after the other: a prime number of them, so that no tensor size meets the same ones
in every operation."""


@cache
def _is_exact(func: Any) -> bool:
    """Whether the operation rounds nothing, or changes a tensor in place: what it adds or multiplies was moved before."""
    name = func._schema.name
    return name in EXACT or name.endswith("_") or bool(func.is_view)


class Rounding:
    """One sample of moved rounding: what an operation computed, off by one unit in its last place, or by `by` relatively.

    With `draws`, normal random numbers move, too, as far as another processor may draw them apart with the same seed.
    """

    def __init__(self, sample: int, by: float | None = None, *, draws: bool = False) -> None:
        generator = torch.Generator().manual_seed(sample)
        self._signs = torch.randint(0, 2, (SIGNS,), generator=generator, dtype=torch.float64) * 2 - 1
        self._by = by
        self._draws = draws
        self._factors: dict[tuple[torch.dtype, torch.device], Tensor] = {}
        self._used = 0

    def moved(self, func: Any, result: Any) -> Any:
        """The result of an operation, moved if the operation rounds."""
        if self._draws and func._schema.name in NORMAL_DRAWS:
            return self._drawn_elsewhere(result)
        if _is_exact(func):
            return result
        if isinstance(result, tuple | list):
            return type(result)(self._moved(item) for item in result)
        return self._moved(result)

    def _moved(self, value: Any) -> Any:
        if not isinstance(value, Tensor) or not value.is_floating_point() or not value.numel():
            return value
        dtype = value.dtype
        key = dtype, value.device
        if key not in self._factors:
            by = torch.finfo(dtype).eps if self._by is None else self._by
            self._factors[key] = (1 + by * self._signs).to(dtype).to(value.device)
        factors = self._next(self._factors[key], value)
        # A mask of ones that is off by one unit, times the -1e9 that masks, would be noise of size 100 that no run ever has.
        largest = 1 / torch.finfo(dtype).eps
        if value.numel() == 1:  # most values of a loss that goes row by row
            number = float(value)
            return value if abs(number) <= largest and number.is_integer() else value * factors
        exact = value == value.clamp(-largest, largest).trunc_()
        return torch.where(exact, value, value * factors)

    def _drawn_elsewhere(self, value: Tensor) -> Tensor:
        """Normal numbers as another processor draws them; a tensor that is drawn into stays the same tensor."""
        if not value.is_floating_point() or not value.numel():
            return value
        by = torch.finfo(torch.float32).eps if self._by is None else self._by
        signs = self._next(self._signs, value).to(value)
        return value.add_(signs, alpha=DRAW_ERROR * by)

    def _next(self, factors: Tensor, value: Tensor) -> Tensor:
        start, count = self._used % SIGNS, value.numel()
        self._used += count
        if start + count > SIGNS:
            return factors.repeat(count // SIGNS + 2)[start : start + count].reshape(value.shape)
        if value.is_contiguous():  # a slice in this shape, in one operation
            return factors.as_strided(value.shape, value.stride(), start)
        return factors[start : start + count].reshape(value.shape)


class _Shaken(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its subclass hook untyped
    """Sees every operation below autograd, forward and backward, and moves what it computes."""

    def __init__(self, rounding: Rounding) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._rounding = rounding

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: nothing is compiled here, and asking would cost more than the operation."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._rounding.moved(func, func(*args, **kwargs) if kwargs else func(*args))


@contextmanager
def rounding_moved(rounding: Rounding) -> Iterator[None]:
    """Within, computed values are moved."""
    with _Shaken(rounding):
        yield
