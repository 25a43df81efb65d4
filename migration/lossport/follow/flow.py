"""The abstract run of one file: which of its code is run, and what every expression in it may stand for.

Only code that can have something to do with a legacy symbol is run: it has to contain a hot word, that is the symbol's name or
a name under which something legacy is kept. Branches are joined and loops run until nothing changes. The rules for
expressions and statements register themselves here (`evaluate`, `execute`); what lies in other files is the world's business.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lossport.follow.file_facts import ClassFacts, Env, FileFacts, FunctionFacts, FunctionNode
from lossport.follow.values import EMPTY, NOTHING, OTHER, Class, Function, Named, Object, Value, Values
from lossport.follow.world import World

MAX_LOOP_ROUNDS = 4
"""Rounds over one loop body: values that travel through more than four variables per turn are not followed."""

BUILTINS = frozenset(dir(builtins))


class Flow(FileFacts):
    """One file, or the Python inside one, and how it is run."""

    world: World

    def run_once(self) -> None:
        """Run the file once, with what is known so far."""
        self.stale, self.running = False, True
        self.passes += 1
        self.values = {}
        self.modules = {}
        self.texts = {}
        self.parents = None
        run_top(Frame(self, None, None), self.tree.body, {})
        done: set[int] = set()
        while pending := [facts for facts in self.functions if id(facts) not in done]:
            for facts in pending:
                done.add(id(facts))
                if isinstance(facts.node, ast.Lambda) or facts.prepared:
                    self._run_function(facts)
        self.running = False

    def _run_function(self, facts: FunctionFacts) -> None:
        frame = Frame(self, facts, None)
        env: Env = {name: values or frame.unknown() for name, values in facts.params.items()}
        for name, values in env.items():
            self.join(self, facts.bindings, name, values)
        if isinstance(facts.node, ast.Lambda):
            self.grow_returns(facts, evaluate(frame, facts.node.body, env))
        else:
            run_block(frame, facts.node.body, env)
            self.grow_returns(facts, NOTHING)

    def lookup(self, name: str, env: Mapping[str, Values], facts: FunctionFacts | None) -> Values:
        """What a name may stand for where it is read; a function inside may have set it by `global` or `nonlocal`."""
        if name in env:
            if facts is None:
                return env[name] | self.globals.get(name, EMPTY) if name in self.rebound else env[name]
            return env[name] | facts.bindings.get(name, EMPTY) if name in facts.rebound else env[name]
        while facts is not None:
            if name in facts.bindings:
                return facts.bindings[name]
            facts = facts.parent
        if name in self.globals:
            return self.globals[name]
        if name in self.info.names:
            return OTHER
        if self.host is not None and name in self.host.globals:
            self.host.readers.add(self)
            return self.host.globals[name]
        starred = self.world.starred(self, name)
        if starred is not None:
            return starred
        return frozenset({Named(f"builtins.{name}")}) if name in BUILTINS else OTHER


@dataclass(frozen=True)
class Frame:
    """Where code runs: in which function or class body of the file."""

    flow: Flow
    function: FunctionFacts | None
    body_of: ClassFacts | None

    def unknown(self) -> Values:
        """What is not known yet: nothing at first, and anything once all that can be known is known."""
        if self.flow.world.complete:
            return OTHER
        self.flow.guessed = True
        return EMPTY

    @property
    def world(self) -> World:
        """What is known of other files."""
        return self.flow.world


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


def escape(frame: Frame, values: Values, given: Values = OTHER) -> None:
    """A function goes where it can be called with anything; `given` says whether that may be something legacy."""
    for value in values:
        if isinstance(value, Function):
            facts = frame.world.function(value)
            if not given <= facts.outside:
                facts.escapes = True
                facts.outside |= given
                facts.flow.touch()
            mine = facts.first if value.bound else ""
            for name in facts.params:
                if name != mine:
                    grow_param(frame, facts, name, given)


def grow_param(frame: Frame, facts: FunctionFacts, name: str, values: Values) -> None:
    """Add to what a parameter may hold, other than by a call that is followed."""
    held = facts.params.get(name, EMPTY)
    if not values <= held:
        facts.params[name] = held | values
        facts.flow.touch()
        if not facts.hot and frame.world.carries(values):
            facts.hot = True
            facts.flow.heat({facts.name, name})


def run_block(frame: Frame, body: Iterable[ast.stmt], env: Env) -> Env:
    """Run statements one after the other; gives the variables after them."""
    for statement in body:
        env = STEPS.get(type(statement), _run_parts)(frame, statement, env)
    return env


def run_top(frame: Frame, body: Iterable[ast.stmt], env: Env) -> Env:
    """Run the statements of a module or class that can have something to do with a legacy symbol.

    Of a block that is run at all, every statement is: what one of them leaves in a variable, the next may use.
    """
    return run_block(frame, (statement for statement in body if _is_run(frame.flow, statement)), env)


def _is_run(flow: Flow, statement: ast.stmt) -> bool:
    """At the top level of modules and classes: definitions, imports, constants, and whatever contains a hot word."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return True
    if isinstance(statement, ast.Assign | ast.AnnAssign) and _is_start(statement.value):
        return True
    if isinstance(statement, ast.If | ast.Try | ast.With):
        return flow.is_hot(statement) or flow.source.text.find("import ", *flow.lines(statement)) >= 0
    return flow.is_hot(statement)


def _is_start(value: ast.expr | None) -> bool:
    """A constant, something empty that is filled later (`[]`, `{}`, `nn.ModuleDict()`), or a module imported by its name."""
    match value:
        case ast.Call(func=ast.Name(id="import_module") | ast.Attribute(attr="import_module")):
            return True
        case ast.Constant() | ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Call(args=[], keywords=[]):
            return True
        case _:
            return False


def _run_parts(frame: Frame, node: ast.stmt, env: Env) -> Env:
    evaluate_parts(frame, node, env)
    return env


Owned: TypeAlias = Class | Object


def is_static(node: FunctionNode) -> bool:
    """Whether a method takes no `self`."""
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in getattr(node, "decorator_list", []))


def decorator_names(node: ast.AST) -> tuple[str, ...]:
    """The decorators of a definition as they are written, without their arguments."""
    listed = getattr(node, "decorator_list", [])
    return tuple(ast.unparse(d.func if isinstance(d, ast.Call) else d) for d in listed)


def each(values: Values, *kinds: type[Value]) -> Iterator[Any]:
    """The values of some kinds."""
    return (value for value in values if isinstance(value, kinds))
