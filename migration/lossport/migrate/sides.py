"""What was run is what is meant: whether a port leads from a legacy file to another file that can do without it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lossport.migrate import stages
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError
from lossport.project.port import Port
from lossport.project.snapshot import snapshot_of
from lossport.source.modules import Modules, absolute

if TYPE_CHECKING:
    from lossport.evidence import Golden


def wrong_sides(project: Project, loss: Loss) -> tuple[str, ...]:
    """Why the new side of some port is not a replacement of the legacy one; each with what to do."""
    modules = Modules(project)
    retired = frozenset(stages.legacy_files(project, loss))
    where = project.relative(loss.port_file)
    return tuple(f"{where}: {fault}" for port in loss.ports for fault in _faults(project, modules, port, retired))


def _faults(project: Project, modules: Modules, port: Port, retired: frozenset[Path]) -> Iterator[str]:
    new = modules.canonical(port.new)
    path = modules.path(new.rpartition(".")[0])
    if path is None:
        return
    legacy = modules.path(port.module)
    shown = project.relative(path)
    named = modules.path(port.new.rpartition(".")[0])
    if port.new == port.legacy or (new == modules.canonical(port.legacy) and named != legacy):
        yield f"new={port.new!r} is the legacy symbol itself; name its successor"
    elif legacy is not None and path.samefile(legacy):
        yield f"new={port.new!r} and legacy={port.legacy!r} are both loaded from {shown}; correct new= or import-roots"
    elif path.is_relative_to(project.legacy):
        yield f"new={port.new!r} is defined in {shown}, in the legacy folder, which goes; move it to {_new(project)}"
    else:
        way = _way_to(project, modules, path, retired)
        if way:
            yield f"new={port.new!r} needs the legacy file: {' imports '.join(way)}; move what it needs into {_new(project)}"


def _new(project: Project) -> str:
    return f"{project.relative(project.new)}/"


def _way_to(project: Project, modules: Modules, start: Path, retired: frozenset[Path]) -> tuple[str, ...]:
    """The imports that lead from a file to a retired one, file by file; () if none does. The packages above are not followed:
    what they pass on is rewritten."""
    came_from: dict[Path, Path | None] = {start: None}
    queue = [start]
    for path in queue:
        if path in retired:
            return tuple(reversed([project.relative(step) for step in _back(came_from, path)]))
        for module, _ in imported_modules(project, path, snapshot_of(project).content(path) or b""):
            found = modules.path(module)
            if found is not None and found not in came_from:
                came_from[found] = path
                queue.append(found)
    return ()


def _back(came_from: dict[Path, Path | None], path: Path) -> Iterator[Path]:
    step: Path | None = path
    while step is not None:
        yield step
        step = came_from[step]


def imported_modules(project: Project, path: Path, content: bytes) -> Iterator[tuple[str, int]]:
    """What a file imports as dotted names that may be modules, each with its line; nothing of a file that is not Python."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    name = project.module_name(path) or path.stem
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(package, node.module, node.level)
            if module is not None:
                yield module, node.lineno
                yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def runs_alone(project: Project, loss: Loss, golden: Golden, copy: Path) -> str:
    """Why the new loss cannot be imported, or run in the first case, on a copy without the legacy files; else empty."""
    from lossport.observe.run import Run, observe, steady  # noqa: PLC0415  # torch is paid for by those who run losses
    from lossport.observe.side import new_side  # noqa: PLC0415

    symbols = tuple(dict.fromkeys(port.new for port in loss.ports))
    tops = frozenset(symbol.partition(".")[0] for symbol in loss.symbols)
    roots = [copy / root.relative_to(project.root) for root in project.import_roots]
    cases = golden.header.cases_path, golden.header.rewritten
    try:
        with steady(), new_side(roots, tops, symbols, cases) as side:
            seen = observe(side, next(iter(side.cases)), Run())
    except InputError as error:
        return f"without the legacy files: {error}"
    raised = seen.steps[-1].raised if seen.steps and seen.raised else None
    missing = raised is not None and raised.type.rpartition(".")[2] in ("ImportError", "ModuleNotFoundError")
    return f"without the legacy files, the first case raises {raised.type}: {raised.message}" if raised and missing else ""
