"""One Python file as a stream of tokens with comments, docstrings and layout aside.

Source lines and duplicated lines are both counted on this stream, so that one is always a part of the other. The stream
says nothing about grammar: a file may have one and still not parse.
"""

from __future__ import annotations

import io
import keyword
import token
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

NAME = "n"
"""How every identifier reads in a shape: renaming does not hide a copy."""
LITERAL = "0"
"""How every number and string reads in a shape: neither do changed literals."""

_LAYOUT = frozenset(
    {
        tokenize.NEWLINE,
        tokenize.NL,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.COMMENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)
_FIRST_LETTER = 0x100
"""Letters for keywords and operators start above ASCII, clear of `NAME` and `LITERAL`."""
_LETTERS = {
    word: chr(_FIRST_LETTER + index) for index, word in enumerate([*sorted(keyword.kwlist), *sorted(token.EXACT_TOKEN_TYPES)])
}
_OPENS = frozenset(getattr(tokenize, name, -1) for name in ("FSTRING_START", "TSTRING_START"))
_CLOSES = frozenset(getattr(tokenize, name, -1) for name in ("FSTRING_END", "TSTRING_END"))


class Unreadable(ValueError):
    """Text that is not Python tokens; carries the line where reading stopped."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True)
class Stream:
    """The tokens of one file.

    `shape` has one letter a token, with identifiers and literals made alike; `texts` has the tokens themselves. `first` and
    `last` are the lines on which each token begins and ends, counted from 1.
    """

    shape: str
    texts: tuple[str, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]

    @cached_property
    def source_lines(self) -> frozenset[int]:
        """The lines that hold at least a part of a token."""
        return frozenset(line for a, b in zip(self.first, self.last, strict=True) for line in range(a, b + 1))


def read_stream(text: str) -> Stream:
    """The tokens of `text` that count.

    >>> stream = read_stream('def f(x):  # twice\\n    "Docstring."\\n    return 2 * x\\n')
    >>> stream.texts
    ('def', 'f', '(', 'x', ')', ':', 'return', '2', '*', 'x')
    >>> sorted(stream.source_lines)
    [1, 3]

    Raises:
        Unreadable: the text cannot be cut into Python tokens.
    """
    try:
        kept = list(_without_bare_strings(_tokens(text)))
    except tokenize.TokenError as error:
        raise Unreadable(error.args[1][0], str(error.args[0])) from error
    except (SyntaxError, ValueError) as error:
        raise Unreadable(getattr(error, "lineno", None) or 1, getattr(error, "msg", None) or str(error)) from error
    return Stream(
        "".join(_letter(kind, word) for kind, word, _, _ in kept),
        tuple(word for _, word, _, _ in kept),
        tuple(first for _, _, first, _ in kept),
        tuple(last for _, _, _, last in kept),
    )


_Token = tuple[int, str, int, int]


def _tokens(text: str) -> Iterator[_Token]:
    """Kind, text, first and last line of each token; an f-string is one string on every Python version."""
    lines = text.splitlines(keepends=True)
    depth, start = 0, (0, 0)
    for item in tokenize.generate_tokens(io.StringIO(text).readline):
        if item.type in _OPENS:
            start = start if depth else item.start
            depth += 1
        elif item.type in _CLOSES:
            depth -= 1
            if not depth:
                yield tokenize.STRING, _slice(lines, start, item.end), start[0], item.end[0]
        elif not depth and item.type not in (tokenize.NL, tokenize.COMMENT):
            yield item.type, item.string, item.start[0], item.end[0]


def _slice(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = lines[start[0] : end[0] - 1]
    return "".join([lines[start[0] - 1][start[1] :], *middle, lines[end[0] - 1][: end[1]]])


def _without_bare_strings(tokens: Iterator[_Token]) -> Iterator[_Token]:
    """Leave out layout, and statements that are one string: docstrings of any kind."""
    at_start = True
    held: list[_Token] = []
    for item in tokens:
        if item[0] == tokenize.STRING and (at_start or held):
            held.append(item)
            at_start = False
            continue
        if not (held and item[0] in (tokenize.NEWLINE, tokenize.ENDMARKER)):
            yield from held
        held = []
        if item[0] in _LAYOUT:
            at_start = True
        else:
            at_start = item[1] == ";"
            yield item


def _letter(kind: int, word: str) -> str:
    if kind in (tokenize.STRING, tokenize.NUMBER):
        return LITERAL
    return _LETTERS.get(word, NAME)
