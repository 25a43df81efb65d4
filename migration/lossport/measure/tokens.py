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
_ASIDE = frozenset({tokenize.NL, tokenize.COMMENT})
_OPENS = frozenset(getattr(tokenize, name) for name in ("FSTRING_START", "TSTRING_START") if hasattr(tokenize, name))
_CLOSES = frozenset(getattr(tokenize, name) for name in ("FSTRING_END", "TSTRING_END") if hasattr(tokenize, name))


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
    if not kept:
        return Stream("", (), (), ())
    kinds, texts, first, last = zip(*kept, strict=True)
    return Stream("".join(map(_letter, kinds, texts)), texts, first, last)


_Token = tuple[int, str, int, int]


def _tokens(text: str) -> Iterator[_Token]:
    """Kind, text, first and last line of each token; an f-string is one string on every Python version."""
    every = tokenize.generate_tokens(io.StringIO(text).readline)
    plain = (item for item in every if item[0] not in _ASIDE)
    if _OPENS:
        yield from _whole_strings(text, plain)
    else:
        for kind, word, start, end, _ in plain:
            yield kind, word, start[0], end[0]


def _whole_strings(text: str, tokens: Iterator[tokenize.TokenInfo]) -> Iterator[_Token]:
    """Join the pieces in which Python 3.12 and later cut an f-string."""
    lines = text.splitlines(keepends=True)
    depth, begun = 0, (0, 0)
    for kind, word, start, end, _ in tokens:
        if kind in _OPENS:
            begun = begun if depth else start
            depth += 1
        elif kind in _CLOSES:
            depth -= 1
            if not depth:
                yield tokenize.STRING, _slice(lines, begun, end), begun[0], end[0]
        elif not depth:
            yield kind, word, start[0], end[0]


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
