"""The comparison of options, as the report is told of it: measured, not measured, stale, unreadable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lossport.compare import FILE, Cell, Comparison, Row, sources_digest
from lossport.project.config import Project, find_project
from lossport.report import OptionCell, OptionRow, options_of

TABLES = """\
[tool.lossport]
[[tool.lossport.options]]
name = "A"
title = "mend"
path = "a.py"
loss = "clip"
new = "a.Clip"
[[tool.lossport.options]]
name = "B"
title = "restart"
path = "b.py"
loss = "clip"
new = "b.Clip"
"""


@pytest.fixture
def weighing(tmp_path: Path) -> Project:
    (tmp_path / "pyproject.toml").write_text(TABLES)
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "reports").mkdir()
    return find_project(tmp_path)


def compared(sources: str) -> Comparison:
    row = Row("lines", "lines", "lower", "of all files", (Cell("2", 2), Cell("1", 1, "in one file")))
    return Comparison("clip", ("A", "B"), ("mend", "restart"), (row,), {"python": "3.11"}, sources)


def written(project: Project, comparison: Comparison) -> None:
    (project.reports / FILE).write_text(json.dumps(comparison.to_json()))


def test_what_was_measured_is_told_with_the_best_of_each_row(weighing: Project) -> None:
    written(weighing, compared(sources_digest(weighing)))
    options = options_of(weighing)
    assert options is not None
    assert (options.names, options.titles, options.measured_with, options.note) == (
        ("A", "B"),
        ("mend", "restart"),
        "python 3.11",
        "",
    )
    assert options.rows == (OptionRow("lines", "of all files", (OptionCell("2"), OptionCell("1", True, "in one file"))),)


def test_a_change_to_what_was_measured_is_told(weighing: Project) -> None:
    written(weighing, compared(sources_digest(weighing)))
    (weighing.root / "b.py").write_text("x = 2\n")
    options = options_of(weighing)
    assert options is not None
    assert options.note == "what was measured has changed since: lossport compare measures it anew"
    assert options.rows


def test_without_a_measure_the_command_is_named(weighing: Project) -> None:
    options = options_of(weighing)
    assert options is not None
    assert (options.rows, options.note) == ((), "not measured yet: lossport compare measures them")


@pytest.mark.parametrize("content", ["", "[]", '{"format": 99}'])
def test_a_file_that_is_no_comparison_is_told_and_stops_nothing(weighing: Project, content: str) -> None:
    (weighing.reports / FILE).write_text(content)
    options = options_of(weighing)
    assert options is not None
    assert "reports/comparison.json cannot be read" in options.note


def test_an_option_whose_files_are_gone_is_told(weighing: Project) -> None:
    written(weighing, compared(sources_digest(weighing)))
    (weighing.root / "b.py").unlink()
    options = options_of(weighing)
    assert options is not None
    assert "b.py" in options.note


def test_a_project_that_weighs_nothing_is_told_nothing(project: Project) -> None:
    assert options_of(project) is None
