"""Lexical scopes of a module: every variable, what binds it, and every name that refers to it. Knows nothing of values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Binder: TypeAlias = ast.AST
"""What binds a variable: an alias of an import, a stored name, a definition, an argument, an except clause ..."""


@dataclass(eq=False)
class Variable:
    """One variable of one scope."""

    name: str
    scope: VariableScope
    binders: list[Binder] = field(default_factory=list)
    uses: list[ast.Name] = field(default_factory=list)


@dataclass(eq=False)
class VariableScope:
    """A module, class, function or comprehension."""

    node: ast.AST
    parent: VariableScope | None
    variables: dict[str, Variable] = field(default_factory=dict)
    redirected: dict[str, VariableScope] = field(default_factory=dict)

    def variable(self, name: str) -> Variable:
        """The variable that this scope owns, made on first use."""
        if name not in self.variables:
            self.variables[name] = Variable(name, self)
        return self.variables[name]

    def find(self, name: str) -> Variable | None:
        """The variable that a name read in this scope refers to; None if nothing binds it (a builtin, or a star import)."""
        scope: VariableScope | None = self
        first = True
        while scope is not None:
            if name in scope.redirected:
                return scope.redirected[name].variables.get(name)
            owned = scope.variables.get(name)
            if owned is not None and owned.binders and (first or not isinstance(scope.node, ast.ClassDef)):
                return owned
            first = False
            scope = scope.parent
        return None


@dataclass(eq=False)
class Scopes:
    """All scopes of a module. `unbound` holds the names that nothing in the file binds."""

    module: VariableScope
    by_node: dict[ast.AST, VariableScope]
    of_name: dict[ast.Name, Variable]
    unbound: dict[str, list[ast.Name]]
    scope_of: dict[ast.AST, VariableScope]
    statement_of: dict[ast.alias, ast.Import | ast.ImportFrom]

    def bound_anywhere(self, name: str) -> bool:
        """Whether any scope of the file binds the name."""
        return any(name in scope.variables and scope.variables[name].binders for scope in self.by_node.values())


def scopes_of(
    tree: ast.Module,
    statements: Iterable[ast.stmt] | None = None,
    unquote: Callable[[ast.Constant], ast.expr | None] = lambda node: None,
) -> Scopes:
    """Resolve every name of a module, or of some of its top-level statements, to its variable.

    `unquote` gives the expression inside a quoted annotation.
    """
    builder = _Builder(tree, unquote)
    builder.body(tree.body if statements is None else statements, builder.module)
    return builder.finish()


class _Builder:
    """One walk that collects bindings and uses; uses are resolved at the end, as a function may read what is bound later."""

    def __init__(self, tree: ast.Module, unquote: Callable[[ast.Constant], ast.expr | None]) -> None:
        self.unquote = unquote
        self.module = VariableScope(tree, None)
        self.by_node: dict[ast.AST, VariableScope] = {tree: self.module}
        self.reads: list[tuple[ast.Name, VariableScope]] = []
        self.scope_of: dict[ast.AST, VariableScope] = {}
        self.statement_of: dict[ast.alias, ast.Import | ast.ImportFrom] = {}

    def finish(self) -> Scopes:
        of_name: dict[ast.Name, Variable] = {}
        unbound: dict[str, list[ast.Name]] = {}
        for name, scope in self.reads:
            variable = scope.find(name.id)
            if variable is None:
                unbound.setdefault(name.id, []).append(name)
            else:
                variable.uses.append(name)
                of_name[name] = variable
        return Scopes(self.module, self.by_node, of_name, unbound, self.scope_of, self.statement_of)

    def body(self, nodes: Iterable[ast.AST], scope: VariableScope) -> None:
        for node in nodes:
            self.visit(node, scope)

    def visit(self, node: ast.AST, scope: VariableScope) -> None:
        """Collect what a node binds and reads, and what is inside it."""
        rule = _VISITS.get(type(node))
        if rule is not None:
            rule(self, node, scope)
        else:
            self._bind_by_text(node, scope)
            self.body(ast.iter_child_nodes(node), scope)

    def global_names(self, node: ast.Global, scope: VariableScope) -> None:
        """`global x`."""
        scope.redirected.update(dict.fromkeys(node.names, self.module))

    def walrus(self, node: ast.NamedExpr, scope: VariableScope) -> None:
        """`x := value` binds outside a comprehension."""
        owner = scope
        while isinstance(owner.node, COMPREHENSIONS) and owner.parent is not None:
            owner = owner.parent
        self.visit(node.value, scope)
        self.name(node.target, owner)

    def text(self, node: ast.Constant, scope: VariableScope) -> None:
        """A quoted annotation."""
        inside = self.unquote(node) if isinstance(node.value, str) else None
        if inside is not None:
            self.visit(inside, scope)

    def _bind(self, name: str, binder: Binder, scope: VariableScope) -> None:
        scope.redirected.get(name, scope).variable(name).binders.append(binder)

    def name(self, node: ast.Name, scope: VariableScope) -> None:
        self.scope_of[node] = scope
        if isinstance(node.ctx, ast.Store | ast.Del):
            self._bind(node.id, node, scope)
        self.reads.append((node, scope))

    def _bind_by_text(self, node: ast.AST, scope: VariableScope) -> None:
        """Bindings whose name is a plain string in the syntax tree."""
        match node:
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self._bind(name, node, scope)
            case ast.MatchMapping(rest=str(name)):
                self._bind(name, node, scope)
            case _:
                pass

    def import_(self, node: ast.Import | ast.ImportFrom, scope: VariableScope) -> None:
        for alias in node.names:
            self.scope_of[alias] = scope
            self.statement_of[alias] = node
            if alias.name != "*":
                bound = alias.asname or (alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name)
                self._bind(bound, alias, scope)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: VariableScope) -> None:
        inner = self.by_node[node] = VariableScope(node, scope)
        arguments = node.args
        outside: list[ast.expr | None] = [*arguments.defaults, *arguments.kw_defaults]
        if not isinstance(node, ast.Lambda):
            self._bind(node.name, node, scope)
            outside += [*node.decorator_list, node.returns]
        listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for arg in listed:
            if arg is not None:
                outside.append(arg.annotation)
                self._bind(arg.arg, arg, inner)
        self.body((part for part in outside if part is not None), scope)
        if isinstance(node, ast.Lambda):
            self.visit(node.body, inner)
        else:
            self._declare(node.body, inner)
            self.body(node.body, inner)

    def class_(self, node: ast.ClassDef, scope: VariableScope) -> None:
        self._bind(node.name, node, scope)
        self.body([*node.decorator_list, *node.bases, *node.keywords], scope)
        inner = self.by_node[node] = VariableScope(node, scope)
        self._declare(node.body, inner)
        self.body(node.body, inner)

    def _declare(self, body: list[ast.stmt], scope: VariableScope) -> None:
        """`global` and `nonlocal` hold for the whole body, wherever in it they stand."""
        for statement in body:
            if isinstance(statement, ast.Global | ast.Nonlocal):
                self.visit(statement, scope)

    def nonlocal_(self, node: ast.Nonlocal, scope: VariableScope) -> None:
        """`nonlocal x`."""
        for name in node.names:
            owner = scope.parent
            while owner is not None and not (isinstance(owner.node, FUNCTIONS) and name in owner.variables):
                owner = owner.parent
            if owner is not None:
                scope.redirected[name] = owner

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: VariableScope) -> None:
        inner = self.by_node[node] = VariableScope(node, scope)
        for number, generator in enumerate(node.generators):
            self.visit(generator.iter, scope if number == 0 else inner)
            self.visit(generator.target, inner)
            self.body(generator.ifs, inner)
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.body(results, inner)


_VISITS: dict[type[ast.AST], Callable[[_Builder, Any, VariableScope], None]] = {
    ast.Name: _Builder.name,
    ast.Import: _Builder.import_,
    ast.ImportFrom: _Builder.import_,
    ast.FunctionDef: _Builder.function,
    ast.AsyncFunctionDef: _Builder.function,
    ast.Lambda: _Builder.function,
    ast.ClassDef: _Builder.class_,
    ast.ListComp: _Builder.comprehension,
    ast.SetComp: _Builder.comprehension,
    ast.DictComp: _Builder.comprehension,
    ast.GeneratorExp: _Builder.comprehension,
    ast.Global: _Builder.global_names,
    ast.Nonlocal: _Builder.nonlocal_,
    ast.NamedExpr: _Builder.walrus,
    ast.Constant: _Builder.text,
}
