"""What comes of looking at a site: edits, or a refusal that a person can act on."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from lossport.follow.view import View
from lossport.rewrite.edits import Replace, Transform


@dataclass(frozen=True)
class Refusal:
    """A site that is not rewritten. Line and column are 1-based; `symbol` is the legacy symbol, where one is concerned."""

    path: str
    line: int
    column: int
    code: str
    reason: str
    todo: str
    symbol: str = ""


@dataclass
class Draft:
    """The rewrite of one file in the making: edits and refusals so far."""

    view: View
    edits: list[Replace | Transform] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    told: list[Refusal] = field(default_factory=list)
    """Places that stay as they are and stop nothing."""
    added_keys: Mapping[str, Set[tuple[str, ...]]] = field(default_factory=dict)
    listed: dict[ast.List | ast.Tuple | ast.Set, dict[int, str | None]] = field(default_factory=dict)

    def replace(self, start: int, end: int, text: str) -> None:
        """Replace a span."""
        self.edits.append(Replace(start, end, text))

    def text_of(self, node: ast.expr | ast.stmt | ast.alias) -> str:
        """The source of a node."""
        start, end = self.view.source.span(node)
        return self.view.source.text[start:end]

    def refuse(self, node: ast.expr | ast.stmt | ast.alias, reason: str, todo: str, symbol: str = "") -> None:
        """Leave a place to a person."""
        line, column = self.view.place(self.view.source.span(node)[0])
        self.refuse_at(line, column, reason, todo, symbol)

    def tell(self, node: ast.alias, reason: str, todo: str, symbol: str) -> None:
        """Note a place that stays as it is, and may."""
        line, column = self.view.place(self.view.source.span(node)[0])
        self.told.append(Refusal(self.view.shown, line, column, self.view.code_at(line), reason, todo, symbol))

    def refuse_at(self, line: int, column: int, reason: str, todo: str, symbol: str = "") -> None:
        """Leave a place, given by its position, to a person."""
        code = self.view.code_at(line)
        self.refusals.append(Refusal(self.view.shown, line, column, code, reason, todo, symbol))
