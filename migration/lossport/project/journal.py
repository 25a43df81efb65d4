"""The journal of a transaction: old and new contents in the state folder, and the file that points at them.

Its appearance begins a transaction, its removal ends it. Nothing in it is believed before it is checked: types, paths, digests.
Knows bytes and paths only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lossport.project.errors import InputError

FORMAT = 2
"""Raised when a journal of an older version can no longer be read."""

FILE, FOLDER = "journal.json", "journal"
"""The journal in the state folder, and the folder of the contents."""

GIT_SECONDS = 10
"""For the name of one commit; a git that hangs must not hang a recovery."""


@dataclass(frozen=True)
class Entry:
    """One file of a transaction: where it is, digests of its content before and after, and what it takes to put it back."""

    path: str
    before: str | None
    after: str | None
    mode: int | None
    new_folders: tuple[str, ...] = ()


def digest(content: bytes | None) -> str | None:
    """SHA-256 of a content, None for a file that is not there."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def read_or_none(path: Path) -> bytes | None:
    """The bytes of a file, None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def exists(state: Path) -> bool:
    """Whether a transaction began here and did not end."""
    return (state / FILE).exists()


def write(root: Path, state: Path, entries: Sequence[Entry], contents: Sequence[tuple[bytes | None, bytes | None]]) -> None:
    """Old and new contents first, then the journal that points at them."""
    folder = state / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for slot, (before, after) in enumerate(contents):
        if before is not None:
            write_flushed(folder / f"{slot}.old", before)
        if after is not None:
            write_flushed(folder / f"{slot}.new", after)
    data = {"format": FORMAT, "head": head(root), "files": [asdict(entry) for entry in entries]}
    flush_folder(folder)
    write_flushed(state / f"{FILE}.new", json.dumps(data).encode())
    os.replace(state / f"{FILE}.new", state / FILE)
    flush_folder(state)


def read(root: Path, state: Path) -> tuple[Entry, ...]:
    """The entries of the journal, checked.

    Raises:
        InputError: it is damaged, of another version, or the tree is another one than it was written for.
    """
    path = state / FILE
    try:
        data = json.loads(path.read_bytes())
        if data["format"] != FORMAT:
            raise InputError(f"{path}: written by another version of lossport; run that version once to undo its work")
        entries = tuple(_entry(root, item) for item in data["files"])
        then = data["head"]
        if not isinstance(then, str):
            raise TypeError(f"head is {then!r}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: damaged ({error}). Nothing was put back: look at git status, then delete it to keep all files as they are"
        ) from error
    if then != head(root):
        raise InputError(
            f"{path}: another commit is checked out than when a lossport command was cut short here ({then[:12] or 'none'}). "
            f"Nothing was put back: check that one out, or delete {path} to keep all files as they are"
        )
    for slot, entry in enumerate(entries):
        old = state / FOLDER / f"{slot}.old"
        if entry.before is not None and digest(read_or_none(old)) != entry.before:
            raise InputError(
                f"{old}: damaged, so that {entry.path} cannot be put back from it. Nothing was put back: restore the files "
                f"from git, then delete {path}"
            )
    return entries


def _entry(root: Path, item: Any) -> Entry:
    entry = Entry(item["path"], item["before"], item["after"], item["mode"], tuple(item["new_folders"]))
    for text in (entry.path, *entry.new_folders):
        parts = PurePosixPath(text).parts
        place = root.joinpath(*parts)
        if not parts or PurePosixPath(text).is_absolute() or ".." in parts or not _inside(root, place):
            raise ValueError(f"{text!r} lies outside the project")
    for name, value in (("before", entry.before), ("after", entry.after)):
        if value is not None and (not isinstance(value, str) or len(value) != 64):
            raise ValueError(f"{name} of {entry.path!r} is no digest")
    if entry.mode is not None and (isinstance(entry.mode, bool) or not 0 <= entry.mode <= 0o777):
        raise ValueError(f"mode of {entry.path!r} is {entry.mode!r}")
    return entry


def _inside(root: Path, place: Path) -> bool:
    return place.parent.resolve().is_relative_to(root.resolve())


def restore(root: Path, state: Path, entries: Sequence[Entry]) -> list[str]:
    """Every file as it was before; those that were never touched, or that somebody has changed since, stay as they are."""
    restored = []
    for slot, entry in enumerate(entries):
        path = root / entry.path
        if digest(read_or_none(path)) != entry.after or entry.after == entry.before:
            continue
        restored.append(entry.path)
        if entry.before is None:
            path.unlink()
        else:
            temporary = state / FOLDER / f"{slot}.back"
            write_flushed(temporary, (state / FOLDER / f"{slot}.old").read_bytes())
            if entry.mode is not None:
                os.chmod(temporary, entry.mode)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, path)
    for entry in entries:
        for name in entry.new_folders:
            with contextlib.suppress(OSError):  # not empty: someone else's files are in it
                (root / name).rmdir()
    close(state)
    return restored


def close(state: Path) -> None:
    """End the transaction. Once the journal is gone nothing can fail it any more."""
    (state / FILE).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        flush_folder(state)
    shutil.rmtree(state / FOLDER, ignore_errors=True)


def head(root: Path) -> str:
    """The commit that is checked out; empty outside git, and before the first one."""
    command = ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=GIT_SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def write_flushed(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """A rename is durable only when its folder is flushed; Windows has no such call."""
    if os.name != "nt" and folder.is_dir():
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
