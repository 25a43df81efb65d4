"""Which tests a run leaves out, and why: every test is in one of three tiers.

`quick` is what has no mark. `slow` tests take more than a second or two; `make test` runs them as well. `full` tests are slow by
nature, and their mark says what makes them so: `@pytest.mark.full(reason="...")`. They run in `make test TESTS=all`, which
`.ci/run` runs to its end.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that left the default run without a reason."""
    for item in items:
        for mark in item.iter_markers("full"):
            if not mark.kwargs.get("reason"):
                raise pytest.UsageError(f"{item.nodeid}: say why it is slow by nature: @pytest.mark.full(reason='...')")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """A folder that is filled once for all worker processes of a run: `once(name, fill)`. Nobody may write into it afterwards."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen-gw"):  # a worker's own; the one above is that of the run
        shared = shared.parent

    def folder(name: str, fill: Callable[[Path], object]) -> Path:
        target, done = shared / f"once-{name}", shared / f"once-{name}.done"
        with open(shared / f"once-{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                target.mkdir()
                fill(target)
                done.touch()
        return target

    return folder
