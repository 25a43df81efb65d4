"""`__all__` in the forms in which it is written, and whether it may hold more than what can be read there.

A name in it is renamed, or removed, where it stands: in a list, as the argument of `append`, in a text that is split.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TypeAlias

from lossport.follow.view import View
from lossport.source.modules import top_level

Listed: TypeAlias = ast.List | ast.Tuple | ast.Set

COPIES = frozenset({"list", "tuple", "sorted", "set"})


@dataclass(frozen=True)
class Exports:
    """The pieces that `__all__` is made of: displays, single names, texts that are split, and whether there is anything else."""

    displays: tuple[Listed, ...] = ()
    single: tuple[ast.Constant, ...] = ()
    split: tuple[ast.Constant, ...] = ()
    open: bool = False

    def has(self, name: str) -> bool:
        """Whether a name is among those that can be read."""
        listed = (item for display in self.displays for item in display.elts)
        known = any(isinstance(item, ast.Constant) and item.value == name for item in (*listed, *self.single))
        return known or any(name in re.findall(r"\w+", str(text.value)) for text in self.split)


def exports_of(view: View) -> Exports:
    """What the statements at the top of a file say of `__all__`, those under `if` and `try` included."""
    reader = _Reader(view)
    for statement in top_level(view.tree.body):
        reader.read(statement)
    return Exports(tuple(reader.displays), tuple(reader.single), tuple(reader.split), reader.open)


class _Reader:
    """Goes through the statements that bind or change `__all__`."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.displays: list[Listed] = []
        self.single: list[ast.Constant] = []
        self.split: list[ast.Constant] = []
        self.open = False

    def read(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value) if any(_is_all(target) for target in targets):
                self.add(value)
            case ast.AugAssign(target=target, value=value) | ast.AnnAssign(target=target, value=ast.expr() as value) if _is_all(
                target
            ):
                self.add(value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=base, attr="append" | "insert" | "remove"), args=[*_, name])):
                if _is_all(base):
                    self.add_name(name)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=base, attr="extend"), args=[value])) if _is_all(base):
                self.add(value)
            case _:
                pass

    def add_name(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant):
            self.single.append(node)
        else:
            self.open = True

    def add(self, value: ast.expr, depth: int = 0) -> None:
        match value:
            case ast.List() | ast.Tuple() | ast.Set():
                self.displays.append(value)
                for item in value.elts:
                    if isinstance(item, ast.Starred):
                        self.add(item.value)
            case ast.BinOp(left=left, right=right):
                self.add(left, depth)
                self.add(right, depth)
            case ast.Call(func=ast.Name(id=name), args=[inner]) if name in COPIES:
                self.add(inner, depth)
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()) as text, attr="split")):
                self.split.append(text)
            case ast.Attribute(attr="__all__"):
                pass  # names that another module offers, and that it renames itself
            case ast.Name(id=name) if depth < MAX_CONSTANTS:
                self.add_constant(name, depth + 1)
            case _:
                self.open = True

    def add_constant(self, name: str, depth: int) -> None:
        """A list that has a name of its own, or the `__all__` of another module under another name."""
        origin = self.view.flow.info.names.get(name)
        if origin is not None and origin.endswith(".__all__"):
            return
        bound = [s for s in top_level(self.view.tree.body) if isinstance(s, ast.Assign) and _binds(s, name)]
        used = len(re.findall(rf"\b{re.escape(name)}\b", self.view.source.text))
        if len(bound) == 1 and used == 2:
            self.add(bound[0].value, depth)
        else:
            self.open = True


MAX_CONSTANTS = 4
"""Constants behind constants that are looked up for one `__all__`."""


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "__all__"


def _binds(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
