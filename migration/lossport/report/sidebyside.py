"""Two texts side by side, with lines that are equal next to each other. Pure, but for what it is handed to remember with."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_LINES = 1500
"""Longer files are not compared line by line: nobody reads that far, and comparing grows with the square of the lines."""


@dataclass(frozen=True)
class CallPair:
    """A row: a line on each side with its number, or nothing on one of them."""

    old: str | None
    old_number: int | None
    new: str | None
    new_number: int | None
    same: bool


def side_by_side(old: str, new: str) -> tuple[CallPair, ...]:
    """The rows of two texts.

    >>> [(row.old, row.new, row.same) for row in side_by_side("a\\nb\\n", "a\\nc\\nd\\n")]
    [('a', 'a', True), ('b', 'c', False), (None, 'd', False)]
    """
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > MOST_LINES:
        return ()
    return tuple(_rows(before, after))


def _rows(before: Sequence[str], after: Sequence[str]) -> Iterator[CallPair]:
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        for offset in range(max(end - start, last - first)):
            left, right = start + offset, first + offset
            old, old_number = (before[left], left + 1) if left < end else (None, None)
            new, new_number = (after[right], right + 1) if right < last else (None, None)
            yield CallPair(old, old_number, new, new_number, kind == "equal")
