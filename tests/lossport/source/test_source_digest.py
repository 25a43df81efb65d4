"""What makes evidence stale: the sources that a symbol rests on, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossport.project.config import Project, parse_project
from lossport.source.closure import source_digest

FILES = {
    "kit/__init__.py": "from kit.rank import Rank\n",
    "kit/rank.py": "from kit.maths import half\n\nclass Rank:\n    pass\n",
    "kit/maths.py": "def half(x):\n    return x / 2\n",
    "kit/other.py": "class Other:\n    pass\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return parse_project(tmp_path, {})


def edit(project: Project, name: str) -> None:
    path = project.root / name
    path.write_text(path.read_text() + "# edited\n")


@pytest.mark.parametrize(
    ("name", "changes"), [("kit/rank.py", True), ("kit/maths.py", True), ("kit/other.py", False), ("kit/__init__.py", False)]
)
def test_the_modules_it_rests_on_count_and_no_others(project: Project, name: str, changes: bool) -> None:
    before = source_digest(project, "kit.Rank")
    edit(project, name)
    assert (source_digest(project, "kit.Rank") != before) is changes


def test_a_package_counts_that_defines_the_symbol_itself(project: Project) -> None:
    (project.root / "kit" / "__init__.py").write_text("class Rank:\n    pass\n")
    before = source_digest(project, "kit.Rank")
    edit(project, "kit/__init__.py")
    assert source_digest(project, "kit.Rank") != before


def test_a_package_that_passes_on_another_class_is_noticed(project: Project) -> None:
    before = source_digest(project, "kit.Rank")
    (project.root / "kit" / "__init__.py").write_text("from kit.other import Other as Rank\n")
    assert source_digest(project, "kit.Rank") != before
