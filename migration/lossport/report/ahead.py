"""Measure and draw what the next report needs while something else still runs: `python -m lossport.report.ahead ROOT GONE...`.

A process of its own on another processor. What it finds goes into the cache that the report reads; a process that fails or is
ended costs time and nothing else, since the report measures what the cache does not have.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lossport.project.config import Project, find_project


@contextlib.contextmanager
def measured_ahead(project: Project, gone: Iterable[Path]) -> Iterator[Callable[[], object]]:
    """Measure the project without the files that will be `gone`; call what is given to wait for the end of it.

    Without a second processor nothing is started: it would only take turns with what runs.
    """
    if (os.cpu_count() or 1) < 2:
        yield lambda: None
        return
    command = [sys.executable, "-P", "-m", "lossport.report.ahead", str(project.root), *map(str, gone)]
    null = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=project.root, start_new_session=True, stdin=null, stdout=null, stderr=null)
    try:
        yield process.wait
    finally:
        process.kill()
        process.wait()


def main(root: str, *gone: str) -> None:
    """Measure one project, as the command line names it."""
    from lossport.report.build import measure_ahead  # noqa: PLC0415  # the caller of `measured_ahead` needs none of it

    measure_ahead(find_project(Path(root)), frozenset(map(Path, gone)), today=dt.datetime.now(dt.UTC).date())


if __name__ == "__main__":
    main(*sys.argv[1:])
