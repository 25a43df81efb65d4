"""What a report holds once everything is measured: plain values, ready to be shown as a page or as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lossport.measure import Architecture, Corpus, FileCoverage
from lossport.measure.history import History, Moment
from lossport.report.claims import CheckedClaim
from lossport.report.facts import Facts, LossFacts, Stage, proof_state
from lossport.report.forecast import PACE_DAYS, Forecast
from lossport.report.gates import Gate
from lossport.report.past import LossStep, RetiredFile
from lossport.report.trends import Trend
from lossport.report.weeks import Week
from lossport.report.words import listed

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class LossRow:
    """One loss with what was measured about its files. `port` and `cases` are paths, empty where there is no such file.

    `sources` are the legacy source, as it was last, and the new one.
    """

    facts: LossFacts
    owners: tuple[str, ...]
    lines_before: int | None
    lines_after: int | None
    coverage: FileCoverage | None
    tests: int
    port: str = ""
    cases: str = ""
    sources: tuple[str, str] = ("", "")

    @property
    def hours_to_proof(self) -> float | None:
        """Hours from the first event to the first proof."""
        if not (self.facts.started_at and self.facts.proven_at):
            return None
        return (self.facts.proven_at - self.facts.started_at).total_seconds() / 3600

    @property
    def sites(self) -> int:
        """Call sites left, of every form."""
        return sum(self.facts.sites_left.values())


@dataclass(frozen=True)
class Report:
    """Everything on the page. `moments` is the history with the work tree as its last; `charts` are drawn, by name.

    `weeks` are all weeks of the migration, this one last; those in `kept` have a final page, which stays as it is.
    `root_link` leads from the pages to the project's root.
    """

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
    history: History
    moments: tuple[Moment, ...]
    trends: Mapping[str, Trend]
    claims: tuple[CheckedClaim, ...]
    since: dt.date
    forecast: Forecast | None
    gone: tuple[RetiredFile, ...]
    charts: Mapping[str, Markup]
    coverage: Mapping[str, FileCoverage] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    weeks: tuple[Week, ...] = ()
    steps: tuple[LossStep, ...] = ()
    kept: frozenset[str] = frozenset()
    root_link: str = ".."

    @property
    def gone_this_week(self) -> tuple[RetiredFile, ...]:
        """The legacy files that went away in the week of the report."""
        week = self.today.isocalendar()[:2]
        return tuple(item for item in self.gone if item.at.date().isocalendar()[:2] == week)

    @property
    def git_problem(self) -> str:
        """Why git cannot be read, in words; empty if it can. What only git knows is then unknown."""
        return self.history.problem

    @property
    def week(self) -> str:
        """The ISO week of the report, such as 2026-W48."""
        year, week, _ = self.today.isocalendar()
        return f"{year}-W{week:02d}"

    @property
    def retired(self) -> int:
        """How many losses are retired."""
        return self.at("retired")

    @property
    def retired_now(self) -> int:
        """How many losses are retired and have a current proof."""
        return sum(row.facts.stage == "retired" and proof_state(row.facts) == "current" for row in self.losses)

    @property
    def unproven_words(self) -> str:
        """The retired losses without a current proof, by what their proofs are."""
        words = {"failed": "failed parity", "stale": "with a stale proof", "none": "without any proof"}
        found = {
            state: [row.facts.name for row in self.losses if row.facts.stage == "retired" and proof_state(row.facts) == state]
            for state in words
        }
        return "; ".join(f"{len(names)} {words[state]} ({listed(names)})" for state, names in found.items() if names)

    @property
    def recent(self) -> int:
        """How many of the losses were retired in the weeks that give the pace."""
        first = self.today - dt.timedelta(days=PACE_DAYS)
        times = (row.facts.retired_at for row in self.losses if row.facts.stage == "retired")
        return sum(at is not None and at.date() >= first for at in times)

    def at(self, stage: Stage) -> int:
        """How many losses stand at a stage."""
        return sum(row.facts.stage == stage for row in self.losses)
