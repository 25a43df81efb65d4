"""Gates: the success criteria as numbers, each with value, target and the command that shows it; and the ratchet over them.

A gate that cannot be measured here is open, which is neither met nor lost.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from lossport.measure import MIN_LINES, MIN_TOKENS, Architecture, Corpus
from lossport.project.config import Gates
from lossport.report.facts import LossFacts
from lossport.report.words import duration, figure

Sense = Literal["under", "at most", "at least", "exactly"]

_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    "under": lambda value, target: value < target,
    "at most": lambda value, target: value <= target,
    "at least": lambda value, target: value >= target,
    "exactly": lambda value, target: value == target,
}


@dataclass(frozen=True)
class Gate:
    """One success criterion. `value` is None where it cannot be measured; `note` says what the value rests on."""

    name: str
    title: str
    value: float | None
    sense: Sense
    target: float
    unit: str
    command: str
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the value reaches the target; None if there is no value."""
        return None if self.value is None else self.meets(self.target)

    def meets(self, target: float) -> bool:
        """Whether there is a value and it reaches `target`."""
        return self.value is not None and _HOLDS[self.sense](self.value, target)

    @property
    def value_words(self) -> str:
        """The value with its unit, or that it was not measured."""
        if self.value is None:
            return "not measured"
        if self.unit == "hours":
            return duration(self.value)
        unit = self.unit.removesuffix("s") if self.value == 1 else self.unit
        return f"{figure(self.value)} {unit}".strip()

    def target_words(self, target: float | None = None) -> str:
        """What the gate asks for, or asked for when it had another target: under 2,000 lines; all 19; none."""
        wanted = self.target if target is None else target
        if self.sense == "exactly":
            return "none" if wanted == 0 else f"all {figure(wanted)}"
        unit = "" if self.unit.startswith("of") else self.unit
        return f"{self.sense} {figure(wanted)} {unit}".strip()


@dataclass(frozen=True)
class Measured:
    """What the gates are read from. Coverage is in per cent, None where no report covers the new files."""

    losses: Sequence[LossFacts]
    new: Corpus
    legacy: Corpus
    coverage: float | None
    utils_coverage: float | None
    coverage_note: str
    architecture: Architecture | None


def gates(wanted: Gates, found: Measured, new: str, legacy: str) -> tuple[Gate, ...]:
    """Every gate, in the order in which a reader asks for them. `new` and `legacy` are the folders as commands name them."""
    code = bool(found.new.source)
    total = len(found.losses)
    worst = found.new.worst
    deepest = max(found.new.classes, key=lambda item: item.depth, default=None)
    retired = sum(loss.stage == "retired" for loss in found.losses)
    left = [path for path, file in found.legacy.files.items() if file.source]
    proven, of, parity_note = _parity(found.losses)
    hours, hours_note = _hours(found.losses)
    standing_in = {path for loss in found.losses for path in loss.shims}.intersection(left)
    shims = f"{len(standing_in)} of them are shims" if standing_in else ""
    count = f"git ls-files -z '{new}/*.py' | xargs -0 cat | wc -l"
    return (
        Gate("migrated", "Losses retired", retired, "exactly", total, f"of {total}", "lossport status"),
        Gate("legacy-files", "Legacy files left", len(left), "exactly", 0, "files", f"git ls-files '{legacy}/*.py'", shims),
        Gate("parity", "Losses proven, and still so", proven, "exactly", of, f"of {of}", "lossport parity", parity_note),
        Gate("lines", f"Lines in {new}/", found.new.total if code else None, "under", wanted.lines, "lines", count),
        Gate(
            "duplication",
            f"Duplication in {new}/",
            found.new.duplication.percent if code else None,
            "under",
            wanted.duplication,
            "%",
            "lossport report --json",
            f"{found.new.duplication.count} of {found.new.source} source lines, in copies of at least {MIN_TOKENS} tokens over "
            f"{MIN_LINES} lines; exact copies {found.new.exact.percent:.1f} %",
        ),
        Gate(
            "coverage",
            f"Coverage of {new}/",
            found.coverage,
            "at least",
            wanted.coverage,
            "%",
            f"coverage report --include='{new}/*'",
            found.coverage_note,
        ),
        Gate(
            "utils-coverage",
            f"Coverage of {new}/utils.py",
            found.utils_coverage,
            "at least",
            wanted.utils_coverage,
            "%",
            f"coverage report --include='{new}/utils.py'",
            found.coverage_note,
        ),
        Gate(
            "inheritance",
            "Levels of inheritance",
            found.new.depth if code else None,
            "at most",
            wanted.inheritance,
            "levels",
            "lossport report --json",
            f"deepest: {deepest.name}" if deepest else "",
        ),
        Gate(
            "complexity",
            "Most complex function",
            (worst[1].complexity if worst else 0) if code else None,
            "at most",
            wanted.complexity,
            "",
            f"radon cc -s -n C {shlex.quote(new)}",
            f"{worst[1].name} in {worst[0]}:{worst[1].line}" if worst else "",
        ),
        Gate(
            "architecture",
            "Architecture score",
            found.architecture.score if found.architecture else None,
            "at least",
            wanted.architecture,
            "of 10",
            "lossport report --json",
        ),
        Gate(
            "hours-to-add-a-loss",
            "Time to prove a loss, median",
            hours,
            "under",
            wanted.hours_to_add_a_loss,
            "hours",
            "lossport status",
            hours_note,
        ),
    )


def lost(now: Iterable[Gate], met_before: Mapping[str, float]) -> tuple[Gate, ...]:
    """The gates that were met and are not any more.

    A gate whose target was raised since is not lost while it reaches the target it once met, and one whose target was lowered
    is measured against the lower one.
    """
    return tuple(gate for gate in now if gate.met is False and gate.name in met_before and not gate.meets(met_before[gate.name]))


def newly_met(now: Iterable[Gate], met_before: Mapping[str, float]) -> dict[str, float]:
    """Gates that are met now and were not, or not at this target: what to remember for the next time."""
    return {gate.name: gate.target for gate in now if gate.met and met_before.get(gate.name) != gate.target}


def _parity(losses: Sequence[LossFacts]) -> tuple[int, int, str]:
    """Losses whose parity holds, of how many, and which do not."""
    red = [loss.name for loss in losses if not _green(loss)]
    shown = ", ".join(red[:5]) + (f" and {len(red) - 5} more" if len(red) > 5 else "")
    return len(losses) - len(red), len(losses), f"open: {shown}" if red else ""


def _green(loss: LossFacts) -> bool:
    ran = [cell for cell in loss.parity if cell.state != "missing"]
    return bool(ran) and all(cell.state == "passed" for cell in ran)


def _hours(losses: Sequence[LossFacts]) -> tuple[float | None, str]:
    """The median time from the first event of a loss to its first proof."""
    took = {
        loss.name: (loss.proven_at - loss.started_at).total_seconds() / 3600
        for loss in losses
        if loss.started_at and loss.proven_at
    }
    if not took:
        return None, "no loss has been proven yet"
    slowest = max(took, key=lambda name: took[name])
    return median(took.values()), f"slowest of {len(took)}: {slowest}, {duration(took[slowest])}"
