"""Judges numbers that differ: asks the code that made them for its float64 run and for samples of its own rounding.

Knows neither cases nor ports: whoever asks says how the code runs again, and what stands at a place of such a run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor

from lossport.judge.closeness import (
    SAMPLES,
    STEPS,
    Close,
    Different,
    Numbers,
    is_hopeless,
    is_visible,
    judge,
    jumps,
    may_jump,
    own_error,
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

Judged: TypeAlias = dict[tuple[object, ...], Close]
"""Pairs of numbers that float64 found close, by step, place, shape and bits: a variant that shows them again is not asked."""


@dataclass(frozen=True)
class Arbiter:
    """The legacy loss in float64 and samples of its own rounding: each is run once, when first asked for."""

    again: Again
    precision: torch.dtype
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
        first = found = judge(numbers, reference, worst_of_row(usual), self.precision)
        for number in range(1, SAMPLES + 1):
            if isinstance(found, Close) or (number > 2 and is_hopeless(numbers, reference, usual)):
                break
            values = self._numbers(Sample(False, number), step, place, shape)
            if values is not None:
                usual = torch.maximum(usual, own_error(values, reference))
                found = judge(numbers, reference, worst_of_row(usual), self.precision)
        if found is first or isinstance(found, Different) or not is_visible(numbers, reference):
            return found
        little = self._numbers(Sample(True, 1, STEPS[0]), step, place, shape)
        if little is not None and not may_jump(numbers, reference, little):
            return found
        more = self._numbers(Sample(True, 1, STEPS[1]), step, place, shape)
        return first if little is None or more is None or jumps(reference, little, more) else found

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
