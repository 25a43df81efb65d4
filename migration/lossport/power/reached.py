"""What of a source runs while the cases do: lines, module constants that these name, and which names carry gradients there.

Faults elsewhere say nothing about parity: nobody runs them. Plants nothing and judges nothing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from torch import Tensor

CAPSULE = "<capsule>/"
"""How files of a side that is served from memory are called in frames."""

LineAndName = tuple[int, str]


@dataclass
class Reached:
    """By path: lines that ran, the local names at a line, and those of them that held a tensor which a gradient flows back to."""

    lines: dict[str, set[int]] = field(default_factory=dict)
    names: dict[str, set[LineAndName]] = field(default_factory=dict)
    differentiable: dict[str, set[LineAndName]] = field(default_factory=dict)

    def without_gradient(self, path: str) -> set[LineAndName]:
        """Names that never held a tensor to be differentiated at a line: to detach these changes nothing, or fails at once."""
        return self.names.get(path, set()) - self.differentiable.get(path, set())

    def with_headers(self, texts: Mapping[str, str]) -> dict[str, set[int]]:
        """The lines, with what ran before they did: headers of functions, the rest of statements, constants that they name."""
        trees = {path: ast.parse(texts[path]) for path in self.lines if path in texts}
        found = {path: self.lines[path] | _statements(tree, self.lines[path]) for path, tree in trees.items()}
        used: set[str] = set()
        for path, tree in trees.items():
            used |= _names(node for node in ast.walk(tree) if getattr(node, "lineno", 0) in found[path])
        for path, tree in trees.items():
            found[path] |= _constants(tree, used)
        return found

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note what runs within."""
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(CAPSULE):
            return None
        path, line = name.removeprefix(CAPSULE), frame.f_lineno
        self.lines.setdefault(path, set()).add(line)
        for local, value in frame.f_locals.items():
            self.names.setdefault(path, set()).add((line, local))
            if isinstance(value, Tensor) and value.requires_grad:
                self.differentiable.setdefault(path, set()).add((line, local))
        return self._trace

    def touch(self, path: str, lines: range | None) -> bool:
        """Whether one of the lines ran; None are all lines, those that run when a module is imported."""
        return lines is None or not self.lines.get(path, set()).isdisjoint(lines)

    def add(self, other: Reached) -> None:
        """Take in what another run reached."""
        for path, lines in other.lines.items():
            self.lines.setdefault(path, set()).update(lines)
        for path, names in other.names.items():
            self.names.setdefault(path, set()).update(names)
        for path, names in other.differentiable.items():
            self.differentiable.setdefault(path, set()).update(names)


def lines_of(tree: ast.Module, line: int) -> range | None:
    """The lines one of which runs when what stands in a line takes effect: its statement's, for a header the function's.

    None for what takes effect when the module is imported.
    """
    around = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and line in _whole(node)]
    if not around:
        return None
    function = min(around, key=lambda node: len(_whole(node)))
    if line < function.body[0].lineno:
        return _whole(function)
    found = []
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and node is not function:
            body = getattr(node, "body", None)
            found.append(range(node.lineno, body[0].lineno) if body else _whole(node))
    return min((lines for lines in found if line in lines), key=len, default=_whole(function))


def _whole(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _statements(tree: ast.Module, lines: set[int]) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(node.lineno <= line <= (node.end_lineno or 0) for line in lines):
            found.update(range(node.lineno, node.body[0].lineno))
        elif isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If | ast.For | ast.With):
            whole = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if lines & set(whole):
                found.update(whole)
    return found


def _constants(tree: ast.Module, used: set[str]) -> set[int]:
    """Lines of the module's constants that are used, and of those that they are made of."""
    found: set[int] = set()
    for node in reversed(tree.body):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if used & _names(part for target in targets for part in ast.walk(target)):
                found.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
                used |= _names(ast.walk(node))
    return found


def _names(nodes: Iterator[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found
