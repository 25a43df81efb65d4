"""The abstract run of one file: which of its code is run, and what every expression in it may stand for.

Only code that can have something to do with a legacy symbol is run: it has to contain a hot word, that is the symbol's name or
a name under which something legacy is kept. Branches are joined and loops run until nothing changes. The rules for
expressions and statements register themselves here (`evaluate`, `execute`); what lies in other files is the world's business.
"""

from __future__ import annotations

import ast
import builtins
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from lossport.follow.values import EMPTY, FOLLOWED, NOTHING, OTHER, Class, Function, Named, Object, Text, Value, Values
from lossport.source.modules import ModuleInfo
from lossport.source.quoted import Quoted
from lossport.source.source import Source

if TYPE_CHECKING:
    from lossport.follow.world import World

Env: TypeAlias = dict[str, Values]
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

MAX_LOOP_ROUNDS = 4
"""Rounds over one loop body: values that travel through more than four variables per turn are not followed."""

BUILTINS = frozenset(dir(builtins))


@dataclass(eq=False)
class FunctionFacts:
    """What is known of a function: what its parameters hold, what it returns or yields, who calls it."""

    node: FunctionNode
    flow: Flow
    owner: ast.ClassDef | None
    parent: FunctionFacts | None
    params: Env = field(default_factory=dict)
    returns: Values = EMPTY
    yields: Values = EMPTY
    bindings: Env = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    rebound: set[str] = field(default_factory=set)
    returns_typed: bool = False
    called: bool = False
    escapes: bool = False
    outside: Values = EMPTY
    """What those whom nobody follows may call it with; set once it escapes to them."""
    hot: bool = False
    fixture: bool = False
    prepared: bool = False

    @property
    def first(self) -> str:
        """The name of its first parameter; empty if it has none."""
        listed = [*self.node.args.posonlyargs, *self.node.args.args]
        return listed[0].arg if listed else ""

    @property
    def name(self) -> str:
        """Its name, for messages."""
        return "lambda" if isinstance(self.node, ast.Lambda) else self.node.name


@dataclass(eq=False)
class ClassFacts:
    """What is known of a class: attributes of it and of its instances, and its bases."""

    node: ast.ClassDef
    flow: Flow
    attributes: Env = field(default_factory=dict)
    bases: list[Values] = field(default_factory=list)
    subclasses: list[ClassFacts] = field(default_factory=list)


