"""Legacy and new observations of one case, compared place by place through the port, asking float64 only where bits differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from torch import Tensor

from lossport.judge.arbiter import Arbiter, Looked
from lossport.judge.closeness import Close, Different, Numbers
from lossport.judge.equality import as_numbers, compare, compare_ties, differ_in_form, numbers_of, shown
from lossport.judge.mapping import Expected, Ports, actual_of, expected_of
from lossport.judge.verdict import Finding, Kind, Verdict
from lossport.observe.observation import Observation, Step
from lossport.observe.value import Node
from lossport.project.port import Divergence

ABSENT = "nothing"


def looked_in(seen: Observation, new: Observation, ports: Ports) -> Looked:
    """What another run of the legacy case shows at a place, in the words of the new loss."""
    steps = [expected_of(old, step, ports) for old, step in zip(seen.steps, new.steps, strict=False)]

    def looked(step: int, place: str) -> Tensor | None:
        found = steps[step].get(place) if step < len(steps) else None
        return None if found is None else as_numbers(found.node)

    return looked


@dataclass(frozen=True)
class CaseComparison:
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
            found.tied,
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
