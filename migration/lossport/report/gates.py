"""A gate: a success criterion as a number, with value, target and the command that shows it; and the ratchet over all gates.

A gate that cannot be measured here is open, which is neither met nor lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lossport.measure import Architecture, Corpus
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


def lost(now: Iterable[Gate], met_before: Mapping[str, float]) -> tuple[Gate, ...]:
    """The gates that were met and are not any more.

    A gate whose target was raised since is not lost while it reaches the target it once met, and one whose target was lowered
    is measured against the lower one.
    """
    return tuple(gate for gate in now if gate.met is False and gate.name in met_before and not gate.meets(met_before[gate.name]))


def newly_met(now: Iterable[Gate], met_before: Mapping[str, float]) -> dict[str, float]:
    """Gates that are met now and were not, or not at this target: what to remember for the next time."""
    return {gate.name: gate.target for gate in now if gate.met and met_before.get(gate.name) != gate.target}
