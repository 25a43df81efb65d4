"""Which files belong to a project: what git knows, or a plain walk that honours ignore files elsewhere.

Never a virtual environment, never what the migration itself writes. Opens no file that is not a link.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossport.project.config import Project

if TYPE_CHECKING:
    from pathspec import PathSpec

NEVER_ENTERED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", "site-packages"})
"""Folders that hold no source of the project, ignored or not."""

GIT_TIMEOUT_S = 120
"""Listing a tree of a million files takes seconds; a git that hangs on a lock or a network drive must not hang us."""


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
    names = listed_by_git(project.root)
    root = str(project.root)
    texts = map(str, _walked(project.root)) if names is None else (f"{root}{os.sep}{name}" for name in names)
    belongs = _Belonging(project)
    files: dict[str, str] = {}
    not_entered: list[tuple[Path, str]] = []
    for text in texts:
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


def _walked(root: Path) -> Iterator[Path]:
    """A walk without git: ignore files are honoured as git would, nearest last."""
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
