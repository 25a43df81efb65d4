"""What a report holds once everything is measured: plain values, ready to be shown as a page or as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from lossport.measure import Architecture, Corpus, FileCoverage
from lossport.report.facts import Facts, LossFacts, Stage
from lossport.report.gates import Gate


@dataclass(frozen=True)
class LossRow:
    """One loss with what was measured about its files."""

    facts: LossFacts
    owners: tuple[str, ...]
    lines_before: int | None
    lines_after: int | None
    coverage: FileCoverage | None
    tests: int

    @property
    def sites(self) -> int:
        """Call sites left, of every form."""
        return sum(self.facts.sites_left.values())


@dataclass(frozen=True)
class Report:
    """Everything on the page."""

    project: str
    today: dt.date
    facts: Facts
    losses: tuple[LossRow, ...]
    gates: tuple[Gate, ...]
    gates_lost: tuple[Gate, ...]
    gates_newly_met: Mapping[str, float]
    legacy: Corpus
    new: Corpus
    legacy_architecture: Architecture | None
    new_architecture: Architecture | None
    legacy_name: str
    new_name: str
    coverage: Mapping[str, FileCoverage] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def week(self) -> str:
        """The ISO week of the report, such as 2026-W48."""
        year, week, _ = self.today.isocalendar()
        return f"{year}-W{week:02d}"

    @property
    def retired(self) -> int:
        """How many losses are retired."""
        return self.at("retired")

    def at(self, stage: Stage) -> int:
        """How many losses stand at a stage."""
        return sum(row.facts.stage == stage for row in self.losses)
