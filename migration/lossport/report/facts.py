"""What the report is told, because it cannot measure it: stages, parity, call sites, refusals. Values only.

Whoever fills these decides what is true; the report only shows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["planned", "recorded", "proven", "switched", "retired"]
STAGES: tuple[Stage, ...] = ("planned", "recorded", "proven", "switched", "retired")
"""In the order in which a loss goes through them."""

CellState = Literal["passed", "failed", "stale", "missing"]
ProofState = Literal["current", "stale", "failed", "none"]


@dataclass(frozen=True)
class ParityCell:
    """Parity of one loss on one device in one dtype.

    `stale` is a verdict whose legacy source, cases, port or new source have changed since; `missing` was never run.
    `time_ratio` and `memory_ratio` are new divided by legacy: below 1 the new loss is faster, or smaller.
    """

    device: str
    dtype: str
    state: CellState
    equal: int = 0
    close: int = 0
    intended: int = 0
    different: int = 0
    seconds: float | None = None
    at: dt.datetime | None = None
    time_ratio: float | None = None
    memory_ratio: float | None = None
    why: str = ""

    @property
    def cases(self) -> int:
        """How many cases were compared."""
        return self.equal + self.close + self.intended + self.different


@dataclass(frozen=True)
class Waiting:
    """A call site that the codemod refuses: it waits for a person."""

    path: str
    line: int
    column: int
    code: str
    reason: str
    todo: str


@dataclass(frozen=True)
class PlaceLeft:
    """A call site that is left."""

    path: str
    line: int
    form: str
    code: str


@dataclass(frozen=True)
class MappingRow:
    """What becomes of one argument, key, attribute or state entry; why, or in what form."""

    role: str
    old: str
    new: str
    reason: str = ""


@dataclass(frozen=True)
class Declared:
    """An intended difference: its reason, and the cases and places that show it."""

    id: str
    reason: str
    cases: tuple[str, ...]
    places: tuple[str, ...]
    devices: tuple[str, ...]


@dataclass(frozen=True)
class LossFacts:
    """One loss. Paths are relative to the project, with forward slashes; `sites_left` counts call sites by form.

    `why` says in one sentence what stands between the loss and the next stage. `started_at` is the first recorded event of
    the loss, `proven_at` the first proof. `next_command` goes on, empty once nothing is left to do; `shims` stand in the places
    of legacy files that are gone.
    """

    name: str
    stage: Stage
    legacy_symbols: tuple[str, ...]
    new_symbols: tuple[str, ...]
    legacy_files: tuple[str, ...]
    new_files: tuple[str, ...]
    why: str = ""
    sites_left: Mapping[str, int] = field(default_factory=dict)
    parity: tuple[ParityCell, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    started_at: dt.datetime | None = None
    proven_at: dt.datetime | None = None
    retired_at: dt.datetime | None = None
    next_command: str = ""
    shims: tuple[str, ...] = ()
    mapping: tuple[MappingRow, ...] = ()
    divergences: tuple[Declared, ...] = ()
    sites: tuple[PlaceLeft, ...] = ()


def proof_state(loss: LossFacts) -> ProofState:
    """The state of a loss's proof now: the worst of the devices that it ran on."""
    ran = {cell.state for cell in loss.parity if cell.state != "missing"}
    if not ran:
        return "none"
    return "failed" if "failed" in ran else "stale" if "stale" in ran else "current"


@dataclass(frozen=True)
class OptionCell:
    """One figure of one way to write a loss: as it is shown, whether it leads its row, and what has to be said with it."""

    text: str
    best: bool = False
    note: str = ""


@dataclass(frozen=True)
class OptionRow:
    """One measure of all ways, and how it is measured."""

    title: str
    how: str
    cells: tuple[OptionCell, ...]


@dataclass(frozen=True)
class OptionTable:
    """Ways to write one loss, measured side by side. Without rows nothing was measured, and `note` says why, and what to do.

    `names` are short, `titles` say what each is; with rows, `note` says what has changed since.
    """

    loss: str
    names: tuple[str, ...]
    titles: tuple[str, ...]
    rows: tuple[OptionRow, ...] = ()
    measured_with: str = ""
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything that the report is told.

    `gates_met` has the gates that were met before, each with the target it met: what `Report.gates_lost` is measured against.
    `problems` are sentences about files that could hide a call site. `options` is None for a project that compares none.
    """

    losses: tuple[LossFacts, ...]
    gates_met: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    options: OptionTable | None = None
