"""Measure a project and join it with the facts: the one place of this room that reads files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lossport.config import Project
from lossport.measure import (
    Corpus,
    Coverage,
    CoverageError,
    architecture,
    read_coverage,
    tests_per_name,
)
from lossport.measure.corpus import decode
from lossport.measure.memory import Memory, measure_files
from lossport.measure.sources import read_sources
from lossport.measure.tokens import Unreadable
from lossport.report.facts import Facts, LossFacts
from lossport.report.gates import Measured, gates, lost, newly_met
from lossport.report.model import LossRow, Report
from lossport.report.owners import owners_of, read_owners

COVERAGE_FILE = "coverage.json"
"""Where `coverage json` writes, below the project's root."""


def build_report(project: Project, facts: Facts, *, today: dt.date) -> Report:
    """Measure `project` as it lies there now."""
    memory = Memory(project.state / "cache")
    legacy, new = (_corpus(project, folder, memory) for folder in (project.legacy, project.new))
    memory.save()
    coverage, note = _coverage(project)
    size = project.gates.lines
    legacy_name, new_name = project.relative(project.legacy), project.relative(project.new)
    measured = Measured(
        losses=facts.losses,
        new=new,
        legacy=legacy,
        coverage=_percent(coverage, list(new.files)),
        utils_coverage=_percent(coverage, [f"{new_name}/utils.py"]),
        coverage_note=note,
        architecture=architecture(new, size),
    )
    now = gates(project.gates, measured, new_name, legacy_name)
    return Report(
        project=project.root.name,
        today=today,
        facts=facts,
        losses=_rows(project, facts.losses, legacy, new, coverage),
        gates=now,
        gates_lost=lost(now, facts.gates_met),
        gates_newly_met=newly_met(now, facts.gates_met),
        legacy=legacy,
        new=new,
        legacy_architecture=architecture(legacy, size),
        new_architecture=measured.architecture,
        legacy_name=legacy_name,
        new_name=new_name,
        coverage=coverage.files if coverage else {},
        notes=(),
    )


def _corpus(project: Project, folder: Path, memory: Memory) -> Corpus:
    return measure_files(read_sources(project.root, folder), memory)


def _coverage(project: Project) -> tuple[Coverage | None, str]:
    """The coverage report if there is a readable one, and what a reader needs to know about it."""
    path = project.root / COVERAGE_FILE
    if not path.is_file():
        return None, f"no {COVERAGE_FILE} yet: make test writes it"
    try:
        found = read_coverage(path.read_text(encoding="utf-8", errors="replace"))
    except CoverageError as error:
        return None, f"{COVERAGE_FILE}: {error}"
    branches = "statements and branches" if found.with_branches else "statements only: run coverage with branches"
    return found, f"{branches}, {found.at:%Y-%m-%d %H:%M}" if found.at else branches


def _percent(coverage: Coverage | None, paths: list[str]) -> float | None:
    found = coverage.of(paths) if coverage else None
    return found.percent if found else None


def _rows(
    project: Project, losses: Sequence[LossFacts], legacy: Corpus, new: Corpus, coverage: Coverage | None
) -> tuple[LossRow, ...]:
    owners = read_owners(project.root)
    identifiers = {
        loss.name: [symbol.rpartition(".")[2] for symbol in (*loss.legacy_symbols, *loss.new_symbols)] for loss in losses
    }
    counts = tests_per_name(_test_texts(project), identifiers)
    return tuple(
        LossRow(
            facts=loss,
            owners=next(
                (found for path in (*loss.legacy_files, *loss.new_files) if (found := owners_of(path, owners))),
                (),
            ),
            lines_before=_lines(legacy, loss.legacy_files),
            lines_after=_lines(new, loss.new_files),
            coverage=coverage.of(list(loss.new_files)) if coverage else None,
            tests=counts[loss.name],
        )
        for loss in losses
    )


def _lines(corpus: Corpus, paths: Sequence[str]) -> int | None:
    known = [corpus.files[path].total for path in paths if path in corpus.files]
    return sum(known) if known else None


def _test_texts(project: Project) -> dict[str, str]:
    texts = {}
    for folder in project.tests:
        for path, data in read_sources(project.root, folder).items():
            with suppress(Unreadable):
                texts[path] = decode(data)
    return texts
