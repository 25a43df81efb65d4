"""Judges numbers that differ: asks the code that made them for its float64 run and for samples of its own rounding.

Knows neither cases nor ports: whoever asks says how the code runs again, and what stands at a place of such a run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
from torch import Tensor

from lossport.judge.closeness import (
    COARSEST,
    FACTOR,
    SAMPLES,
    STEPS,
    Close,
    Different,
    Numbers,
    is_hopeless,
    is_visible,
    judge,
    judge_sides,
    jumps,
    may_jump,
    own_error,
    steady_error,
    worst_of_row,
)
from lossport.observe.value import raw_bytes


@dataclass(frozen=True)
class Sample:
    """Another run of the legacy case: in float64 or not, with which sample of moved rounding (0 for none), moved how far."""

    in_float64: bool
    number: int = 0
    moved_by: float | None = None


Looked: TypeAlias = Callable[[int, str], Tensor | None]
"""The numbers of one run at a step and a place, in float64; None where it has none there."""

Again: TypeAlias = Callable[[Sample], Looked]

FAR = 1024.0
"""Rounding this many times as far is the same to a jump, and far more to what is only inexact."""

PAIRS = 5
"""Pairs of runs that tell how exact a loss is beside a jump: it lies between the two of some pairs, not of all."""

Judged: TypeAlias = dict[tuple[object, ...], Close]
"""Pairs of numbers that float64 found close, by step, place, shape and bits: a variant that shows them again is not asked."""


@dataclass(frozen=True)
class Arbiter:
    """The legacy loss in float64 and samples of its own rounding: each is run once, when first asked for.

    `elsewhere` says that the new numbers are of another machine: it may rank what is equal in its own order.
    """

    again: Again
    precision: torch.dtype
    elsewhere: bool = False
    judged: Judged = field(default_factory=dict)
    _cache: dict[Sample, Looked] = field(default_factory=dict)

    def judge(self, step: int, place: str, numbers: Numbers) -> Close | Different:
        """Judge numbers first by their distance, then by the legacy's error at this input, then by its worst error over samples
        of its rounding.

        Sides that are a few ULP apart need no reference: the new error cannot exceed the legacy's by more than that distance.
        """
        apart = judge(numbers, None, None, self.precision)
        if isinstance(apart, Close):
            return apart
        shape = numbers.legacy.shape
        pair = (step, place, numbers.dtype, self.precision, shape, raw_bytes(numbers.legacy), raw_bytes(numbers.new))
        found = self.judged.get(pair) or self._against_float64(step, place, numbers, apart)
        if isinstance(found, Close):
            self.judged[pair] = found
        return found

    def _against_float64(self, step: int, place: str, numbers: Numbers, apart: Different) -> Close | Different:
        shape = numbers.legacy.shape
        reference = self._numbers(Sample(True), step, place, shape)
        if reference is None:
            return apart
        usual = own_error(numbers.legacy, reference)
        samples = [numbers.legacy]
        first = found = judge(numbers, reference, worst_of_row(usual), self.precision)
        for number in range(1, SAMPLES + 1):
            if isinstance(found, Close) or (number > 2 and is_hopeless(numbers, reference, usual)):
                break
            values = self._numbers(Sample(False, number), step, place, shape)
            if values is not None:
                samples.append(values)
                usual = torch.maximum(usual, own_error(values, reference))
                found = judge(numbers, reference, worst_of_row(usual), self.precision)
        eps = max(torch.finfo(dtype).eps for dtype in (numbers.dtype, self.precision))
        if not is_visible(numbers, reference, eps):
            return found
        return self._beside_a_jump(step, place, numbers, [reference, *samples], eps, (first, found))

    def _beside_a_jump(
        self,
        step: int,
        place: str,
        numbers: Numbers,
        seen: list[Tensor],
        eps: float,
        outcomes: tuple[Close | Different, Close | Different],
    ) -> Close | Different:
        """Judge numbers that are visibly apart, of which one may lie beyond a jump, as a ranking of equal scores has.

        `outcomes` are those by the error at this input, and by samples of rounding.
        """
        reference, (first, found) = seen[0], outcomes
        tied = self._is_tied(1, step, place, numbers, reference)
        if (tied and not self.elsewhere) or eps > COARSEST:
            return _at_a_tie(first) if tied else found
        if not tied and not self._may_jump_nearby(step, place, seen, eps):
            return found
        if not self.elsewhere and any(self._is_tied(n, step, place, numbers, reference) for n in range(2, SAMPLES + 1)):
            return _at_a_tie(first)
        sides = self._sides(step, place, seen, eps, tied=tied)
        if not sides:
            return found
        steady = self._steady_error(step, place, reference, eps)
        if isinstance(found, Close) and not self.elsewhere and bool(steady.any()):
            return found
        return judge_sides(numbers, sides, steady, self.precision)

    def _is_tied(self, number: int, step: int, place: str, numbers: Numbers, reference: Tensor) -> bool:
        """Whether the loss jumps right at this input, as one sample of moves shows it: both have to be on the same side there.

        One sample shows most ties, as any of many scores can be tied. All of them show the others.
        """
        little = self._numbers(Sample(True, number, STEPS[0]), step, place, reference.shape)
        if little is None or not may_jump(numbers, reference, little):
            return False
        more = self._numbers(Sample(True, number, STEPS[1]), step, place, reference.shape)
        return more is not None and jumps(reference, little, more)

    def _may_jump_nearby(self, step: int, place: str, seen: list[Tensor], eps: float) -> bool:
        """Whether rounding may carry the loss over a jump: it does in the samples at hand, or these are exact, as counts."""
        reference, *samples = seen
        far = self._numbers(Sample(False, 1, FAR * eps), step, place, reference.shape)
        return far is not None and (_are_exact(samples, reference, eps) or _is_near(samples, far, reference))

    def _sides(self, step: int, place: str, seen: list[Tensor], eps: float, *, tied: bool) -> list[Tensor]:
        """What the loss holds on either side of a jump that rounding can carry it over; nothing where there is no such jump.

        Between the sides, numbers are wrong, however far samples scatter. What is exact, as a count is, can only jump, and seldom
        does in a few samples of its own rounding: `FACTOR` applies to the rounding where it cannot apply to what comes of it.
        """
        reference, *samples = seen
        far = self._numbers(Sample(False, 1, FAR * eps), step, place, reference.shape)
        if far is None:
            return []
        runs = (Sample(False, number, FACTOR * eps) for number in range(1, SAMPLES + 1))
        wider = [item for run in runs if (item := self._numbers(run, step, place, reference.shape)) is not None]
        return [*seen, *wider] if tied or _is_near([*samples, *wider], far, reference) else []

    def _steady_error(self, step: int, place: str, reference: Tensor, eps: float) -> Tensor:
        """How far rounding carries the loss while it does not jump: the least of some pairs of runs that move the same way."""
        found = []
        for number in range(1, PAIRS + 1):
            runs = (Sample(True, number, by) for by in STEPS)
            little, more = (self._numbers(run, step, place, reference.shape) for run in runs)
            if little is not None and more is not None:
                found.append(steady_error(little, more, eps))
        return torch.stack(found).amin(0)

    def judge_values(self, step: int, place: str, numbers: Numbers) -> Close | Different:
        """Judge numbers of two forms. Where half precision overflows and float64 does not, float64 alone is the measure."""
        overflowed = ~torch.isfinite(numbers.legacy)
        reference = self._numbers(Sample(True), step, place, numbers.legacy.shape) if overflowed.any() else None
        if reference is None or numbers.dtype not in (torch.float16, torch.bfloat16):
            return self.judge(step, place, numbers)
        legacy = torch.where(overflowed, reference, numbers.legacy)
        return self.judge(step, place, Numbers(legacy, numbers.new, numbers.dtype))

    def _numbers(self, sample: Sample, step: int, place: str, shape: torch.Size) -> Tensor | None:
        if sample not in self._cache:
            self._cache[sample] = self.again(sample)
        found = self._cache[sample](step, place)
        return found if found is not None and found.shape == shape else None


def _at_a_tie(found: Close | Different) -> Close | Different:
    return replace(found, tied=True) if isinstance(found, Different) else found


def _are_exact(samples: list[Tensor], reference: Tensor, eps: float) -> bool:
    """Whether no sample is off by more than its own last place."""
    off = torch.stack([own_error(item, reference) for item in samples]).amax()
    return bool(off <= eps * reference.abs().nan_to_num(posinf=0.0).max())


def _is_near(samples: list[Tensor], far: Tensor, reference: Tensor) -> bool:
    """Whether a jump is near: samples of rounding scatter about as far as one of far coarser rounding."""
    return jumps(reference, torch.stack([own_error(item, reference) for item in samples]).amax(0) + reference, far)
