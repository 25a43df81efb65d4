"""Expressions inside quoted annotations, with the positions they have in the file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lossport.source.source import Source

_PLAIN = re.compile(r"""[uU]?(?P<quote>['"])(?P<body>(?:(?!(?P=quote))[^\\\r\n])*)(?P=quote)""")
"""A one-line string without escapes: what it says and what is written are the same, character by character."""

NOT_AN_ANNOTATION = ("Literal", "Annotated")
"""In `Literal["x"]`, and after the first entry of `Annotated[...]`, a string is a string."""


class Quoted:
    """Finds and parses the quoted annotations of a file, once each."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._annotations: set[ast.Constant] = set()
        self._parsed: dict[ast.Constant, ast.expr | None] = {}

    def note(self, annotation: ast.expr) -> None:
        """Strings inside this annotation are expressions."""
        self._annotations.update(_strings_of(annotation))

    def __call__(self, node: ast.Constant) -> ast.expr | None:
        """The expression inside a noted string; None for any other string, and for text that is no expression."""
        if node not in self._annotations:
            return None
        if node not in self._parsed:
            self._parsed[node] = self._parse(node)
        return self._parsed[node]

    def _parse(self, node: ast.Constant) -> ast.expr | None:
        start, end = self._source.span(node)
        match = _PLAIN.fullmatch(self._source.text[start:end])
        if match is None:
            return None
        try:
            inside = ast.parse(match["body"], mode="eval").body
        except SyntaxError:
            return None
        shift = node.col_offset + match.start("body")
        for part in ast.walk(inside):
            if isinstance(part, ast.expr | ast.keyword):
                part.lineno = part.end_lineno = node.lineno
                part.col_offset += shift
                part.end_col_offset = (part.end_col_offset or 0) + shift
        self.note(inside)
        return inside


def annotations_in(node: ast.AST) -> Iterator[ast.expr]:
    """The annotations that a node holds directly."""
    match node:
        case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.FunctionDef(returns=ast.expr() as returns) | ast.AsyncFunctionDef(returns=ast.expr() as returns):
            yield returns
        case ast.Call(func=ast.Name(id="cast") | ast.Attribute(attr="cast"), args=[first, _]):
            yield first
        case ast.Call(func=ast.Name(id="TypeVar") | ast.Attribute(attr="TypeVar"), args=[_, *kinds], keywords=keywords):
            yield from (*kinds, *(keyword.value for keyword in keywords if keyword.arg in ("bound", "default")))
        case _:
            pass


def _strings_of(annotation: ast.expr) -> Iterator[ast.Constant]:
    match annotation:
        case ast.Constant(value=str()):
            yield annotation
        case ast.Subscript(value=base, slice=inner):
            name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
            if name == "Annotated" and isinstance(inner, ast.Tuple):
                yield from _strings_of(inner.elts[0])
            elif name not in NOT_AN_ANNOTATION:
                yield from _strings_of(inner)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _strings_of(part)
        case ast.BinOp(left=left, right=right):
            yield from _strings_of(left)
            yield from _strings_of(right)
        case _:
            pass