class Flow:
    """One file, or the Python inside one (`part`; `host` is the module whose docstring it stands in).

    `values` holds, for every expression that may stand for something legacy or local, for what.
    """

    def __init__(
        self, world: World, source: Source, tree: ast.Module, info: ModuleInfo, host: Flow | None = None, *, part: bool = False
    ) -> None:
        self.world = world
        self.host = host
        self.part = part or host is not None
        self.source = source
        self.tree = tree
        self.info = info
        self.quoted = Quoted(source)
        self._hot: set[str] = set()
        self._hot_at: list[int] | None = None
        self.start_over()

    def start_over(self) -> None:
        """Forget all that was found out by running, but not what is hot."""
        self.values: dict[ast.expr, Values] = {}
        self.named: dict[ast.expr, str] = {}
        self.modules: dict[ast.expr, frozenset[str]] = {}
        self.texts: dict[ast.expr, frozenset[str]] = {}
        self.parents: dict[ast.AST, ast.AST] | None = None
        self.globals: Env = {}
        self.rebound: set[str] = set()
        self.fixtures: dict[str, FunctionFacts] = {}
        self.given_to_tests: set[ast.expr] = set()
        self.functions: list[FunctionFacts] = []
        self.readers: set[Flow] = set()
        self.stale = True
        self.guessed = False
        self.passes = 0
        self.running = False

    def heat(self, words: Iterable[str]) -> None:
        """Names that something legacy goes by in this file: code that contains one of them is run."""
        new = set(words) - self._hot
        if new:
            self._hot |= new
            self._hot_at = None
            self.stale = True

    def knows(self, words: Iterable[str]) -> bool:
        """Whether all of the words are hot already."""
        return set(words) <= self._hot

    def is_hot(self, node: ast.stmt) -> bool:
        """Whether the statement contains a hot word, decorators included."""
        if self._hot_at is None:
            self._hot_at = self.source.places_of(self._hot)
        return self.has_any(node, self._hot_at)

    def has_any(self, node: ast.stmt, places: Sequence[int]) -> bool:
        """Whether any of the places, given in order, lies in the statement."""
        start, end = self.lines(node)
        at = bisect_left(places, start)
        return at < len(places) and places[at] < end

    def lines(self, node: ast.stmt) -> tuple[int, int]:
        """The offsets of the lines of a statement."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        last = node.end_lineno or node.lineno
        starts = self.source.starts
        return starts[first - 1], starts[last] if last < len(starts) else len(self.source.text)

    def hot_statements(self) -> Iterator[ast.stmt]:
        """The top-level statements that are run."""
        return (statement for statement in self.tree.body if self.is_hot(statement))

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

    def record(self, node: ast.expr, values: Values) -> Values:
        """Remember what an expression may stand for."""
        if values is OTHER and node not in self.values and not isinstance(node, ast.BinOp | ast.JoinedStr):
            return values  # by far the most frequent case
        if held := {value.path for value in values if isinstance(value, Named)} & self.world.retired:
            self.modules[node] = self.modules.get(node, frozenset()) | held
        if any(isinstance(value, FOLLOWED) for value in values):
            before = self.values.get(node)
            self.values[node] = values if before is None else before | values
        elif len(real := values - NOTHING) == 1 and isinstance(only := next(iter(real)), Named):
            self.named[node] = only.path
        elif node in self.values:
            self.values[node] |= values
        if isinstance(node, ast.BinOp | ast.JoinedStr):
            known = all(isinstance(value, Text) for value in values)
            earlier = self.texts.get(node, frozenset({""}))
            found = frozenset(str(v.value) for v in values if isinstance(v, Text))
            self.texts[node] = (earlier | found) - {""} if known and earlier else frozenset()
        return values

    def join(self, owner: Flow, table: Env, name: str, values: Values) -> None:
        """Add to what a name of the file `owner` may stand for."""
        before = table.get(name, EMPTY)
        if not values <= before:
            table[name] = before | values
            owner.touch()
        if self.world.follows(values):
            owner.heat({name.rpartition(".")[2]})

    def join_attribute(self, facts: ClassFacts, name: str, values: Values) -> None:
        """Add to what an attribute of a class, or of its instances, may stand for."""
        self.join(facts.flow, facts.attributes, name, values)
        self.world.hold(facts.node, values)
        if self.world.carries(values):
            facts.flow.heat({facts.node.name})
            self.world.holds_as(name, values)

    def heat_methods(self, facts: ClassFacts) -> None:
        """Every method of a subclass has to do with its legacy base, through `self` and `super()`."""
        for member in facts.node.body:
            method = self.world.facts.get(member)
            if isinstance(method, FunctionFacts) and not method.hot:
                method.hot = True
                self.touch()

    def touch(self) -> None:
        """Something that this file's code depends on has grown: it has to be run again, and so do its readers."""
        self.stale = True
        for reader in self.readers:
            reader.stale = True

    def grow_returns(self, facts: FunctionFacts, values: Values) -> None:
        """Add to what a function may return; an annotation knows better than what is not followed."""
        if facts.returns_typed:
            values -= OTHER
        if not values <= facts.returns:
            facts.returns |= values
            self.world.hold(facts.node, values)
            facts.flow.touch()
            if self.world.carries(values):
                facts.flow.heat({facts.name})

    def read(self, facts: FunctionFacts | ClassFacts) -> None:
        """This file depends on a function or class of another."""
        if facts.flow is not self:
            facts.flow.readers.add(self)

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
