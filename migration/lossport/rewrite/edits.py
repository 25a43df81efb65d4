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
    """Two edits claim the same characters and neither contains the other."""


def apply_edits(text: str, edits: Iterable[Replace | Transform]) -> str:
    """The text with all edits made.

    >>> apply_edits("f(a, b)", [Transform(0, 7, str.upper), Replace(2, 3, "x")])
    'F(X, B)'
    """
    unique = list(dict.fromkeys(edits))
    order = sorted(range(len(unique)), key=lambda n: (unique[n].start, -unique[n].end, isinstance(unique[n], Replace), n))
    ordered = [unique[n] for n in order]
    pieces, used = _render(text, 0, len(text), ordered, 0)
    if used != len(ordered):
        raise OverlapError(f"edits overlap at offset {ordered[used].start}")
    return pieces


def _render(
    text: str, start: int, end: int, edits: list[Replace | Transform], index: int, *, open_end: bool = False
) -> tuple[str, int]:
    """The text between two offsets with the edits that lie there made; and the index of the first edit that does not."""
    pieces: list[str] = []
    at = start
    while index < len(edits) and edits[index].end <= end:
        edit = edits[index]
        if open_end and edit.start == end:
            break
        if edit.start < at:
            raise OverlapError(f"edits overlap at offset {edit.start}")
        pieces.append(text[at : edit.start])
        if isinstance(edit, Replace):
            pieces.append(edit.text)
            index += 1
            while isinstance(edit, Remove) and index < len(edits) and edits[index].end <= edit.end:
                index += 1
        else:
            # What is inserted exactly at the end of a transformed span stands behind it, not in it.
            inner, index = _render(text, edit.start, edit.end, edits, index + 1, open_end=True)
            pieces.append(edit.apply(inner))
        at = edit.end
    pieces.append(text[at:end])
    return "".join(pieces), index
