"""What tests of several rooms share: the invented project, and tools from npm (installed once, by exact version)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lossport.invented import made, make

__all__ = ["made", "make"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "node"
PACKAGES = {"axe-core": "4.14.1", "jscpd": "5.3.3"}


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """The `node_modules` folder with axe-core and jscpd."""
    modules = FOLDER / "node_modules"
    if not all((modules / name / "package.json").is_file() for name in PACKAGES):
        install()
    return modules


def install() -> None:
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    command = f"npm install --prefix {FOLDER.relative_to(ROOT)} --no-save --ignore-scripts {' '.join(wanted)}"
    if shutil.which("npm") is None:
        missing("npm is not installed: install Node.js (on Debian: apt-get install nodejs npm)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([*command.split(), *quiet], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        missing(f"{command} failed, run it by hand: {done.stderr.strip()}")


def missing(reason: str) -> None:
    """A tool that is not there stops a run in CI, where nobody would notice a skip."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
