"""What became of the faults that were planted in new losses, one loss or many, and what is told of it."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from lossport.evidence.remembered import file_of
from lossport.power.equivalents import Key, key_of
from lossport.power.faults import Fault

Outcome: TypeAlias = Literal["caught", "crashes", "survives", "equivalent", "beyond", "not tried"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

OPEN: tuple[Outcome, ...] = ("survives", "not tried")
"""Outcomes after which another loss that runs the same line may still show the fault."""

WORDS: Mapping[Outcome, str] = {"crashes": "crash at once", "survives": "survive", "beyond": "beyond the legacy"}
"""Outcomes that are told in other words."""


@dataclass(frozen=True)
class Tried:
    """One fault and what became of it: `seen` says where parity saw it, `reason` why it cannot be seen or was not tried.

    "not tried" says nothing about the loss: the harness failed, or the process was killed or took too long.
    """

    fault: Fault
    outcome: Outcome
    seen: str = ""
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Power:
    """All faults planted in one loss."""

    loss: str
    tried: tuple[Tried, ...]
    seconds: float
    lines_reached: int
    wrong_records: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many were caught, crash at once, survive, change nothing, are in what the legacy loss does not do."""
        counts: Counter[Outcome] = Counter(item.outcome for item in self.tried)
        return {name: counts[name] for name in OUTCOMES}

    @property
    def survivors(self) -> tuple[Tried, ...]:
        """The faults that parity does not see and that nobody has called equivalent."""
        return tuple(item for item in self.tried if item.outcome == "survives")

    @property
    def not_tried(self) -> tuple[Tried, ...]:
        """The faults of which nothing is known, each with the reason."""
        return tuple(item for item in self.tried if item.outcome == "not tried")

    @property
    def passed(self) -> bool:
        """Every fault was tried, and is caught or known not to be seen by parity."""
        return not self.survivors and not self.wrong_records and not self.not_tried

    @property
    def headline(self) -> str:
        """See `told`."""
        return told(self.counts)

    def explanation(self) -> list[str]:
        """Every survivor with its diff, every fault that was not tried with the reason."""
        told = [line for item in self.survivors for line in item.fault.diff().splitlines()]
        return [*told, *self.not_tried_told(), *self.wrong_told()]

    def not_tried_told(self) -> list[str]:
        """The faults that were not tried, each with its place and the reason."""
        return [f"not tried: {i.fault.operator} in {i.fault.path}:{i.fault.line}: {i.reason}" for i in self.not_tried]

    def wrong_told(self) -> list[str]:
        """The records of faults that cannot be seen which do not hold."""
        return [f"recorded as not to be seen, but {line}" for line in self.wrong_records]

    def summary(self) -> dict[str, Any]:
        """As plain JSON data."""
        by_operator: dict[str, Counter[str]] = {}
        for item in self.tried:
            by_operator.setdefault(item.fault.operator, Counter())[item.outcome] += 1
        return {
            "loss": self.loss,
            "faults": len(self.tried),
            **{str(outcome): count for outcome, count in self.counts.items()},
            "seconds": round(self.seconds, 1),
            "operators": {name: dict(counts) for name, counts in sorted(by_operator.items())},
            "survivors": [_as_data(item.fault) for item in self.survivors],
            "untried": [{**_as_data(item.fault), "reason": item.reason} for item in self.not_tried],
        }


def told(counts: Mapping[Outcome, int]) -> str:
    """How many faults came to what end: `412 faults: 395 caught, 12 crash at once, 2 survive, 3 equivalent`."""
    ends = ", ".join(f"{count} {WORDS.get(outcome, outcome)}" for outcome, count in counts.items() if count)
    return f"{sum(counts.values())} faults: {ends or 'none to plant'}"


def _as_data(fault: Fault) -> dict[str, Any]:
    """What a record of an equivalent fault is made of, and the rest."""
    return {
        "file": fault.path,
        "line": fault.line,
        "operator": fault.operator,
        "before": fault.before,
        "after": fault.after,
    }


def caught_by(found: Iterable[Power]) -> dict[Key, str]:
    """The faults that were caught, each with the loss that saw it first."""
    caught: dict[Key, str] = {}
    for power in found:
        for item in power.tried:
            if item.outcome in ("caught", "crashes"):
                caught.setdefault(key_of(item.fault), power.loss)
    return caught


def survivors_of_all(found: Sequence[Power]) -> list[tuple[Fault, tuple[str, ...]]]:
    """The faults that no loss sees, each with the losses that run its line."""
    caught = caught_by(found)
    losses: dict[Key, tuple[Fault, list[str]]] = {}
    for power in found:
        for item in power.survivors:
            losses.setdefault(key_of(item.fault), (item.fault, []))[1].append(power.loss)
    return [(fault, tuple(names)) for key, (fault, names) in losses.items() if key not in caught]


def not_tried_of_all(found: Sequence[Power]) -> list[str]:
    """The faults that no loss caught and some loss did not try, each with its place and the reason."""
    caught = caught_by(found)
    left = [replace(power, tried=tuple(i for i in power.tried if key_of(i.fault) not in caught)) for power in found]
    return sorted({line for power in left for line in power.not_tried_told()})


def outcomes_of_all(found: Iterable[Power]) -> dict[Outcome, int]:
    """How many faults came to what end: each counts once, as caught if any loss caught it."""
    ends: dict[Key, Outcome] = {}
    for power in found:
        for item in power.tried:
            key = key_of(item.fault)
            if ends.get(key, "survives") in OPEN and (item.outcome not in OPEN or ends.get(key) != "not tried"):
                ends[key] = item.outcome
    return {outcome: list(ends.values()).count(outcome) for outcome in OUTCOMES}


@dataclass(frozen=True)
class Journal:
    """Outcomes of an earlier run with the same losses, cases and harness, and the file that new ones are added to."""

    file: Path | None
    known: dict[str, tuple[Outcome, str, float]]

    @classmethod
    def of(cls, folder: Path | None, loss: str, parts: Sequence[str | bytes]) -> Journal:
        """The outcomes kept under the digest of all that they depend on. Other outcomes of the loss are no use any more."""
        if folder is None:
            return cls(None, {})
        file = file_of(folder, loss, parts)
        known: dict[str, tuple[Outcome, str, float]] = {}
        with contextlib.suppress(OSError):
            for old in folder.glob(f"{loss}.*"):
                if old != file:
                    old.unlink()
            for line in file.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # the last line of a run that was killed
                    name, outcome, seen, seconds = json.loads(line)
                    known[name] = (outcome, seen, seconds)
        return cls(file, known)

    def outcome(self, fault: Fault) -> Tried | None:
        """What became of the fault then."""
        if fault.id not in self.known:
            return None
        outcome, seen, seconds = self.known[fault.id]
        return Tried(fault, outcome, seen, seconds=seconds)

    def note(self, tried: Tried) -> None:
        """Keep one more, unless nothing is known of it. A journal that cannot be written is no error."""
        if self.file is None or tried.outcome == "not tried":
            return
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([tried.fault.id, tried.outcome, tried.seen, round(tried.seconds, 3)]) + "\n")
