"""Where legacy symbols, their instances and their results go inside one file: an abstract run of its code.

Every expression gets the set of values it may stand for. Branches are joined, loops run until nothing changes, functions and
classes of the file are followed through calls, returns and attributes of `self`. What to do about it is not decided here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lossport.tree.scopes import Scope, Scopes
from lossport.tree.values import EMPTY, FOLLOWED, OTHER, Class, Function, Named, Object, Super, Symbol, Value, Values

Env: TypeAlias = dict[str, Values]
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

MAX_PASSES = 8
"""Passes over the file until values stop growing. Chains of local functions settle in two or three; beyond this, give up
following (everything becomes `Other`), which only leads to refusals."""

MAX_LOOP_ROUNDS = 4
"""Rounds over one loop body: values that travel through more than four variables per turn are not followed."""


@dataclass(eq=False)
class FunctionFacts:
    """What is known of a function of the file."""

    node: FunctionNode
    scope: Scope
    owner: ast.ClassDef | None
    parent: FunctionFacts | None
    params: dict[str, Values] = field(default_factory=dict)
    returns: Values = EMPTY
    yields: bool = False
    bindings: Env = field(default_factory=dict)
    called: bool = False
    escapes: bool = False


@dataclass(eq=False)
class ClassFacts:
    """What is known of a class of the file: attributes of it and of its instances, and its bases."""

    node: ast.ClassDef
    attributes: dict[str, Values] = field(default_factory=dict)
    bases: list[Values] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What the rest of the project tells the run of one file.

    Args:
        resolve: what a dotted path stands for (a legacy symbol, or a name of something else).
        classes: the legacy symbols that are classes; the others are functions.
        annotated: what an annotation says that a parameter holds.
    """

    resolve: Callable[[str], Value]
    classes: frozenset[str]
    package: str
    stars: Callable[[str], Value | None]
    yields_are_followed: bool = False


class Flow:
    """The run of one file. `values` holds, for every expression that may stand for something legacy or local, for what."""

    def __init__(self, tree: ast.Module, scopes: Scopes, context: Context) -> None:
        self.tree = tree
        self.scopes = scopes
        self.context = context
        self.values: dict[ast.expr, Values] = {}
        self.named: dict[ast.expr, str] = {}
        self.globals: Env = {}
        self.functions: dict[FunctionNode, FunctionFacts] = {}
        self.classes: dict[ast.ClassDef, ClassFacts] = {}
        self.tables: dict[ast.expr, dict[str | int | None, Values]] = {}
        self.called_names = frozenset(_called_names(tree))
        self.changed = False

    def run(self) -> Flow:
        """Run the file until nothing changes."""
        for _ in range(MAX_PASSES):
            self.changed = False
            self.values = {}
            self._pass()
            if not self.changed:
                return self
        self.values = {node: values | OTHER for node, values in self.values.items()}
        return self

    def _pass(self) -> None:
        done: set[FunctionNode] = set()
        run_block(Frame(self, None, None, self.scopes.module), self.tree.body, {})
        while pending := [key for key in self.functions if key not in done]:
            for key in pending:
                done.add(key)
                self._run_function(self.functions[key])

    def _run_function(self, facts: FunctionFacts) -> None:
        frame = Frame(self, facts, None, facts.scope)
        env: Env = dict(facts.params)
        self.bind_all(facts, env)
        if isinstance(facts.node, ast.Lambda):
            self.grow_returns(facts, evaluate(frame, facts.node.body, env))
        else:
            run_block(frame, facts.node.body, env)

    def record(self, node: ast.expr, values: Values) -> Values:
        """Remember what an expression may stand for."""
        if any(isinstance(value, FOLLOWED) for value in values):
            before = self.values.get(node)
            self.values[node] = values if before is None else before | values
        elif len(values) == 1 and isinstance(only := next(iter(values)), Named):
            self.named[node] = only.path
        elif node in self.values:
            self.values[node] |= values
        return values

    def join(self, table: Env, name: str, values: Values) -> None:
        """Add to what a shared name may stand for."""
        before = table.get(name, EMPTY)
        if not values <= before:
            table[name] = before | values
            self.changed = True

    def bind_all(self, facts: FunctionFacts, env: Env) -> None:
        """Make a function's parameters visible to the functions inside it."""
        for name, values in env.items():
            self.join(facts.bindings, name, values)

    def grow_returns(self, facts: FunctionFacts, values: Values) -> None:
        """Add to what a function may return."""
        if not values <= facts.returns:
            facts.returns |= values
            self.changed = True

    def function(self, value: Function) -> FunctionFacts:
        """The facts of a function value."""
        return self.functions[value.node]

    def of_class(self, value: Class | Object | Super) -> ClassFacts:
        """The facts of a class or of the class of an object."""
        return self.classes[value.node]

    def attribute(self, facts: ClassFacts, name: str, depth: int = 0) -> Values:
        """What an attribute of a class of the file, or of its bases in the file, may stand for."""
        found = facts.attributes.get(name, EMPTY)
        if found or depth > len(self.classes):
            return found
        for base in facts.bases:
            for value in base:
                if isinstance(value, Class):
                    found |= self.attribute(self.of_class(value), name, depth + 1)
        return found

    def legacy_base(self, facts: ClassFacts, depth: int = 0) -> str | None:
        """The legacy class that a class of the file derives from, directly or through others of the file."""
        for base in facts.bases:
            for value in base:
                if isinstance(value, Symbol):
                    return value.path
                if isinstance(value, Class) and depth <= len(self.classes):
                    found = self.legacy_base(self.of_class(value), depth + 1)
                    if found is not None:
                        return found
        return None

    def lookup(self, name: str, env: Mapping[str, Values], facts: FunctionFacts | None) -> Values:
        """What a name may stand for where it is read."""
        if name in env:
            return env[name]
        while facts is not None:
            if name in facts.bindings:
                return facts.bindings[name]
            facts = facts.parent
        if name in self.globals:
            return self.globals[name]
        starred = self.context.stars(name)
        if starred is not None:
            return frozenset({starred})
        return frozenset({Named(f"builtins.{name}")}) if not self.scopes.bound_anywhere(name) else OTHER


