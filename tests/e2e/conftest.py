"""This project, cloned into a temporary folder as a newcomer has it: a git repository with one commit and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Lossport = Callable[..., subprocess.CompletedProcess[str]]


def git(folder: Path, *args: str) -> str:
    """Run git in a folder, as somebody."""
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What git knows of the work tree, committed in a new repository."""
    target = tmp_path / "clone"
    for name in git(ROOT, "ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    git(target, "init", "-q", "-b", "main")
    git(target, "add", "-A")
    git(target, "commit", "-qm", "start")
    return target


@pytest.fixture
def lossport(clone: Path) -> Lossport:
    """The command line, as a process of its own in the clone."""

    def run(*args: str, cwd: Path = clone) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(clone / "migration"), str(clone)])}
        return subprocess.run(
            [sys.executable, "-m", "lossport.cli", *args], cwd=cwd, env=env, capture_output=True, text=True, check=False
        )

    return run
