"""Dotted paths in YAML, TOML, JSON and INI files: each is a whole value or key, never a word in a sentence or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lossport.source.dotted import Meaning, meaning_of, paths_in
from lossport.source.jsontext import JsonObject, Node, parse_json, walk_json
from lossport.source.modules import Modules

JSON = frozenset({".json", ".jsonc", ".json5", ".jsonl"})
SUFFIXES = JSON | {".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf"}

_BEFORE = re.compile(r"(?:^|[:=,\[({\-!]|\s)\s*[\"']?$")
_AFTER = re.compile(r"[\"']?\s*(?:$|[,\])}:=#;]|\s#|\s+-)")
_KEY = re.compile(r"[ \t]*(?:-[ \t]+)?(?P<quote>[\"']?)(?P<key>[\w.$-]+)(?P=quote)[ \t]*[:=]")

TARGET_KEYS = frozenset({"_target_", "class_path", "__target__", "_class_"})
"""Keys beside which the arguments of a class stand: Hydra's, and those modelled on it."""


@dataclass(frozen=True)
class Mention:
    """A path in a configuration file. `beside` are the keys next to it, if the file says that they are arguments; else None."""

    start: int
    end: int
    meaning: Meaning
    beside: tuple[str, ...] | None = None


def mentions_in(
    text: str, suffix: str, modules: Modules, symbols: frozenset[str], retired: frozenset[str], near: Path
) -> Iterator[Mention]:
    """Every legacy path that stands as a value or key of its own."""
    if suffix in JSON:
        yield from _in_json(text, modules, symbols, retired, near)
        return
    for match in paths_in(text):
        start = text.rfind("\n", 0, match.start()) + 1
        line_end = text.find("\n", match.end())
        after = text[match.end() : line_end if line_end >= 0 else len(text)].rstrip("\r")
        before = text[start : match.start()]
        if _in_comment(before, suffix) or not _BEFORE.search(before) or not _AFTER.match(after):
            continue
        meaning = meaning_of(match.group(), modules, symbols, retired, near)
        if meaning is not None:
            yield Mention(match.start(), match.end(), meaning, _beside(text, start))


def _in_comment(before: str, suffix: str) -> bool:
    """Whether a comment starts before the place, outside quotes."""
    quote = ""
    marks = "#;" if suffix in (".ini", ".cfg", ".conf") else "#"
    for number, sign in enumerate(before):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'" and (number == 0 or not before[number - 1].isalnum()):
            quote = sign
        elif sign in marks and (number == 0 or before[number - 1].isspace()):
            return True
    return False


def _beside(text: str, line_start: int) -> tuple[str, ...] | None:
    """The keys at the same depth as the key of a line, if that is one that names a class to be built."""
    lines = text.split("\n")
    number = text.count("\n", 0, line_start)
    key = _KEY.match(lines[number])
    if key is None or key["key"] not in TARGET_KEYS:
        return None
    depth = _depth(lines[number])
    keys: list[str] = []
    for step in (-1, 1):
        at = number + step
        while 0 <= at < len(lines) and _belongs(lines[at], depth):
            other = _KEY.match(lines[at])
            if other is not None and _depth(lines[at]) == depth:
                keys.append(other["key"])
            if step < 0 and lines[at].lstrip().startswith("- "):
                break
            at += step
            if step > 0 and at < len(lines) and lines[at].lstrip().startswith("- ") and _depth(lines[at]) <= depth:
                break
    return tuple(keys)


def _depth(line: str) -> int:
    stripped = line.lstrip()
    dash = len(stripped) - len(stripped[1:].lstrip()) if stripped.startswith("- ") else 0
    return len(line) - len(stripped) + dash


def _belongs(line: str, depth: int) -> bool:
    if not line.strip() or line.lstrip().startswith("#"):
        return True
    return _depth(line) >= depth and not line.lstrip().startswith("[")


_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _in_json(text: str, modules: Modules, symbols: frozenset[str], retired: frozenset[str], near: Path) -> Iterator[Mention]:
    """Strings of a JSON text; what stands beside them is read only if there are any."""
    found = [
        (match, meaning)
        for match in _STRING.finditer(text)
        if (meaning := meaning_of(match[1], modules, symbols, retired, near)) is not None
    ]
    try:
        beside = _beside_targets(parse_json(text)) if found else {}
    except (ValueError, RecursionError):  # with comments, say
        beside = {}
    for match, meaning in found:
        yield Mention(match.start(1), match.end(1), meaning, beside.get(match.start()))


def _beside_targets(root: Node) -> dict[int, tuple[str, ...]]:
    """Where the values of keys that name a class start, with the keys beside each."""
    return {
        value.start: tuple(name.value for name, other in node.members if other is not value)
        for node in walk_json(root)
        if isinstance(node, JsonObject)
        for key, value in node.members
        if key.value in TARGET_KEYS
    }
