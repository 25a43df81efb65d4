"""Comma-separated lists in source code: arguments of a call, names of an import, entries of a literal.

Items can be removed, changed and added; commas, line breaks and comments of the others stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lossport.rewrite.entries import Token, entries_of, tokens_of


@dataclass(frozen=True)
class Item:
    """One entry; `tail` is what stands between it and its comma."""

    text: str
    tail: str = ""


@dataclass(frozen=True)
class Listing:
    """Entries and what stands between them: `gaps[i]` before entry i, the last one before the closing bracket."""

    head: str
    items: tuple[Item, ...]
    gaps: tuple[str, ...]
    trailing_comma: bool
    close: str

    def render(self) -> str:
        """The source code."""
        pieces = [self.head, self.gaps[0]]
        for number, item in enumerate(self.items):
            last = number == len(self.items) - 1
            pieces += [item.text, item.tail, "" if last and not self.trailing_comma else ",", self.gaps[number + 1]]
        return "".join([*pieces, self.close])

    def change(self, index: int, text: str) -> Listing:
        """Another text for one entry."""
        items = list(self.items)
        items[index] = replace(items[index], text=text)
        return replace(self, items=tuple(items))

    def remove(self, index: int) -> Listing:
        """Take one entry away. A comment beside it stays, on a line of its own where the entry had one."""
        last = index == len(self.items) - 1
        before, after = self.gaps[index], self.gaps[index + 1]
        gap = _gap_at_end(before, after) if last else _gap_between(before, after, first=index == 0)
        items = self.items[:index] + self.items[index + 1 :]
        if last and items and not self.trailing_comma and items[-1].tail.strip(" \t") == "":
            items = (*items[:-1], replace(items[-1], tail=""))
        gaps = (*self.gaps[:index], gap, *self.gaps[index + 2 :])
        if not items and "#" not in gap:
            gaps = ("",)
        return replace(self, items=items, gaps=gaps, trailing_comma=self.trailing_comma and bool(items))

    def add(self, text: str) -> Listing:
        """One more entry at the end, on a line of its own if the others are."""
        if not self.items:
            return replace(self, items=(Item(text),), gaps=(self.gaps[0], ""))
        closing = self.gaps[-1]
        newline = _last_newline(closing)
        opened = _last_newline(self.gaps[0]) is not None
        if newline is None and not (opened and self.trailing_comma):
            return replace(self, items=(*self.items, Item(text)), gaps=(*self.gaps[:-1], " ", closing))
        indent = self.gaps[0][(_last_newline(self.gaps[0]) or 0) :] if opened else closing[(newline or 0) :] + "    "
        if newline is None:
            return replace(self, items=(*self.items, Item(text)), gaps=(*self.gaps[:-1], " ", closing))
        start = closing[:newline]
        line_end = "\r\n" if start.endswith("\r\n") else start[-1:]
        gaps = (*self.gaps[:-1], start + indent, line_end + closing[newline:])
        return replace(self, items=(*self.items, Item(text)), gaps=gaps)

    def insert(self, text: str) -> Listing:
        """One more entry, where it sorts if the entries are sorted, else at the end."""
        keys = [item.text.split(" as ")[0] for item in self.items]
        orders: tuple[Callable[[str], Any], ...] = (str, str.casefold, _constants_first)
        for order in orders:
            if len(keys) > 1 and keys == sorted(keys, key=order):
                place = next((n for n, key in enumerate(keys) if order(text) < order(key)), len(keys))
                return self._insert_at(place, text)
        if len(keys) == 1 and str(text) < keys[0]:
            return self._insert_at(0, text)
        return self.add(text)

    def _insert_at(self, place: int, text: str) -> Listing:
        if place == len(self.items):
            return self.add(text)
        first = self.gaps[0]
        line = _last_newline(first)
        gap = " " if line is None else first[line - (2 if first[:line].endswith("\r\n") else 1) :]
        items = (*self.items[:place], Item(text), *self.items[place:])
        return replace(self, items=items, gaps=(*self.gaps[: place + 1], gap, *self.gaps[place + 1 :]))


def _constants_first(name: str) -> tuple[int, str]:
    """isort's order: constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def _last_newline(gap: str) -> int | None:
    """The offset after the last line break, or None."""
    at = max(gap.rfind("\n"), gap.rfind("\r"))
    return at + 1 if at >= 0 else None


def _gap_between(before: str, after: str, *, first: bool) -> str:
    if "#" in after:
        return before + after.lstrip(" \t") if _last_newline(before) is not None else after
    if _last_newline(before) is not None or first:
        return before
    return after


def _gap_at_end(before: str, after: str) -> str:
    if "#" in after:
        return before + after.lstrip(" \t") if _last_newline(before) is not None else after
    if "#" in before:
        kept = before.rstrip(" \t\r\n")
        return kept + after if _last_newline(after) is not None else before
    return after


def call_listing(text: str) -> Listing:
    """The arguments of a call, given as the source of the whole call expression."""
    tokens = tokens_of(text)
    opening = max(n for n, token in enumerate(tokens) if token.text == "(" and token.depth == tokens[-1].depth)
    return _listing(text, tokens[opening].end, tokens[opening + 1 : -1], tokens[-1].start)


def argument_value(text: str) -> str:
    """The value of an argument given as `name=value` or as `value`, as source; in brackets if it cannot do without once named."""
    tokens = tokens_of(text)
    named = len(tokens) > 2 and tokens[1].text == "="
    value = text[tokens[2 if named else 1 if tokens[0].text in ("*", "**") else 0].start :]
    bare = any(token.depth == 0 and token.text in ("for", ":=") for token in tokens)
    return f"({value})" if bare else value


def import_listing(text: str) -> Listing:
    """What an import statement imports, given as its source: names behind `from a import`, or modules."""
    tokens = tokens_of(text)
    first = next(n for n, token in enumerate(tokens) if token.text == "import") + 1
    if tokens[first].text == "(":
        return _listing(text, tokens[first].end, tokens[first + 1 : -1], tokens[-1].start)
    return _listing(text, tokens[first].start, tokens[first:], len(text))


def display_listing(text: str) -> Listing:
    """The entries of a literal list, tuple, set or dictionary in brackets, given as its source."""
    tokens = tokens_of(text)
    return _listing(text, tokens[0].end, tokens[1:-1], tokens[-1].start)


def _listing(text: str, start: int, tokens: Sequence[Token], stop: int) -> Listing:
    """The list that stands from `start` to `stop`."""
    items: list[Item] = []
    gaps: list[str] = []
    at, trailing = start, False
    for entry in entries_of(tokens):
        gaps.append(text[at : entry.start])
        trailing = entry.comma is not None
        items.append(Item(text[entry.start : entry.end], text[entry.end : entry.comma] if entry.comma is not None else ""))
        at = entry.comma + 1 if entry.comma is not None else entry.end
    return Listing(text[:start], tuple(items), (*gaps, text[at:stop]), trailing, text[stop:])
