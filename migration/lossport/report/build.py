"""Measure a project and join it with the facts: the one place of this room that reads files."""

from __future__ import annotations

import datetime as dt
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lossport.measure import Coverage, CoverageError, architecture, count_tests, git, read_coverage
from lossport.measure.cache import Memory, measure_files
from lossport.measure.corpus import Corpus, decode
from lossport.measure.history import History, Moment, figures, read_history
from lossport.measure.sources import read_sources
from lossport.measure.tokens import Unreadable
from lossport.project.config import Project
from lossport.project.snapshot import snapshot_of
from lossport.report import series
from lossport.report.charts import Chart, drawn
from lossport.report.claims import CheckedClaim, check_claims
from lossport.report.criteria import gates
from lossport.report.facts import Facts, LossFacts
from lossport.report.forecast import Forecast, forecast
from lossport.report.gates import Gate, Measured, lost, newly_met
from lossport.report.model import Report
from lossport.report.owners import read_owners
from lossport.report.past import Past
from lossport.report.rows import gone_files, loss_rows, retired_times
from lossport.report.trends import trends
from lossport.report.weeks import weeks

COVERAGE_FILE = "coverage.json"
"""Where `coverage json` writes, below the project's root."""

WEEK = re.compile(r"\d{4}-W\d{2}")
"""The name of a week's page."""

FINAL = b'<meta name="lossport-week" content="complete">'
"""Stands in the page of a week that is over: such a page is not written again."""


def build_report(project: Project, facts: Facts, *, today: dt.date) -> Report:
    """Measure `project` as it lies there now, and as git remembers it."""
    memory = Memory(project.state / "cache")
    trees = _measure(project, memory, today)
    coverage, note = _coverage(project)
    criteria = _gates(project, facts, trees.new, trees.legacy, coverage, note)
    gone = gone_files(facts.losses, trees.history, trees.legacy, trees.now)
    retired = retired_times(facts.losses, gone, trees.now)
    now = max([trees.now, *retired])
    sources = {loss.name: _sources(project, loss.name) for loss in facts.losses}
    past = Past(_dated(facts.losses, retired), trees.history, snapshot_of(project).events, sources, now)
    since = min(filter(None, [past.begins, *retired]), default=trees.moments[0].at)
    turns = [
        (step.at, -1 if step.kind == "retired" else 1) for step in past.steps if step.kind in ("retired", "undone", "reverted")
    ]
    course = _Course(len(facts.losses), retired, turns, since, now)
    known = trees.moments if not trees.history.problem else ()
    claims = check_claims(project.claims, known)
    report = Report(
        project=project.root.name,
        today=today,
        facts=facts,
        losses=loss_rows(
            facts.losses,
            lines=trees.lines,
            coverage=coverage,
            owners=read_owners(project.root),
            tests=_tests(project, facts.losses),
            sources=sources,
            texts=_texts(project, facts.losses, trees.history),
        ),
        gates=criteria,
        gates_lost=lost(criteria, facts.gates_met),
        gates_newly_met=newly_met(criteria, facts.gates_met),
        legacy=trees.legacy,
        new=trees.new,
        legacy_architecture=architecture(trees.legacy, project.gates.lines),
        new_architecture=architecture(trees.new, project.gates.lines),
        legacy_name=trees.legacy_name,
        new_name=trees.new_name,
        history=trees.history,
        moments=trees.moments,
        trends=trends(criteria, known, [at.date() for at in retired], today),
        claims=claims,
        since=since.date(),
        forecast=course.end,
        gone=gone,
        charts={name: drawn(chart, memory) for name, chart in _charts(project, trees, course, claims).items()},
        coverage=coverage.files if coverage else {},
        notes=(*facts.problems, *trees.history.notes),
        steps=past.steps,
        weeks=weeks(past, trees.history, trees.moments[-1], criteria, gone, claims, since.date(), today),
        kept=_final_weeks(project),
        root_link=Path(os.path.relpath(project.root, project.reports)).as_posix(),
    )
    memory.save()
    return report


def measure_gates(project: Project, facts: Facts) -> tuple[Gate, ...]:
    """The gates alone, from the trees as they lie there now: no history is read and nothing is drawn."""
    memory = Memory(project.state / "cache")
    legacy, new = _corpora(project, memory)
    coverage, note = _coverage(project)
    found = _gates(project, facts, new, legacy, coverage, note)
    memory.save()
    return found


