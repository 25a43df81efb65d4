"""Measures remembered by content: a blob is measured once, whatever path, commit or day it is met on.

The memory is a cache and nothing else: it lies outside version control, a line of it that cannot be read is measured again, and
losing it costs time only. Its keys are git blob ids, its file is named after `METRICS` and the Python that read the code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from lossport.measure.complexity import MeasuredFunction
from lossport.measure.corpus import Corpus, FileMeasure, UnreadFile, decode, measure_bytes, measure_maintainability
from lossport.measure.duplication import Duplication, duplication, exact_duplication
from lossport.measure.outline import ClassDefinition, Outline
from lossport.measure.tokens import Stream, Unreadable, read_stream

METRICS = 2
"""Raised whenever a measure changes its meaning, so that old records are not taken for new ones."""

MAX_BYTES = 64 * 2**20
"""Beyond this the file keeps only what the last run used: about 10,000 contents."""

MISSING = FileMeasure(0, 0, (), Outline((), {}, ()), Stream("", (), (), ()), UnreadFile(1, "its content is not in this clone"))
"""The measure of a content that a partial clone leaves out. Never remembered: the content may come."""

Record: TypeAlias = Any
"""What JSON gives back."""


def blob_id(data: bytes) -> str:
    """The id under which git stores this content.

    >>> blob_id(b"hello\\n")
    'ce013625030ba8dba906f756967f9e9ca394464a'
    """
    return hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()


class Memory:
    """Measures by key, kept in one file of JSON lines; without a file they last as long as the object."""

    def __init__(self, folder: Path | None = None) -> None:
        version = f"{METRICS}-py{sys.version_info.major}.{sys.version_info.minor}"
        self._path = folder / f"measures-{version}.jsonl" if folder else None
        self._records: dict[str, Record] = {}
        self._new: dict[str, Record] = {}
        self._used: set[str] = set()
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._records = dict(_read(self._path.read_bytes().splitlines()))

    def recall(self, key: str, compute: Callable[[], Record]) -> Record:
        """The record under `key`, computed now if it is not there yet. Records are JSON values."""
        self._used.add(key)
        if key not in self._records:
            self._records[key] = self._new[key] = compute()
        return self._records[key]

    def file(self, blob: str, data: Callable[[], bytes | None]) -> FileMeasure:
        """The measure of a content; `data` is asked for only when it is new, and gives None if nobody has it."""
        key = f"file {blob}"
        if key not in self._records:
            content = data()
            if content is None:
                return MISSING
            return _file_from(self.recall(key, lambda: _file_record(measure_bytes(content))))
        return _file_from(self.recall(key, dict))

    def save(self) -> None:
        """Add what was learnt to the file. A file that cannot be written costs the next run time, so that is no error."""
        if self._path is None or not self._new:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            (self._path.parent / ".gitignore").write_text("*\n", encoding="utf-8")  # a look at a project leaves no trace in git
            if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
                self._path.unlink()
                self._new = {key: record for key, record in self._records.items() if key in self._used}
            lines = (json.dumps([key, record], separators=(",", ":")) + "\n" for key, record in self._new.items())
            with open(self._path, "ab") as file:
                file.write("".join(lines).encode())
                file.flush()
                os.fsync(file.fileno())
            self._new = {}


def measure_files(contents: Mapping[str, bytes], memory: Memory) -> Corpus:
    """Measure files given as bytes by path, remembering each content and the set as a whole."""
    blobs = {path: blob_id(data) for path, data in contents.items()}
    files = {path: memory.file(blobs[path], lambda data=data: data) for path, data in contents.items()}  # type: ignore[misc]
    index = {
        path: memory.recall(f"maintainability {blobs[path]}", lambda data=data: _maintainability(data))  # type: ignore[misc]
        for path, data in contents.items()
    }
    whole = hashlib.sha256("\n".join(f"{blob} {path}" for path, blob in sorted(blobs.items())).encode()).hexdigest()
    streams = {path: file.stream for path, file in files.items()}
    same_shape = memory.recall(f"duplication {whole}", lambda: _duplication_record(duplication(streams)))
    exact = memory.recall(f"exact {whole}", lambda: _duplication_record(exact_duplication(_full_streams(contents))))
    return Corpus(files, _duplication_from(same_shape), _duplication_from(exact), index)


def _full_streams(contents: Mapping[str, bytes]) -> dict[str, Stream]:
    """Streams with the tokens themselves, which records leave out."""
    streams = {}
    for path, data in contents.items():
        with contextlib.suppress(Unreadable):
            streams[path] = read_stream(decode(data))
    return streams


def _maintainability(data: bytes) -> float | None:
    try:
        return measure_maintainability(decode(data))
    except Unreadable:
        return None


def _read(lines: Iterable[bytes]) -> Iterable[tuple[str, Record]]:
    for line in lines:
        with contextlib.suppress(ValueError):
            key, record = json.loads(line)
            yield str(key), record


def _file_record(file: FileMeasure) -> Record:
    return {
        "total": file.total,
        "source": file.source,
        "functions": [list(asdict(function).values()) for function in file.functions],
        "classes": [[item.name, item.line, list(item.bases)] for item in file.outline.classes],
        "names": file.outline.names,
        "imports": list(file.outline.imports),
        "shape": file.stream.shape,
        "first": _steps(file.stream.first),
        "longer": [[n, b - a] for n, (a, b) in enumerate(zip(file.stream.first, file.stream.last, strict=True)) if b > a],
        "problem": [file.problem.line, file.problem.reason] if file.problem else None,
    }


def _file_from(record: Record) -> FileMeasure:
    first: list[int] = []
    for line, count in record["first"]:
        first.extend([line] * count)
    last = list(first)
    for index, lines in record["longer"]:
        last[index] += lines
    return FileMeasure(
        record["total"],
        record["source"],
        tuple(MeasuredFunction(*values) for values in record["functions"]),
        Outline(
            tuple(ClassDefinition(name, line, tuple(bases)) for name, line, bases in record["classes"]),
            record["names"],
            tuple(record["imports"]),
        ),
        Stream(record["shape"], (), tuple(first), tuple(last)),
        UnreadFile(*record["problem"]) if record["problem"] else None,
    )


def _steps(lines: Iterable[int]) -> list[list[int]]:
    """Line numbers as pairs of line and how many tokens begin on it."""
    pairs: list[list[int]] = []
    for line in lines:
        if pairs and pairs[-1][0] == line:
            pairs[-1][1] += 1
        else:
            pairs.append([line, 1])
    return pairs


def _duplication_record(found: Duplication) -> Record:
    return {
        "lines": {path: sorted(lines) for path, lines in found.lines.items()},
        "source": found.source,
        "shared": [[one, other, count] for (one, other), count in found.shared.items()],
    }


def _duplication_from(record: Record) -> Duplication:
    return Duplication(
        {path: frozenset(lines) for path, lines in record["lines"].items()},
        record["source"],
        {(one, other): count for one, other, count in record["shared"]},
    )
