"""Cyclomatic complexity of every function and maintainability of every file, as radon counts them.

radon decides each figure; this module only asks it one function at a time, because radon leaves out classes that are defined
inside functions.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from lossport.measure.statements import scoped


@dataclass(frozen=True)
class MeasuredFunction:
    """A function or method: its dotted name inside the file, first line, number of lines, and complexity."""

    name: str
    line: int
    lines: int
    complexity: int


def functions(tree: ast.Module) -> tuple[MeasuredFunction, ...]:
    """Every function, method and closure of a parsed file, each with its own complexity (closures are not added to it).

    >>> functions(ast.parse("def f(x):\\n    return 1 if x else 2\\n"))
    (MeasuredFunction(name='f', line=1, lines=2, complexity=2),)
    """
    # radon ships no types, and is read only when a content is measured for the first time
    from radon.visitors import ComplexityVisitor  # type: ignore[import-untyped]  # noqa: PLC0415

    return tuple(
        MeasuredFunction(
            scope + node.name,
            node.lineno,
            (node.end_lineno or node.lineno) - node.lineno + 1,
            ComplexityVisitor.from_ast(node).functions[0].complexity,
        )
        for scope, node in scoped(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def maintainability(text: str) -> float:
    """radon's maintainability index, 0 to 100; comments and docstrings count for it."""
    from radon.metrics import mi_visit  # type: ignore[import-untyped]  # noqa: PLC0415 - as above

    return float(mi_visit(text, multi=True))
