"""JSON with positions: where each value stands in the text, so that one can be changed without touching the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^\s,\]}]+")


@dataclass(frozen=True)
class JsonText:
    """A string: its span with the quotes, and its value."""

    start: int
    end: int
    value: str


@dataclass(frozen=True)
class Scalar:
    """A number, true, false or null."""

    start: int
    end: int


@dataclass(frozen=True)
class JsonArray:
    """An array."""

    start: int
    end: int
    items: tuple[Node, ...]


@dataclass(frozen=True)
class JsonObject:
    """An object: its members in order."""

    start: int
    end: int
    members: tuple[tuple[JsonText, Node], ...]

    def get(self, key: str) -> Node | None:
        """The value of a key; the last one counts, as in `json.loads`."""
        return next((value for name, value in reversed(self.members) if name.value == key), None)


Node: TypeAlias = JsonText | Scalar | JsonArray | JsonObject


def parse_json(text: str) -> Node:
    """The tree of a JSON text.

    Raises:
        ValueError: the text is not JSON.
    """
    json.loads(text)
    start = _skip(text, 0)
    node, _ = _node(text, start)
    return node


def walk_json(node: Node) -> Iterator[Node]:
    """A node and all nodes inside it."""
    yield node
    children: tuple[Node, ...] = ()
    if isinstance(node, JsonArray):
        children = node.items
    elif isinstance(node, JsonObject):
        children = tuple(part for member in node.members for part in member)
    for child in children:
        yield from walk_json(child)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _node(text: str, at: int) -> tuple[Node, int]:
    if text[at] == '"':
        value, end = _DECODER.raw_decode(text, at)
        return JsonText(at, end, value), end
    if text[at] == "[":
        return _array(text, at)
    if text[at] == "{":
        return _object(text, at)
    match = _SCALAR.match(text, at)
    assert match is not None
    return Scalar(at, match.end()), match.end()


def _array(text: str, start: int) -> tuple[Node, int]:
    items: list[Node] = []
    at = _skip(text, start + 1)
    while text[at] != "]":
        item, at = _node(text, at)
        items.append(item)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return JsonArray(start, at + 1, tuple(items)), at + 1


def _object(text: str, start: int) -> tuple[Node, int]:
    members: list[tuple[JsonText, Node]] = []
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = _node(text, at)
        assert isinstance(key, JsonText)
        at = _skip(text, _skip(text, at) + 1)
        value, at = _node(text, at)
        members.append((key, value))
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return JsonObject(start, at + 1, tuple(members)), at + 1
