"""Lists that are plain to read: on one line, without brackets, quotes or comments inside. Most calls and imports are.

LibCST reads the same from them, but importing it costs more than a rewrite of a hundred files.
"""

from __future__ import annotations

import re

_PLAIN = r"[^()\[\]{}'\"#\\\r\n]*"
_CALL = re.compile(rf"(?P<head>[^\W\d][\w.]*\()(?P<list>{_PLAIN})\)")
_FROM = re.compile(r"(?P<head>from[ \t]+[\w.]+[ \t]+import[ \t]+)(?P<list>[^\W\d][\w, \t]*)")
_IMPORT = re.compile(r"(?P<head>import[ \t]+)(?P<list>[^\W\d][\w., \t]*)")
_ARGUMENT = re.compile(rf"(?:[^\W\d]\w*[ \t]*=(?!=)[ \t]*)?(?P<value>[^\s=]{_PLAIN})")
_COMMAS_INSIDE = re.compile(r"\b(?:lambda|for)\b|:=")
"""What makes a comma, or a lone argument, mean something else."""


def plain_call(text: str) -> tuple[str, list[tuple[str, str]], list[str], bool] | None:
    """Head, entries with what stands before their commas, gaps, whether there is a trailing comma; None if it is not plain."""
    return _split(_CALL, text)


def plain_import(text: str) -> tuple[str, list[tuple[str, str]], list[str], bool] | None:
    """The same for an import statement."""
    return _split(_FROM, text) or _split(_IMPORT, text)


def plain_value(text: str) -> str | None:
    """The value of `name=value` or `value`; None if it is not plain."""
    match = _ARGUMENT.fullmatch(text)
    return None if match is None or _COMMAS_INSIDE.search(text) or text.startswith("*") else match["value"]


def _split(pattern: re.Pattern[str], text: str) -> tuple[str, list[tuple[str, str]], list[str], bool] | None:
    match = pattern.fullmatch(text)
    if match is None or _COMMAS_INSIDE.search(match["list"]):
        return None
    *closed, last = match["list"].split(",")
    parts = [*closed, last] if last.strip() else closed
    if not all(part.strip() for part in parts):
        return None
    if not parts:
        return match["head"], [], [last], False
    ends = [part[len(part.rstrip()) :] for part in parts]
    starts = [part[: len(part) - len(part.lstrip())] for part in parts]
    trailing = not last.strip()
    entries = [(part.strip(), ends[n] if n < len(closed) else "") for n, part in enumerate(parts)]
    return match["head"], entries, [*starts, last if trailing else ends[-1]], trailing
