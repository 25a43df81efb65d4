"""All-or-nothing edits of a tree: a journal, renames at the end, deletes last, rollback on any error.

The order is what makes it safe. Old contents and the journal are on disk before the first file of the tree is touched; new
contents are written beside the old ones and flushed; then come the renames, then the deletes; removing the journal is the
moment of success. Whoever finds a journal (`recover`) puts every old content back, so a killed process leaves the tree as it was.
This module knows bytes and paths only, not what they mean.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from lossport.project.errors import InputError

if os.name == "nt":  # pragma: no cover - the other branch runs on the machines that test this
    import msvcrt
else:
    import fcntl

JOURNAL_FORMAT = 1
"""Raised when a journal or an undo record of an older version can no longer be read."""


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


def digest(content: bytes | None) -> str | None:
    """SHA-256 of a content, None for a file that is not there."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def read_or_none(path: Path) -> bytes | None:
    """The bytes of a file, None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def written(path: Path, content: bytes) -> Change:
    """The change that gives a file this content, whatever it has now."""
    return Change(path, read_or_none(path), content)


class NotWritten(InputError, OSError):
    """The disk did not take a change: full, read-only, gone. The message says where."""


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
    """
    recover(root, state)
    todo = [change for change in changes if change.before != change.after]
    for change in todo:
        _check(root, change)
    if not todo:
        return
    try:
        journal = _write_journal(root, state, todo)
    except OSError as error:
        shutil.rmtree(state / "journal", ignore_errors=True)
        raise NotWritten(_why_not_written(root, error)) from error
    try:
        _apply(root, todo)
    except BaseException as error:  # also KeyboardInterrupt: the promise holds for every way out
        with _uninterrupted():
            _put_back(root, state, journal)
        if isinstance(error, OSError):
            raise NotWritten(_why_not_written(root, error)) from error
        raise
    with _uninterrupted():
        _close_journal(state)


def _put_back(root: Path, state: Path, journal: dict[str, Any]) -> None:
    try:
        _restore(root, state, journal)
    except OSError as error:
        raise NotWritten(
            f"{_why_not_written(root, error)}, and not all files could be put back. Their contents from before are kept: "
            f"mend that, then run any lossport command that writes, which puts them back first"
        ) from error


def _why_not_written(root: Path, error: OSError) -> str:
    path = Path(error.filename) if isinstance(error.filename, str) else None
    shown = path.relative_to(root) if path is not None and path.is_relative_to(root) else path
    where = f"{shown}: " if shown is not None else ""
    return f"{where}cannot be written ({error.strerror or error}); everything is as it was"


def recover(root: Path, state: Path) -> list[str]:
    """Put back what an interrupted process left half done; the relative paths that were restored, [] if there was nothing.

    Raises:
        InputError: a file was changed by someone else since; nothing is restored then.
    """
    journal_file = state / "journal.json"
    if not journal_file.exists():
        shutil.rmtree(state / "journal", ignore_errors=True)
        return []
    journal = json.loads(journal_file.read_bytes())
    if journal.get("format") != JOURNAL_FORMAT:
        raise InputError(
            f"{journal_file}: written by another version of lossport; run that version once to finish or undo its work"
        )
    for entry in journal["files"]:
        found = digest(read_or_none(root / entry["path"]))
        if found not in (entry["before"], entry["after"]):
            raise InputError(
                f"{entry['path']}: changed since a migration was interrupted here; its content from before lies in "
                f"{state / 'journal' / str(entry['slot'])}. Put the file into its old or new form, "
                f"or delete {journal_file} to keep all files as they are"
            )
    with _uninterrupted():
        return _restore(root, state, journal)


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
    return json.dumps({"format": JOURNAL_FORMAT, "files": entries}, indent=1).encode() + b"\n"


def read_undo_record(root: Path, record: Path) -> list[Change]:
    """The changes that take a recorded migration back.

    Raises:
        InputError: the record is damaged, or a file was changed since; each such file is named.
    """
    try:
        data = json.loads(record.read_bytes())
        if data["format"] != JOURNAL_FORMAT:
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