def measure_ahead(project: Project, gone: frozenset[Path], *, today: dt.date) -> None:
    """Fill the cache for a report on the tree without the files that will be `gone`: all but what depends on facts."""
    memory = Memory(project.state / "cache")
    trees = _measure(project, memory, today, gone)
    nothing = _Course(0, (), (), trees.now, trees.now)
    for chart in _charts(project, trees, nothing, check_claims(project.claims, trees.moments)).values():
        drawn(chart, memory)
    memory.save()


def _gates(
    project: Project, facts: Facts, new: Corpus, legacy: Corpus, coverage: Coverage | None, note: str
) -> tuple[Gate, ...]:  # fmt: skip
    new_name, legacy_name = project.relative(project.new), project.relative(project.legacy)
    measured = Measured(
        losses=facts.losses,
        new=new,
        legacy=legacy,
        coverage=_percent(coverage, list(new.files)),
        utils_coverage=_percent(coverage, [f"{new_name}/utils.py"]),
        coverage_note=note,
        architecture=architecture(new, project.gates.lines),
    )
    return gates(project.gates, measured, new_name, legacy_name)


def _corpora(project: Project, memory: Memory, gone: frozenset[Path] = frozenset()) -> tuple[Corpus, Corpus]:
    """The legacy tree and the new one as they lie there now, without the files that are `gone`."""
    content = snapshot_of(project).content
    found = (read_sources(project.root, folder, content) for folder in (project.legacy, project.new))
    absent = {project.relative(path) for path in gone}
    legacy, new = (measure_files({k: v for k, v in sources.items() if k not in absent}, memory) for sources in found)
    return legacy, new


@dataclass(frozen=True)
class _Trees:
    """Both trees now and before. `now` is never before the last commit; `lines` has the lines of every file there ever was."""

    legacy_name: str
    new_name: str
    legacy: Corpus
    new: Corpus
    history: History
    moments: tuple[Moment, ...]
    now: dt.datetime

    @property
    def lines(self) -> Mapping[str, int]:
        current = {path: file.total for corpus in (self.legacy, self.new) for path, file in corpus.files.items()}
        return {**self.history.last_lines, **current}


@dataclass(frozen=True)
class _Course:
    """How the migration went: losses in all, when those retired now were, every turn on the way, since when, until now."""

    total: int
    retired: Sequence[dt.datetime]
    turns: Sequence[tuple[dt.datetime, int]]
    since: dt.datetime
    now: dt.datetime

    @property
    def end(self) -> Forecast | None:
        left = self.total - len(self.retired)
        return forecast([at.date() for at in self.retired], left, self.since.date(), self.now.date())


def _measure(project: Project, memory: Memory, today: dt.date, gone: frozenset[Path] = frozenset()) -> _Trees:
    size = project.gates.lines
    names = project.relative(project.legacy), project.relative(project.new)
    legacy, new = _corpora(project, memory, gone)
    also = [project.relative(project.ports), project.relative(project.cases)]
    history = read_history(project.root, *names, memory, size, also=also, ledger=project.relative(project.ledger))
    midnight = dt.datetime.combine(today, dt.time(), dt.UTC)
    now = max([midnight, *(moment.at for moment in history.moments[-1:])])
    work_tree = Moment("", now, figures(legacy, size), figures(new, size))
    return _Trees(*names, legacy, new, history, (*history.moments, work_tree), now)


def _charts(project: Project, trees: _Trees, course: _Course, claims: Sequence[CheckedClaim]) -> dict[str, Chart]:
    """Every chart that has something to show."""
    names = trees.legacy_name, trees.new_name
    peak, shared = trees.history.peak_shared, trees.legacy.duplication.shared
    peak_files = {path for pair in peak for path in pair}
    charts: dict[str, Chart | None] = {
        "burndown": series.burndown(course.total, course.turns, course.since, course.now, course.end) if course.total else None,
        "claims": None if trees.history.problem else series.claimed(claims, trees.moments, "%"),
        "claims-lines": None if trees.history.problem else series.claimed(claims, trees.moments, "lines"),
        "lines": None if trees.history.problem else series.lines_over_time(trees.moments, names, project.gates),
        "duplication": None if trees.history.problem else series.duplication_over_time(trees.moments, names, project.gates),
        "copies-peak": series.copies("copies-peak", "Copies at their peak", peak, peak, peak_files) if peak != shared else None,
        "copies-now": series.copies("copies-now", "Copies now", shared, peak, trees.legacy.files),
    }
    return {name: chart for name, chart in charts.items() if chart is not None}


