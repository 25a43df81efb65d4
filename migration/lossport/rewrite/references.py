"""References through modules: `import a.b as c` and `c.Old`, `import a.b` and `a.b.Old`, `from a import b` and `b.Old`.

The module that is imported becomes the new one, in the style of the import that is there; where that name is taken, the new
symbol is imported by name.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lossport.follow.values import Symbol
from lossport.follow.view import View
from lossport.project.port import Gone
from lossport.rewrite.contract import Contract
from lossport.rewrite.import_statements import ImportStatement, NewName
from lossport.rewrite.literals import like
from lossport.rewrite.names import Names, is_free
from lossport.source.variables import Variable, VariableScope


@dataclass(frozen=True)
class Reference:
    """A chain that stands for a legacy symbol: where it is taken from, and the name it starts with."""

    node: ast.Attribute | ast.Call
    symbol: str
    provider: str
    root: ast.Name | None

    @property
    def base(self) -> ast.expr:
        """The module: what stands before the last dot, or the first argument of `getattr`."""
        return self.node.value if isinstance(self.node, ast.Attribute) else self.node.args[0]

    @property
    def name(self) -> str:
        """The name that is taken from the module."""
        if isinstance(self.node, ast.Attribute):
            return self.node.attr
        literal = self.node.args[1]
        assert isinstance(literal, ast.Constant)
        return str(literal.value)


def references(view: View, symbols: frozenset[str]) -> Iterator[Reference]:
    """Every chain of the file that takes a legacy symbol from a module."""
    for node, values in view.flow.values.items():
        base = _base(view, node)
        provider = view.flow.named.get(base) if base is not None else None
        for value in values:
            if isinstance(value, Symbol) and value.path in symbols and provider is not None:
                assert base is not None
                assert isinstance(node, ast.Attribute | ast.Call)
                yield Reference(node, value.path, view.modules.canonical(provider, view.path.parent), _root(base))


def _base(view: View, node: ast.expr) -> ast.expr | None:
    """The module part of `module.name` and of `getattr(module, "name")`."""
    match node:
        case ast.Attribute(value=base, ctx=ast.Load()):
            return base
        case ast.Call(func=function, args=[base, ast.Constant(value=str()), *_]) if (
            view.flow.named.get(function) == "builtins.getattr"
        ):
            return base
        case _:
            return None


def _root(node: ast.expr) -> ast.Name | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node if isinstance(node, ast.Name) else None


@dataclass(frozen=True)
class Surroundings:
    """What the other files and ports say.

    Args:
        contracts: by legacy symbol.
        gone: legacy symbols without a successor.
        kept: the new name of a name that a module of the project offers; None if it does not offer it any more.
        elsewhere: whether another loss's port speaks of a legacy symbol.
    """

    contracts: Mapping[str, Contract]
    gone: Mapping[str, Gone]
    kept: Callable[[str, str], str | None]
    elsewhere: Callable[[str], bool]


def module_references(names: Names, around: Surroundings) -> None:
    """Rewrite every reference through a module, and the imports of legacy modules."""
    view = names.view
    groups: dict[Variable, list[Reference]] = {}
    for reference in references(view, view.targets.symbols):
        kept = around.kept(reference.provider, reference.name)
        variable = names.scopes.of_name.get(reference.root) if reference.root is not None else None
        if kept is not None:
            _rename(names, reference, kept)
        elif variable is None:
            _through_call(names, reference, around)
        else:
            groups.setdefault(variable, []).append(reference)
    for imported in view.imports:
        if imported.kind == "module":
            variable = names.scopes.scope_of[imported.alias].find(_bound(imported.statement, imported.alias))
            if variable is not None:
                groups.setdefault(variable, [])
    for variable, group in groups.items():
        _Group(names, around, variable, group).rewrite()


def _bound(statement: ImportStatement, alias: ast.alias) -> str:
    return alias.asname or (alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name)


def _is_asked_for(parent: ast.AST | None, use: ast.Name) -> bool:
    """Whether the name of a module is set or asked for, as where its import may fail: `triplet = None`, `if triplet is None:`."""
    if isinstance(use.ctx, ast.Store):
        return isinstance(parent, ast.Assign) and isinstance(parent.value, ast.Constant)
    if isinstance(parent, ast.Compare):
        return all(isinstance(op, ast.Is | ast.IsNot) for op in parent.ops)
    return isinstance(parent, ast.If | ast.BoolOp | ast.UnaryOp | ast.IfExp | ast.Assert)


def _rename(names: Names, reference: Reference, new: str) -> None:
    """Another name after the dot, or as the second argument of `getattr`."""
    node = reference.node
    if reference.name == new:
        return
    if isinstance(node, ast.Attribute):
        end = names.view.source.span(node)[1]
        names.draft.replace(end - len(node.attr), end, new)
    else:
        names.draft.replace(*names.view.source.span(node.args[1]), like(names.draft.text_of(node.args[1]), new))


def _through_call(names: Names, reference: Reference, around: Surroundings) -> None:
    """`importlib.import_module("a.b").Old`: the text is rewritten where it stands, the name here."""
    contract = around.contracts.get(reference.symbol)
    if contract is None:
        names.draft.refuse(reference.node, f"{reference.symbol} is gone", "remove what uses it", reference.symbol)
    elif reference.provider in names.stuck:
        reason = f"comes from the module {reference.provider}, of which another use here cannot be followed"
        names.draft.refuse(reference.node, reason, "import the symbol by name", reference.symbol)
    else:
        _rename(names, reference, contract.port.new.rpartition(".")[2])


class _Group:
    """All references that start with one variable, and the imports that bind it."""

    def __init__(self, names: Names, around: Surroundings, variable: Variable, group: Sequence[Reference]) -> None:
        self.names = names
        self.view = names.view
        self.around = around
        self.variable = variable
        self.scopes = names.scopes
        self.group = [reference for reference in group if self.known(reference)]
        rewritten = {reference.root for reference in group}
        others = [use for use in variable.uses if use not in rewritten]
        self.asked = [use for use in others if _is_asked_for(self.view.parents.get(use), use)]
        self.others = [use for use in others if use not in self.asked]

    def known(self, reference: Reference) -> bool:
        """Refuse references to symbols that have no successor."""
        if reference.symbol in self.around.contracts:
            return True
        reason = self.around.gone[reference.symbol].reason
        self.names.draft.refuse(reference.node, f"{reference.symbol} is gone: {reason}", "remove what uses it", reference.symbol)
        return False

    def rewrite(self) -> None:
        """Rewrite each import with the references that go through it."""
        binders = [binder for binder in self.variable.binders if isinstance(binder, ast.alias)]
        if not binders:
            for reference in self.group:
                _through_call(self.names, reference, self.around)
            return
        taken: set[Reference] = set()
        for alias in sorted(binders, key=lambda a: -len(a.name)):
            through = [r for r in self.group if r not in taken and self.goes_through(alias, r)]
            taken.update(through)
            self.rewrite_import(alias, through)

    def goes_through(self, alias: ast.alias, reference: Reference) -> bool:
        """Whether a reference needs this import, among several that bind one name (`import a.b`, `import a.c`)."""
        statement = self.scopes.statement_of[alias]
        if alias.asname or isinstance(statement, ast.ImportFrom):
            return True
        return f"{ast.unparse(reference.base)}.".startswith(f"{alias.name}.")

    def rewrite_import(self, alias: ast.alias, through: list[Reference]) -> None:
        """One import: it becomes an import of the new module, or makes room for one."""
        statement = self.scopes.statement_of[alias]
        retired = self.target(statement, alias) in self.view.targets.modules
        if retired and self.unknown_uses(alias, statement):
            return
        if not through and not retired:
            return
        modules = {self.around.contracts[r.symbol].port.new.rpartition(".")[0] for r in through}
        stays = bool(self.others_through(alias, statement)) or (not retired and bool(self.others or self.asked))
        if len(modules) == 1 and not stays and retired and (alias.asname or isinstance(statement, ast.ImportFrom)):
            self.rename_module(statement, alias, modules.pop(), through)
            return
        if retired and self.asked:
            self.refuse_use(self.asked[0], self.target(statement, alias), None)
            return
        self.withdraw(statement, alias, stays=stays, retired=retired)
        self.import_beside(statement, through)

    def target(self, statement: ImportStatement, alias: ast.alias) -> str:
        """The module that the import names."""
        found = next((i.target for i in self.view.imports if i.alias is alias and i.kind == "module"), None)
        return found or alias.name

    def others_through(self, alias: ast.alias, statement: ImportStatement) -> list[ast.Name]:
        """Uses that still need the very module: those of symbols that other ports speak of."""
        return [use for use in self.others if (dotted := self.dotted(use)) is not None and self.around.elsewhere(dotted)]

    def dotted(self, use: ast.Name) -> str | None:
        """What the longest chain from a name leads to."""
        node: ast.expr = use
        while isinstance(parent := self.view.parents.get(node), ast.Attribute):
            node = parent
            if self.around.elsewhere(self.view.flow.named.get(node, "")):
                break
        return self.view.flow.named.get(node)

    def unknown_uses(self, alias: ast.alias, statement: ImportStatement) -> bool:
        """Refuse uses of a legacy module that the port says nothing about."""
        target = self.target(statement, alias)
        plain = isinstance(statement, ast.Import) and not alias.asname
        found = False
        for use in self.others:
            dotted = self.dotted(use)
            if plain and (dotted is None or not f"{dotted}.".startswith(f"{target}.")):
                continue  # `a.c` of `import a.b`
            if dotted is not None and self.around.elsewhere(dotted):
                continue
            found = True
            self.refuse_use(use, target, dotted)
        return found

    def refuse_use(self, use: ast.Name, target: str, dotted: str | None) -> None:
        """Say what is used, as well as it can be seen."""
        name = dotted.removeprefix(f"{target}.") if dotted is not None and dotted != target else ""
        if name:
            reason = f"uses {target}.{name}, and no port says what becomes of it"
            self.names.draft.refuse(use, reason, f"add a Port or Gone for {target}.{name}, or stop using it", target)
        else:
            reason = f"uses the module {target} itself, where its symbols cannot be followed"
            self.names.draft.refuse(use, reason, "name the symbols that are used", target)

    def rename_module(self, statement: ImportStatement, alias: ast.alias, module: str, through: list[Reference]) -> None:
        """`import a.b as c` becomes `import N as c`, `from a import b` becomes an import of N."""
        parent, _, last = module.rpartition(".")
        bound = _bound(statement, alias)
        if not alias.asname and not self.asked and self.free(last, module, through):
            bound = last
        if isinstance(statement, ast.Import):
            self.names.edits.module(statement, alias, f"{module} as {bound}")
        elif parent:
            self.names.edits.replace(statement, alias, NewName(parent, last, "" if bound == last else bound))
        else:
            self.names.edits.replace(statement, alias, None)
            self.names.edits.add(statement, module if bound == module else f"{module} as {bound}")
        self.write(through, f"{bound}.{{}}".format)

    def withdraw(self, statement: ImportStatement, alias: ast.alias, *, stays: bool, retired: bool) -> None:
        """Take an import away that nothing needs any more; `import a.b` leaves `import a` where `a` is still used."""
        if stays and not retired:
            return
        if isinstance(statement, ast.ImportFrom):
            if not stays:
                self.names.edits.replace(statement, alias, None)
            return
        if stays:
            return
        root = alias.name.partition(".")[0]
        lonely = len([b for b in self.variable.binders if isinstance(b, ast.alias)]) == 1
        needed = not alias.asname and root != alias.name and self.others and lonely
        self.names.edits.module(statement, alias, root if needed else None)

    def import_beside(self, statement: ImportStatement, through: list[Reference]) -> None:
        """Import the new modules behind the statement; by name where the module's name is taken."""
        for module in sorted({self.around.contracts[r.symbol].port.new.rpartition(".")[0] for r in through}):
            some = [r for r in through if self.around.contracts[r.symbol].port.new.rpartition(".")[0] == module]
            if self.free(module.partition(".")[0], module, some):
                self.names.edits.add(statement, module)
                self.write(some, f"{module}.{{}}".format)
                continue
            for reference in some:
                self.import_name(statement, module, reference)

    def import_name(self, statement: ImportStatement, module: str, reference: Reference) -> None:
        """Import one symbol by name, under its legacy name if the new one is taken."""
        new = self.around.contracts[reference.symbol].port.new.rpartition(".")[2]
        old = reference.symbol.rpartition(".")[2]
        for bound in (new, old):
            if self.free(bound, f"{module}.{new}", [reference]):
                self.names.edits.add(statement, NewName(module, new, "" if bound == new else bound))
                self.write([reference], f"{bound}".format)
                return
        self.names.draft.refuse(
            reference.node, f"both {new!r} and {old!r} mean something else here", "rename one of them", reference.symbol
        )

    def free(self, name: str, meaning: str, where: list[Reference]) -> bool:
        """Whether the name can be bound beside the import, for these references."""
        if self.names.taken.get(name, meaning) != meaning:
            return False
        around: dict[int, VariableScope] = {id(self.variable.scope): self.variable.scope}
        for reference in where:
            scope: VariableScope | None = self.scopes.scope_of[reference.root] if reference.root is not None else None
            while scope is not None:
                around[id(scope)] = scope
                scope = scope.parent
        if name in self.scopes.unbound or not where:
            return False
        port = self.around.contracts[where[0].symbol].port
        imported = all(self.imports_module(scope, name, meaning) for scope in around.values())
        if not imported and not is_free(self.names, around.values(), name, port):
            return False
        self.names.taken[name] = meaning
        return True

    def imports_module(self, scope: VariableScope, name: str, module: str) -> bool:
        """Whether all that binds the name in a scope is an import of the module under that name."""
        found = scope.variables.get(name)
        binders = found.binders if found is not None else []
        return all(
            isinstance(binder, ast.alias)
            and isinstance(self.scopes.statement_of[binder], ast.Import)
            and (binder.asname or binder.name).partition(".")[0] == module.partition(".")[0]
            for binder in binders
        )

    def write(self, through: list[Reference], text: Callable[[str], str]) -> None:
        """Write the references; `text` gives a chain, or a name that is imported by itself."""
        for reference in through:
            new = self.around.contracts[reference.symbol].port.new.rpartition(".")[2]
            prefix = text(new).rpartition(".")[0]
            if isinstance(reference.node, ast.Call) and prefix:
                _rename(self.names, reference, new)
                self.names.draft.replace(*self.view.source.span(reference.base), prefix)
            else:
                self.names.draft.replace(*self.view.source.span(reference.node), text(new))
