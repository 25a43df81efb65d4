"""What a file calls the new symbols: imports replaced where they stand, names renamed where nothing else has the name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from lossport.port import Port
from lossport.rewrite.listing import import_listing, remove_names
from lossport.rewrite.outcome import Draft
from lossport.tree.modules import absolute
from lossport.tree.scopes import Scope, Scopes, Variable
from lossport.tree.survey import Imported, View


@dataclass(frozen=True)
class NewName:
    """Where the new symbol comes from, and what the file calls it (`asname` empty: by its own name)."""

    module: str
    name: str
    asname: str = ""

    @property
    def bound(self) -> str:
        """The variable."""
        return self.asname or self.name

    @property
    def text(self) -> str:
        """The entry of a `from` import."""
        return f"{self.name} as {self.asname}" if self.asname and self.asname != self.name else self.name


def new_name(view: View, imported: Imported, port: Port) -> NewName:
    """How the file names the new symbol in the place of an imported legacy one."""
    module, _, name = port.new.rpartition(".")
    if imported.alias.asname:
        return NewName(module, name, imported.alias.asname)
    scopes = view.scopes((imported.alias.name, name))
    variable = scopes.scope_of[imported.alias].find(imported.alias.name)
    if variable is None or not can_rename(view, scopes, variable, name, port):
        return NewName(module, name, imported.alias.name)
    return NewName(module, name)


def can_rename(view: View, scopes: Scopes, variable: Variable, name: str, port: Port) -> bool:
    """Whether every use of the variable can be given another name without meeting something of that name."""
    if variable.name == name:
        return True
    if not all(isinstance(binder, ast.alias) and _is_port_alias(view, binder, port) for binder in variable.binders):
        return False
    if name in scopes.unbound or _is_listed(view, variable.name):
        return False
    return not any(_has_other(view, scope, name, port) for scope in _scopes_between(scopes, variable))


def _is_port_alias(view: View, alias: ast.alias, port: Port) -> bool:
    return any(i.alias is alias and i.target == port.legacy and not alias.asname for i in view.imports)


def _is_listed(view: View, name: str) -> bool:
    """Whether the name is exported by `__all__`, or reached as a string through `globals()`."""
    return any(isinstance(node, ast.Constant) and node.value == name for node in view.parents)


def _scopes_between(scopes: Scopes, variable: Variable) -> Iterable[Scope]:
    """The scopes in which the variable is read, and those around them up to its own."""
    seen: dict[int, Scope] = {id(variable.scope): variable.scope}
    for use in variable.uses:
        scope: Scope | None = scopes.scope_of[use]
        while scope is not None and scope is not variable.scope:
            seen[id(scope)] = scope
            scope = scope.parent
    return seen.values()


def _has_other(view: View, scope: Scope, name: str, port: Port) -> bool:
    """Whether the scope binds the name to anything but the new symbol itself."""
    found = scope.variables.get(name)
    if found is None:
        return False
    return not all(isinstance(binder, ast.alias) and _imports_new(view, binder, port) for binder in found.binders)


def _imports_new(view: View, alias: ast.alias, port: Port) -> bool:
    statement = view.parents.get(alias)
    if not isinstance(statement, ast.ImportFrom) or alias.asname:
        return False
    module = absolute(view.package, statement.module, statement.level)
    return module is not None and view.modules.member(module, alias.name, view.path.parent) == view.modules.canonical(port.new)


def rewrite_from_import(draft: Draft, statement: ast.ImportFrom, replaced: dict[ast.alias, NewName | None]) -> None:
    """Replace some names of a `from` import (None: remove); the others stay."""
    numbers = frozenset(number for number, alias in enumerate(statement.names) if alias in replaced)
    wanted = list(dict.fromkeys(name for name in replaced.values() if name is not None))
    by_module: dict[str, list[NewName]] = {}
    for name in wanted:
        if not _merge(draft, statement, name):
            by_module.setdefault(name.module, []).append(name)
    if len(numbers) == len(statement.names):
        if len(by_module) == 1 and len(wanted) == len(numbers) == len(replaced):
            _replace_in_place(draft, statement, replaced)
        elif by_module:
            lines = [import_line(module, names) for module, names in by_module.items()]
            draft.replace(*draft.view.source.span(statement), separator(draft, statement).join(lines))
        else:
            delete_statement(draft, statement)
        return
    text = remove_names(draft.text_of(statement), numbers)
    lines = [import_line(module, names) for module, names in by_module.items()]
    draft.replace(*draft.view.source.span(statement), separator(draft, statement).join([text, *lines]))


def import_line(module: str, names: Iterable[NewName]) -> str:
    """A `from` import."""
    return f"from {module} import {', '.join(name.text for name in names)}"


def _replace_in_place(draft: Draft, statement: ast.ImportFrom, replaced: dict[ast.alias, NewName | None]) -> None:
    """Module and names change; line breaks, brackets and comments stay."""
    start, end = draft.view.source.span(statement)
    text = draft.view.source.text
    match = re.compile(r"from((?:\s|\\)*)([\w.\s\\]*?)((?:\s|\\)*)import\b").match(text, start, end)
    assert match is not None
    module = next(name.module for name in replaced.values() if name is not None)
    gap = match.group(1) or " "
    after = match.group(3) or " "
    draft.replace(match.start(1), match.end(3), f"{gap}{module}{after}")
    for alias, name in replaced.items():
        if name is not None:
            draft.replace(*draft.view.source.span(alias), name.text)


def _merge(draft: Draft, statement: ast.ImportFrom, name: NewName) -> bool:
    """Add the name to an import of the same module that stands earlier in the same block."""
    body = _block_of(draft.view, statement)
    for other in body[: body.index(statement)] if statement in body else []:
        if not isinstance(other, ast.ImportFrom) or other.level or other.module != name.module or other.names[0].name == "*":
            continue
        if any(alias.name == name.name and (alias.asname or "") == name.asname for alias in other.names):
            return True
        if any(edit.start == draft.view.source.span(other)[0] for edit in draft.edits):
            continue
        listing = import_listing(draft.text_of(other))
        draft.replace(*draft.view.source.span(other), listing.insert(name.text).render())
        return True
    return False


def _block_of(view: View, statement: ast.stmt) -> list[ast.stmt]:
    parent = view.parents.get(statement)
    for field in ("body", "orelse", "finalbody"):
        block = getattr(parent, field, None)
        if isinstance(block, list) and statement in block:
            return block
    return [statement]


def separator(draft: Draft, statement: ast.stmt) -> str:
    """A line break with the statement's indentation; a semicolon where it shares its line."""
    source = draft.view.source
    start, end = source.span(statement)
    before = source.text[source.starts[statement.lineno - 1] : start]
    after = source.text[end : end + 200].lstrip(" \t\f")
    alone = before.strip() == "" and (after == "" or after[0] in "\r\n#")
    return source.newline + before if alone else "; "


def delete_statement(draft: Draft, statement: ast.stmt) -> None:
    """Remove a statement, with its line if nothing else stands there; `pass` where a block would be left empty."""
    source = draft.view.source
    start, end = source.span(statement)
    if len(_block_of(draft.view, statement)) == 1 and not isinstance(draft.view.parents.get(statement), ast.Module):
        draft.replace(start, end, "pass")
        return
    line_start = source.starts[statement.lineno - 1]
    last = statement.end_lineno or statement.lineno
    line_end = source.starts[last] if last < len(source.starts) else len(source.text)
    before, after = source.text[line_start:start], source.text[end:line_end]
    if before.strip() == "" and after.strip() == "":
        draft.replace(line_start, line_end, "")
    elif after.lstrip(" \t").startswith(";"):
        draft.replace(
            start, end + after.index(";") + 1 + (len(after.split(";", 1)[1]) - len(after.split(";", 1)[1].lstrip(" \t"))), ""
        )
    elif before.rstrip().endswith(";"):
        draft.replace(line_start + before.rindex(";"), end, "")
    else:
        draft.replace(start, end + len(after) - len(after.lstrip(" \t")), "")
