"""All-or-nothing edits of a tree: a journal, renames at the end, deletes last, rollback on any error.

The order is what makes it safe. Old and new contents and the journal are on disk, in the state folder, before the first file of
the tree is touched; then come the renames, then the deletes; removing the journal is the moment of success. Whoever finds a
journal (`recover`) puts every old content back, so a killed process leaves the tree as it was. Signals wait until it is over.
This module knows bytes and paths only, not what they mean.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.project import journal
from lossport.project.errors import InputError
from lossport.project.journal import Entry, digest, flush_folder, read_or_none

if os.name == "nt":  # pragma: no cover - the other branch runs on the machines that test this
    import msvcrt
else:
    import fcntl

UNDO_FORMAT = 1
"""Raised when an undo record of an older version can no longer be read."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE") if hasattr(signal, name))
"""What ends a command from outside; they are held back while a transaction runs."""


@dataclass(frozen=True)
class Change:
    """One file: its bytes before and after. None is a file that is not there; `mode` has its permissions when it comes back."""

    path: Path
    before: bytes | None
    after: bytes | None
    mode: int | None = None

    def reversed(self) -> Change:
        """The change that takes this one back."""
        return Change(self.path, self.after, self.before)


def written(path: Path, content: bytes) -> Change:
    """The change that gives a file this content, whatever it has now."""
    return Change(path, read_or_none(path), content)


class NotWritten(InputError, OSError):
    """The disk did not take a change: full, read-only, gone. The message says where."""


