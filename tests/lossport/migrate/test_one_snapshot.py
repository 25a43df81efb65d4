"""What one migration asks of the disk: each file once, each port once, and git twice for the list of files."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from lossport.migrate import unchanged

ASKED_AGAIN = unchanged.Found.changed.__code__
"""Under the lock, right before the commit, everything that was read is read again on purpose."""

ON_PURPOSE = ("copies.py", "journal.py", "transaction.py", "loaded.py", "config.py")
"""The copy for the rehearsal, the commit, which looks at the disk itself, what Python has loaded, and `[tool.lossport]`."""


class Counted:
    """The files of a tree that lossport has read, the ports that it has run, and its questions to git."""

    def __init__(self, root: str) -> None:
        self.root = root + os.sep
        self.read: Counter[str] = Counter()
        self.read_again: Counter[str] = Counter()
        self.ports: Counter[str] = Counter()
        self.listings = 0
        self.on = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            self._opened(*arguments)
        elif event == "exec" and isinstance(arguments[0], CodeType):
            shown = self._shown(arguments[0].co_filename)
            self.ports[shown] += shown.startswith("migration/ports/")
        elif event == "subprocess.Popen" and {"ls-files", "-co"} <= set(arguments[1]):
            self.listings += 1

    def _opened(self, path: object, mode: str | None, flags: int) -> None:
        shown = self._shown(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""
        writes = flags & (os.O_WRONLY | os.O_RDWR)
        if not shown or writes or shown.startswith(".lossport") or not os.path.isfile(self.root + shown):
            return
        frames = list(_frames(sys._getframe(2)))
        if any("importlib" in frame.f_code.co_filename or "linecache" in frame.f_code.co_filename for frame in frames[:3]):
            return  # Python itself, which imports what a case needs
        if any(frame.f_code.co_filename.endswith(ON_PURPOSE) for frame in frames):
            return
        again = any(frame.f_code is ASKED_AGAIN for frame in frames)
        (self.read_again if again else self.read)[shown] += 1

    def _shown(self, path: str) -> str:
        return path.removeprefix(self.root) if path.startswith(self.root) else ""


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


@contextmanager
def counting(root: str) -> Iterator[Counted]:
    counted = Counted(root)
    sys.addaudithook(counted.hook)  # there is no way to remove one
    counted.on = True
    try:
        yield counted
    finally:
        counted.on = False


def test_a_migration_reads_each_file_once_runs_each_port_once_and_lists_the_tree_twice(small: Any) -> None:
    with counting(str(small.root)) as counted:
        assert small.run("migrate", "gap", "--device", "cpu") == 0
    again = {name: times for name, times in counted.read.items() if times > 1}
    assert again == {"app.py": 2}  # for the report, as the migration has rewritten it
    assert {"old/gap.py", "fresh/gap.py", "tests/test_app.py", "migration/cases/gap.py"} <= counted.read.keys()
    assert set(counted.read_again.values()) == {1}
    assert +counted.ports == {"migration/ports/gap.py": 1}
    assert counted.listings == 2
