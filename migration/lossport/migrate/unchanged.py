"""What was read is what is there: the files of the project when a migration began, and what has changed since.

Content counts, not time: a file that was saved again with the same bytes has not changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lossport.project.config import Loss, Project
from lossport.project.snapshot import Snapshot, snapshot_of
from lossport.source.files import source_files


@dataclass(frozen=True)
class Found:
    """The files of the project with what tells whether they have changed."""

    project: Snapshot
    loss: Loss
    digests: Mapping[Path, str]

    def changed(self) -> tuple[str, ...]:
        """What is not as it was found, each with a word: changed, gone, or new and perhaps naming the loss."""
        fresh = self.project.again()
        now = {path: _digest(fresh, path) for path in _files(fresh)}
        before = self.digests
        told = {path: "is gone" for path in before if path not in now or not now[path]}
        told |= {path: "changed" for path in before if now.get(path) and now[path] != before[path]}
        told |= {path: "is new and may name the loss" for path in now if path not in before and self._may_name(path)}
        return tuple(f"{self.project.relative(path)} {told[path]}" for path in sorted(told))

    def _may_name(self, path: Path) -> bool:
        try:
            content = path.read_bytes()
        except OSError:
            return False
        words = {part for symbol in self.loss.symbols for part in symbol.split(".")[-2:]}
        return any(word.encode() in content for word in words)


def found(project: Project, loss: Loss) -> Found:
    """The files as the snapshot has them."""
    snapshot = snapshot_of(project)
    return Found(snapshot, loss, {path: digest for path in _files(snapshot) if (digest := _digest(snapshot, path))})


def _files(project: Project) -> Iterator[Path]:
    """Sources, the configuration, and what ports, cases and the tests of the project say."""
    yield from source_files(project)
    for folder in (project.ports, project.cases):
        yield from sorted(folder.glob("*.py"))
    table = project.root / "pyproject.toml"
    if table.is_file():
        yield table


def _digest(snapshot: Snapshot, path: Path) -> str:
    """Of the content; empty where there is no such file."""
    try:
        content = snapshot.content(path)
        target = os.readlink(path) if os.path.islink(path) else ""
    except OSError:
        return ""
    return "" if content is None else target + hashlib.blake2b(content, digest_size=16).hexdigest()
