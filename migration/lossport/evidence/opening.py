"""Open a golden: load the legacy side out of its capsule and the new side from the tree, as a pair that is ready to run."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lossport.evidence.capsule import CapsuleError
from lossport.evidence.golden import Golden
from lossport.judge.pair import Pair
from lossport.observe.isolation import CAPSULE, Sources, resolve
from lossport.observe.side import Side, legacy_side, new_side
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError
from lossport.project.port import Rename


def open_pair(
    stack: ExitStack,
    project: Project,
    loss: Loss,
    golden: Golden,
    *,
    rewritten: str,
    device: str,
    new_sources: Sources | None = None,
) -> Pair:
    """Load both sides; they close with the stack. `new_sources` takes the place of the new modules in the tree."""
    ports = {port.legacy: port for port in loss.ports}
    sources = Sources(golden.header.sources)
    path = golden.header.cases_path
    legacy = stack.enter_context(legacy_side(sources, tuple(ports), (), (path, golden.header.cases)))
    new_symbols = tuple(dict.fromkeys(port.new for port in loss.ports))
    tops = frozenset(sources.tops)
    new = stack.enter_context(new_side(project.import_roots, tops, new_symbols, (path, rewritten), new_sources))
    _check_files(project, loss, legacy, new if new_sources is None else None)
    missing = [name for name in golden.cases if name not in legacy.cases or name not in new.cases]
    if missing:
        names = ", ".join(missing)
        raise CapsuleError(f"{path}: the golden has the cases {names}, the rewritten cases do not; record {loss.name} again")
    divergences = tuple(item for port in loss.ports for item in port.divergences)
    renamed = {rule.old: rule.new for port in loss.ports for rule in port.parameters if isinstance(rule, Rename)}
    return Pair(legacy, replace(new, options=renamed), ports, divergences, device)


def _check_files(project: Project, loss: Loss, legacy: Side, new: Side | None) -> None:
    """What was run is what is meant: the legacy side comes out of the capsule, the new one from another file of the project.

    Raises:
        InputError: a side was loaded from somewhere else.
    """
    with legacy.scope.active():
        for port in loss.ports:
            found = _file_of(port.legacy)
            if not found.startswith(CAPSULE):
                raise InputError(f"{port.legacy}: loaded from {found}, not out of the golden; is an import hook in the way?")
    if new is None:
        return
    with new.scope.active():
        for port in loss.ports:
            found, meant = _file_of(port.new), project.module_path(port.new.rpartition(".")[0])
            if found.startswith(CAPSULE) or Path(found).is_relative_to(project.legacy):
                raise InputError(f"{port.new}: loaded from {found}, which is legacy; correct new= in the port, or import-roots")
            module = getattr(sys.modules.get(port.new.rpartition(".")[0]), "__file__", None)
            if meant is not None and module is not None and Path(module).resolve() != meant.resolve():
                where = project.relative(meant)
                raise InputError(f"{port.new}: loaded from {module}, not from {where}; another copy of the package is in the way")


def _file_of(symbol: str) -> str:
    """The file that defines what a dotted path leads to; empty where Python cannot tell."""
    home = getattr(resolve(symbol), "__module__", None) or symbol.rpartition(".")[0]
    return str(getattr(sys.modules.get(home), "__file__", None) or "")
