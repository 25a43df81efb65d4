"""Tests per loss, counted by reading the tests with ast.

A test belongs to a name if it lies in a file called after it (`test_<name>.py`) or if the function says the name of one of its
symbols. Parametrised tests count once: nothing is run to count them.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping

TestFunction = ast.FunctionDef | ast.AsyncFunctionDef


def count_tests(texts: Mapping[str, str], symbols: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How many test functions speak of each name, where `symbols` has each name's identifiers.

    >>> count_tests({"tests/test_a.py": "def test_one(): pass"}, {"a": ["Alpha"], "b": ["Beta"]})
    {'a': 1, 'b': 0}
    """
    counts = dict.fromkeys(symbols, 0)
    wanted = {name: frozenset(identifiers) for name, identifiers in symbols.items()}
    for path, text in texts.items():
        file = path.rpartition("/")[2].removesuffix(".py")
        for said in _said_by_tests(text):
            for name, identifiers in wanted.items():
                if file in (f"test_{name}", f"{name}_test") or not identifiers.isdisjoint(said):
                    counts[name] += 1
    return counts


def _said_by_tests(text: str) -> Iterator[frozenset[str]]:
    """The identifiers in each test function of a file, decorators included; strings count word by word."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in _tests(tree):
        yield frozenset(word for inner in ast.walk(node) for word in _words(inner))


def _tests(tree: ast.Module) -> Iterator[TestFunction]:
    for node in tree.body:
        if isinstance(node, TestFunction) and node.name.startswith("test"):
            yield node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (item for item in node.body if isinstance(item, TestFunction) and item.name.startswith("test"))


def _words(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (node.attr,)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.findall(r"\w+", node.value)
    return ()
