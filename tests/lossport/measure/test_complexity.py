"""Complexity and maintainability, checked against a count of our own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lossport
from lossport.measure.complexity import functions, maintainability

BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.comprehension, ast.ExceptHandler, ast.Assert)
OWN = sorted(Path(lossport.__file__).parent.rglob("*.py"))


def counted_here(function: ast.AST) -> int:
    """Branches plus one, without those of inner functions and classes. `match` is left to radon, which has a rule of its own."""
    count = 1
    waiting = list(getattr(function, "body", []))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        count += isinstance(node, BRANCHES)
        if isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        if isinstance(node, ast.comprehension):
            count += len(node.ifs)
        if isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.Try):
            count += bool(node.orelse)
        waiting.extend([] if isinstance(node, ast.Assert) else ast.iter_child_nodes(node))
    return count


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_every_function_has_the_complexity_that_an_own_count_gives(path: Path) -> None:
    tree = ast.parse(path.read_text())
    every = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    matching = {node.lineno for node in every if any(isinstance(inner, ast.Match) for inner in ast.walk(node))}
    ours = {(node.lineno, counted_here(node)) for node in every if node.lineno not in matching}
    assert {(f.line, f.complexity) for f in functions(tree) if f.line not in matching} == ours


def test_methods_closures_and_classes_inside_functions_are_all_found() -> None:
    tree = ast.parse(
        "class A:\n"
        "    def m(self):\n"
        "        def inner(x):\n"
        "            return x if x else 1\n"
        "        return inner\n"
        "def f():\n"
        "    class B:\n"
        "        def n(self, a, b):\n"
        "            return a and b\n"
        "    return B\n"
        "if True:\n"
        "    async def g(): pass\n"
    )
    assert [(f.name, f.complexity, f.lines) for f in functions(tree)] == [
        ("A.m", 1, 4),
        ("A.m.inner", 2, 2),
        ("f", 1, 5),
        ("f.B.n", 2, 2),
        ("g", 1, 1),
    ]


def test_longer_and_more_tangled_code_is_less_maintainable() -> None:
    plain = "def f(x):\n    return x + 1\n"
    tangled = "def f(x):\n" + "".join(f"    if x > {n} and x % {n + 1}: x = x * {n} - {n + 2}\n" for n in range(60))
    assert 0 <= maintainability(tangled) < maintainability(plain) <= 100
