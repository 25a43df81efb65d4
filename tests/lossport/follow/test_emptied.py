"""Once the last legacy module goes, the package goes with it - if it is empty, and nothing needs it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lossport.follow.emptied import Emptied, emptied
from lossport.project.config import parse_project

FILES = {
    "pyproject.toml": '[tool.lossport]\nlegacy = "app/old"\n',
    "app/__init__.py": "",
    "app/old/__init__.py": '"""Losses."""\n\n__all__ = []\n',
    "app/old/last.py": "class Last: ...\n",
    "train.py": "from losses import New  # from the old days\n\nold = ['old']\n",
    "README.md": "`app.old` was here: `from app.old import Last`\n",
    "migration/cases/last.py": "from app.old.last import Last\n",
}


def left(root: Path, more: Mapping[str, str] | None = None) -> tuple[list[str], str]:
    """What can go once `last.py` goes, and why not."""
    for name, text in {**FILES, **(more or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    project = parse_project(root, {"legacy": "app/old"})
    found: Emptied = emptied(project, {project.legacy / "last.py": None})
    return [project.relative(path) for path in found.files], found.kept


def test_an_empty_package_goes(tmp_path: Path) -> None:
    assert left(tmp_path.resolve()) == (["app/old/__init__.py"], "")


def test_empty_packages_inside_it_go_along(tmp_path: Path) -> None:
    assert left(tmp_path.resolve(), {"app/old/deep/__init__.py": ""})[0] == ["app/old/__init__.py", "app/old/deep/__init__.py"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app/old/other.py", "x = 1\n"),
        ("app/old/weights.bin", "\0"),
        ("app/old/__init__.py", "from .last import Last\n"),
        ("app/old/__init__.py", "VERSION = 1\n"),
        ("app/old/__init__.py", "def broken(:\n"),
    ],
)
def test_a_package_that_holds_something_stays(tmp_path: Path, name: str, text: str) -> None:
    assert left(tmp_path.resolve(), {name: text}) == ([], "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("use.py", "import app.old\n"),
        ("use.py", "import app.old as legacy\n"),
        ("app/use.py", "from . import old\n"),
        ("use.py", "def f():\n    from app import old\n"),
        ("use.py", "walk('app.old')\n"),
        ("setup.cfg", "[options]\nx = 'app.old'\n"),
        ("pyproject.toml", '[tool.setuptools]\npackages = ["app", "app.old"]\n[tool.lossport]\nlegacy = "app/old"\n'),
    ],
)
def test_what_names_the_package_keeps_it_and_is_told(tmp_path: Path, name: str, text: str) -> None:
    assert left(tmp_path.resolve(), {name: text}) == ([], f"{name} names app.old")