@dataclass(frozen=True)
class Frame:
    """Where code runs: in which function, class body and scope of the file."""

    flow: Flow
    function: FunctionFacts | None
    body_of: ClassFacts | None
    scope: Scope


Rule: TypeAlias = Callable[[Frame, Any, Env], Values]
Step: TypeAlias = Callable[[Frame, Any, Env], Env]
RULES: dict[type[ast.AST], Rule] = {}
"""What a kind of expression may stand for; filled by `evaluate`."""
STEPS: dict[type[ast.AST], Step] = {}
"""What a kind of statement does to the variables; filled by `execute`."""


def rule(*kinds: type[ast.expr]) -> Callable[[Rule], Rule]:
    """Register the rule for some kinds of expression."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register


def step(*kinds: type[ast.stmt]) -> Callable[[Step], Step]:
    """Register the step for some kinds of statement."""

    def register(function: Step) -> Step:
        STEPS.update(dict.fromkeys(kinds, function))
        return function

    return register


def evaluate(frame: Frame, node: ast.expr, env: Env) -> Values:
    """What the expression may stand for; every part of it is recorded on the way."""
    return frame.flow.record(node, RULES.get(type(node), evaluate_parts)(frame, node, env))


def evaluate_parts(frame: Frame, node: ast.AST, env: Env) -> Values:
    """Evaluate the expressions inside something that is not followed itself."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            escape(frame, evaluate(frame, child, env))
        elif not isinstance(child, ast.expr_context | ast.operator | ast.boolop | ast.unaryop | ast.cmpop):
            evaluate_parts(frame, child, env)
    return OTHER


def escape(frame: Frame, values: Values) -> Values:
    """A function of the file goes where it can be called with anything."""
    for value in values:
        if isinstance(value, Function):
            facts = frame.flow.function(value)
            if not facts.escapes:
                facts.escapes = True
                frame.flow.changed = True
                facts.params = {name: held | OTHER for name, held in facts.params.items()}
    return values


def run_block(frame: Frame, body: Iterable[ast.stmt], env: Env) -> Env:
    """Run statements one after the other; gives the variables after them."""
    for statement in body:
        env = STEPS.get(type(statement), _run_parts)(frame, statement, env)
    return env


def _run_parts(frame: Frame, node: ast.stmt, env: Env) -> Env:
    evaluate_parts(frame, node, env)
    return env


def _called_names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                names.add(node.func.id)
            elif isinstance(node.func, ast.Attribute):
                names.add(node.func.attr)
    return names
