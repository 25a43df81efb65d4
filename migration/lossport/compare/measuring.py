"""The comparison of a project's options: asks for every measure, one after another, and joins them."""

from __future__ import annotations

import os
import platform

from lossport.compare.reading import read_option, reading_rows
from lossport.compare.running import coverage_row, proof_cells, proof_rows, time_row
from lossport.project.config import ConfigError, Project
from lossport.project.progress import Progress, no_progress
from lossport.report.compared import Comparison, sources_digest


def compare(project: Project, *, progress: Progress = no_progress) -> Comparison:
    """Measure all options of the project. Writes nothing.

    Raises:
        ConfigError: there are no options, they are not of one loss, or a file that they name is missing.
    """
    options = project.options
    _check(project)
    total = len(options) + 3
    progress("reading", 0, total)
    readings = [read_option(project, option) for option in options]
    cells = []
    for done, option in enumerate(options, start=1):
        progress(f"proving {option.name}", done, total)
        cells.append(proof_cells(project, option))
    progress("running the tests", total - 2, total)
    coverage = coverage_row(project, options)
    progress("timing", total - 1, total)
    rows = (*proof_rows(cells), *reading_rows(readings), coverage, time_row(project, options))
    progress("", total, total)
    names = tuple(option.name for option in options)
    titles = tuple(option.title for option in options)
    return Comparison(options[0].loss, names, titles, rows, _environment(), sources_digest(project))


def _check(project: Project) -> None:
    options = project.options
    if not options:
        raise ConfigError("tool.lossport.options: missing; a comparison needs at least one [[tool.lossport.options]] table")
    losses = {option.loss for option in options}
    if len(losses) > 1:
        raise ConfigError(f"tool.lossport.options: options of one loss are compared, found {', '.join(sorted(losses))}")
    names = [option.name for option in options]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"tool.lossport.options: two options are called {', '.join(twice)}")
    project.loss(options[0].loss)
    for option in options:
        for path in option.tests:
            if not path.exists():
                raise ConfigError(f"option {option.name}: {project.relative(path)} is missing; see tool.lossport.options.tests")


def _environment() -> dict[str, str]:
    return {"python": platform.python_version(), "machine": platform.machine(), "processors": str(os.cpu_count() or 1)}
