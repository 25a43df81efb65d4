"""Whether leaving an expression out could change anything."""

from __future__ import annotations

import ast

PURE_BUILTINS = frozenset({"abs", "bool", "dict", "float", "int", "len", "list", "max", "min", "round", "set", "str", "tuple"})
"""Builtins that do nothing but compute. (A class may define `__len__` with effects; nobody's does.)"""

_PURE = (
    ast.Constant,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.Tuple,
    ast.List,
    ast.Set,
    ast.Dict,
    ast.UnaryOp,
    ast.BinOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.JoinedStr,
    ast.FormattedValue,
)


def free_of_effects(node: ast.expr) -> bool:
    """Whether the expression only reads: names, attributes, entries, arithmetic, and a few builtins over these.

    >>> free_of_effects(ast.parse("cfg.weight * 2", mode="eval").body)
    True
    >>> free_of_effects(ast.parse("next(weights)", mode="eval").body)
    False
    """
    if isinstance(node, ast.Lambda):
        return True
    if isinstance(node, ast.Call):
        called = isinstance(node.func, ast.Name) and node.func.id in PURE_BUILTINS
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        return called and all(free_of_effects(part) for part in parts)
    if not isinstance(node, _PURE):
        return False
    return all(free_of_effects(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
