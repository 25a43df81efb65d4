"""The sources that a symbol rests on: its module and the project modules it imports. What evidence goes stale by."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from lossport.project.config import Project
from lossport.project.snapshot import snapshot_of
from lossport.source.modules import ModuleInfo, Modules, absolute, modules_of
from lossport.source.nodes import walk


class Closures:
    """What symbols of one state of the tree rest on: every file is read once, however many symbols are asked about."""

    def __init__(self, project: Project) -> None:
        self._project = snapshot_of(project)
        self._modules = modules_of(self._project)
        self._imports: dict[str, tuple[str, ...]] = {}

    def files(self, module: str) -> tuple[Path, ...]:
        """The module's file and the files of the modules it imports, transitively, in its own top-level package. Sorted.

        A package's `__init__` belongs to it only where a name is defined there: one that merely re-exports changes with every
        loss that comes or goes, and would make the evidence of all others stale. Empty if the project has no such module.
        """
        top = module.partition(".")[0]
        found: dict[Path, None] = {}
        queue = [module]
        seen: set[str] = set()
        while queue:
            name = queue.pop()
            if name in seen or name.partition(".")[0] != top:
                continue
            seen.add(name)
            path = self._modules.path(name)
            if path is not None:
                found[path] = None
                queue.extend(self._imported(name))
        return tuple(sorted(found))

    def digest(self, dotted_symbol: str) -> str:
        """SHA-256 over the paths and bytes of the sources that a symbol rests on; of nothing without such a module.

        The `__init__` of a package counts only if the symbol is defined there: where it passes names on, which loss it passes
        on is known from following it, and the other names in it change whenever another loss comes or goes.
        """
        home = self._modules.canonical(dotted_symbol).rpartition(".")[0]
        digest = hashlib.sha256()
        for path in self.files(home):
            if path.name == "__init__.py" and path != self._modules.path(home):
                continue
            content = self._project.content(path) or b""
            digest.update(f"{self._project.relative(path)}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def _imported(self, name: str) -> tuple[str, ...]:
        if name not in self._imports:
            info = self._modules.load(name)
            self._imports[name] = () if info is None else tuple(_imported(self._modules, info))
        return self._imports[name]


def closures_of(project: Project) -> Closures:
    """The closures of a snapshot, the same ones for whoever asks; of a plain project, those of now."""
    snapshot = snapshot_of(project)
    return snapshot.once("closures", lambda: Closures(snapshot))


def module_closure(project: Project, module: str) -> tuple[Path, ...]:
    """The files that one module rests on; see `Closures.files`."""
    return closures_of(project).files(module)


def source_digest(project: Project, dotted_symbol: str) -> str:
    """The digest of what one symbol rests on; see `Closures.digest`."""
    return closures_of(project).digest(dotted_symbol)


def _imported(modules: Modules, info: ModuleInfo) -> Iterator[str]:
    """The modules that the file imports anywhere, and those that names taken from a package lead to."""
    for node in walk(info.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(info.package, node.module, node.level)
            if module is None:
                continue
            for alias in node.names:
                if alias.name == "*":
                    yield module
                    continue
                member = modules.member(module, alias.name)
                yield member if modules.path(member) is not None else member.rpartition(".")[0]
