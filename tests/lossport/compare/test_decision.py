"""The decision document of this project: what it shows of the options by reading them is still so."""

from __future__ import annotations

from pathlib import Path

from lossport.compare import Comparison, render_markdown
from lossport.compare.document import BEGIN, END
from lossport.compare.reading import read_option, reading_rows
from lossport.project.config import find_project

ROOT = Path(__file__).resolve().parents[3]


def test_the_matrix_shows_the_options_as_they_are() -> None:
    """Lines, complexity and their like do not depend on the machine. The rest is made by lossport compare."""
    project = find_project(ROOT)
    assert project.options, "pyproject.toml has no [[tool.lossport.options]]"
    shown = (ROOT / "docs" / "decision.md").read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].splitlines()
    names, titles = (tuple(part) for part in zip(*((o.name, o.title) for o in project.options), strict=True))
    rows = reading_rows([read_option(project, option) for option in project.options])
    table = render_markdown(Comparison("clip", names, titles, rows, {})).splitlines()
    assert [line for line in table if line.startswith("| ") and line not in shown] == []
