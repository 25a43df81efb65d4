"""What a file calls the new symbols: renamed where nothing else has the name, else under the name that is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lossport.follow.values import Symbol
from lossport.follow.view import Imported, View
from lossport.project.port import Gone, Port
from lossport.rewrite.contract import Contract
from lossport.rewrite.exports import Exports, exports_of
from lossport.rewrite.import_statements import ImportEdits, NewName, delete_statement
from lossport.rewrite.literals import like
from lossport.rewrite.outcome import Draft
from lossport.source.modules import absolute
from lossport.source.variables import Scopes, Variable, VariableScope

LOOKED_UP_BY_TEXT = re.compile(r"\b(?:globals|locals|vars|eval|exec)\s*\(")
"""A file that calls one of these may reach a name that nothing in its syntax refers to."""


TYPE_COMMENT = re.compile(r"#[ \t]*type:[ \t]*(?!ignore\b)(.*)")


@dataclass
class Names:
    """The decisions for one file. `renamed` maps module-level names to what they are called after; None: not there any more.

    `stuck` are legacy modules that something is done with which cannot be followed: what names them stays.
    """

    draft: Draft
    edits: ImportEdits
    scopes: Scopes
    renamed: dict[str, str | None] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    stuck: frozenset[str] = frozenset()

    @cached_property
    def exports(self) -> Exports:
        """What the file says of `__all__`."""
        return exports_of(self.view)

    @cached_property
    def kept_words(self) -> frozenset[str]:
        """Words in `# type:` comments, which no rewrite changes: a name among them keeps meaning what it did."""
        return frozenset(word for comment in TYPE_COMMENT.findall(self.view.source.text) for word in re.findall(r"\w+", comment))

    @property
    def view(self) -> View:
        """The file."""
        return self.draft.view


def words_of(view: View, contracts: Mapping[str, Contract]) -> set[str]:
    """Every name whose bindings matter in a file: legacy names, what their imports bind, and the new names."""
    words: set[str] = set()
    for imported in view.imports:
        alias = imported.alias
        words.add(alias.asname or (alias.name.partition(".")[0] if isinstance(imported.statement, ast.Import) else alias.name))
        if imported.kind == "star":
            info = view.modules.load(imported.target)
            words.update(view.modules.public(info) if info is not None else ())
    for node, values in view.flow.values.items():
        for value in values:
            if isinstance(value, Symbol) and isinstance(node, ast.Name | ast.Attribute):
                contract = contracts.get(value.path)
                words.update((root_of(node), value.path.rpartition(".")[2]))
                words.update(contract.port.new.split(".") if contract is not None else ())
    for contract in contracts.values():
        if any(i.target in (contract.port.legacy, contract.port.module) for i in view.imports):
            words.update(contract.port.new.split("."))
    return {word for word in words if word and word != "*"}


def root_of(node: ast.expr) -> str:
    """The name that a chain starts with."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def symbol_imports(names: Names, contracts: Mapping[str, Contract], gone: Mapping[str, Gone], *, withdraw: bool) -> None:
    """Decide for every `from` import of a legacy symbol, and rename what refers to it.

    With `withdraw`, a name that the file merely passes on is removed: it is the `__init__` of a legacy package.
    """
    for imported in names.view.imports:
        if imported.kind == "symbol" and isinstance(imported.statement, ast.ImportFrom):
            if imported.target in gone:
                _gone_import(names, imported, gone[imported.target])
            elif imported.alias.name == imported.target.rpartition(".")[2] or not _persists(names.view, imported):
                _symbol_import(names, imported, contracts[imported.target].port, withdraw=withdraw)


def names_of_host(names: Names, host: Names) -> None:
    """Code in a docstring sees the names of its module: what the module renames is renamed there, too."""
    for old, new in host.renamed.items():
        if new is not None:
            for use in names.scopes.unbound.get(old, []):
                names.draft.replace(*names.view.source.span(use), new)


def other_imports(names: Names, elsewhere: Callable[[str], bool]) -> None:
    """Refuse what is imported from a legacy module besides what its ports speak of."""
    for imported in names.view.imports:
        if imported.kind == "other" and not elsewhere(imported.target):
            say = names.draft.tell if _keeps_its_module(names.view, imported.target) else names.draft.refuse
            say(
                imported.alias,
                f"imports {imported.target}, and no port says what becomes of it",
                f"add a Port or Gone for {imported.target}, or stop using it",
                imported.target,
            )


def _keeps_its_module(view: View, target: str) -> bool:
    """Whether a legacy file stays as long as nobody says what becomes of a name: a class, function or constant for others."""
    module, _, name = target.rpartition(".")
    info = view.modules.load(module)
    for node in info.tree.body if info is not None and not name.startswith("_") else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
            return True
        if (
            isinstance(node, ast.Assign)
            and not isinstance(node.value, ast.Call)
            and any(isinstance(bound, ast.Name) and bound.id == name for bound in node.targets)
        ):
            return True
    return False


def _persists(view: View, imported: Imported) -> bool:
    """Whether the import takes the symbol, under another name, from a module that keeps offering that name."""
    statement = imported.statement
    assert isinstance(statement, ast.ImportFrom)
    module = absolute(view.package, statement.module, statement.level)
    return module is not None and view.modules.canonical(module, view.path.parent) not in view.targets.modules


