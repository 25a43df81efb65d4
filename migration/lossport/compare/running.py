"""What can be said of an option by running it: coverage by its tests, parity and time, each in a process of its own.

Nothing here imports torch or the project; a process that fails loses its own figures alone.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lossport.measure import Coverage, CoverageError, read_coverage
from lossport.project.config import Option, Project
from lossport.report.compared import Cell, Row, files_of, not_measured

TIME_LIMIT = 600
"""Seconds for one process: tests or parity of one loss take a minute on a slow machine."""

TIME_NOISE = 0.15
"""Ratios closer than this are called equal: on a shared machine the same code repeats to about a tenth."""

TEST_MODULE = ("python", "-m")
"""How a test command has to begin for coverage.py to run it."""


def coverage_row(project: Project, options: Sequence[Option]) -> Row:
    """How much of each option the tests reach; options with the same tests share one run."""
    together: dict[tuple[Path, ...], list[Option]] = {}
    for option in options:
        together.setdefault(option.tests, []).append(option)
    cells: dict[str, Cell] = {}
    for tests, group in together.items():
        found = _measure_coverage(project, tests, group)
        cells |= {option.name: found if isinstance(found, Cell) else _covered(project, option, found) for option in group}
    how = "statements and branches of all its files that the same tests reach, by coverage.py"
    return Row("coverage", "coverage by the same tests", "higher", how, tuple(cells[option.name] for option in options))


def _covered(project: Project, option: Option, coverage: Coverage) -> Cell:
    found = coverage.of(list(files_of(project, option)))
    if found is None:
        return not_measured("its tests import none of its files")
    return Cell(f"{found.percent:.1f} %", round(found.percent, 2), f"{found.branches_run} of {found.branches} branches")


def _measure_coverage(project: Project, tests: Sequence[Path], options: Sequence[Option]) -> Coverage | Cell:
    if not tests:
        return not_measured("no tests are named")
    if project.test_command[:2] != TEST_MODULE:
        return not_measured(f"the test command is not {' '.join(TEST_MODULE)} ...")
    if importlib.util.find_spec("coverage") is None:
        return not_measured("coverage.py is not installed")
    include = ",".join(f"{project.root / path}" for option in options for path in files_of(project, option))
    with tempfile.TemporaryDirectory(prefix="lossport-compare-") as folder:
        data, found, settings = (Path(folder) / name for name in ("data", "coverage.json", "settings"))
        settings.write_text(f"[run]\nbranch = true\ndata_file = {data}\n", encoding="utf-8")
        start = [sys.executable, "-m", "coverage"]
        run = [
            *start,
            "run",
            f"--rcfile={settings}",
            f"--include={include}",
            *project.test_command[1:],
            *map(project.relative, tests),
        ]
        failed = _run(project, run) or _run(project, [*start, "json", f"--rcfile={settings}", "-q", "-o", str(found)])
        if failed:
            return not_measured(failed)
        try:
            return read_coverage(found.read_text(encoding="utf-8"))
        except CoverageError as error:
            return not_measured(str(error))


def proof_cells(project: Project, option: Option) -> tuple[Cell, Cell]:
    """Parity of an option, and the intended differences that it shows."""
    found = _ask(project, "prove", [option])
    if isinstance(found, Cell):
        return found, found
    missing = found["different"] + len(found["unused"])
    ids = ", ".join(found["divergences"])
    return (
        Cell(found["headline"].replace(f" ({ids})", ""), missing, found["first"]),
        Cell(str(len(found["divergences"])), len(found["divergences"]), ids),
    )


def proof_rows(cells: Sequence[tuple[Cell, Cell]]) -> tuple[Row, Row]:
    """The rows of parity."""
    proven, mended = zip(*cells, strict=True)
    return (
        Row("parity", "parity", "lower", "verdicts on the loss's cases and their derived variants, on the CPU", proven),
        Row(
            "mended", "intended differences", "higher", "faults of the legacy loss that are mended, each shown by a case", mended
        ),
    )


def time_row(project: Project, options: Sequence[Option]) -> Row:
    """Time of a step against the legacy loss, all options in one process."""
    found = _ask(project, "time", options)
    how = "inputs, forward and backward of a case, in turns with the legacy loss on one thread; geometric mean of the ratios"
    cells = tuple(found if isinstance(found, Cell) else _timed(found[option.name]) for option in options)
    return Row("time", "time of a step, legacy = 1", "lower", how, cells, TIME_NOISE)


def _timed(found: dict[str, Any]) -> Cell:
    if not found["cases"]:
        return not_measured("no case runs on both sides")
    (fastest, least), (slowest, most) = found["least"], found["most"]
    note = f"{least:.2f} ({fastest}) to {most:.2f} ({slowest}) over {found['cases']} cases at batch {found['batch']}"
    return Cell(f"{found['mean']:.2f}", round(found["mean"], 3), note)


def _ask(project: Project, what: str, options: Sequence[Option]) -> Any:
    """The answer of the process that may import torch; a cell with the reason if there is none."""
    with tempfile.TemporaryDirectory(prefix="lossport-compare-") as folder:
        question, answer = Path(folder) / "question.json", Path(folder) / "answer.json"
        wanted = [{"name": o.name, "loss": o.loss, "new": o.new, "interface": o.interface} for o in options]
        question.write_text(json.dumps({"root": str(project.root), "what": what, "options": wanted}), encoding="utf-8")
        failed = _run(project, [sys.executable, "-m", "lossport.compare.trying", str(question), str(answer)])
        return not_measured(failed) if failed else json.loads(answer.read_text(encoding="utf-8"))


def _run(project: Project, command: Sequence[str]) -> str:
    """Run to the end; why it failed, empty if it did not."""
    roots = [str(root) for root in project.import_roots]
    inherited = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*roots, *inherited]), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=project.root, env=env, capture_output=True, text=True, errors="replace", timeout=TIME_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {TIME_LIMIT} s"
    if done.returncode == 0:
        return ""
    told = [line for line in (done.stderr.strip() or done.stdout.strip()).splitlines() if line.strip()]
    return told[-1].strip() if told else f"exit status {done.returncode}"
