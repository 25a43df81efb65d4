"""Random losses whose stream differs: equal in distribution, tested over many seeds, with the power of the test stated.

The two-sample test of Kolmogorov and Smirnov on every number that both sides show. It sees any difference of distribution, not
only of means, and needs no assumption about its form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from lossport.judge.closeness import Different
from lossport.judge.equality import as_numbers, compare
from lossport.judge.mapping import actual_of, expected_of
from lossport.judge.verdict import Finding, Verdict
from lossport.observe.observation import Observation
from lossport.project.port import Port

SEEDS = 400
"""Enough to see a distance of distributions of two fifths for certain (see `detectable`), few enough to take seconds."""

FALSE_ALARMS = 1e-6
"""A test that fails by chance would teach people to run it again: one in a million, over all numbers of a case together."""

MISSED = 0.01
"""The chance to miss a difference of the size that `detectable` states."""

MOST_NUMBERS = 16
"""Of one tensor: the first ones and the mean. Elements of a random tensor are drawn alike, and more tests weaken each."""


Look: TypeAlias = Callable[[int], tuple[Observation, Observation]]
"""Runs a case on the legacy and on the new loss with one stream of random numbers; stream 0 is that of the case as written."""


@dataclass(frozen=True)
class Tested:
    """What the test found: the largest distance of two distributions, how large it may be by chance, and where it was."""

    distance: float
    critical: float
    place: str
    numbers: int

    @property
    def passed(self) -> bool:
        """Whether no distance is larger than chance allows."""
        return self.distance <= self.critical

    def words(self) -> str:
        """The test and its power, for people."""
        return (
            f"Kolmogorov-Smirnov over {SEEDS} seeds and {self.numbers} numbers: largest distance {self.distance:.3f}, "
            f"{self.critical:.3f} allowed; a true distance of {detectable(self.critical):.2f} is missed once in {1 / MISSED:.0f}"
        )


def critical_distance(numbers: int, seeds: int = SEEDS) -> float:
    """How far two samples of one distribution lie apart at most, but for one false alarm in a million over all numbers."""
    return math.sqrt(-math.log(FALSE_ALARMS / max(numbers, 1) / 2) / 2) * math.sqrt(2 / seeds)


def detectable(critical: float, seeds: int = SEEDS) -> float:
    """The true distance that is found but for `MISSED`: each sample strays from its distribution by no more than this bound
    (Dvoretzky, Kiefer and Wolfowitz, with Massart's constant)."""
    return critical + 2 * math.sqrt(math.log(4 / MISSED) / (2 * seeds))


def distance(one: Tensor, other: Tensor) -> float:
    """The largest difference of two empirical distribution functions.

    >>> distance(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]))
    0.0
    >>> distance(torch.tensor([0.0, 1.0]), torch.tensor([2.0, 3.0]))
    1.0
    """
    points = torch.cat([one, other]).sort().values
    below = [torch.searchsorted(sample.sort().values, points, right=True) / len(sample) for sample in (one, other)]
    return float((below[0] - below[1]).abs().max())


def equal_in_distribution(look: Look, ports: Mapping[str, Port], precision: torch.dtype, verdict: Verdict) -> Verdict:
    """Judge a case again whose values differ because each side draws its own random numbers.

    What differs in structure stays a difference; numbers are tested over many seeds.
    """
    structural = _structural(look, ports, precision, verdict.case)
    if structural:
        return Verdict(verdict.case, "different", tuple(structural))
    legacy, new = _samples(look, ports)
    places = sorted(legacy.keys() & new.keys())
    count = sum(legacy[place].shape[1] for place in places)
    worst = Tested(0.0, critical_distance(count), "", count)
    for place in places:
        for column in range(legacy[place].shape[1]):
            found = distance(legacy[place][:, column], new[place][:, column])
            if found > worst.distance:
                worst = Tested(found, worst.critical, place, count)
    if worst.passed:
        return Verdict(verdict.case, "close", reason=worst.words(), used=verdict.used)
    moment, _, place = worst.place.partition(": ")
    finding = Finding(verdict.case, moment, place, "its distribution", "another", detail=worst.words())
    return Verdict(verdict.case, "different", (finding,))


def _structural(look: Look, ports: Mapping[str, Port], precision: torch.dtype, name: str) -> list[Finding]:
    """What no seed explains: places that one side lacks, types, shapes, exceptions."""
    old, new = look(0)
    found = []
    for number, (one, other) in enumerate(zip(old.steps, new.steps, strict=False)):
        expected, actual = expected_of(one, other, ports), actual_of(other, one, ports)
        for place, wanted in expected.items():
            seen = actual.get(place)
            outcome = Different("", "nothing") if seen is None else compare(wanted.node, seen, precision)
            whole = isinstance(outcome, Different) and not _is_number_pair(wanted.node, seen)
            if whole and isinstance(outcome, Different) and not (seen is None and wanted.optional):
                found.append(Finding(name, f"step {number + 1}", place, outcome.legacy, outcome.new, detail=outcome.detail))
    return found


def _is_number_pair(legacy: object, new: object) -> bool:
    one, other = as_numbers(legacy), as_numbers(new)  # type: ignore[arg-type]  # nodes, or nothing
    return one is not None and other is not None and one.shape == other.shape


def _samples(look: Look, ports: Mapping[str, Port]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Numbers by place, one row a seed, in the new words on both sides."""
    legacy: dict[str, list[Tensor]] = {}
    new: dict[str, list[Tensor]] = {}
    for stream in range(1, SEEDS + 1):
        old, fresh = look(stream)
        for number, (one, other) in enumerate(zip(old.steps, fresh.steps, strict=False)):
            for place, wanted in expected_of(one, other, ports).items():
                _take(legacy, f"step {number + 1}: {place}", as_numbers(wanted.node))
            for place, node in actual_of(other, one, ports).items():
                _take(new, f"step {number + 1}: {place}", as_numbers(node))
    return _stacked(legacy), _stacked(new)


def _take(into: dict[str, list[Tensor]], place: str, values: Tensor | None) -> None:
    if values is not None and values.numel():
        flat = values.reshape(-1)
        into.setdefault(place, []).append(torch.cat([flat[:MOST_NUMBERS], flat.mean()[None]]).nan_to_num())


def _stacked(found: dict[str, list[Tensor]]) -> dict[str, Tensor]:
    return {
        place: torch.stack(rows) for place, rows in found.items() if len(rows) == SEEDS and len({row.shape for row in rows}) == 1
    }
