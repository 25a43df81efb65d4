"""Where the entries of a comma-separated list stand in source code, told from its tokens."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

_LONE_RETURN = re.compile(r"\r(?!\n)")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_BLANK = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})


@dataclass(frozen=True)
class Token:
    """A token: its span, its text if it is a word or a sign, in how many brackets it stands, and whether it parts a list."""

    start: int
    end: int
    text: str
    depth: int
    parts: bool = False


@dataclass(frozen=True)
class ListEntry:
    """An entry of a list: its span, and where its comma starts (None: it has none)."""

    start: int
    end: int
    comma: int | None


def tokens_of(text: str) -> list[Token]:
    """The tokens of an expression or a statement, without line breaks and comments.

    A comma between the parameters of a lambda parts no list.
    """
    plain = _LONE_RETURN.sub("\n", text)  # a line end that the tokenizer does not know
    starts = [0, *accumulate(len(line) + 1 for line in plain.split("\n"))]
    starts = [0, *(start + 1 for start in starts[1:])]  # the bracket that lets a list run over lines
    found: list[Token] = []
    depth = 0
    lambdas: dict[int, int] = {}
    for kind, written, (line, column), (last, end), _ in tokenize.generate_tokens(io.StringIO(f"({plain})").readline):
        if kind in _BLANK:
            continue
        parts = False
        word = written if kind in (tokenize.OP, tokenize.NAME) else ""
        if word in _CLOSING:
            lambdas.pop(depth, None)
            depth -= 1
        elif word == "lambda":
            lambdas[depth] = lambdas.get(depth, 0) + 1
        elif word == ":" and lambdas.get(depth):
            lambdas[depth] -= 1
        elif word == ",":
            parts = not lambdas.get(depth)
        found.append(Token(starts[line - 1] + column - 1, starts[last - 1] + end - 1, word, depth - 1, parts))
        if word in _OPENING:
            depth += 1
    return found[1:-1]


def entries_of(tokens: Sequence[Token]) -> Iterator[ListEntry]:
    """The entries of a list, given as the tokens between its brackets."""
    level = min((token.depth for token in tokens), default=0)
    run: list[Token] = []
    for token in tokens:
        if token.parts and token.depth == level:
            yield ListEntry(run[0].start, run[-1].end, token.start)
            run = []
        else:
            run.append(token)
    if run:
        yield ListEntry(run[0].start, run[-1].end, None)
