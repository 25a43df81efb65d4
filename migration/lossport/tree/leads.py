"""Whether a file that contains a legacy word can lead to something legacy: imports and texts are looked at, nothing is parsed.

`losses` is a word of half the files of a project, and seldom the module `legacy.losses`; the new class may be called as the old
one was. What is not certain counts as a lead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lossport.tree.dotted import meaning_of
from lossport.tree.modules import Modules, absolute
from lossport.tree.targets import Targets

_IMPORT = re.compile(rb"(?<![\w.])(?:from\b[\s\\]*[\w.]+[\s\\]+)?import\b(?:[^\n(\\]|\\\r?\n)*(?:\((?:[^)#\n]|#[^\n]*|\n)*\)?)?")
"""An import statement wherever it stands: in code, in a doctest, in a cell of a notebook."""

_LOOKS_UP = re.compile(
    rb"import_module|__import__|[gs]etattr|hasattr|delattr|vars|globals|locals|modules|patch|eval|exec|__\w*name__"
)
"""What takes a name as text, or compares one."""

_WORD = re.compile(rb"\w+")


class Leads:
    """Looks at one file after the other, for the same targets; `packages` are those that names may be computed in."""

    def __init__(self, modules: Modules, targets: Targets, packages: Iterable[str]) -> None:
        self._modules = modules
        self._targets = targets
        self._words = frozenset(part.encode() for symbol in targets.symbols for part in symbol.split(".")[-2:])
        self._packages = frozenset(package.encode() for package in packages)
        words = _any_of(self._words)
        self._chain = re.compile(rb"(?<![\w.])(\w+)\s*\.(?:\s*\w+\s*\.)*\s*" + words + rb"(?!\w)")
        self._path = re.compile(rb"""["']((?:\w+[.:])*""" + words + rb"""(?:[.:]\w+)*)["']""")
        self._quoted = re.compile(rb"""["'.]""" + words + rb"""["'.]""")
        self._package = re.compile(rb"""["'.]""" + _any_of(self._packages) + rb"""["'.]""")

    def __call__(self, path: Path, raw: bytes) -> bool:
        """Whether the file has to be followed."""
        statements = [match.group() for match in _IMPORT.finditer(raw)]
        imported = {word for statement in statements for word in _WORD.findall(statement)}
        return (
            not self._packages.isdisjoint(imported)
            or self._package.search(raw) is not None
            or any(match[1] in imported for match in self._chain.finditer(raw))
            or (self._quoted.search(raw) is not None and _LOOKS_UP.search(raw) is not None)
            or any(self._means(match[1], path) for match in self._path.finditer(raw))
            or any(self._imports(statement, path) for statement in statements)
        )

    def _means(self, text: bytes, path: Path) -> bool:
        symbols, retired = self._targets.symbols, self._targets.modules
        return meaning_of(text.decode(), self._modules, symbols, retired, path.parent) is not None

    def _imports(self, statement: bytes, path: Path) -> bool:
        """Whether an import takes something legacy, or everything from another module of the project."""
        if b"*" not in statement and self._words.isdisjoint(_WORD.findall(statement)):
            return False
        try:
            parsed = ast.parse(statement.strip())
        except (SyntaxError, ValueError):
            return True
        return any(self._leads(dotted, path.parent) for node in ast.walk(parsed) for dotted in self._taken(node, path))

    def _taken(self, node: ast.AST, path: Path) -> Iterator[str]:
        """What an import takes, by its dotted path."""
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(self._package_of(path), node.module, node.level)
            yield from (f"{module}.{alias.name}" for alias in node.names if module is not None)

    def _package_of(self, path: Path) -> str:
        name = self._modules.project.module_name(path) or path.stem
        return name if path.name == "__init__.py" else name.rpartition(".")[0]

    def _leads(self, dotted: str, near: Path) -> bool:
        modules, retired = self._modules, self._targets.modules
        parent, _, name = dotted.rpartition(".")
        if name == "*":
            return modules.path(parent, near) is not None
        taken = modules.member(parent, name, near) if parent else modules.canonical(dotted, near)
        return taken in self._targets.symbols or not retired.isdisjoint((taken, modules.canonical(parent, near)))


def _any_of(words: Iterable[bytes]) -> bytes:
    return rb"(?:" + (b"|".join(map(re.escape, sorted(words))) or rb"(?!)") + rb")"
