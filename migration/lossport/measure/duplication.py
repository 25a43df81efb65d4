"""Duplicated lines: which lines of a set of files occur twice, up to renamed identifiers and changed literals.

A line is duplicated if it lies in a token sequence of at least `MIN_TOKENS` tokens over at least `MIN_LINES` source lines that
occurs elsewhere: in another file, or in the same one without overlap. Both sides count; a line counts once however many copies
it lies in. The index is kept up to date file by file, so that a long history costs what changed and not what is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lossport.measure.tokens import Stream

MIN_TOKENS = 50
"""Shorter sequences are idioms rather than copies; the usual default of clone detectors."""
MIN_LINES = 6
"""A long signature or one call with many arguments is no copy of a passage."""

_FIRST_LETTER = 0x20
_SURROGATES = range(0xD800, 0xE000)

Place = tuple[str, int]
"""A path and the index of a token in its stream."""


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
    """

    def __init__(self) -> None:
        self._streams: dict[str, Stream] = {}
        self._lengths: dict[str, list[int]] = {}
        self._places: defaultdict[str, set[Place]] = defaultdict(set)
        self._copies: defaultdict[str, dict[int, frozenset[str]]] = defaultdict(dict)
        self._unsettled: set[str] = set()
        self._lines: dict[str, frozenset[int]] = {}

    def put(self, path: str, stream: Stream | None) -> None:
        """Add or replace a file; None takes it out."""
        old = self._streams.pop(path, None)
        if old is not None:
            for start, window in _windows(old.shape, self._lengths.pop(path)):
                self._places[window].discard((path, start))
                self._unsettled.add(window)
        self._copies.pop(path, None)
        self._lines.pop(path, None)
        if stream is not None:
            self._streams[path] = stream
            self._lengths[path] = _passage_lengths(stream)
            for start, window in _windows(stream.shape, self._lengths[path]):
                self._places[window].add((path, start))
                self._unsettled.add(window)

    def lines(self) -> Mapping[str, frozenset[int]]:
        """The duplicated lines of every file."""
        self._settle()
        for path, stream in self._streams.items():
            if path not in self._lines:
                self._lines[path] = self._lines_of(path, stream, self._copies[path])
        return dict(self._lines)

    def duplication(self) -> Duplication:
        """Duplicated lines, and the lines that each two files share."""
        lines = self.lines()
        shared: dict[tuple[str, str], int] = {}
        for path, copies in self._copies.items():
            for other in sorted({name for names in copies.values() for name in names} - {path}):
                starts = [start for start, names in copies.items() if other in names]
                shared[path, other] = len(self._lines_of(path, self._streams[path], starts))
        source = sum(len(stream.source_lines) for stream in self._streams.values())
        return Duplication(lines, source, shared)

    def _lines_of(self, path: str, stream: Stream, starts: Iterable[int]) -> frozenset[int]:
        lengths = self._lengths[path]
        found: set[int] = set()
        done = 0
        for start in sorted(starts):
            end = start + lengths[start]
            for index in range(max(start, done), end):
                found.update(range(stream.first[index], stream.last[index] + 1))
            done = max(done, end)
        return frozenset(found)

    def _settle(self) -> None:
        """Decide again, for the windows that a change touched, which passages occur elsewhere."""
        for window in self._unsettled:
            places = self._places.get(window)
            if not places:
                self._places.pop(window, None)
                continue
            found = self._elsewhere(places) if len(places) > 1 else {}
            for path, start in places:
                others = found.get((path, start))
                copies = self._copies[path]
                if copies.get(start) == others:
                    continue
                self._lines.pop(path, None)
                if others is None:
                    del copies[start]
                else:
                    copies[start] = others
        self._unsettled.clear()

    def _elsewhere(self, places: set[Place]) -> dict[Place, frozenset[str]]:
        """The passages that begin at `places` and occur elsewhere, with the files in which they do."""
        found: dict[Place, frozenset[str]] = {}
        for length in {self._lengths[path][start] for path, start in places}:
            groups: defaultdict[str, list[Place]] = defaultdict(list)
            for path, start in places:
                passage = self._streams[path].shape[start : start + length]
                if len(passage) == length:
                    groups[passage].append((path, start))
            for group in groups.values():
                if len(group) > 1:
                    members = {(path, start) for path, start in group if self._lengths[path][start] == length}
                    found.update(_copied(group, members, length))
        return found


def _copied(group: list[Place], members: set[Place], length: int) -> Iterator[tuple[Place, frozenset[str]]]:
    """Each member that occurs apart from itself, with the files where: its own counts if the two do not overlap.

    Linear in the group, which holds thousands of places where a file is a table of data.
    """
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for path, start in group:
        first[path] = min(start, first.get(path, start))
        last[path] = max(start, last.get(path, start))
    everywhere = frozenset(first)
    others = {path: everywhere - {path} for path in first}
    for path, start in members:
        if start - first[path] >= length or last[path] - start >= length:
            yield (path, start), everywhere
        elif others[path]:
            yield (path, start), others[path]


def _windows(shape: str, lengths: list[int]) -> Iterable[tuple[int, str]]:
    """The first `MIN_TOKENS` tokens of every passage."""
    return ((start, shape[start : start + MIN_TOKENS]) for start in range(len(lengths)))


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
