"""Legacy and new observations of one case, compared place by place through the port, asking float64 only where bits differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
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
from lossport.judge.equality import as_numbers, compare, compare_ties, differ_in_form, numbers_of, shown
from lossport.judge.mapping import Expected, Ports, actual_of, expected_of
from lossport.judge.verdict import Finding, Kind, Verdict
from lossport.observe.observation import Observation, Step
from lossport.observe.value import Node, raw_bytes
from lossport.project.port import Divergence

ABSENT = "nothing"


@dataclass(frozen=True)
class Sample:
    """Another run of the legacy case: in float64 or not, with which sample of moved rounding (0 for none), moved how far."""

    in_float64: bool
    number: int = 0
    moved_by: float | None = None


Again = Callable[[Sample], Observation]

Judged: TypeAlias = dict[tuple[object, ...], Close]
"""Pairs of numbers that float64 found close, by step, place, shape and bits: a variant that shows them again is not asked."""


@dataclass(frozen=True)
class Arbiter:
    """The legacy loss in float64 and samples of its own rounding: each is run once, when first asked for."""

    again: Again
    new: Observation
    ports: Ports
    precision: torch.dtype
    judged: Judged = field(default_factory=dict)
    _cache: dict[Sample, list[dict[str, Expected]]] = field(default_factory=dict)

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
        steps = self._steps(sample)
        if step >= len(steps) or place not in steps[step]:
            return None
        found = as_numbers(steps[step][place].node)
        return found if found is not None and found.shape == shape else None

    def _steps(self, sample: Sample) -> list[dict[str, Expected]]:
        if sample not in self._cache:
            seen = self.again(sample)
            pairs = zip(seen.steps, self.new.steps, strict=False)
            self._cache[sample] = [expected_of(old, new, self.ports) for old, new in pairs]
        return self._cache[sample]


@dataclass(frozen=True)
class Comparison:
    """Legacy against new for one case."""

    case: str
    legacy: Observation
    new: Observation
    ports: Ports
    divergences: tuple[Divergence, ...]
    device: str
    arbiter: Arbiter

    @cached_property
    def verdict(self) -> Verdict:
        """Equal, close, intended or different."""
        findings: list[Finding] = []
        ulp = relative = 0.0
        close = False
        for outcome in self._outcomes():
            if isinstance(outcome, Close):
                close, ulp, relative = True, max(ulp, outcome.ulp), max(relative, outcome.relative)
            else:
                findings.append(outcome)
        kind: Kind = "close" if close else "equal"
        if findings:
            kind = "different" if any(item.divergence is None for item in findings) else "intended"
        seconds = {"legacy": self.legacy.seconds, "new": self.new.seconds}
        used = tuple(sorted(self.legacy.used))
        return Verdict(self.case, kind, tuple(findings), ulp, relative, seconds=seconds, used=used)

    def _outcomes(self) -> Iterator[Close | Finding]:
        for number, (old, new) in enumerate(zip(self.legacy.steps, self.new.steps, strict=False)):
            yield from self._step(number, old, new)
        if len(self.legacy.steps) != len(self.new.steps) and not self.legacy.raised and not self.new.raised:
            yield self._finding("end", "steps", Different(str(len(self.legacy.steps)), str(len(self.new.steps))))

    def _step(self, number: int, old: Step, new: Step) -> Iterator[Close | Finding]:
        expected, actual = expected_of(old, new, self.ports), actual_of(new, old, self.ports)
        for place in (*expected, *(name for name in actual if name not in expected)):
            outcome = self._place(number, place, expected.get(place), actual.get(place))
            moment, shown_place = _moment(number, place)
            if isinstance(outcome, Close):
                yield outcome
            elif outcome is not None:
                yield self._finding(moment, shown_place, outcome)
                values = self._values(number, place, expected.get(place), actual.get(place))
                if isinstance(values, Different):
                    yield self._finding(moment, f"values of {shown_place}", values)
            if place in expected and place in actual:
                tied = compare_ties(expected[place].node, actual[place])
                if tied is not None:
                    yield self._finding(moment, f"memory of {shown_place}", tied)

    def _place(self, number: int, place: str, expected: Expected | None, actual: Node | None) -> Close | Different | None:
        if expected is None and actual is not None:
            return Different(ABSENT, shown(actual))
        if expected is None or actual is None:
            return None if expected is None or expected.optional else Different(shown(expected.node), ABSENT)
        outcome = compare(expected.node, actual, self.arbiter.precision)
        return self.arbiter.judge(number, place, outcome) if isinstance(outcome, Numbers) else outcome

    def _values(self, number: int, place: str, expected: Expected | None, actual: Node | None) -> Close | Different | None:
        """What is held where the form differs, in a dtype or a graph: an intended form must not hide other numbers."""
        if expected is None or actual is None or not differ_in_form(expected.node, actual, self.arbiter.precision):
            return None
        numbers = numbers_of(expected.node, actual)
        return None if numbers is None else self.arbiter.judge_values(number, place, numbers)

    def _finding(self, moment: str, place: str, found: Different) -> Finding:
        declared = next((item.id for item in self.divergences if covers(item, self.case, place, self.device)), None)
        return Finding(
            self.case,
            moment,
            place,
            found.legacy,
            found.new,
            found.reference,
            found.index,
            found.ulp,
            found.relative,
            found.detail,
            declared,
        )


def _moment(number: int, place: str) -> tuple[str, str]:
    prefix = "construction: "
    if place.startswith(prefix):
        return f"construction, step {number + 1}", place.removeprefix(prefix)
    return f"step {number + 1}", place


def covers(divergence: Divergence, case: str, place: str, device: str) -> bool:
    """Whether a declared divergence speaks for this case, place and device. What speaks for a case speaks for its variants."""
    named = any(matches(pattern, name) for pattern in divergence.cases for name in (case, case.partition("@")[0]))
    return (
        named
        and any(matches(pattern, place) for pattern in divergence.places)
        and any(matches(pattern, device) for pattern in divergence.devices)
    )


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern of a port fits; `[` and `]` are literal in it."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))
