"""This project, cloned into a temporary folder as a newcomer has it: a git repository with one commit and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import warm
from tests.legacy.recording import stands

ROOT = Path(__file__).resolve().parents[2]

Lossport = Callable[..., subprocess.CompletedProcess[str]]


def git(folder: Path, *args: str) -> str:
    """Run git in a folder, as somebody."""
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True).stdout


def cloned_into(target: Path) -> Path:
    """What git knows of the work tree, committed in a new repository."""
    for name in git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    git(target, "init", "-q", "-b", "main")
    git(target, "add", "-A")
    git(target, "commit", "-qm", "start")
    return target


def python_in(clone: Path, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Python on the clone's own modules, as a process of its own."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(clone / "migration"), str(clone)])}
    return warm.run(*args, cwd=cwd or clone, env=env)


def is_left(module: str) -> bool:
    """Whether a module still waits for its migration in this very tree. If not, a clone of it has nothing to migrate either."""
    return stands(ROOT, "legacy", module)


@pytest.fixture
def clone(once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path) -> Path:
    """A clone of its own for each test."""
    shutil.copytree(once("clone", cloned_into), tmp_path / "clone", symlinks=True)
    return tmp_path / "clone"


@pytest.fixture
def lossport(clone: Path) -> Lossport:
    """The command line in the clone."""

    def run(*args: str, cwd: Path = clone) -> subprocess.CompletedProcess[str]:
        return python_in(clone, "-m", "lossport", *args, cwd=cwd)

    return run
