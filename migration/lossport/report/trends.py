"""How each gate moved: its value now against a week ago, from the history of both trees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lossport.measure.history import Moment
from lossport.report.gates import Gate

TREND_DAYS = 7
"""A report is read once a week."""


@dataclass(frozen=True)
class Trend:
    """A gate's value at an earlier moment; `better` is None where nothing moved."""

    before: float
    since: dt.date
    change: float
    better: bool | None


_THEN: Mapping[str, Callable[[Moment], float | None]] = {
    "lines": lambda moment: moment.new.lines if moment.new.source else None,
    "duplication": lambda moment: moment.new.duplication if moment.new.source else None,
    "inheritance": lambda moment: moment.new.depth if moment.new.source else None,
    "complexity": lambda moment: moment.new.complexity if moment.new.source else None,
    "architecture": lambda moment: moment.new.score,
}
"""The gates that git alone can tell for a day in the past."""


def trends(gates: Sequence[Gate], moments: Sequence[Moment], retired: Sequence[dt.date], today: dt.date) -> dict[str, Trend]:
    """The trend of every gate that has a value now and one then: a week ago, or at the first commit if that is later."""
    then = today - dt.timedelta(days=TREND_DAYS)
    earlier = next((moment for moment in reversed(moments) if moment.at.date() <= then), moments[0] if moments else None)
    found: dict[str, Trend] = {}
    for gate in gates:
        before = _then(gate.name, then, earlier, moments, retired)
        if before is not None and gate.value is not None:
            since = max(then, earlier.at.date()) if earlier else then
            found[gate.name] = Trend(before, since, gate.value - before, _better(gate, before))
    return found


def _then(name: str, day: dt.date, earlier: Moment | None, moments: Sequence[Moment], retired: Sequence[dt.date]) -> float | None:
    """A gate's value at the end of a day. Legacy files count from their peak since: to move them in was no step back."""
    if name == "migrated":
        return sum(date <= day for date in retired)
    if earlier is None:
        return None
    if name == "legacy-files":
        return max(moment.legacy.files for moment in moments if moment.at >= earlier.at)
    return _THEN[name](earlier) if name in _THEN else None


def gate_then(name: str, moment: Moment) -> float | None:
    """A gate's value at a moment; None for those that git alone cannot tell."""
    return float(moment.legacy.files) if name == "legacy-files" else _THEN[name](moment) if name in _THEN else None


def _better(gate: Gate, before: float) -> bool | None:
    """Whether the value moved towards its target."""
    if gate.value is None or gate.value == before:
        return None
    up = gate.sense == "at least" or (gate.sense == "exactly" and before < gate.target)
    return (gate.value > before) is up
