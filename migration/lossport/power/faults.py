"""Faults planted one by one into a source text: `faults_of` tries the whole catalogue of `operators` on the lines that run.

Works on text alone: nothing here imports or runs the loss.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from lossport.power.operators import OPERATORS, Context, detached


@dataclass(frozen=True)
class Fault:
    """One fault: where, what it changes, and the changed text of the whole file."""

    operator: str
    path: str
    line: int
    before: str
    after: str
    text: str

    @property
    def id(self) -> str:
        """Stable under changes elsewhere in the file."""
        return hashlib.sha256(f"{self.path}\0{self.operator}\0{self.before}\0{self.after}".encode()).hexdigest()[:12]

    def diff(self) -> str:
        """The change as a person reads it."""
        return f"{self.path}:{self.line}  {self.operator}\n  - {self.before}\n  + {self.after}"


def faults_of(
    path: str, text: str, lines: Collection[int] | None = None, *, without_gradient: Collection[tuple[int, str]] = ()
) -> list[Fault]:
    """Every fault of the catalogue in a file, each once; `lines` restricts them to lines that run.

    `without_gradient` are names by line that no gradient flows back to: to detach them would be no fault.
    """
    tree = ast.parse(text)
    context = _context(text, tree)
    found: dict[str, Fault] = {}
    for node in ast.walk(tree):
        if not hasattr(node, "lineno") or (lines is not None and node.lineno not in lines):
            continue
        if _beside_the_point(node, context.above):
            continue
        for name, plant in OPERATORS.items():
            if plant is detached and (node.lineno, getattr(node, "id", "")) in without_gradient:
                continue
            for target, replacement in plant(node, context):
                fault = _fault(name, path, context, target, replacement)
                if fault is not None:
                    found.setdefault(fault.text, fault)
    return sorted(found.values(), key=lambda item: (item.line, item.operator, item.after))


def _context(text: str, tree: ast.Module) -> Context:
    lines = tuple(text.splitlines(keepends=True))
    starts = tuple(accumulate((len(line) for line in lines), initial=0))
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    return Context(text, lines, starts, above, _constructor_defaults(tree))


def _fault(name: str, path: str, context: Context, target: ast.AST, replacement: str) -> Fault | None:
    """The changed text, if it still parses and differs by more than parentheses."""
    start, end = context.span(target)
    if _same(target, replacement):
        return None
    changed = context.text[:start] + replacement + context.text[end:]
    try:
        ast.parse(changed)
    except SyntaxError:
        return None
    place: Any = target
    first = context.starts[place.lineno - 1]
    last = context.starts[min(place.end_lineno, len(context.starts) - 1)]
    before, after = context.text[first:last], changed[first : last + len(changed) - len(context.text)]
    return Fault(name, path, place.lineno, _told(before), _told(after), changed)


def fault_between(operator: str, path: str, text: str, changed: str) -> Fault | None:
    """A change that somebody else made, as a fault; None if it changes nothing or does not parse."""
    try:
        if ast.dump(ast.parse(text)) == ast.dump(ast.parse(changed)):
            return None
    except SyntaxError:
        return None
    before, after = text.splitlines(), changed.splitlines()
    first = next((n for n, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), 0)
    rest = len(after) - len(before)
    last = next((n for n in range(first + 1, len(before) + 1) if before[n:] == after[n + rest :]), len(before))
    return Fault(
        operator, path, first + 1, _told("\n".join(before[first:last])), _told("\n".join(after[first : last + rest])), changed
    )


def _told(lines: str) -> str:
    return " ".join(line.strip() for line in lines.splitlines())


def _same(target: ast.AST, replacement: str) -> bool:
    try:
        return ast.dump(ast.parse(replacement, mode="eval").body) == ast.dump(target)
    except SyntaxError:
        return False


def _constructor_defaults(tree: ast.Module) -> dict[str, ast.expr | None]:
    """Parameters of constructors with their literal defaults: what `self.x` could be replaced by."""
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            names = node.args.args[-len(node.args.defaults) :] if node.args.defaults else []
            found.update({item.arg: default for item, default in zip(names, node.args.defaults, strict=True)})
    return found


def _beside_the_point(node: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
    """Annotations, docstrings, messages and decorators: changing them changes no number."""
    child, parent = node, above.get(node)
    while parent is not None:
        if isinstance(parent, ast.Raise) or (isinstance(parent, ast.Expr) and isinstance(child, ast.Constant)):
            return True
        if isinstance(parent, ast.AnnAssign | ast.arg) and child is parent.annotation:
            return True
        if isinstance(parent, ast.AnnAssign) and "TypeAlias" in ast.unparse(parent.annotation):
            return True
        if isinstance(parent, ast.FunctionDef) and (child is parent.returns or child in parent.decorator_list):
            return True
        if isinstance(parent, ast.ClassDef) and (child in parent.decorator_list or child in parent.bases):
            return True
        child, parent = parent, above.get(parent)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
