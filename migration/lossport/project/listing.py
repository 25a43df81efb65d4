"""Which files there are: what git tracks or would track, or a plain walk that honours ignore files elsewhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathspec import PathSpec

NEVER_ENTERED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", "site-packages"})
"""Folders that hold no source of the project, ignored or not."""

GIT_TIMEOUT_S = 120
"""Listing a tree of a million files takes seconds; a git that hangs on a lock or a network drive must not hang us."""


def listed_by_git(folder: Path) -> list[str] | None:
    """Tracked and untracked-but-not-ignored paths below the folder; None where git has nothing to say."""
    command = ["git", "-C", str(folder), "ls-files", "-co", "--exclude-standard", "-z", "--", "."]
    try:
        listing = subprocess.run(command, capture_output=True, timeout=GIT_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if listing.returncode != 0:
        return None
    names = sorted({os.fsdecode(name) for name in listing.stdout.split(b"\0") if name})
    return [name.rstrip("/") for name in names]


def walked(root: Path) -> list[str]:
    """The files below a folder without asking git, relative to it: ignore files are honoured as git would, nearest last."""
    prefix = len(str(root)) + 1
    return [str(path)[prefix:] for path in _walked(root)]


def _walked(root: Path) -> Iterator[Path]:
    import pathspec  # costs 80 ms and is needed outside git only  # noqa: PLC0415

    def visit(folder: Path, rules: list[tuple[Path, PathSpec[Any]]]) -> Iterator[Path]:
        ignore = folder / ".gitignore"
        if ignore.is_file():
            lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
            rules = [*rules, (folder, pathspec.PathSpec.from_lines("gitwildmatch", lines))]
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            path = folder / entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if _ignored(path, is_folder, rules) or (is_folder and entry.name in NEVER_ENTERED):
                continue
            if is_folder:
                if not (path / "pyvenv.cfg").is_file():
                    yield from visit(path, rules)
            else:
                yield path

    return visit(root, [])


def _ignored(path: Path, is_folder: bool, rules: list[tuple[Path, PathSpec[Any]]]) -> bool:
    verdict: bool | None = None
    for base, spec in rules:
        relative = path.relative_to(base).as_posix() + ("/" if is_folder else "")
        result = spec.check_file(relative)
        verdict = result.include if result.include is not None else verdict
    return bool(verdict)
