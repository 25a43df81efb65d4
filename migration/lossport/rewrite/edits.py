"""Edits of a text by position, nested ones included. Everything outside the edits stays as it is, by construction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Replace:
    """The text from `start` to `end` becomes `text`; an empty span inserts."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Transform:
    """The text from `start` to `end`, with the edits inside it made, goes through `apply`."""

    start: int
    end: int
    apply: Callable[[str], str]


@dataclass(frozen=True)
class Remove(Replace):
    """A replacement that may swallow edits inside it: what is removed need not be rewritten first."""


class OverlapError(ValueError):
    """Two edits claim the same characters and neither contains the other; `offset` says where."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"edits overlap at offset {offset}")
        self.offset = offset


def apply_edits(text: str, edits: Iterable[Replace | Transform]) -> str:
    """The text with all edits made.

    >>> apply_edits("f(a, b)", [Transform(0, 7, str.upper), Replace(2, 3, "x")])
    'F(X, B)'
    """
    pieces: list[str] = []
    at = 0
    for splice in splices(text, edits):
        pieces += [text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*pieces, text[at:]])


def splices(text: str, edits: Iterable[Replace | Transform]) -> list[Replace]:
    """The edits as plain replacements, in order and apart from each other: inner edits are made in the outer ones."""
    unique = list(dict.fromkeys(edits))
    order = sorted(range(len(unique)), key=lambda n: (unique[n].start, -unique[n].end, isinstance(unique[n], Replace), n))
    ordered = [unique[n] for n in order]
    found: list[Replace] = []
    index = 0
    while index < len(ordered):
        splice, index = _splice(text, ordered, index)
        if found and splice.start < found[-1].end:
            raise OverlapError(splice.start)
        found.append(splice)
    return found


def _splice(text: str, edits: list[Replace | Transform], index: int) -> tuple[Replace, int]:
    """One edit with the edits inside it made; and the index of the first edit behind it."""
    edit = edits[index]
    index += 1
    if isinstance(edit, Replace):
        while isinstance(edit, Remove) and index < len(edits) and edits[index].end <= edit.end:
            index += 1
        return edit, index
    pieces: list[str] = []
    at = edit.start
    # What is inserted exactly at the end of a transformed span stands behind it, not in it.
    while index < len(edits) and edits[index].end <= edit.end and edits[index].start < edit.end:
        inner, index = _splice(text, edits, index)
        if inner.start < at:
            raise OverlapError(inner.start)
        pieces += [text[at : inner.start], inner.text]
        at = inner.end
    pieces.append(text[at : edit.end])
    return Replace(edit.start, edit.end, edit.apply("".join(pieces))), index
