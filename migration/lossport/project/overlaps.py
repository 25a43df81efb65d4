"""Folders of the configuration that may not lie in each other: what lossport writes there would overwrite what others wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

NOBODYS = (".git", ".hg", ".svn", ".lossport")
"""Folders of other programs, and of lossport itself, at the root or below."""

WRITTEN = ("goldens", "reports")
"""Folders whose files lossport makes: they hold nothing else."""


def overlap(root: Path, folders: Mapping[str, Path], sources: Sequence[Path]) -> str:
    """What is wrong with the folders, given by their keys, as one message; empty if they go together. `sources` are tests."""
    return next(_overlaps(root, folders, sources), "")


def _overlaps(root: Path, folders: Mapping[str, Path], sources: Sequence[Path]) -> Iterator[str]:
    for key, path in folders.items():
        parts = path.relative_to(root).parts
        if not parts:
            yield f"{key}: '.' is the project itself; expected a folder in it"
        elif not set(NOBODYS).isdisjoint(parts):
            yield f"{key}: {'/'.join(parts)!r} lies in a folder of another program; expected one of the project's own"
    if folders["new"].is_relative_to(folders["legacy"]):
        yield _told(root, "new", folders["new"], "legacy", folders["legacy"])
    for key in WRITTEN:
        others = {name: path for name, path in folders.items() if name not in (key, "ledger")}
        for other, path in [*others.items(), *(("tests", path) for path in sources)]:
            if folders[key].is_relative_to(path) or path.is_relative_to(folders[key]):
                yield _told(root, key, folders[key], other, path)
    if folders["ports"] == folders["cases"]:
        yield _told(root, "ports", folders["ports"], "cases", folders["cases"])


def _told(root: Path, key: str, path: Path, other: str, beside: Path) -> str:
    shown, there = path.relative_to(root).as_posix(), beside.relative_to(root).as_posix()
    return f"{key}: {shown!r} and {other} {there!r} overlap; expected folders that do not lie in each other"
