"""Duplicated lines: which lines of a set of files occur twice, up to renamed identifiers and changed literals.

A line is duplicated if it lies in a token sequence of at least `MIN_TOKENS` tokens over at least `MIN_LINES` source lines that
occurs elsewhere: in another file, or in the same one without overlap. Both sides count; a line counts once however many copies
it lies in. The index is kept up to date file by file, so that a long history costs what changed and not what is there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from lossport.measure.tokens import Stream

MIN_TOKENS = 50
"""Shorter sequences are idioms rather than copies; the usual default of clone detectors."""
MIN_LINES = 6
"""A long signature or one call with many arguments is no copy of a passage."""

_FIRST_LETTER = 0x20
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True)
class Duplication:
    """Duplicated lines by file, and how many lines of one file occur in another."""

    lines: Mapping[str, frozenset[int]]
    source: int
    shared: Mapping[tuple[str, str], int]

    @property
    def count(self) -> int:
        """Duplicated lines in all."""
        return sum(map(len, self.lines.values()))

    @property
    def percent(self) -> float:
        """Duplicated lines per hundred source lines; 0 where there is no source."""
        return 100 * self.count / self.source if self.source else 0.0


def duplication(streams: Mapping[str, Stream]) -> Duplication:
    """Duplicated lines up to renamed identifiers and changed literals."""
    index = CloneIndex()
    for path, stream in streams.items():
        index.put(path, stream)
    return index.duplication()


def exact_duplication(streams: Mapping[str, Stream]) -> Duplication:
    """Duplicated lines where the tokens themselves are equal: the stricter figure."""
    letters: dict[str, str] = {}
    index = CloneIndex()
    for path, stream in streams.items():
        shape = "".join(letters.setdefault(word, _letter(len(letters))) for word in stream.texts)
        index.put(path, Stream(shape, stream.texts, stream.first, stream.last))
    return index.duplication()


def _letter(index: int) -> str:
    code = _FIRST_LETTER + index
    return chr(code if code < _SURROGATES.start else code + len(_SURROGATES))


class CloneIndex:
    """Every passage of a changing set of files, and which of them occur elsewhere.

    A *passage* begins at each token: the shortest sequence from there that has `MIN_TOKENS` tokens and `MIN_LINES` lines. The
    union of the passages that occur elsewhere is exactly the set of duplicated lines: a longer copy is covered by the passages
    inside it, up to its last line.

    Passages that begin with the same window of `MIN_TOKENS` tokens mostly have the same length, and then equal passages are
    found under one key. Where lines are broken differently they do not; such a window is *mixed*, and its files are searched.
    """

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._holders: dict[str, set[str]] = {}
        self._by_window: dict[str, set[str]] = {}
        self._mixed: set[str] = set()
        self._stale: set[str] = set()
        self._lines: dict[str, frozenset[int]] = {}

    def put(self, path: str, stream: Stream | None) -> None:
        """Add or replace a file; None takes it out. Costs what the file has, and what it begins or ceases to copy."""
        old = self._files.pop(path, _NO_FILE)
        new = _NO_FILE if stream is None else _File(stream)
        if stream is not None:
            self._files[path] = new
        self._stale.update(self._neighbours(old))
        for passage in old.known - new.known:
            self._leave(path, passage)
        for passage in new.known - old.known:
            self._enter(path, passage)
        self._stale.update(self._neighbours(new))
        self._stale.add(path)

    def lines(self) -> Mapping[str, frozenset[int]]:
        """The duplicated lines of every file."""
        for path in self._stale:
            self._lines.pop(path, None)
            if path in self._files:
                self._lines[path] = self._files[path].covered(start for start, _ in self._copied(path))
        self._stale.clear()
        return dict(self._lines)

    def duplication(self) -> Duplication:
        """Duplicated lines, and the lines that each two files share.

        Passages that the same files hold are taken together: what many files have in common costs no more than their number.
        """
        shared: dict[tuple[str, str], int] = {}
        alike: dict[frozenset[str], frozenset[str]] = {}
        held: dict[str, frozenset[str]] = {}
        for path, file in self._files.items():
            starts: defaultdict[frozenset[str], list[int]] = defaultdict(list)
            for start, passage in self._copied(path):
                if passage not in held:
                    files = frozenset(self._others(path, passage) | {path})
                    held[passage] = alike.setdefault(files, files)
                starts[held[passage]].append(start)
            lines: dict[str, int] = {}
            for files, places in starts.items():
                found = _bits(file.covered(places))
                for other in files:
                    lines[other] = lines.get(other, 0) | found
            shared.update({(path, other): lines[other].bit_count() for other in sorted(lines.keys() - {path})})
        source = sum(len(file.stream.source_lines) for file in self._files.values())
        return Duplication(self.lines(), source, shared)

    def _copied(self, path: str) -> Iterator[tuple[int, str]]:
        """The passages of a file that occur elsewhere, with where they begin."""
        file = self._files[path]
        for start, (window, passage) in enumerate(zip(file.begins, file.passages, strict=True)):
            if (
                len(self._holders[passage]) > 1
                or (file.count[window] > 1 and file.repeats(start, passage))
                or (window in self._mixed and self._others(path, passage))
            ):
                yield start, passage

    def _others(self, path: str, passage: str) -> set[str]:
        """The other files that hold a passage."""
        others = set(self._holders[passage])
        window = passage[:MIN_TOKENS]
        if window in self._mixed:
            near = {name for alike in self._by_window[window] for name in self._holders[alike]}
            others |= {name for name in near if passage in self._files[name].stream.shape}
        others.discard(path)
        return others

    def _enter(self, path: str, passage: str) -> None:
        holders = self._holders.setdefault(passage, set())
        if len(holders) == 1:
            self._stale |= holders
        if not holders:
            self._note(passage[:MIN_TOKENS], passage)
        holders.add(path)

    def _leave(self, path: str, passage: str) -> None:
        holders = self._holders[passage]
        holders.remove(path)
        if len(holders) == 1:
            self._stale |= holders
        if not holders:
            del self._holders[passage]
            self._forget(passage[:MIN_TOKENS], passage)

    def _note(self, window: str, passage: str) -> None:
        alike = self._by_window.setdefault(window, set())
        alike.add(passage)
        if len(alike) > 1 and len({len(other) for other in alike}) > 1:
            self._mixed.add(window)

    def _forget(self, window: str, passage: str) -> None:
        alike = self._by_window[window]
        alike.remove(passage)
        if len({len(other) for other in alike}) < 2:
            self._mixed.discard(window)
        if not alike:
            del self._by_window[window]

    def _neighbours(self, file: _File) -> set[str]:
        """The files that share a mixed window with this one: what they copy cannot be told from single passages."""
        mixed = self._mixed & file.count.keys()
        return {name for window in mixed for alike in self._by_window[window] for name in self._holders[alike]}


class _File:
    """A stream cut into passages, one for each start.

    `known` also has the windows at the end of the file, where too few lines are left for a passage: they can still be the
    other side of one.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        shape = stream.shape
        self.passages = [shape[start : start + length] for start, length in enumerate(_passage_lengths(stream))]
        self.begins = [passage[:MIN_TOKENS] for passage in self.passages]
        tail = range(len(self.passages), len(shape) - MIN_TOKENS + 1)
        ending = [shape[start : start + MIN_TOKENS] for start in tail]
        self.count = Counter([*self.begins, *ending])
        self.known = frozenset([*self.passages, *ending])

    def repeats(self, start: int, passage: str) -> bool:
        """Whether the file holds the passage once more, clear of the one at `start`."""
        shape = self.stream.shape
        return shape.find(passage, 0, start) >= 0 or shape.find(passage, start + len(passage)) >= 0

    def covered(self, starts: Iterable[int]) -> frozenset[int]:
        """The lines of the passages at `starts`."""
        found: set[int] = set()
        done = 0
        for start in sorted(starts):
            end = start + len(self.passages[start])
            for index in range(max(start, done), end):
                found.update(range(self.stream.first[index], self.stream.last[index] + 1))
            done = max(done, end)
        return frozenset(found)


def _bits(lines: Iterable[int]) -> int:
    """A set of lines as the bits of a number: many are joined, and numbers join a hundred times faster."""
    return reduce(or_, (1 << line for line in lines), 0)


def _passage_lengths(stream: Stream) -> list[int]:
    """For each token that can begin a passage, the passage's length in tokens."""
    ordinal = {line: number for number, line in enumerate(sorted(stream.source_lines))}
    begins = [ordinal[line] for line in stream.first]
    ends = [ordinal[line] for line in stream.last]
    lengths: list[int] = []
    end = 0
    for start, line in enumerate(begins):
        end = max(end, start + MIN_TOKENS)
        while end <= len(ends) and ends[end - 1] - line + 1 < MIN_LINES:
            end += 1
        if end > len(ends):
            break
        lengths.append(end - start)
    return lengths


_NO_FILE = _File(Stream("", (), (), ()))