def _final_weeks(project: Project) -> frozenset[str]:
    """The weeks whose final pages lie in the reports folder."""
    pages = (path for path in project.reports.glob("*.html") if WEEK.fullmatch(path.stem))
    return frozenset(path.stem for path in pages if FINAL in path.read_bytes())


def _dated(losses: Sequence[LossFacts], retired: Sequence[dt.datetime]) -> list[LossFacts]:
    """The losses, each retired one with the time of its retirement."""
    times = iter(retired)
    return [replace(loss, retired_at=next(times)) if loss.stage == "retired" else loss for loss in losses]


def _coverage(project: Project) -> tuple[Coverage | None, str]:
    """The coverage report if there is a readable one, and what a reader needs to know about it."""
    path = project.root / COVERAGE_FILE
    if not path.is_file():
        return None, f"no {COVERAGE_FILE} yet: {_coverage_command(project)} writes it"
    try:
        found = read_coverage(path.read_text(encoding="utf-8", errors="replace"))
    except CoverageError as error:
        return None, f"{COVERAGE_FILE}: {error}"
    branches = "statements and branches" if found.with_branches else "statements only: run coverage with branches"
    return found, f"{branches}, {found.at:%Y-%m-%d %H:%M}{_newer(project, found.at)}" if found.at else branches


def _coverage_command(project: Project) -> str:
    """What makes the coverage report: the project's own target if it has one, else pytest with pytest-cov."""
    makefile = project.root / "Makefile"
    with suppress(OSError):
        if re.search(r"^coverage\s*:", makefile.read_text(encoding="utf-8", errors="replace"), re.MULTILINE):
            return "make coverage"
    return f"pytest --cov={shlex.quote(project.relative(project.new))} --cov-branch --cov-report=json"


def _newer(project: Project, at: dt.datetime) -> str:
    """How many files of the new tree were changed after the coverage was measured, in words; empty if none was."""
    zone = at.tzinfo or dt.datetime.now().astimezone().tzinfo  # coverage.py writes local time without a zone
    newer = sum(
        dt.datetime.fromtimestamp(path.stat().st_mtime, zone) > at.replace(tzinfo=zone) for path in project.new.rglob("*.py")
    )
    return f", before {newer} of its files changed" if newer else ""


def _percent(coverage: Coverage | None, paths: list[str]) -> float | None:
    found = coverage.of(paths) if coverage else None
    return found.percent if found else None


def _sources(project: Project, name: str) -> tuple[str, str]:
    """The port and the cases of a loss, empty where there is no such file."""
    paths = (folder / f"{name}.py" for folder in (project.ports, project.cases))
    port, cases = (project.relative(path) if path.is_file() else "" for path in paths)
    return port, cases


def _texts(project: Project, losses: Sequence[LossFacts], history: History) -> dict[str, tuple[str, str]]:
    """The legacy source of each loss, as it was last, and its new source."""
    with git.BlobReader(project.root) as blobs:
        return {
            loss.name: (
                "".join(_text(project, path, history, blobs) for path in loss.legacy_files),
                "".join(_text(project, path, history, blobs) for path in loss.new_files),
            )
            for loss in losses
        }


def _text(project: Project, path: str, history: History, blobs: git.BlobReader) -> str:
    """A file as it lies there now, or as git had it last."""
    content = snapshot_of(project).content(project.root / path)
    if content is not None:
        return content.decode("utf-8", "replace")
    last = next((version.blob for version in reversed(history.versions.get(path, ())) if version.blob), None)
    return (blobs.read(last) or b"").decode("utf-8", "replace") if last else ""


def _tests(project: Project, losses: Sequence[LossFacts]) -> dict[str, int]:
    """How many tests speak of each loss."""
    texts = {}
    for folder in project.tests:
        for path, data in read_sources(project.root, folder, snapshot_of(project).content).items():
            with suppress(Unreadable):
                texts[path] = decode(data)
    symbols = {loss.name: [name.rpartition(".")[2] for name in (*loss.legacy_symbols, *loss.new_symbols)] for loss in losses}
    return count_tests(texts, symbols)
