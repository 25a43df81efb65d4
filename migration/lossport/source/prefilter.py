"""Which files can name a legacy symbol: bytes are searched before anything is parsed.

The words of a file are intersected with all wanted ones at once: asking for each word in turn costs their number times as much.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.project.snapshot import Snapshot

_IN_A_WORD = b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OTHERS_TO_SPACES = bytes(sign if sign in _IN_A_WORD else 32 for sign in range(256))


def names_of(symbols: Iterable[str]) -> tuple[str, ...]:
    """The words that a file has to contain one of: the symbol's name, or the last part of its module's name."""
    words: set[str] = set()
    for symbol in symbols:
        words.update(symbol.split(".")[-2:])
    return tuple(sorted(words))


def pattern_of(words: Iterable[str]) -> re.Pattern[bytes]:
    """A search for any of the words, as whole words; one that finds nothing for none."""
    longest_first = sorted({word.encode() for word in words}, key=lambda word: (-len(word), word))
    return re.compile(rb"(?<![A-Za-z0-9_])(?:" + (b"|".join(map(re.escape, longest_first)) or rb"(?!)") + rb")(?![A-Za-z0-9_])")


@dataclass(frozen=True)
class Wanted:
    """What a file has to contain: one of the words; or one of the packages along with something that computes a name in it."""

    words: tuple[str, ...]
    packages: tuple[str, ...] = ()
    computing: tuple[str, ...] = ("import_module", "__import__")


@dataclass(frozen=True)
class Hits:
    """The files that contain what was wanted, and those that could not be read, with the reason."""

    paths: tuple[Path, ...]
    unreadable: tuple[tuple[Path, str], ...] = ()


def search(snapshot: Snapshot, paths: Iterable[str], wanted: Wanted) -> Hits:
    """The paths whose bytes contain what is wanted, in the order given."""
    words, packages = _Words(wanted.words), _Words(wanted.packages)
    computing = [word.encode() for word in wanted.computing]
    hits: list[Path] = []
    unreadable: list[tuple[Path, str]] = []
    for path in paths:
        try:
            raw = snapshot.content(path)
        except OSError as error:
            unreadable.append((Path(path), error.strerror or str(error)))
            continue
        if raw is None:
            unreadable.append((Path(path), os.strerror(errno.ENOENT)))
            continue
        found = raw.translate(_OTHERS_TO_SPACES).split()
        if words.in_any(found, raw) or (packages.in_any(found, raw) and any(word in raw for word in computing)):
            hits.append(Path(path))
    return Hits(tuple(hits), tuple(unreadable))


class _Words:
    """Words that are looked for at once. Those that are not ASCII, which are rare, are searched for one by one."""

    def __init__(self, words: Iterable[str]) -> None:
        listed = tuple(words)
        self._plain = frozenset(word.encode() for word in listed if word.isascii())
        others = [word for word in listed if not word.isascii()]
        self._others = pattern_of(others) if others else None

    def in_any(self, found: Sequence[bytes], raw: bytes) -> bool:
        """Whether any is among the words of a file, or in its bytes."""
        return not self._plain.isdisjoint(found) or (self._others is not None and self._others.search(raw) is not None)


_BEGINS = re.compile(rb"(?m)(?:^|[;:])[ \t]*(?:from|import)\b")
_WORD = re.compile(rb"[\w\x80-\xff]+")


STAR = "*"
"""Taken along with the name of a file that hands on everything of a module."""


def importers(snapshot: Snapshot, paths: Iterable[str], wanted: Iterable[tuple[str, str]]) -> list[tuple[Path, frozenset[str]]]:
    """The files that contain a name and import the module that it comes from, given as pairs of module (last part) and name.

    A file that imports everything of such a module takes all its names, and `STAR`.
    """
    by_module: dict[bytes, set[str]] = {}
    for module, name in wanted:
        by_module.setdefault(module.encode(), set()).add(name)
    found: list[tuple[Path, frozenset[str]]] = []
    for path in paths:
        words, stars = _words_of_imports(snapshot, path)
        asked = _names(by_module, words)
        if asked:
            raw = _content(snapshot, path)
            through = _names(by_module, stars)
            taken = through | {name for name in asked if pattern_of([name]).search(raw)} | ({STAR} if through else set())
            if taken:
                found.append((Path(path), frozenset(taken)))
    return found


def _words_of_imports(snapshot: Snapshot, path: str) -> tuple[frozenset[bytes], frozenset[bytes]]:
    return snapshot.of_file(path, "words of imports", lambda: _import_words(_content(snapshot, path)))


def _names(by_module: Mapping[bytes, set[str]], words: frozenset[bytes]) -> set[str]:
    return {name for word in by_module.keys() & words for name in by_module[word]}


def _content(snapshot: Snapshot, path: str) -> bytes:
    """Empty for a file that cannot be read: that is told where it was searched for the legacy names."""
    try:
        return snapshot.content(path) or b""
    except OSError:
        return b""


def _import_words(raw: bytes) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The words of all import statements of a file, and of those that have a star."""
    words: set[bytes] = set()
    stars: set[bytes] = set()
    at = raw.find(b"import")
    while at >= 0:
        start, end = _statement(raw, at)
        if _BEGINS.search(raw, start, end):
            found = _WORD.findall(raw, start, end)
            words.update(found)
            if raw.find(b"*", at, end) >= 0:
                stars.update(found)
        at = raw.find(b"import", end)
    return frozenset(words), frozenset(stars)


def _statement(raw: bytes, at: int) -> tuple[int, int]:
    """Where the lines begin and end that a statement around a place may take: continued by backslashes, or in brackets."""
    start = raw.rfind(b"\n", 0, at) + 1
    while start > 0 and raw.endswith((b"\\\n", b"\\\r\n"), 0, start):
        start = raw.rfind(b"\n", 0, start - 1) + 1
    end = _line_end(raw, at)
    if raw.find(b"(", at, end) >= 0:
        closed = raw.find(b")", raw.find(b"(", at, end))
        end = _line_end(raw, closed if closed >= 0 else len(raw))
    while end < len(raw) and raw.endswith((b"\\", b"\\\r"), 0, end):
        end = _line_end(raw, end + 1)
    return start, end


def _line_end(raw: bytes, at: int) -> int:
    end = raw.find(b"\n", at)
    return len(raw) if end < 0 else end
