"""The code that a side runs, as files with digests: where all of it is as it was, it does again what it did."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lossport.observe.isolation import NOT_THE_PROJECTS, Scope

INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders of what is not the project's, though they may lie in it."""


def loaded_code(scope: Scope) -> dict[str, str]:
    """The files that modules were loaded from, with digests of their contents; but for Python, torch and this harness, which a
    verdict's environment names."""
    with scope.active():
        return {str(path): _digest(path) for path in sorted(_files())}


def is_unchanged(before: Mapping[str, str], scope: Scope, roots: Sequence[Path]) -> bool:
    """Whether every file is as it was, and nothing of the project is loaded now from another one, as from a new file that takes
    the place of an old one."""
    with scope.active():
        own = {str(path) for path in _files() if INSTALLED.isdisjoint(path.parts) and any(map(path.is_relative_to, roots))}
    return bool(before) and own <= before.keys() and all(_digest(Path(path)) == then for path, then in before.items())


def _files() -> Iterator[Path]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name.partition(".")[0] not in NOT_THE_PROJECTS:
            yield Path(file)


def _digest(path: Path) -> str:
    """Of what is no source text, which can be large: its size and time."""
    with contextlib.suppress(OSError):
        if path.suffix == ".py":
            return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        told = path.stat()
        return f"{told.st_size} {told.st_mtime_ns}"
    return ""