def _check(root: Path, change: Change) -> None:
    path = change.path
    if not path.parent.resolve().is_relative_to(root.resolve()) or ".." in path.parts:
        raise InputError(f"{path}: lies outside {root}; nothing there is ever written")
    if path.is_symlink():
        raise InputError(f"{path}: is a symbolic link; edit or migrate the file that it points to")
    if read_or_none(path) != change.before:
        raise InputError(f"{path.relative_to(root)}: changed while the migration was being planned; run it again")


def _write_journal(root: Path, state: Path, changes: Sequence[Change]) -> dict[str, Any]:
    """Old contents first, then the journal that points at them: its appearance is the start of the transaction."""
    _make_state_folder(state)
    folder = state / "journal"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files = []
    for slot, change in enumerate(changes):
        if change.before is not None:
            _write_flushed(folder / str(slot), change.before)
        missing = [p for p in change.path.parents if p.is_relative_to(root) and not p.exists()]
        files.append(
            {
                "path": change.path.relative_to(root).as_posix(),
                "slot": slot,
                "before": digest(change.before),
                "after": digest(change.after),
                "mode": _mode(change.path),
                "new_folders": [p.relative_to(root).as_posix() for p in missing],
            }
        )
    journal = {"format": JOURNAL_FORMAT, "files": files}
    _flush_folder(folder)
    _write_flushed(state / "journal.new", json.dumps(journal).encode())
    os.replace(state / "journal.new", state / "journal.json")
    _flush_folder(state)
    return journal


def _apply(root: Path, changes: Sequence[Change]) -> None:
    """Write beside, flush, rename, delete: in this order over all files."""
    written = [change for change in changes if change.after is not None]
    for change in written:
        change.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(change.path)
        _write_flushed(temporary, change.after or b"")
        if change.before is not None:
            os.chmod(temporary, change.path.stat().st_mode & 0o777)
        elif change.mode is not None:
            os.chmod(temporary, change.mode)
    for change in changes:
        _check(root, change)  # an editor may have saved a file while the others were written
    for change in written:
        os.replace(_beside(change.path), change.path)
    for change in changes:
        if change.after is None:
            change.path.unlink()
    for folder in {change.path.parent for change in changes}:
        _flush_folder(folder)


def _restore(root: Path, state: Path, journal: dict[str, Any]) -> list[str]:
    """Every file as the journal says it was; files that were never touched stay untouched."""
    restored = []
    for entry in journal["files"]:
        path = root / entry["path"]
        _beside(path).unlink(missing_ok=True)
        if digest(read_or_none(path)) != entry["after"] or entry["after"] == entry["before"]:
            continue  # not touched yet, or someone else's since
        restored.append(entry["path"])
        if entry["before"] is None:
            path.unlink()
        else:
            temporary = _beside(path)
            _write_flushed(temporary, (state / "journal" / str(entry["slot"])).read_bytes())
            os.chmod(temporary, entry["mode"])
            os.replace(temporary, path)
    for entry in journal["files"]:
        for name in entry["new_folders"]:
            with contextlib.suppress(OSError):  # not empty: someone else's files are in it
                (root / name).rmdir()
    _close_journal(state)
    return restored


def _close_journal(state: Path) -> None:
    (state / "journal.json").unlink(missing_ok=True)
    _flush_folder(state)
    shutil.rmtree(state / "journal", ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.lossport-new")


def _write_flushed(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """A rename is durable only when its folder is flushed; Windows has no such call."""
    if os.name != "nt" and folder.is_dir():
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and termination back: they are delivered when the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    signals = (signal.SIGINT, signal.SIGTERM)
    former = {int(s): signal.signal(s, lambda number, frame: held.append((number, frame))) for s in signals}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for number, _ in held:
            signal.raise_signal(number)
