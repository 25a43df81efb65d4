"""Imports of legacy symbols and modules, and every name that refers to them."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from lossport.port import Gone
from lossport.rewrite.contract import Contract
from lossport.rewrite.names import NewName, new_name, rewrite_from_import
from lossport.rewrite.outcome import Draft
from lossport.tree.scopes import Variable
from lossport.tree.survey import Imported
from lossport.tree.values import Symbol, sure


def rewrite_imports(draft: Draft, contracts: Mapping[str, Contract], gone: Mapping[str, Gone]) -> None:
    """Replace the imports where they stand and rename what refers to them."""
    statements: dict[ast.ImportFrom, dict[ast.alias, NewName | None]] = {}
    for imported in draft.view.imports:
        if imported.is_symbol and isinstance(imported.statement, ast.ImportFrom):
            _symbol_import(draft, imported, contracts, gone, statements)
        elif imported.star:
            draft.refuse(imported.alias, f"imports everything of {imported.target}", "name what is used", imported.target)
        else:
            _module_import(draft, imported, contracts, gone, statements)
    for statement, replaced in statements.items():
        rewrite_from_import(draft, statement, replaced)


def _variable(draft: Draft, imported: Imported) -> Variable | None:
    alias = imported.alias
    bound = alias.asname or (alias.name.partition(".")[0] if isinstance(imported.statement, ast.Import) else alias.name)
    return draft.view.scopes([bound]).scope_of[alias].find(bound)


def _symbol_import(
    draft: Draft,
    imported: Imported,
    contracts: Mapping[str, Contract],
    gone: Mapping[str, Gone],
    statements: dict[ast.ImportFrom, dict[ast.alias, NewName | None]],
) -> None:
    variable = _variable(draft, imported)
    assert isinstance(imported.statement, ast.ImportFrom)
    if imported.target in gone:
        if variable is not None and variable.uses:
            reason = f"{imported.target} is gone: {gone[imported.target].reason}"
            draft.refuse(imported.alias, reason, "remove what uses it", imported.target)
        else:
            statements.setdefault(imported.statement, {})[imported.alias] = None
        return
    contract = contracts[imported.target]
    name = new_name(draft.view, imported, contract.port)
    statements.setdefault(imported.statement, {})[imported.alias] = name
    if variable is not None and not imported.alias.asname and name.bound != variable.name:
        for use in variable.uses:
            if isinstance(use.ctx, ast.Load):
                draft.replace(*draft.view.source.span(use), name.bound)


def _module_import(
    draft: Draft,
    imported: Imported,
    contracts: Mapping[str, Contract],
    gone: Mapping[str, Gone],
    statements: dict[ast.ImportFrom, dict[ast.alias, NewName | None]],
) -> None:
    """`import a.b as c`, `import a.b` and `from a import b`: the module is replaced by the new symbol's module."""
    view = draft.view
    chains: dict[ast.Attribute, str] = {}
    variable = _variable(draft, imported)
    uses = variable.uses if variable is not None else []
    for use in uses:
        chain = _chain(draft, use)
        if chain is None:
            draft.refuse(use, f"uses the module {imported.target} itself", "name the symbols that are used", imported.target)
        elif chain[1] in gone:
            draft.refuse(chain[0], f"{chain[1]} is gone: {gone[chain[1]].reason}", "remove what uses it", chain[1])
        else:
            chains[chain[0]] = chain[1]
    modules = {contracts[symbol].port.new.rpartition(".")[0] for symbol in chains.values()}
    if draft.refusals or len(modules) != 1:
        if len(modules) > 1:
            draft.refuse(imported.alias, "its symbols move to different modules", "import each symbol by name", imported.target)
        return
    module = modules.pop()
    asname = imported.alias.asname
    start, end = view.source.span(imported.statement)
    if isinstance(imported.statement, ast.Import) and asname:
        draft.replace(*view.source.span(imported.alias), f"{module} as {asname}")
        prefix = asname
    elif isinstance(imported.statement, ast.Import):
        draft.replace(*view.source.span(imported.alias), module)
        prefix = module
    elif len(imported.statement.names) == 1 and "." not in module:
        prefix = asname or module
        draft.replace(start, end, f"import {module} as {asname}" if asname else f"import {module}")
    else:
        draft.refuse(imported.alias, "imports the module beside others", "import it alone", imported.target)
        return
    for node, symbol in chains.items():
        draft.replace(*view.source.span(node), f"{prefix}.{contracts[symbol].port.new.rpartition('.')[2]}")


def _chain(draft: Draft, use: ast.Name) -> tuple[ast.Attribute, str] | None:
    """The attribute chain from a module name to a legacy symbol."""
    node: ast.AST = use
    while isinstance(parent := draft.view.parents.get(node), ast.Attribute):
        node = parent
        value = sure(draft.view.flow.values.get(parent, frozenset()))
        if isinstance(value, Symbol):
            return parent, value.path
    return None
