"""The expression of a computed parameter, as it reads at a call site."""

from __future__ import annotations

import ast
from collections.abc import Mapping


def substitute(expression: str, texts: Mapping[str, str]) -> str:
    """An expression with source text in the place of some names, bracketed where it needs to be.

    >>> substitute("1 / T", {"T": "a + b"})
    '1 / (a + b)'
    """
    tree = ast.parse(expression, mode="eval")
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in texts]
    raw = expression.encode()
    for node in sorted(nodes, key=lambda n: n.col_offset, reverse=True):
        text = texts[node.id]
        inner = ast.parse(f"({text})", mode="eval").body
        simple = isinstance(inner, ast.Name | ast.Constant | ast.Attribute | ast.Call | ast.Subscript) and "\n" not in text
        shown = text if simple or (tree.body is node and not isinstance(inner, ast.NamedExpr)) else f"({text})"
        raw = raw[: node.col_offset] + shown.encode() + raw[node.end_col_offset :]
    return raw.decode()


def decided(expression: str) -> str:
    """The branch of a conditional expression whose condition is literal: what a person would write.

    >>> decided("'mean' if False else 'sum'"), decided("'mean' if average else 'sum'")
    ("'sum'", "'mean' if average else 'sum'")
    """
    body = ast.parse(f"({expression})", mode="eval").body
    if not isinstance(body, ast.IfExp):
        return expression
    test = body.test
    negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    value = test.operand if isinstance(test, ast.UnaryOp) and negated else test
    if not isinstance(value, ast.Constant):
        return expression
    branch = body.body if bool(value.value) is not negated else body.orelse
    return decided(ast.get_source_segment(f"({expression})", branch) or expression)
