"""When numbers are close enough. Tolerances are not guessed: the legacy loss's own error sets them.

Every element is judged by itself against the legacy loss in float64: the new error may exceed the legacy's own by a small factor
and a few ULP, never more. There are no averages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

FACTOR = 4.0
"""Two orders of the same sums have errors of the same size, seldom the same error: on the project's losses the new error stays
below three times the legacy's worst; a wrong formula is thousands of times off."""

ULPS = 4
"""Where the legacy error happens to be zero, a handful of roundings (a division for a product, another order of three terms) must
still pass. Four units in the last place are four such roundings, all in the same direction. They are those of the largest value
of the row, as the numbers of a row come out of the same sums."""

SAMPLES = 8
"""Runs of the legacy loss with its rounding moved: its error at one point may be small by luck, the worst of nine is not."""

HOPELESS = 1000.0
"""After two samples, a difference this many times larger than allowed anywhere in the tensor is no matter of luck; six more would
cost and not help. Anywhere, as one element may well be exactly zero in both samples: where equal terms cancel, every third is."""

STEPS = (2.0**-40, 2.0**-30)
"""How far values move in float64 to see whether the loss jumps right there: far above float64 rounding, far below float32's, and
far from each other."""

PROPORTION = 32.0
"""Moved a thousand times as far, a smooth loss scatters a thousand times as far. One that scatters less than this many times as
far jumps there, as a ranking does at a tie: samples on both sides of a jump say nothing about rounding."""

COARSEST = 2.0**-20
"""Rounding coarser than this is not small: a loss in half precision is not nearly linear in it, and numbers vanish to zero."""

VISIBLE = 2.0**-14
"""A jump changes a value by more than this share of the tensor's largest: smaller differences need not be looked at for one."""

VISIBLE_IN_HALF = 2.0**-10
"""The same in half precision, which rounds by more than the other share."""


@dataclass(frozen=True)
class Close:
    """Not bitwise equal, but no worse than the legacy loss itself. Errors are between legacy and new.

    They are told in units of the tensor's largest value: in a tensor of gradients, an element next to zero is a difference of
    large terms, and its own last place says nothing.
    """

    ulp: float
    relative: float


@dataclass(frozen=True)
class Different:
    """A difference that counts: both values at the worst element. `tied` if the legacy loss jumps right at this input."""

    legacy: str
    new: str
    reference: str | None = None
    index: tuple[int, ...] | None = None
    ulp: float | None = None
    relative: float | None = None
    detail: str = ""
    tied: bool = False


@dataclass(frozen=True)
class Numbers:
    """Two equally shaped sets of floats that have equal NaN and Inf, and differ somewhere. To be judged against float64."""

    legacy: Tensor
    new: Tensor
    dtype: torch.dtype


def unit(value: Tensor, dtype: torch.dtype) -> Tensor:
    """One unit in the last place of `dtype` at each value, in float64."""
    info = torch.finfo(dtype)
    size = value.abs().nan_to_num(nan=0.0, posinf=info.max).clamp(info.tiny, info.max)
    _, exponent = torch.frexp(size)
    return torch.ldexp(torch.full_like(size, info.eps), exponent - 1)


def judge(numbers: Numbers, reference: Tensor | None, own_error: Tensor | None, precision: torch.dtype) -> Close | Different:
    """Whether the new numbers are no worse than the legacy's.

    `own_error` is the legacy's error, element by element, the worst of the samples at hand; without a reference, only the ULPs
    between both sides are allowed. `precision` is that of the run, in which closeness is told.
    """
    a, b, dtype = numbers.legacy, numbers.new, numbers.dtype
    apart = _finite_difference(a, b)
    centre = a if reference is None else reference
    error = apart if reference is None else _finite_difference(b, reference)
    allowed = ULPS * unit(worst_of_row(_sizes(centre, a)), dtype)
    if own_error is not None:
        allowed = allowed + FACTOR * own_error
    if bool((error <= allowed).all()):
        return _closeness(apart, a, own_error, max(dtype, precision, key=lambda item: torch.finfo(item).eps))
    size = torch.maximum(a.abs(), b.abs())
    ulps, relative = apart / unit(size, dtype), apart / size.clamp_min(torch.finfo(dtype).tiny)
    excess = torch.where(error <= allowed, torch.zeros_like(error), error / allowed)
    where = tuple(int(n) for n in torch.unravel_index(excess.nan_to_num(nan=math.inf).argmax(), excess.shape))
    return Different(
        digits(a[where].item(), dtype),
        digits(b[where].item(), dtype),
        None if reference is None else f"{reference[where].item():.9g}",
        where or None,
        float(ulps[where]),
        float(relative[where]),
    )


