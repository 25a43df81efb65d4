"""A copy of the tree for a rehearsal: what git knows, what tests need beside it, with the planned edits made.

Never a virtual environment. Large files are hard links where the disk can do that: nobody copies gigabytes to run some tests.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from lossport.project.config import Project
from lossport.project.errors import InputError
from lossport.project.listing import GIT_TIMEOUT_S, NEVER_ENTERED, listed_by_git
from lossport.project.snapshot import snapshot_of
from lossport.project.transaction import Change

LARGE = 8 * 2**20
"""Bytes from which a file is linked: sources and small data are copied, so that a test that writes to them spoils nothing."""

BUILT = frozenset({".py", ".so", ".pyd", ".dylib"})
"""Of the files that git ignores, those that code beside them imports: generated versions, built extensions."""

PREFIX = "lossport-trial-"


@contextlib.contextmanager
def copied(project: Project, changes: Sequence[Change]) -> Iterator[Path]:
    """The root of a copy with the changes made in it; the copy is gone afterwards.

    Raises:
        InputError: the temporary folder does not take it.
    """
    _remove_left_copies()
    place = Path(tempfile.gettempdir())
    try:
        folder = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True)
    except OSError as error:
        raise InputError(_no_room(place, error)) from error
    with folder as name:
        copy = Path(name).resolve() / project.root.name
        try:
            for path in _files(project):
                _copy(path, copy / path.relative_to(project.root), project.root)
            for change in changes:
                _make(copy / change.path.relative_to(project.root), change.after)
        except OSError as error:
            raise InputError(_no_room(place, error)) from error
        yield copy


def _no_room(place: Path, error: OSError) -> str:
    why = error.strerror or error
    return f"{place}: no copy of the tree for the rehearsal fits there ({why}); free some space, or set TMPDIR to another folder"


def _remove_left_copies() -> None:
    """Copies of processes that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = left.name.removeprefix(PREFIX).partition("-")[0]
        if number.isdigit() and int(number) != os.getpid() and not _runs(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _runs(pid: int) -> bool:
    if os.name == "nt":  # pragma: no cover - asking would end it there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _files(project: Project) -> Iterator[Path]:
    """Every file and link that the copy holds."""
    snapshot = snapshot_of(project)
    if not snapshot.by_git:
        yield from _walked(project.root)
        return
    names = snapshot.listing
    folders = {os.path.dirname(name) for name in names}
    for name in names:
        path = project.root / name
        if path.is_symlink() or path.is_file():
            if not _in_environment(path, project.root):
                yield path
        elif path.is_dir():  # a submodule
            yield from (path / inner for inner in listed_by_git(path) or () if (path / inner).is_file())
    for name in _ignored(project.root):
        beside = os.path.dirname(name) in folders and os.path.splitext(name)[1] in BUILT
        if beside or any(fnmatchcase(name, p) or fnmatchcase(name, f"{p.rstrip('/')}/*") for p in project.test_files):
            yield project.root / name


def _walked(folder: Path) -> Iterator[Path]:
    """Without git: everything but hidden folders, environments and what Python has compiled."""
    for entry in sorted(os.scandir(folder), key=lambda item: item.name):
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name in NEVER_ENTERED:
            continue
        if entry.is_dir(follow_symlinks=False):
            if not (path / "pyvenv.cfg").is_file():
                yield from _walked(path)
        else:
            yield path


def _in_environment(path: Path, root: Path) -> bool:
    inside = [folder for folder in path.parents if folder.is_relative_to(root) and folder != root]
    return any(folder.name in NEVER_ENTERED or (folder / "pyvenv.cfg").is_file() for folder in inside)


def _ignored(root: Path) -> list[str]:
    """What git ignores, in folders that hold something else as well; those that are ignored as a whole are not entered."""
    command = ["git", "-C", str(root), "ls-files", "-o", "-i", "--exclude-standard", "-z", "--", "."]
    try:
        listing = subprocess.run(command, capture_output=True, timeout=GIT_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return []
    names = (os.fsdecode(name) for name in listing.stdout.split(b"\0") if name)
    return [name for name in names if not NEVER_ENTERED.intersection(name.split("/")) and not name.startswith(".lossport/")]


def _copy(path: Path, target: Path, root: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        leads = Path(os.readlink(path))
        inside = path.resolve().is_relative_to(root)
        stays = leads if inside and not leads.is_absolute() else path.resolve()
        if inside and leads.is_absolute():
            stays = Path(os.path.relpath(path.resolve(), path.parent.resolve()))
        target.symlink_to(stays)
    elif path.stat().st_size < LARGE:
        shutil.copy2(path, target)
    else:
        _link(path, target)


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError:  # another disk, or one that has no links
        target.symlink_to(path)


def _make(path: Path, content: bytes | None) -> None:
    path.unlink(missing_ok=True)  # it may be a link to the file of the tree
    if content is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