class CommittedThenInterrupted(KeyboardInterrupt):
    """A signal came while a transaction ran, and was held back until it was over: everything is written."""


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold the project's lock: two migrations of one tree at a time would undo each other.

    Raises:
        InputError: another process holds it.
    """
    _make_state_folder(state)
    with open(state / "lock", "a+b") as file:
        try:
            if os.name == "nt":  # pragma: no cover
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows only
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{state / 'lock'}: another lossport is at work on this project; wait for it to end, then run this again"
            ) from error
        yield


def _make_state_folder(state: Path) -> None:
    """The folder for the journal, the lock and undo records; it ignores itself in git."""
    state.mkdir(exist_ok=True)
    ignore = state / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


def commit(root: Path, state: Path, changes: Sequence[Change]) -> None:
    """Make all the changes, or none.

    Args:
        root: no change may lie outside this folder.
        state: folder for the journal; on the same disk as the tree.
        changes: one per file.

    Raises:
        InputError: a file is not as `before` says, is a link, or lies outside the root; the tree is untouched.
        CommittedThenInterrupted: everything is written, and a signal came meanwhile.
    """
    recover(root, state)
    todo = [change for change in changes if change.before != change.after]
    for change in todo:
        _check(root, change)
    if not todo:
        return
    done = False
    try:
        with _uninterrupted():
            _write_and_apply(root, state, todo)
            done = True
    except KeyboardInterrupt as error:
        if done:
            raise CommittedThenInterrupted from error
        raise


def _write_and_apply(root: Path, state: Path, todo: Sequence[Change]) -> None:
    try:
        entries = _write_journal(root, state, todo)
    except OSError as error:
        with contextlib.suppress(OSError):
            journal.close(state)
        raise NotWritten(_why_not_written(root, error)) from error
    try:
        _apply(root, state, todo)
        journal.close(state)
    except BaseException as error:  # whatever it is: the promise holds for every way out
        _put_back(root, state, entries)
        if isinstance(error, OSError):
            raise NotWritten(_why_not_written(root, error)) from error
        raise


def _put_back(root: Path, state: Path, entries: Sequence[Entry]) -> None:
    try:
        journal.restore(root, state, entries)
    except OSError as error:
        raise NotWritten(
            f"{_where_not_written(root, error)}, and not all files could be put back. Their contents from before are kept: "
            f"mend that, then run lossport status, which puts them back first"
        ) from error


def _why_not_written(root: Path, error: OSError) -> str:
    return f"{_where_not_written(root, error)}; everything is as it was"


def _where_not_written(root: Path, error: OSError) -> str:
    path = Path(error.filename) if isinstance(error.filename, str) else None
    shown = path.relative_to(root) if path is not None and path.is_relative_to(root) else path
    where = f"{shown}: " if shown is not None else ""
    return f"{where}cannot be written ({error.strerror or error})"


def recover(root: Path, state: Path) -> list[str]:
    """Put back what an interrupted process left half done; the relative paths that were restored, [] if there was nothing.

    Raises:
        InputError: the journal cannot be trusted, or a file or the commit was changed since; nothing is restored then.
    """
    if not journal.exists(state):
        shutil.rmtree(state / journal.FOLDER, ignore_errors=True)
        return []
    entries = journal.read(root, state)
    for slot, entry in enumerate(entries):
        found = digest(read_or_none(root / entry.path))
        if found not in (entry.before, entry.after):
            raise InputError(
                f"{entry.path}: changed since a migration was interrupted here; its content from before lies in "
                f"{state / journal.FOLDER / f'{slot}.old'}. Put the file into its old or new form, "
                f"or delete {state / journal.FILE} to keep all files as they are"
            )
    with _uninterrupted():
        return journal.restore(root, state, entries)


def undo_record(root: Path, changes: Sequence[Change]) -> bytes:
    """What `read_undo_record` needs to take the changes back, as a file content; to be asked for before they are made."""
    entries = [
        {
            "path": change.path.relative_to(root).as_posix(),
            "before": None if change.before is None else base64.b64encode(change.before).decode("ascii"),
            "after": digest(change.after),
            "mode": _mode(change.path),
        }
        for change in changes
    ]
    return json.dumps({"format": UNDO_FORMAT, "files": entries}, indent=1).encode() + b"\n"


def read_undo_record(root: Path, record: Path) -> list[Change]:
    """The changes that take a recorded migration back.

    Raises:
        InputError: the record is damaged, or a file was changed since; each such file is named.
    """
    try:
        data = json.loads(record.read_bytes())
        if data["format"] != UNDO_FORMAT:
            raise InputError(f"{record}: written by another version of lossport; take the migration back with git instead")
        entries = [(root / e["path"], e["before"], e["after"], e.get("mode")) for e in data["files"]]
        contents = [None if b is None else base64.b64decode(b, validate=True) for _, b, _, _ in entries]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{record}: damaged ({error}); take the migration back with git instead") from error
    changed = [path.relative_to(root).as_posix() for path, _, after, _ in entries if digest(read_or_none(path)) != after]
    if changed:
        raise InputError(
            f"changed since the migration: {', '.join(changed)}; revert those changes and undo again, or take it back with git"
        )
    pairs = zip(entries, contents, strict=True)
    return [Change(path, read_or_none(path), before, mode) for (path, _, _, mode), before in pairs]


def _mode(path: Path) -> int | None:
    """The permissions of a file, None if there is none."""
    return path.stat().st_mode & 0o777 if path.exists() else None


def recorded_paths(record: Path) -> frozenset[str]:
    """The paths that an undo record speaks of; none if it is damaged."""
    try:
        return frozenset(str(entry["path"]) for entry in json.loads(record.read_bytes())["files"])
    except (ValueError, KeyError, TypeError):
        return frozenset()


def _check(root: Path, change: Change) -> None:
    path = change.path
    if not path.parent.resolve().is_relative_to(root.resolve()) or ".." in path.parts:
        raise InputError(f"{path}: lies outside {root}; nothing there is ever written")
    if path.is_symlink():
        raise InputError(f"{path}: is a symbolic link; edit or migrate the file that it points to")
    if read_or_none(path) != change.before:
        raise InputError(f"{path.relative_to(root)}: changed while the migration was being planned; run it again")


def _write_journal(root: Path, state: Path, changes: Sequence[Change]) -> list[Entry]:
    _make_state_folder(state)
    entries = []
    for change in changes:
        missing = [p for p in change.path.parents if p.is_relative_to(root) and not p.exists()]
        folders = tuple(p.relative_to(root).as_posix() for p in missing)
        path = change.path.relative_to(root).as_posix()
        entries.append(Entry(path, digest(change.before), digest(change.after), _mode(change.path), folders))
    journal.write(root, state, entries, [(change.before, change.after) for change in changes])
    return entries


def _apply(root: Path, state: Path, changes: Sequence[Change]) -> None:
    """Permissions, folders, renames, deletes: in this order over all files."""
    written = [(state / journal.FOLDER / f"{slot}.new", change) for slot, change in enumerate(changes)]
    written = [(new, change) for new, change in written if change.after is not None]
    for new, change in written:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        mode = change.mode if change.before is None else _mode(change.path)
        if mode is not None:
            os.chmod(new, mode)
    for change in changes:
        _check(root, change)  # an editor may have saved a file while the others were written
    for new, change in written:
        os.replace(new, change.path)
    for change in changes:
        if change.after is None:
            change.path.unlink()
    for folder in {change.path.parent for change in changes}:
        flush_folder(folder)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold signals back that end a command: they are delivered when the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    former = {number: signal.signal(number, lambda number, frame: held.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(held):
            signal.raise_signal(number)