def judge_sides(numbers: Numbers, sides: Sequence[Tensor], steady: Tensor, precision: torch.dtype) -> Close | Different:
    """Whether each new number is what one of the sides of a jump holds, as exactly as rounding without the jump allows."""
    apart = torch.stack([_finite_difference(numbers.new, side) for side in sides])
    nearest = apart.argmin(0, keepdim=True)
    side = torch.stack(tuple(sides)).gather(0, nearest).squeeze(0)
    return judge(numbers, side, steady, precision)


def steady_error(little: Tensor, more: Tensor, eps: float) -> Tensor:
    """How far rounding of `eps` carries the loss while it does not jump, from two runs that moved the same way, less and more."""
    return worst_of_row(own_error(more, little)) * (PROPORTION * eps / STEPS[-1])


def is_hopeless(numbers: Numbers, reference: Tensor, own_error: Tensor) -> bool:
    """Whether the new error is so far beyond the legacy's worst in the whole tensor that more samples would not help."""
    largest = _sizes(reference, numbers.legacy).max()
    allowed = ULPS * unit(largest, numbers.dtype) + FACTOR * own_error.max()
    return bool(_finite_difference(numbers.new, reference).max() > HOPELESS * allowed)


def _sizes(values: Tensor, instead: Tensor) -> Tensor:
    """How large the values are, those of `instead` where they are not finite, and 0 where neither is."""
    if are_finite(values):
        return values.abs()
    return torch.where(torch.isfinite(values), values, instead).abs().nan_to_num(posinf=0.0)


def _closeness(apart: Tensor, values: Tensor, own_error: Tensor | None, dtype: torch.dtype) -> Close:
    """The distance in units of the largest value. A tensor that is nothing but the legacy's own rounding noise has no scale."""
    largest = torch.where(torch.isfinite(values), values.abs(), torch.zeros_like(values)).max()
    if own_error is not None and largest <= FACTOR * own_error.max():
        return Close(0.0, 0.0)
    worst = apart.max()
    return Close(float(worst / unit(largest, dtype)), float(worst / largest.clamp_min(torch.finfo(dtype).tiny)))


def _finite_difference(one: Tensor, other: Tensor) -> Tensor:
    """The distance, zero where both are the same infinity or NaN, infinite where only one is."""
    apart = (one - other).abs()
    if are_finite(apart):
        return apart
    same = (one == other) | (torch.isnan(one) & torch.isnan(other))
    return torch.where(same, torch.zeros_like(one), apart.nan_to_num(nan=math.inf))


def are_finite(values: Tensor) -> bool:
    """Whether all are, in one look; a sum that overflows only costs a closer one."""
    return math.isfinite(values.sum().item())


def own_error(values: Tensor, reference: Tensor) -> Tensor:
    """The legacy's error at each element; none where it is not finite, as equal NaN and Inf are no errors."""
    return _finite_difference(values, reference).nan_to_num(posinf=0.0)


def worst_of_row(sizes: Tensor) -> Tensor:
    """The largest value along the last axis, for each of its elements: the numbers of a row come out of the same sums, and where
    these cancel, one is right by luck and its neighbour is not."""
    return sizes.amax(-1, keepdim=True).expand(sizes.shape) if sizes.dim() and sizes.numel() else sizes


def jumps(reference: Tensor, little: Tensor, more: Tensor) -> bool:
    """Whether the legacy loss jumps at this very input: it scatters as far when values move a little as when they move more."""
    near, far = own_error(little, reference).max(), own_error(more, reference).max()
    return bool(near * PROPORTION > far)


def may_jump(numbers: Numbers, reference: Tensor, little: Tensor) -> bool:
    """Whether a jump could set legacy and new apart: one that lies at this very input shows when values move a little."""
    near = own_error(little, reference).max()
    return bool(near * PROPORTION > _finite_difference(numbers.legacy, numbers.new).max())


def is_visible(numbers: Numbers, reference: Tensor, eps: float) -> bool:
    """Whether legacy and new are so far apart that one of them may have jumped; `eps` is what the run rounds by."""
    share = VISIBLE_IN_HALF if eps > COARSEST else VISIBLE
    largest = float(reference.abs().nan_to_num(posinf=0.0).max())
    return bool((_finite_difference(numbers.legacy, numbers.new) > share * largest).any())


def digits(value: object, dtype: torch.dtype) -> str:
    """A number in as many digits as its dtype can tell apart."""
    return f"{value:.{16 if dtype == torch.float64 else 7}g}" if isinstance(value, float) else str(value)
