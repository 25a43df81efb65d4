"""The Python files below a folder as bytes by path: the one place where measuring touches the work tree.

Paths are relative to the project with forward slashes. Links are not followed, so nothing outside the project is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Folders that hold no source of the project; those whose names begin with a dot are left out as well."""


def read_sources(root: Path, folder: Path, read: Callable[[Path], bytes | None] = Path.read_bytes) -> dict[str, bytes]:
    """Every `.py` file below `folder`, in order of path; empty if there is no such folder."""
    found: dict[str, bytes] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(files):
            path = Path(place, name)
            if name.endswith(".py") and path.is_file() and not path.is_symlink():
                found[_shown(path.relative_to(root).as_posix())] = read(path) or b""
    return found


def _shown(path: str) -> str:
    """A path that can be shown and written anywhere; names that are no UTF-8 keep their bytes as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
