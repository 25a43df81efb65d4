"""Which of the project's own tests touch an edited file: those that a rehearsal runs.

Those that import it, directly or through other modules of the project, and those that name it, its folder or its module in a
string (a test that starts scripts, say).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lossport.project.config import Project

TEST_FILE = re.compile(r"(test_.*|.*_test)\.py\Z")
"""Pytest's own default names for files that hold tests."""


def touching_tests(project: Project, files: Sequence[Path], touched: Iterable[Path]) -> tuple[Path, ...]:
    """The test files among `files` that import a touched file or name it in a string."""
    changed = {path for path in touched}
    words = _names_of(project, changed)
    parsed = {path: _parse(path) for path in files if path.suffix == ".py" and path not in changed}
    trees = {path: tree for path, tree in parsed.items() if tree is not None}
    imports = {path: _imported_files(project, path, tree) for path, tree in trees.items()}
    touching = {path for path, tree in trees.items() if _names_any(tree, words)} | changed
    tests = [path for path in files if TEST_FILE.match(path.name) and _is_under(path, project.tests)]
    return tuple(sorted(test for test in tests if touching & _reach([test, *_conftests(test, imports)], imports)))


def _names_of(project: Project, changed: Iterable[Path]) -> frozenset[str]:
    """The strings by which a test may name a changed file: its path, any folder above it, its file name, its module.

    Every package has an `__init__.py`: that name alone names none.
    """
    names = set()
    for path in changed:
        relative = Path(project.relative(path))
        names |= {relative.as_posix(), relative.name, *(p.as_posix() for p in relative.parents if p != Path("."))}
        module = project.module_name(path)
        if module:
            names.add(module)
    return frozenset(names - {"__init__.py"})


def _names_any(tree: ast.Module, words: frozenset[str]) -> bool:
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return any(text.strip("/") in words or text.removeprefix("./").partition(":")[0] in words for text in strings)


def _imported_files(project: Project, path: Path, tree: ast.Module) -> frozenset[Path]:
    """The files of the project that a module imports, packages above them included (their `__init__` runs too)."""
    package = (project.module_name(path) or "").split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names |= {stem, *(f"{stem}.{alias.name}" for alias in node.names)}
    parents = {".".join(name.split(".")[:n]) for name in names for n in range(1, name.count(".") + 2)}
    found = (project.module_path(name) for name in parents if name)
    return frozenset(file for file in found if file is not None)


def _reach(start: Iterable[Path], imports: Mapping[Path, frozenset[Path]]) -> set[Path]:
    seen: set[Path] = set()
    todo = list(start)
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(imports.get(path, ()))
    return seen


def _conftests(test: Path, known: Iterable[Path]) -> list[Path]:
    return [path for path in known if path.name == "conftest.py" and test.is_relative_to(path.parent)]


def _is_under(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _parse(path: Path) -> ast.Module | None:
    """None for a file that Python itself could not run: it imports nothing."""
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return None
