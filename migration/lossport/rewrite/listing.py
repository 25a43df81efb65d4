"""Comma-separated lists in source code - arguments of a call, names of an import - as LibCST parses them.

Items can be removed, changed and added; commas, line breaks and comments of the others stay.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lossport.rewrite.plain import plain_call, plain_import, plain_value

if TYPE_CHECKING:
    import libcst as cst
else:

    class _Later:
        """LibCST, imported when something is rewritten: a machine that only runs parity does without it."""

        def __getattr__(self, name: str) -> Any:
            return getattr(importlib.import_module("libcst"), name)

    cst = _Later()

_LINE_END = re.compile(r"\r\n|\r|\n")


class _Printer:
    """Source of syntax nodes. LibCST writes a line break as None where it equals the first one of what it parsed."""

    def __init__(self, parsed: str) -> None:
        match = _LINE_END.search(parsed)
        self._module = cst.Module([], default_newline=match.group() if match else "\n")

    def __call__(self, node: cst.CSTNode) -> str:
        return self._module.code_for_node(node)


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
    return _plain(plain_call(text), ")") or parsed_call(text)


def _plain(found: tuple[str, list[tuple[str, str]], list[str], bool] | None, close: str) -> Listing | None:
    if found is None:
        return None
    head, entries, gaps, trailing = found
    return Listing(head, tuple(Item(entry, tail) for entry, tail in entries), tuple(gaps), trailing, close)


def parsed_call(text: str) -> Listing:
    """The arguments of any call, by LibCST."""
    code = _Printer(text)
    node = cst.parse_expression(f"({text})")
    call = node.with_changes(lpar=node.lpar[1:], rpar=node.rpar[:-1])
    if not isinstance(call, cst.Call):
        raise ValueError(f"not a call: {text!r}")
    items: list[Item] = []
    gaps = [code(call.whitespace_before_args)]
    trailing = False
    for arg in call.args:
        comma = arg.comma if isinstance(arg.comma, cst.Comma) else None
        bare = arg.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace(""))
        after = code(arg.whitespace_after_arg)
        items.append(Item(code(bare), after + code(comma.whitespace_before) if comma else ""))
        gaps.append(code(comma.whitespace_after) if comma else after)
        trailing = comma is not None
    opening = code(call.func) + code(call.whitespace_after_func) + "("
    left = "".join(code(paren) for paren in call.lpar)
    right = "".join(code(paren) for paren in call.rpar)
    return Listing(left + opening, tuple(items), tuple(gaps), trailing, ")" + right)


def argument_value(text: str) -> str:
    """The value of an argument given as `name=value` or as `value`, as source."""
    return plain_value(text) or parsed_value(text)


def parsed_value(text: str) -> str:
    """The value of any argument, by LibCST."""
    code = _Printer(text)
    call = cst.parse_expression(f"f({text})")
    assert isinstance(call, cst.Call)
    value = code(call.args[0].value)
    bare = isinstance(call.args[0].value, cst.GeneratorExp | cst.NamedExpr) and not call.args[0].value.lpar
    return f"({value})" if bare else value


def import_listing(text: str) -> Listing:
    """The names of a `from` import, given as the source of the statement."""
    return _plain(plain_import(text), "") or parsed_import(text)


def parsed_import(text: str) -> Listing:
    """The names of any `from` import, by LibCST."""
    node = _small_statement(text)
    assert isinstance(node, cst.ImportFrom)
    assert not isinstance(node.names, cst.ImportStar)
    return _alias_listing(text, node.names, node.lpar, node.rpar)


def from_listing(text: str) -> Listing:
    """The modules of an `import`, given as the source of the statement."""
    plain = _plain(plain_import(text), "")
    if plain is not None:
        return plain
    node = _small_statement(text)
    assert isinstance(node, cst.Import)
    return _alias_listing(text, node.names, None, None)


def _small_statement(text: str) -> cst.BaseSmallStatement:
    statement = cst.parse_statement(text)
    assert isinstance(statement, cst.SimpleStatementLine)
    return statement.body[0]


def _alias_listing(
    text: str, names: Sequence[cst.ImportAlias], lpar: cst.LeftParen | None, rpar: cst.RightParen | None
) -> Listing:
    code = _Printer(text)
    items: list[Item] = []
    gaps = [code(lpar.whitespace_after) if lpar else ""]
    trailing = False
    for alias in names:
        comma = alias.comma if isinstance(alias.comma, cst.Comma) else None
        tail = code(comma.whitespace_before) if comma else ""
        items.append(Item(code(alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)), tail))
        gaps.append(code(comma.whitespace_after) if comma else "")
        trailing = comma is not None
    if rpar is not None:
        gaps[-1] += code(rpar.whitespace_before)
    body = Listing("", tuple(items), tuple(gaps), trailing, "").render()
    close = ")" if rpar is not None else ""
    start = text.rindex(body + close)
    return Listing(text[:start], tuple(items), tuple(gaps), trailing, text[start + len(body) :])


def display_listing(text: str) -> Listing:
    """The entries of a literal list, tuple, set or dictionary in brackets, given as its source."""
    code = _Printer(text)
    node = cst.parse_expression(text)
    match node:
        case cst.List(lbracket=opening, rbracket=closing):
            start, first, last, end = "[", opening.whitespace_after, closing.whitespace_before, "]"
        case cst.Set(lbrace=opening, rbrace=closing) | cst.Dict(lbrace=opening, rbrace=closing):
            start, first, last, end = "{", opening.whitespace_after, closing.whitespace_before, "}"
        case cst.Tuple(lpar=[outer, *_], rpar=[*_, closer]):
            start, first, last, end = "(", outer.whitespace_after, closer.whitespace_before, ")"
        case _:
            raise ValueError(f"not a literal in brackets: {text!r}")
    items: list[Item] = []
    gaps = [code(first)]
    trailing = False
    for element in node.elements:
        comma = element.comma if isinstance(element.comma, cst.Comma) else None
        tail = code(comma.whitespace_before) if comma else ""
        items.append(Item(code(element.with_changes(comma=cst.MaybeSentinel.DEFAULT)), tail))
        gaps.append(code(comma.whitespace_after) if comma else "")
        trailing = comma is not None
    gaps[-1] += code(last)
    return Listing(start, tuple(items), tuple(gaps), trailing, end)
