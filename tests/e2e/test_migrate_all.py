"""The whole job, end to end: `lossport migrate all` in a clone of this repository, and what it leaves.

The rehearsal of each loss has run the tests that touch its own call sites. Here, at the end, run those that read what a migration
changes: examples, pages, recordings, and whatever looks at `legacy/` or at the whole tree. The others see neither: the harness's
own tests work on invented projects in temporary folders, and of `losses/` and its battery nothing is changed, which is asserted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lossport.project.config import find_project

from .conftest import ROOT, cloned_into, git, is_left, python_in

PROJECT = find_project(ROOT)
MODULES = sorted({module.rpartition(".")[2] for loss in PROJECT.losses() for module in loss.modules})

pytestmark = [
    pytest.mark.slow,
    pytest.mark.full(reason="migrates all losses, one after another"),
    pytest.mark.skipif(
        not all(map(is_left, MODULES)), reason="losses are retired in this tree: the whole way starts with all of them"
    ),
]

AFTERWARDS = (
    "tests/examples",
    "tests/legacy",
    "tests/losses/test_adding_a_loss.py",
    "tests/losses/test_documentation.py",
    "tests/losses/test_factory.py",
    "tests/losses/test_reach.py",
    "tests/lossport/compare/test_decision.py",
    "tests/lossport/measure/test_architecture.py",
    "tests/lossport/test_documentation.py",
    "tests/e2e/test_command_line.py",
    "tests/e2e/test_migrate_all.py",
    "tests/e2e/test_migrate_clip.py",
)
"""Tests that read what a migration changes; the last two have to see that nothing is left for them."""


@pytest.fixture(scope="module")
def migrated(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A clone in which every loss is migrated."""

    def fill(clone: Path) -> None:
        cloned_into(clone)
        done = python_in(clone, "-m", "lossport", "migrate", "all")
        assert done.returncode == 0, done.stdout + done.stderr

    return once("migrated", fill)


def test_every_loss_is_retired_and_its_file_gone(migrated: Path) -> None:
    status = json.loads(python_in(migrated, "-m", "lossport", "status", "--json").stdout)
    assert {row["name"]: row["stage"] for row in status["losses"]} == dict.fromkeys(PROJECT.loss_names, "retired")
    assert [path.name for path in sorted((migrated / "legacy").glob("*.py"))] in ([], ["__init__.py"])


def test_the_evidence_of_every_loss_is_kept(migrated: Path) -> None:
    events = [json.loads(line) for line in (migrated / "migration" / "ledger.jsonl").read_text().splitlines()]
    for kind in ("recorded", "proven", "switched", "retired"):
        assert {event["loss"] for event in events if event["event"] == kind} == set(PROJECT.loss_names), kind
    goldens = {path.stem for path in (migrated / "migration" / "goldens").glob("*.safetensors")}
    assert goldens == set(PROJECT.loss_names)
    assert (migrated / "reports" / "index.html").is_file()


def test_the_library_and_its_battery_are_as_they_were(migrated: Path) -> None:
    git(migrated, "add", "-A")
    assert git(migrated, "diff", "--cached", "--stat", "--", "losses", "tests/losses", "migration/lossport") == ""


def test_the_tests_that_read_what_was_changed_pass(migrated: Path) -> None:
    done = python_in(migrated, "-m", "pytest", "-q", "-p", "no:cacheprovider", *AFTERWARDS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_to_do(migrated: Path) -> None:
    done = python_in(migrated, "-m", "lossport", "migrate", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("nothing to do") == len(PROJECT.loss_names)


def test_one_loss_takes_those_along_whose_modules_use_it(tmp_path: Path) -> None:
    """Any single loss goes through, here one that the factory of all of them stands on."""
    clone = cloned_into(tmp_path / "clone")
    done = python_in(clone, "-m", "lossport", "migrate", "combined")
    assert done.returncode == 0, done.stdout + done.stderr
    gone = {name for name in MODULES if not (clone / "legacy" / f"{name}.py").exists()}
    assert gone == {"loss_factory", "combined_loss"}
