"""Which files can name a legacy symbol: bytes are searched before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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


def search(paths: Sequence[Path], wanted: Wanted, executor: Executor | None = None) -> Hits:
    """The paths whose bytes contain what is wanted, in the order given."""
    if executor is None:
        return _search_chunk(paths, wanted)
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    found = list(executor.map(_search_chunk, chunks, [wanted] * len(chunks)))
    return Hits(
        tuple(path for hits in found for path in hits.paths),
        tuple(item for hits in found for item in hits.unreadable),
    )


def _search_chunk(paths: Sequence[Path], wanted: Wanted) -> Hits:
    pattern = pattern_of(wanted.words)
    literals = [word.encode() for word in wanted.words]
    packages = [word.encode() for word in wanted.packages]
    in_packages = pattern_of(wanted.packages)
    computing = [word.encode() for word in wanted.computing] if packages else []
    hits: list[Path] = []
    unreadable: list[tuple[Path, str]] = []
    for path in paths:
        try:
            raw = path.read_bytes()
        except OSError as error:
            unreadable.append((path, error.strerror or str(error)))
            continue
        # `in` is several times faster than a regular expression, and nearly all files contain none of the words.
        named = any(literal in raw for literal in literals) and pattern.search(raw)
        if named or (any(c in raw for c in computing) and any(p in raw for p in packages) and in_packages.search(raw)):
            hits.append(path)
    return Hits(tuple(hits), tuple(unreadable))


def importers(
    paths: Sequence[Path], wanted: Iterable[tuple[str, str]], executor: Executor | None = None
) -> list[tuple[Path, frozenset[str]]]:
    """The files that contain a name and import the module that it comes from, given as pairs of module (last part) and name."""
    by_module: dict[str, set[str]] = {}
    for module, name in wanted:
        by_module.setdefault(module, set()).add(name)
    found: dict[Path, set[str]] = {}
    for module, names in by_module.items():
        candidates = search(paths, Wanted((module,)), executor).paths
        imports = re.compile(rb"(?m)(?:^|[;:])[ \t]*(?:from|import)\b[^\n]*?(?<!\w)%s(?!\w)" % re.escape(module).encode())
        for path in candidates:
            raw = path.read_bytes()
            if imports.search(raw):
                hits = {name for name in names if pattern_of([name]).search(raw)}
                if hits:
                    found.setdefault(path, set()).update(hits)
    return [(path, frozenset(names)) for path, names in found.items()]
