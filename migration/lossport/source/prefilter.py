"""Which files can name a legacy symbol: bytes are searched before anything is parsed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

CHUNK = 512
"""Files handed to a worker at once: a search takes 20 microseconds, handing over one path costs about as much."""


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


def search(paths: Sequence[str], wanted: Wanted, executor: Executor | None = None) -> Hits:
    """The paths whose bytes contain what is wanted, in the order given."""
    if executor is None:
        return _search_chunk(paths, wanted)
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    found = list(executor.map(_search_chunk, chunks, [wanted] * len(chunks)))
    return Hits(
        tuple(path for hits in found for path in hits.paths),
        tuple(item for hits in found for item in hits.unreadable),
    )


def _read(path: str) -> bytes:
    """The bytes of a file. `Path.read_bytes` costs twice as much, which is felt over ten thousand files."""
    with io.FileIO(path) as file:
        return file.readall()


def _search_chunk(paths: Sequence[str], wanted: Wanted) -> Hits:
    pattern = pattern_of(wanted.words)
    literals = [word.encode() for word in wanted.words]
    packages = [word.encode() for word in wanted.packages]
    in_packages = pattern_of(wanted.packages)
    computing = [word.encode() for word in wanted.computing]
    hits: list[Path] = []
    unreadable: list[tuple[Path, str]] = []
    for path in paths:
        try:
            raw = _read(path)
        except OSError as error:
            unreadable.append((Path(path), error.strerror or str(error)))
            continue
        # `in` is several times faster than a regular expression, and nearly all files contain none of the words.
        named = _any_in(literals, raw) and pattern.search(raw)
        if named or (packages and _any_in(packages, raw) and _any_in(computing, raw) and in_packages.search(raw)):
            hits.append(Path(path))
    return Hits(tuple(hits), tuple(unreadable))


def _any_in(words: Iterable[bytes], raw: bytes) -> bool:
    for word in words:  # noqa: SIM110  # `any` makes a generator for each file, which costs more than the search
        if word in raw:
            return True
    return False


_IMPORT = re.compile(rb"(?m)(?:^|[;:])[ \t]*(?:from|import)\b(?:[^\n(\\]|\\\r?\n)*(?:\([^)]*)?")
"""An import statement, bracketed or continued over several lines."""

_WORD = re.compile(rb"[\w\x80-\xff]+")


STAR = "*"
"""Taken along with the name of a file that hands on everything of a module."""


def importers(
    paths: Sequence[str], wanted: Iterable[tuple[str, str]], executor: Executor | None = None
) -> list[tuple[Path, frozenset[str]]]:
    """The files that contain a name and import the module that it comes from, given as pairs of module (last part) and name.

    A file that imports everything of such a module takes all its names, and `STAR`.
    """
    by_module: dict[str, tuple[str, ...]] = {}
    for module, name in sorted(wanted):
        by_module[module] = (*by_module.get(module, ()), name)
    if executor is None:
        return _importers_chunk(paths, by_module)
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    return [item for found in executor.map(_importers_chunk, chunks, [by_module] * len(chunks)) for item in found]


def _importers_chunk(paths: Sequence[str], by_module: Mapping[str, Sequence[str]]) -> list[tuple[Path, frozenset[str]]]:
    """One pass over the files for all names: they are rarer than imports, so they are asked for first."""
    names = sorted({name for listed in by_module.values() for name in listed})
    literals = [name.encode() for name in names]
    patterns = {name: pattern_of([name]) for name in names}
    modules = {module.encode(): module for module in by_module}
    found: list[tuple[Path, frozenset[str]]] = []
    for path in paths:
        try:
            raw = _read(path)
        except OSError:
            continue  # told where it was searched for the legacy names
        handed_on = b"import *" in raw
        if not (handed_on or _any_in(literals, raw)):
            continue
        statements = _IMPORT.findall(raw)
        words = {word for statement in statements for word in _WORD.findall(statement)}
        asked = {name for word in words & modules.keys() for name in by_module[modules[word]]}
        taken = frozenset(name for name in asked if patterns[name].search(raw))
        if handed_on:
            stars = {word for statement in statements if b"*" in statement for word in _WORD.findall(statement)}
            through = {name for word in stars & modules.keys() for name in by_module[modules[word]]}
            taken |= through | ({STAR} if through else set())
        if taken:
            found.append((Path(path), taken))
    return found
