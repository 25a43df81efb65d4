"""The sources that a symbol rests on: its module and the project modules it imports. What evidence goes stale by."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from lossport.config import Project
from lossport.tree.modules import ModuleInfo, Modules, absolute


def module_closure(project: Project, module: str) -> tuple[Path, ...]:
    """The module's file and the files of the modules it imports, transitively, in its own top-level package. Sorted.

    A package's `__init__` belongs to it only where a name is defined there: one that merely re-exports changes with every
    loss that comes or goes, and would make the evidence of all others stale. Empty if the project has no such module.
    """
    modules = Modules(project)
    top = module.partition(".")[0]
    found: dict[Path, None] = {}
    queue = [module]
    seen: set[str] = set()
    while queue:
        name = queue.pop()
        if name in seen or name.partition(".")[0] != top:
            continue
        seen.add(name)
        path = modules.path(name)
        if path is None:
            continue
        found[path] = None
        info = modules.load(name)
        if info is not None:
            queue.extend(_imported(modules, info))
    return tuple(sorted(found))


def _imported(modules: Modules, info: ModuleInfo) -> Iterator[str]:
    """The modules that the file imports anywhere, and those that names taken from a package lead to."""
    for node in ast.walk(info.tree):
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


def source_digest(project: Project, dotted_symbol: str) -> str:
    """SHA-256 over the paths and bytes of the sources that a symbol rests on; of nothing if the project has no such module.

    The `__init__` of a package counts only if the symbol is defined there: where it passes names on, which loss it passes on is
    known from following it, and the other names in it change whenever another loss comes or goes.
    """
    modules = Modules(project)
    home = modules.canonical(dotted_symbol).rpartition(".")[0]
    digest = hashlib.sha256()
    for path in module_closure(project, home):
        if path.name == "__init__.py" and path != modules.path(home):
            continue
        content = path.read_bytes()
        digest.update(f"{project.relative(path)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
