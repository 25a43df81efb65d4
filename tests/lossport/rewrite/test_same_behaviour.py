"""Quality: a rewritten program does what it did, with the legacy modules gone; what cannot be rewritten so is refused.

Each program runs before and after, in a process of its own, and must print the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lossport.project.config import find_project
from lossport.rewrite import RewritePlan, plan_rewrite

from .conftest import PORTS, PYPROJECT, comments, dedent
from .programs import (
    by_name,
    callables,
    forms,
    handed_over,
    heirs,
    inheritance,
    listed_names,
    lookups,
    modules,
    ordinary,
    projects,
    values,
)
from .programs.losses import NEW, OLD, TORCH

TOPICS = (by_name, callables, forms, handed_over, heirs, inheritance, listed_names, lookups, modules, ordinary, projects, values)
PROGRAMS: dict[str, Mapping[str, str | bytes]] = {name: files for topic in TOPICS for name, files in topic.PROGRAMS.items()}
REFUSED: dict[str, list[str]] = {name: places for topic in TOPICS for name, places in topic.REFUSED.items()}

pytestmark = pytest.mark.slow

DRIVER = """
import io, json, os, runpy, sys, traceback
said = {}
for folder in sys.argv[2:]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        sys.path.insert(0, sys.argv[1])
        sys.path.insert(0, folder)
        sys.argv, sys.dont_write_bytecode = ["main.py"], True
        sys.stdout = sys.stderr = io.StringIO()
        try:
            runpy.run_path("main.py", run_name="__main__")
        except BaseException:
            traceback.print_exc()
        os.write(writing, sys.stdout.getvalue().encode()[:60_000])
        os._exit(0)
    os.close(writing)
    pieces = []
    while piece := os.read(reading, 65536):
        pieces.append(piece)
    os.close(reading)
    os.waitpid(child, 0)
    said[folder] = b"".join(pieces).decode()
json.dump(said, sys.stdout)
"""


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def plan_of(root: Path) -> RewritePlan:
    project = find_project(root)
    return plan_rewrite(project, [project.loss(name) for name in project.loss_names])


class Run:
    """Every program in two folders: as it was, and as rewritten."""

    def __init__(self, root: Path) -> None:
        write(root / "torch", TORCH)
        write(root, {"driver.py": DRIVER})
        self.root = root
        self.plans: dict[str, RewritePlan] = {}
        for name, files in PROGRAMS.items():
            before, after = root / name / "before", root / name / "after"
            for folder in (before, after):
                write(folder, {"pyproject.toml": PYPROJECT, **{k: dedent(v) for k, v in PORTS.items()}, **OLD, **NEW, **files})
            self.plans[name] = plan_of(after)
            for file in self.plans[name].files:
                file.path.write_bytes(file.after)
            for module in OLD:
                if not module.endswith("__init__.py"):
                    (after / module).unlink()
        folders = [folder for side in ("before", "after") for folder in root.glob(f"*/{side}")]
        command: list[str | Path] = [sys.executable, "-S", root / "driver.py", root / "torch", *folders]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
        self.said: dict[str, str] = json.loads(done.stdout)

    def output(self, name: str, side: str) -> str:
        """What a program printed."""
        return self.said[str(self.root / name / side)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("programs").resolve())


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name not in REFUSED])
def test_a_rewritten_program_does_what_it_did(run: Run, name: str) -> None:
    plan = run.plans[name]
    assert [f"{r.path}:{r.line}: {r.reason}" for r in plan.refusals] == []
    assert "Traceback" not in run.output(name, "before")
    assert run.output(name, "after") == run.output(name, "before"), plan.diff()
    for file in plan.files:
        if file.path.suffix == ".py" and b"latin-1" not in file.before:
            assert comments(file.before.decode("utf-8-sig")) == comments(file.after.decode("utf-8-sig"))
    write(run.root / name / "after", OLD)
    again: Any = plan_of(run.root / name / "after")
    assert (again.diff(), again.refusals) == ("", ())


@pytest.mark.parametrize("name", list(REFUSED))
def test_a_program_that_cannot_be_followed_is_refused_where_it_matters(run: Run, name: str) -> None:
    plan = run.plans[name]
    assert sorted({f"{r.path}:{r.line}" for r in plan.refusals}) == REFUSED[name]
    assert all(r.reason and r.todo and r.code for r in plan.refusals)


def test_no_refusal_is_for_a_program_that_is_not_there() -> None:
    assert set(REFUSED) <= set(PROGRAMS)
