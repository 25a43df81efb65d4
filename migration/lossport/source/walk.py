"""Which files belong to a project: what git knows, or a plain walk that honours ignore files elsewhere.

Never a virtual environment, never what the migration itself writes. Opens no file that is not a link.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from lossport.project.config import Project
from lossport.project.listing import NEVER_ENTERED, listed_by_git
from lossport.project.snapshot import Snapshot, snapshot_of


@dataclass(frozen=True)
class Walk:
    """The files, in order of their paths, and the places that were not entered, with the reason.

    Paths of files are text: over ten thousand of them, `Path` costs more than the search. Beside each stands why it must not be
    written, although it is read (a link that leads out, a submodule); nothing where it may be.
    """

    files: Mapping[str, str]
    not_entered: tuple[tuple[Path, str], ...] = ()


def walk(project: Project) -> Walk:
    """Every file of the project that can hold a call site."""
    snapshot = snapshot_of(project)
    return snapshot.once("walk", lambda: _walk(snapshot))


def _walk(project: Snapshot) -> Walk:
    belongs = _Belonging(project)
    files: dict[str, str] = {}
    not_entered: list[tuple[Path, str]] = []
    for name in project.listing:
        text = f"{project.root}{os.sep}{name}"
        if belongs(text):
            for found, foreign in _expand(project, text, not_entered):
                files.setdefault(found, foreign)
    return Walk({text: files[text] for text in sorted(files)}, tuple(not_entered))


class _Belonging:
    """Whether a path is one of the project's sources."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.root = f"{project.root}{os.sep}"
        self.own = frozenset(str(path) for path in project.own_paths)
        self.below_own = tuple(f"{path}{os.sep}" for path in self.own)
        self.folders: dict[str, bool] = {}
        self.environments: dict[Path, bool] = {}

    def __call__(self, text: str) -> bool:
        if text in self.own or text.startswith(self.below_own):
            return False
        if self.project.exclude:
            shown = text[len(self.root) :].replace(os.sep, "/")
            if any(fnmatchcase(shown, p) or fnmatchcase(shown, p.rstrip("/") + "/*") for p in self.project.exclude):
                return False
        folder = os.path.dirname(text)
        if folder not in self.folders:
            self.folders[folder] = not _in_environment(Path(folder), self.project.root, self.environments)
        return self.folders[folder]


def _in_environment(folder: Path, root: Path, known: dict[Path, bool]) -> bool:
    """Whether the folder lies in a virtual environment or a folder that is never entered. Remembered per folder."""
    if folder in (root, folder.parent):
        return False
    if folder not in known:
        known[folder] = (
            folder.name in NEVER_ENTERED or (folder / "pyvenv.cfg").is_file() or _in_environment(folder.parent, root, known)
        )
    return known[folder]


def _expand(project: Project, text: str, not_entered: list[tuple[Path, str]]) -> Iterator[tuple[str, str]]:
    """The file itself; for a link or a submodule, what there is to read behind it. Each with why it must not be written."""
    try:
        kind = os.lstat(text).st_mode
    except OSError:
        return  # git lists a file until its deletion is committed
    if stat.S_ISREG(kind):
        yield text, ""
        return
    path = Path(text)
    if stat.S_ISLNK(kind):
        target = path.resolve()
        inside = target.is_relative_to(project.root)
        if target.is_file() and not inside:
            yield text, "a link that leads out of the project"
        elif target.is_dir() and not inside:
            not_entered.append((path, "a link to a folder outside the project"))
    elif stat.S_ISDIR(kind):
        for name in listed_by_git(path) or ():
            if name:
                inner = _expand(project, f"{text}{os.sep}{name}", not_entered)
                yield from ((found, foreign or "in a submodule, a repository of its own") for found, foreign in inner)
