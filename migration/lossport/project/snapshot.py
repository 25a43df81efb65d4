"""The project as one command found it: configuration, ports, ledger, the list of files, and every file that was read.

A command takes one snapshot and hands it on; whoever needs a file of the project asks the snapshot for it. A file is read once
and stays what it was then; a port is run once; git is asked once. What other rooms derive - parsed modules, closures,
fingerprints - hangs on the snapshot, so that it is derived once as well. Knows bytes and paths, not what they mean.

A snapshot is a `Project`, so that it goes wherever one goes. A function that is handed a plain project takes a snapshot of its
own (`snapshot_of`), which is as long-lived as its work. A command that writes asks `changed` under the lock before it does.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from lossport.project import ledger
from lossport.project.config import Loss, Project, loss_from
from lossport.project.errors import InputError
from lossport.project.listing import NEVER_ENTERED, listed_by_git, walked

T = TypeVar("T")

KEPT_BYTES = 64 * 2**20
"""Contents that are kept: those of ten thousand files of source. Beyond this a file that is asked for again is read again, and
compared by its digest with what it was."""


@dataclass
class _Seen:
    """What a snapshot has read and derived so far. `contents` has None for a file that was not there."""

    contents: dict[str, bytes | None] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    kept_bytes: int = 0
    of_file: dict[tuple[str, Hashable], Any] = field(default_factory=dict)
    once: dict[Hashable, Any] = field(default_factory=dict)
    folders: dict[str, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot(Project):
    """The project at one moment; see the module. Made by `snapshot_of`."""

    _seen: _Seen = field(default_factory=_Seen, init=False, repr=False, compare=False)

    def content(self, path: Path | str) -> bytes | None:
        """The bytes of a file as they were when it was first asked for; None if there was no such file.

        Raises:
            OSError: it is there and cannot be read.
            InputError: it was read before, was not kept, and is another one now.
        """
        key = str(path)
        seen = self._seen
        if key in seen.contents:
            return seen.contents[key]
        raw = _read(key)
        if key in seen.dropped:
            if _digest(raw) != seen.dropped[key]:
                raise InputError(f"{key}: changed while lossport was at work; run it again")
            return raw
        if raw is not None and seen.kept_bytes + len(raw) > KEPT_BYTES:
            seen.dropped[key] = hashlib.sha256(raw).hexdigest()
            return raw
        seen.kept_bytes += len(raw or b"")
        seen.contents[key] = raw
        return raw

    def text(self, path: Path) -> str:
        """The text of a file in UTF-8, whatever ends its lines read as a newline.

        Raises:
            OSError: there is no such file, or it cannot be read.
            UnicodeDecodeError: it is not UTF-8.
        """
        raw = self.content(path)
        if raw is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8").read()

    @property
    def read(self) -> Mapping[Path, str | None]:
        """Every file that was asked for, with the SHA-256 of what it held; None for one that was not there."""
        found: dict[str, str | None] = {key: _digest(raw) for key, raw in self._seen.contents.items()}
        return {Path(key): digest for key, digest in sorted((found | self._seen.dropped).items())}

    def changed(self) -> tuple[Path, ...]:
        """What is not as this snapshot has it: files that hold something else now, are gone or have come; in order of paths.

        A file has come if it is listed now and was not before, whatever it holds; whoever commits decides which of those matter.
        Reads everything again that was read, so ask once, under the lock (`transaction.locked`), right before committing.
        Files below `state`, which the lock itself writes, do not count.
        """
        seen = self._seen
        other = {key for key, raw in seen.contents.items() if _read_or_none(key) != raw}
        other |= {key for key, digest in seen.dropped.items() if _digest(_read_or_none(key)) != digest}
        if "_listed" in self.__dict__:
            before = frozenset(self.listing)
            come = (f"{self.root}{os.sep}{name}" for name in _listing(self.root)[0] if name not in before)
            other |= {key for key in come if os.path.lexists(key)}  # git lists what is deleted until that is committed
        own = f"{self.state}{os.sep}"
        return tuple(
            Path(key) for key in sorted(other) if not key.startswith(own) and NEVER_ENTERED.isdisjoint(key.split(os.sep))
        )

    def after(self, written: Iterable[Path]) -> Snapshot:
        """The project after this command has written some files: those are read anew, all others are as they were."""
        gone = {str(path) for path in written}
        new = self.again()
        mine, its = self._seen, new._seen
        its.contents.update({key: raw for key, raw in mine.contents.items() if key not in gone})
        its.dropped.update({key: digest for key, digest in mine.dropped.items() if key not in gone})
        its.kept_bytes = sum(len(raw) for raw in its.contents.values() if raw is not None)
        its.of_file.update({key: made for key, made in mine.of_file.items() if key[0] not in gone})
        if "_listed" in self.__dict__:
            root = f"{self.root}{os.sep}"
            names = {name for name in self.listing if f"{root}{name}" not in gone}
            own = f"{self.state}{os.sep}"
            names |= {
                key[len(root) :] for key in gone if key.startswith(root) and not key.startswith(own) and os.path.isfile(key)
            }
            new.__dict__["_listed"] = tuple(sorted(names)), self.by_git
        return new

    def again(self) -> Snapshot:
        """The project as it is now: nothing of what was read is kept."""
        return snapshot_of(_plain(self))

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made at the first time that this key is asked for. For what is derived from the whole snapshot."""
        if key not in self._seen.once:
            self._seen.once[key] = make()
        return cast("T", self._seen.once[key])

    def of_file(self, path: Path | str, key: Hashable, make: Callable[[], T]) -> T:
        """The same for what is derived from the content of one file alone: it outlives a commit that leaves the file as it is."""
        whole = (str(path), key)
        if whole not in self._seen.of_file:
            self._seen.of_file[whole] = make()
        return cast("T", self._seen.of_file[whole])

    @property
    def listing(self) -> tuple[str, ...]:
        """The files that git tracks or would track, relative to the root; outside git, those that no ignore file names."""
        return self._listed[0]

    @property
    def by_git(self) -> bool:
        """Whether git gave the listing."""
        return self._listed[1]

    @cached_property
    def _listed(self) -> tuple[tuple[str, ...], bool]:
        names, by_git = _listing(self.root)
        return tuple(names), by_git

    @cached_property
    def events(self) -> tuple[ledger.Event, ...]:
        """The ledger, () if there is none yet.

        Raises:
            InputError: a line of it is no event.
        """
        return ledger.read(self.content(self.ledger), where=self.relative(self.ledger))

    def loss(self, name: str) -> Loss:
        """See `Project.loss`; each port file is run once."""
        path = self.ports / f"{name}.py"
        raw = self.content(path) if name in self.loss_names else None
        if raw is None:
            return super().loss(name)
        return self.of_file(path, "loss", lambda: loss_from(self, name, raw))

    def module_path(self, module: str) -> Path | None:
        """See `Project.module_path`; each folder is listed once."""
        for root in self.import_roots:
            found = self.below(root, module)
            if found is not None:
                return found
        return None

    def below(self, folder: Path, module: str) -> Path | None:
        """The file of a module below a folder, None if there is none."""
        *packages, last = module.split(".")
        at = str(folder)
        for name in packages:
            if name not in self.names_in(at)[1]:
                return None
            at = f"{at}{os.sep}{name}"
        files, folders = self.names_in(at)
        if f"{last}.py" in files:
            return Path(f"{at}{os.sep}{last}.py")
        if last in folders and "__init__.py" in self.names_in(f"{at}{os.sep}{last}")[0]:
            return Path(f"{at}{os.sep}{last}{os.sep}__init__.py")
        return None

    def names_in(self, folder: str) -> tuple[frozenset[str], frozenset[str]]:
        """The names of the files and of the folders in a folder; none if it is not there."""
        if folder not in self._seen.folders:
            self._seen.folders[folder] = _names_in(folder)
        return self._seen.folders[folder]

    def __reduce__(self) -> tuple[Callable[[Project], Snapshot], tuple[Project]]:
        """Another process takes a snapshot of its own."""
        return snapshot_of, (_plain(self),)


def snapshot_of(project: Project) -> Snapshot:
    """The snapshot itself if it is one; else a new one, of now."""
    if isinstance(project, Snapshot):
        return project
    return Snapshot(**{item.name: getattr(project, item.name) for item in fields(Project)})


def _plain(snapshot: Snapshot) -> Project:
    return Project(**{item.name: getattr(snapshot, item.name) for item in fields(Project)})


def _listing(root: Path) -> tuple[list[str], bool]:
    names = listed_by_git(root)
    return (walked(root), False) if names is None else (names, True)


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _read(path: str) -> bytes | None:
    """The bytes of a file. `Path.read_bytes` costs twice as much, which is felt over ten thousand files."""
    try:
        with io.FileIO(path) as file:
            return file.readall()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _read_or_none(path: str) -> bytes | None:
    try:
        return _read(path)
    except OSError:
        return None


def _names_in(folder: str) -> tuple[frozenset[str], frozenset[str]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return frozenset(), frozenset()
    files = frozenset(entry.name for entry in entries if entry.is_file())
    return files, frozenset(entry.name for entry in entries if entry.is_dir())
