"""Which of the project's own tests touch an edited file: those that a rehearsal runs.

Those that import it, directly or through other files of the project, and those that name it where an import would: by its path (a
test that starts a script), or by its dotted name (`import_module`, a patched function). A word that happens to be the name of a
file or folder names nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.project.config import Project
from lossport.project.snapshot import snapshot_of
from lossport.source.importing import Importing

TEST_FILE = re.compile(r"(test_.*|.*_test)\.py\Z")
"""Pytest's own default names for files that hold tests."""

EVERYWHERE = frozenset({"__init__.py", "__main__.py", "conftest.py"})
"""Names of files that say nothing about which one is meant."""

IMPORTS_BY_NAME = re.compile(rb"import_module|__import__|run_module")
"""Only in a file with one of these a single word may be a module: `legacy`, say."""


def touching_tests(project: Project, files: Sequence[Path], touched: Iterable[Path]) -> tuple[Path, ...]:
    """The test files among `files` that import a touched file, or name it by its path or its dotted name."""
    changed = frozenset(touched)
    snapshot = snapshot_of(project)
    importing = Importing(snapshot)
    tests = [path for path in files if TEST_FILE.match(path.name) and _is_under(path, project.tests)]
    conftests = [path for path in files if path.name == "conftest.py"]
    starts = {test: (test, *(path for path in conftests if test.is_relative_to(path.parent))) for test in tests}
    every = {path for some in starts.values() for path in some}
    names = _names_of(project, changed)
    naming = {
        path
        for path in importing.reached(every) - changed
        if path.suffix == ".py" and names.are_in(snapshot.content(path) or b"")
    }
    touching = importing.those_importing(every, changed | naming)
    return tuple(sorted(test for test, some in starts.items() if touching.intersection(some)))


@dataclass(frozen=True)
class _Names:
    """How files may be named: `paths` of them and of the folders they lie in, relative to the project, and `modules`.

    The name of a file with its suffix is a path as well, unless every package has one of that name.
    """

    paths: frozenset[str]
    modules: frozenset[str]
    words: re.Pattern[bytes]

    def are_in(self, raw: bytes) -> bool:
        """Whether a Python file names one of them. A file that Python could not run names none."""
        try:
            if not self.words.search(raw):
                return False
            tree = ast.parse(raw)
        except (SyntaxError, ValueError):
            return False
        if any(text.strip("/").removeprefix("./").partition(":")[0] in self.paths for text in _paths_in(tree)):
            return True
        by_name = IMPORTS_BY_NAME.search(raw) is not None
        return any(self._is_module(text, by_name) for text in _strings_in(tree))

    def _is_module(self, text: str, by_name: bool) -> bool:
        if "." not in text:
            return by_name and text in self.modules
        parts = text.split(".")
        return all(map(str.isidentifier, parts)) and any(".".join(parts[:n]) in self.modules for n in range(2, len(parts) + 1))


def _names_of(project: Project, changed: Iterable[Path]) -> _Names:
    paths: set[str] = set()
    modules: set[str] = set()
    for path in changed:
        relative = Path(project.relative(path))
        paths |= {relative.as_posix(), *(folder.as_posix() for folder in relative.parents if folder != Path("."))}
        paths |= {path.name} - EVERYWHERE
        module = project.module_name(path)
        modules |= {module} if module else set()
    last = {re.escape(re.split(r"[/.]", name)[-1] if name in modules else name.rpartition("/")[2]) for name in paths | modules}
    return _Names(frozenset(paths), frozenset(modules), re.compile("|".join(sorted(last)).encode()))


def _strings_in(tree: ast.Module) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _paths_in(tree: ast.Module) -> Iterator[str]:
    """Texts with a slash or a suffix, and what is joined: `ROOT / "scripts" / "train.py"`, `Path(ROOT, "scripts/train.py")`."""
    yield from (text for text in _strings_in(tree) if "/" in text or "." in text)
    inner = set()
    for node in ast.walk(tree):  # outer ones first
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and node not in inner:
            parts, left = [node.right], node.left
            while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div):
                inner.add(left)
                parts, left = [left.right, *parts], left.left
            yield _joined([left, *parts])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Path", "joinpath", "join"):
            yield _joined(node.args)


def _joined(parts: Sequence[ast.expr]) -> str:
    """The texts at the end, as one path."""
    texts: list[str] = []
    for part in reversed(parts):
        if not isinstance(part, ast.Constant) or not isinstance(part.value, str):
            break
        texts.insert(0, part.value.strip("/"))
    return "/".join(texts)


def _is_under(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
