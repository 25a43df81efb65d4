"""What one file says about names, read with ast: the classes it defines with their bases, and what it imports.

One file alone; `inheritance` joins outlines into chains and cycles.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lossport.measure.statements import inner_statements, scoped


@dataclass(frozen=True)
class ClassDefinition:
    """A class: its name inside the file, its line, and its bases as dotted names as written."""

    name: str
    line: int
    bases: tuple[str, ...]


@dataclass(frozen=True)
class Outline:
    """Classes in order of appearance, what each imported name means, and the modules imported when the file is.

    `names` maps a local name to the dotted path it was imported from; relative imports keep their leading dots, and a star
    import has the key `*<module>`. `imports` leaves out those inside functions and under `TYPE_CHECKING`, which cannot
    make a cycle at import.
    """

    classes: tuple[ClassDefinition, ...]
    names: dict[str, str]
    imports: tuple[str, ...]


def outline(tree: ast.Module) -> Outline:
    """The outline of a parsed file."""
    names: dict[str, str] = {}
    classes: list[ClassDefinition] = []
    for scope, node in scoped(tree):
        names.update(_bound(node))
        if isinstance(node, ast.ClassDef):
            bases = (_dotted(base) for base in node.bases)
            classes.append(ClassDefinition(scope + node.name, node.lineno, tuple(base for base in bases if base)))
    imports = {module for node in _at_import(tree) for module in _imported(node)}
    return Outline(tuple(classes), names, tuple(sorted(imports)))


def _dotted(node: ast.expr) -> str | None:
    """`a.b.C` for a name or attribute chain; the class itself for `Base[T]` and `make(Base)` stays unknown."""
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}" if owner else None
    return None


def _bound(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                yield f"*{module}", module
            else:
                joint = "" if module.endswith(".") or not module else "."
                yield alias.asname or alias.name, f"{module}{joint}{alias.name}"


def _imported(node: ast.AST) -> Iterator[str]:
    """Each imported thing as a dotted path; the reader cuts it down to a module it knows."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (target for _, target in _bound(node))


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The statements that run when the module is imported."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    inside: Iterable[ast.AST] = inner_statements(node)
    if isinstance(node, ast.If) and (_dotted(node.test) or "").rpartition(".")[2] == "TYPE_CHECKING":
        inside = node.orelse
    for child in inside:
        yield child
        yield from _at_import(child)
