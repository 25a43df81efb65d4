"""A rehearsal: the project's own tests, on a copy of the tree with the planned edits in it.

The tree itself is not touched. Only tests that touch an edited file run: those that import it, directly or through other modules
of the project, and those that name it, its folder or its module in a string (a test that starts scripts, say).
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.project.config import Project
from lossport.project.transaction import Change

TEST_FILE = re.compile(r"(test_.*|.*_test)\.py\Z")
"""Pytest's own default names for files that hold tests."""

TAIL_LINES = 40
"""How much of a failing run is shown: pytest's summary and the last failure fit; the command shows the rest."""


@dataclass(frozen=True)
class Trial:
    """What the rehearsal came to. `passed` without any `tests` means that no test touches the edits."""

    tests: tuple[str, ...]
    passed: bool
    command: tuple[str, ...]
    output: str

    @property
    def tail(self) -> str:
        """The end of the output."""
        return "\n".join(self.output.rstrip().splitlines()[-TAIL_LINES:])


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


def rehearse(project: Project, files: Sequence[Path], changes: Sequence[Change], tests: Sequence[Path]) -> Trial:
    """Copy the tree, make the changes there, run the tests there."""
    shown = tuple(project.relative(test) for test in tests)
    command = tuple(sys.executable if part == "python" else part for part in project.test_command)
    if not tests:
        return Trial((), True, command, "")
    with tempfile.TemporaryDirectory(prefix="lossport-trial-") as folder:
        copy = Path(folder).resolve() / project.root.name
        _copy_tree(project.root, copy, files)
        for change in changes:
            _make(copy / change.path.relative_to(project.root), change.after)
        code, output = _run([*command, *shown], copy, _environment(project, copy))
    return Trial(shown, code == 0, (*project.test_command, *shown), output.replace(str(copy) + os.sep, ""))


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


def _copy_tree(root: Path, copy: Path, files: Iterable[Path]) -> None:
    for path in files:
        target = copy / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            shutil.copy2(path, target)


def _make(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _environment(project: Project, copy: Path) -> dict[str, str]:
    """The copy's modules come first on the path, before the tree that they were copied from."""
    roots = [str(copy / root.relative_to(project.root)) for root in project.import_roots]
    inherited = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*roots, *inherited]), "PYTHONDONTWRITEBYTECODE": "1"}


def _run(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Run in a process group of its own, so that Ctrl-C here ends whatever the tests started."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output