def _gone_import(names: Names, imported: Imported, gone: Gone) -> None:
    assert isinstance(imported.statement, ast.ImportFrom)
    bound = imported.alias.asname or imported.alias.name
    variable = names.scopes.scope_of[imported.alias].find(bound)
    if variable is not None and variable.uses:
        names.draft.refuse(imported.alias, f"{imported.target} is gone: {gone.reason}", "remove what uses it", imported.target)
        return
    names.edits.replace(imported.statement, imported.alias, None)
    unlist(names, bound, None)


def _symbol_import(names: Names, imported: Imported, port: Port, *, withdraw: bool) -> None:
    assert isinstance(imported.statement, ast.ImportFrom)
    alias = imported.alias
    module, _, new = port.new.rpartition(".")
    bound = alias.asname or alias.name
    scope = names.scopes.scope_of[alias]
    variable = scope.find(bound)
    at_top = isinstance(scope.node, ast.Module)
    if withdraw and at_top and variable is not None and not variable.uses and len(variable.binders) == 1:
        names.edits.replace(imported.statement, alias, None)
        unlist(names, bound, None)
        names.renamed[bound] = None
        return
    if alias.asname:
        name = NewName(module, new, alias.asname)
    elif variable is not None and can_rename(names, variable, new, port):
        name = NewName(module, new)
        rename(names, variable, new)
        if at_top:
            names.renamed[bound] = new
            unlist(names, bound, new)
    else:
        name = NewName(module, new, bound)
    names.taken.setdefault(name.bound, port.new)
    names.edits.replace(imported.statement, alias, name)


def rename(names: Names, variable: Variable, new: str) -> None:
    """Give every use of a variable another name."""
    for use in variable.uses:
        if isinstance(use.ctx, ast.Load):
            names.draft.replace(*names.view.source.span(use), new)


def can_rename(names: Names, variable: Variable, new: str, port: Port) -> bool:
    """Whether every use of the variable can be given another name without meeting something of that name."""
    if variable.name == new:
        return True
    if not all(isinstance(binder, ast.alias) and _imports_legacy(names.view, binder, port) for binder in variable.binders):
        return False
    if variable.name in names.kept_words or (names.exports.open and not names.exports.has(variable.name)):
        return False
    if any(variable.name in scope.redirected for scope in names.scopes.by_node.values()):
        return False
    return is_free(names, _scopes_of(names.scopes, variable), new, port) and not _by_text(names.view, variable.name)


def is_free(names: Names, where: Iterable[VariableScope], new: str, port: Port) -> bool:
    """Whether a name can be bound to the new symbol in these scopes: nothing else has it, and no builtin is meant by it."""
    if names.taken.get(new, port.new) != port.new or new in names.scopes.unbound:
        return False
    return not any(_has_other(names.view, names.scopes, scope, new, port) for scope in where)


def _imports_legacy(view: View, alias: ast.alias, port: Port) -> bool:
    return any(i.alias is alias and i.target == port.legacy and not alias.asname for i in view.imports)


def _by_text(view: View, name: str) -> bool:
    text = view.source.text
    return LOOKED_UP_BY_TEXT.search(text) is not None and re.search(rf"""(['"]){re.escape(name)}\1""", text) is not None


def _scopes_of(scopes: Scopes, variable: Variable) -> list[VariableScope]:
    """The scopes in which the variable is read, and those around them up to its own."""
    seen: dict[int, VariableScope] = {id(variable.scope): variable.scope}
    for use in variable.uses:
        scope: VariableScope | None = scopes.scope_of[use]
        while scope is not None and scope is not variable.scope:
            seen[id(scope)] = scope
            scope = scope.parent
    return list(seen.values())


def _has_other(view: View, scopes: Scopes, scope: VariableScope, name: str, port: Port) -> bool:
    """Whether the scope binds the name to anything but the new symbol itself."""
    found = scope.variables.get(name)
    if found is None:
        return False
    return not all(isinstance(binder, ast.alias) and _imports_new(view, scopes, binder, port) for binder in found.binders)


def _imports_new(view: View, scopes: Scopes, alias: ast.alias, port: Port) -> bool:
    statement = scopes.statement_of.get(alias)
    if not isinstance(statement, ast.ImportFrom) or alias.asname:
        return False
    module = absolute(view.package, statement.module, statement.level)
    return module is not None and view.modules.member(module, alias.name, view.path.parent) == view.modules.canonical(port.new)


def unlist(names: Names, old: str, new: str | None) -> None:
    """Rename an entry of `__all__`, or remove it."""
    exports = names.exports
    for display in exports.displays:
        entries = [n for n, item in enumerate(display.elts) if isinstance(item, ast.Constant) and item.value == old]
        for number in entries:
            names.draft.listed.setdefault(display, {})[number] = new
    for single in exports.single:
        if single.value == old:
            _write_name(names, single, new)
    for text in exports.split:
        start = names.view.source.span(text)[0]
        for match in re.finditer(rf"\b{re.escape(old)}\b" + ("" if new is not None else "[ ,]*"), names.draft.text_of(text)):
            names.draft.replace(start + match.start(), start + match.end(), new or "")


def _write_name(names: Names, single: ast.Constant, new: str | None) -> None:
    """The argument of `__all__.append`."""
    if new is not None:
        names.draft.replace(*names.view.source.span(single), like(names.draft.text_of(single), new))
        return
    statement = names.view.parents.get(names.view.parents.get(single, single))
    if isinstance(statement, ast.Expr):
        delete_statement(names.draft, statement)
    else:
        names.draft.refuse(single, f"__all__ names {single.value!r}, which goes", "remove it there")


def is_listed(names: Names, name: str) -> bool:
    """Whether `__all__` has the name."""
    return names.exports.has(name)
