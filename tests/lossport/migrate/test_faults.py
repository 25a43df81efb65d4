"""Faults at every write, rename, removal, flush and open of a migration's transaction: the tree is as before or as after, the
next command puts it right, and no message claims what is not so.

The transaction is that of a true migration, recorded once. A forked process commits it; its n-th call is made to fail, once or
for good, or brings a signal. That costs a fraction of a second a point, where a whole migration costs many.
"""

from __future__ import annotations

import argparse
import builtins
import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lossport.cli import callsites, main
from lossport.project import transaction
from lossport.project.config import Project
from lossport.project.transaction import Change

from .conftest import Small

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="points are processes that are forked")]

FAULTS = ("ENOSPC", "EIO", "EACCES", "EROFS", "ENOSPC!", "EROFS!")
"""With an exclamation mark: from that call on, all of them."""

SIGNALS = ("SIGKILL", "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")

CALLS = ("replace", "chmod", "fsync", "unlink", "mkdir", "rmdir")
"""What touches the disk, beside opening a file to write."""


class Fault:
    """Counts the calls that touch the project, and makes one of them fail, or all from there on."""

    def __init__(self, root: Path, at: int, how: str) -> None:
        self.root, self.at, self.how, self.count = str(root), at, how, 0

    def plant(self) -> None:
        for name in CALLS:
            setattr(os, name, self._wrapped(getattr(os, name)))
        real = builtins.open

        def opened(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if set(mode) & set("wa"):
                self._meet(path)
            return real(path, mode, *args, **options)

        builtins.open = opened  # type: ignore[assignment]  # in a process that ends soon

    def _wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def met(path: Any, *args: Any, **options: Any) -> Any:
            self._meet(path)
            return real(path, *args, **options)

        return met

    def _meet(self, path: Any) -> None:
        if not (isinstance(path, int) or str(path).startswith(self.root)):
            return
        self.count += 1
        name = self.how.rstrip("!")
        if self.count == self.at or (self.how.endswith("!") and self.count > self.at > 0):
            if name.startswith("SIG"):
                signal.raise_signal(getattr(signal, name))
            else:
                number = getattr(errno, name)
                raise OSError(number, os.strerror(number), str(path))


@dataclass
class Bench:
    """A project, the changes of a migration, and how the tree reads without and with them."""

    small: Small
    output: Path
    changes: list[Change]
    before: dict[str, bytes]
    after: dict[str, bytes]

    def commit(self, at: int, how: str) -> tuple[int, str]:
        """Commit the changes in a process of its own; its exit status, negative for a signal, and what it said."""
        fault = Fault(self.small.root, at, how)

        def command(project: Project, options: argparse.Namespace, terminal: Any) -> int:
            fault.plant()
            with transaction.locked(project.state):
                transaction.commit(project.root, project.state, self.changes)
            return 0

        return self._forked(command, lambda: print(f"calls {fault.count}"))

    def next_command(self) -> tuple[int, str]:
        """A command that reads, without faults."""
        return self._forked(lambda project, options, terminal: 0, lambda: None)

    def _forked(self, command: Callable[..., int], at_end: Callable[[], None]) -> tuple[int, str]:
        child = os.fork()
        if child == 0:
            file = os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, 1)
            os.dup2(file, 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
            ended, status = os._exit, 99
            try:
                callsites.sites = command  # the rest of the command line is as it is
                status = main.main(["sites", "gap", "--project", str(self.small.root)])
                at_end()
            except BaseException as error:  # it is told as what it is: nothing here is meant to come out
                print(f"Traceback: {type(error).__name__}: {error}")
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                ended(status)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), self.output.read_text()

    def tree(self) -> dict[str, bytes]:
        found = (path for path in self.small.root.rglob("*") if path.is_file())
        named = {path.relative_to(self.small.root).as_posix(): path for path in found}
        return {name: path.read_bytes() for name, path in named.items() if not name.startswith((".git/", ".lossport/"))}

    def set_back(self) -> None:
        for name in self.tree().keys() - self.before.keys():
            (self.small.root / name).unlink()
        for name, content in self.before.items():
            (self.small.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.small.root / name).write_bytes(content)
        shutil.rmtree(self.small.root / ".lossport", ignore_errors=True)


@pytest.fixture
def bench(small: Small, tmp_path: Path) -> Bench:
    seen: list[list[Change]] = []
    real = transaction.commit

    def watched(root: Path, state: Path, changes: list[Change]) -> None:
        seen.append(list(changes))
        real(root, state, changes)

    made = Bench(small, tmp_path / "output", [], {}, {})
    made.before = made.tree()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "commit", watched)
        assert small.migrate().result == "migrated"
    made.changes = [change for change in seen[0] if ".lossport" not in change.path.parts]
    made.after = made.tree()
    made.set_back()
    return made


def points(bench: Bench, ways: tuple[str, ...]) -> list[tuple[int, str]]:
    status, told = bench.commit(0, "EIO")
    assert (status, bench.tree()) == (0, bench.after), told
    bench.set_back()
    number = int(told.rpartition("calls ")[2])
    return [(at, how) for at in range(1, number + 1) for how in ways]


def look(bench: Bench, at: int, how: str) -> str:
    """One point: what it did to the tree, in a word, after all that has to hold."""
    status, told = bench.commit(at, how)
    where = (at, how, status, told)
    assert "Traceback" not in told, where
    assert status in (0, 2, 130, -signal.SIGKILL), where
    left = bench.tree()
    if status != -signal.SIGKILL and "not all files could be put back" not in told:
        assert left in (bench.before, bench.after), where
        assert status != 0 or left == bench.after, where
        assert "everything is as it was" not in told or left == bench.before, where
        assert "all that was to be written is written" not in told or left == bench.after, where
    status, told = bench.next_command()
    assert status == 0, (where, told)
    found = bench.tree()
    assert found in (bench.before, bench.after), (where, told)
    assert (found == left) or "a lossport command was cut short here" in told, (where, told)
    assert not (bench.small.root / ".lossport/journal.json").exists()
    bench.set_back()
    return "before" if found == bench.before else "after"


def test_a_fault_at_every_call_leaves_the_tree_as_before_or_as_after(bench: Bench) -> None:
    outcomes = [look(bench, at, how) for at, how in points(bench, FAULTS)]
    assert len(outcomes) >= 200
    assert set(outcomes) == {"before", "after"}


def test_a_signal_at_every_call_leaves_the_tree_as_before_or_as_after(bench: Bench) -> None:
    outcomes = [look(bench, at, how) for at, how in points(bench, SIGNALS)]
    assert len(outcomes) >= 150
    assert set(outcomes) == {"before", "after"}
