"""Star imports: of a legacy module, and of modules that pass its symbols on."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lossport.follow.values import Symbol
from lossport.follow.view import Imported, View
from lossport.rewrite.import_statements import NewName
from lossport.rewrite.names import Names, is_free, is_listed, unlist
from lossport.rewrite.references import Surroundings
from lossport.source.modules import absolute, top_level
from lossport.source.prefilter import Wanted, search
from lossport.source.variables import VariableScope
from lossport.source.walk import walk


def legacy_stars(names: Names, around: Surroundings, *, withdraw: bool) -> None:
    """Replace stars of legacy modules by the names that are used."""
    for imported in names.view.imports:
        if imported.kind == "star":
            _legacy_star(names, around, imported, withdraw=withdraw)


def passing_stars(names: Names, around: Surroundings) -> None:
    """Rename what comes through the stars of other modules."""
    view = names.view
    for statement in top_level(view.tree.body):
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            module = absolute(view.package, statement.module, statement.level)
            if module is not None and view.modules.canonical(module, view.path.parent) not in view.targets.modules:
                _passing_star(names, around, statement, module)


def _legacy_star(names: Names, around: Surroundings, imported: Imported, *, withdraw: bool) -> None:
    statement = imported.statement
    assert isinstance(statement, ast.ImportFrom)
    others = sorted(_other_names(names, imported))
    if others:
        shown = ", ".join(others)
        names.draft.refuse(
            imported.alias,
            f"the star of {imported.target} also brings {shown}, which this file uses",
            f"import {shown} from where they are defined",
            imported.target,
        )
        return
    used = dict.fromkeys(_used(names))
    offered = {s for s in view_symbols(names, around) if s.rpartition(".")[0] == imported.target}
    wanted = [s for s in used if s in offered] if withdraw or _is_script(names) else sorted(offered)
    new: list[NewName] = []
    for symbol in wanted:
        name = _star_name(names, around, symbol)
        if name is not None:
            new.append(name)
    for symbol in offered:
        old = symbol.rpartition(".")[2]
        kept = next((n.bound for n, s in zip(new, wanted, strict=False) if s == symbol), None)
        names.renamed[old] = kept
        unlist(names, old, kept)
    if not _carries_others(names, around, imported.target):
        names.edits.replace(statement, imported.alias, None)
    for name in new:
        names.edits.add(statement, name)


def _carries_others(names: Names, around: Surroundings, module: str) -> bool:
    """Whether another file has a name of the legacy module, of which no port speaks, that it may have through this star."""
    info = names.view.modules.load(module)
    if info is None or _is_script(names):
        return False
    public = (name for name in names.view.modules.public(info) if info.names.get(name, "") is None)
    symbols = (f"{module}.{name}" for name in public)
    others = [last(s) for s in symbols if not (s in around.contracts or s in around.gone or around.elsewhere(s))]
    project = names.view.modules.project
    mine = {str(names.view.path), str(info.path)}
    files = [path for path in walk(project).files if path.endswith(".py") and path not in mine]
    return bool(others) and bool(search(project, files, Wanted(tuple(others))).paths)


def view_symbols(names: Names, around: Surroundings) -> Iterator[str]:
    """The symbols that have a successor."""
    return (symbol for symbol in names.view.targets.symbols if symbol in around.contracts)


def _is_script(names: Names) -> bool:
    """Whether nothing can import from this file: a file outside the import roots, or one with a main guard."""
    return "__main__" in names.view.source.text


def _used(names: Names) -> Iterator[str]:
    for node, values in names.view.flow.values.items():
        if isinstance(node, ast.Name):
            yield from (value.path for value in values if isinstance(value, Symbol))


def _other_names(names: Names, imported: Imported) -> Iterator[str]:
    """Names of the legacy module that the file reads and binds nowhere, and that are no ported symbols."""
    view = names.view
    info = view.modules.load(imported.target)
    if info is None:
        return
    ported = {symbol.rpartition(".")[2] for symbol in view.targets.symbols if symbol.rpartition(".")[0] == imported.target}
    public = {name for name in view.modules.public(info) if re.search(rf"\b{re.escape(name)}\b", view.source.text)}
    if public - ported:
        yield from (name for name in public - ported if name in names.scopes.unbound)


def _star_name(names: Names, around: Surroundings, symbol: str) -> NewName | None:
    """The name for a symbol that came through a star; what refers to it is renamed."""
    port = around.contracts[symbol].port
    module, _, new = port.new.rpartition(".")
    old = symbol.rpartition(".")[2]
    scopes = names.scopes
    uses = scopes.unbound.get(old, [])
    where = [scopes.module, *(scope for use in uses for scope in _up(scopes.scope_of[use]))]
    if new == old:
        return NewName(module, new)
    if not is_free(names, where, new, port):
        return NewName(module, new, old)
    for use in uses:
        names.draft.replace(*names.view.source.span(use), new)
    names.taken.setdefault(new, port.new)
    return NewName(module, new)


def _up(scope: VariableScope | None) -> Iterator[VariableScope]:
    while scope is not None:
        yield scope
        scope = scope.parent


def _passing_star(names: Names, around: Surroundings, statement: ast.ImportFrom, module: str) -> None:
    """A star of a module that passes legacy symbols on: under a new name, or not any more."""
    view = names.view
    provider = view.modules.canonical(module, view.path.parent)
    listed = {symbol for symbol in around.contracts if is_listed(names, last(symbol)) and _gives(view, module, symbol)}
    for symbol in (*dict.fromkeys(_used(names)), *sorted(listed)):
        old = last(symbol)
        if symbol not in around.contracts or (old not in names.scopes.unbound and symbol not in listed):
            continue
        kept = around.kept(provider, old)
        if kept == old:
            continue
        name = _star_name(names, around, symbol)
        if name is not None and (kept is None or name.bound != kept):
            names.edits.add(statement, name)
        if name is not None and symbol in listed:
            names.renamed[old] = name.bound
            unlist(names, old, name.bound)


def last(symbol: str) -> str:
    """The name of a symbol without its module."""
    return symbol.rpartition(".")[2]


def _gives(view: View, module: str, symbol: str) -> bool:
    return view.modules.member(module, last(symbol), view.path.parent) == symbol
