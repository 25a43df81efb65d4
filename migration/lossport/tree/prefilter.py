"""Which files can name a legacy symbol: bytes are searched before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
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
    """A search for any of the words, as whole words."""
    longest_first = sorted({word.encode() for word in words}, key=lambda word: (-len(word), word))
    return re.compile(rb"(?<![A-Za-z0-9_])(?:" + b"|".join(map(re.escape, longest_first)) + rb")(?![A-Za-z0-9_])")


def search(
    paths: Sequence[Path], words: Sequence[str], executor: Executor | None = None
) -> tuple[list[Path], list[tuple[Path, str]]]:
    """The paths whose bytes contain one of the words, and the paths that could not be read, with the reason."""
    if executor is None:
        return _search_chunk(paths, words)
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    hits: list[Path] = []
    unreadable: list[tuple[Path, str]] = []
    for found, failed in executor.map(_search_chunk, chunks, [words] * len(chunks)):
        hits += found
        unreadable += failed
    return hits, unreadable


def _search_chunk(paths: Sequence[Path], words: Sequence[str]) -> tuple[list[Path], list[tuple[Path, str]]]:
    pattern = pattern_of(words)
    literals = [word.encode() for word in words]
    hits: list[Path] = []
    unreadable: list[tuple[Path, str]] = []
    for path in paths:
        try:
            raw = path.read_bytes()
        except OSError as error:
            unreadable.append((path, error.strerror or str(error)))
            continue
        # `in` is several times faster than a regular expression, and nearly all files contain none of the words.
        if any(literal in raw for literal in literals) and pattern.search(raw):
            hits.append(path)
    return hits, unreadable


def importers(
    paths: Sequence[Path], wanted: Iterable[tuple[str, str]], executor: Executor | None = None
) -> list[tuple[Path, frozenset[str]]]:
    """The files that contain a name and import the module that it comes from, given as pairs of module (last part) and name."""
    by_module: dict[str, set[str]] = {}
    for module, name in wanted:
        by_module.setdefault(module, set()).add(name)
    found: dict[Path, set[str]] = {}
    for module, names in by_module.items():
        candidates, _ = search(paths, [module], executor)
        imports = re.compile(rb"(?m)(?:^|[;:])[ \t]*(?:from|import)\b[^\n]*?(?<!\w)%s(?!\w)" % re.escape(module).encode())
        for path in candidates:
            raw = path.read_bytes()
            if imports.search(raw):
                hits = {name for name in names if pattern_of([name]).search(raw)}
                if hits:
                    found.setdefault(path, set()).update(hits)
    return [(path, frozenset(names)) for path, names in found.items()]
