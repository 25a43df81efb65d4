"""The facts about the files that are run: what is known of each file, of its functions and of its classes.

The rules for expressions and statements add facts, `world` runs the files until no fact is added, `uses` reads the facts.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from lossport.follow.values import (
    EMPTY,
    FOLLOWED,
    LEGACY,
    NOTHING,
    OTHER,
    Class,
    Function,
    Handed,
    Legacy,
    Named,
    Object,
    Result,
    Super,
    Symbol,
    Table,
    Text,
    Value,
    Values,
    Wrapped,
)
from lossport.source.modules import ModuleInfo, Modules
from lossport.source.quoted import Quoted
from lossport.source.source import Source
from lossport.source.targets import Targets

Env: TypeAlias = dict[str, Values]
FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


CARRIERS = (Function, Class, Object, Table, Wrapped)
"""What holds other values, by a syntax node of its own."""


@dataclass(eq=False)
class FunctionFacts:
    """What is known of a function: what its parameters hold, what it returns or yields, who calls it."""

    node: FunctionNode
    flow: FileFacts
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
    flow: FileFacts
    attributes: Env = field(default_factory=dict)
    bases: list[Values] = field(default_factory=list)
    subclasses: list[ClassFacts] = field(default_factory=list)


class FileFacts(ABC):
    """One file, or the Python inside one (`part`; `host` is the module whose docstring it stands in).

    `values` holds, for every expression that may stand for something legacy or local, for what.
    """

    def __init__(
        self,
        world: SharedFacts,
        source: Source,
        tree: ast.Module,
        info: ModuleInfo,
        host: FileFacts | None = None,
        *,
        part: bool = False,
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
        self.readers: set[FileFacts] = set()
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

    @abstractmethod
    def run_once(self) -> None:
        """Run the file once, with what is known so far."""

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

    def join(self, owner: FileFacts, table: Env, name: str, values: Values) -> None:
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


class Interest:
    """What ports say about values: by default, that everything changes and nothing is known."""

    def matters(self, value: Legacy) -> bool:
        """Whether a port changes how the value is used, so that it has to be followed."""
        return True

    def is_dict(self, value: Result) -> bool | None:
        """Whether a result, or this part of it, is a dictionary on the legacy side."""
        return None

    def lacks(self, symbol: str, name: str) -> bool:
        """Whether instances of a legacy class are known not to have an attribute or method."""
        return False

    @property
    def changed_names(self) -> frozenset[str]:
        """The names that a port changes of what may be read of an instance or of a result."""
        return frozenset()


class SharedFacts:
    """The facts that all files share."""

    def __init__(self, modules: Modules, targets: Targets, interest: Interest) -> None:
        self.modules = modules
        self.symbols = targets.symbols
        self.classes = targets.classes
        self.retired = targets.modules
        self.packages = frozenset(module.rpartition(".")[0] for module in targets.modules) - {""}
        self.interest = interest.matters
        self.is_dict = interest.is_dict
        self.lacks = interest.lacks
        self.changed_names = interest.changed_names
        self.hands_over = bool(self.changed_names)
        self.flows: dict[Path, FileFacts] = {}
        self.facts: dict[ast.AST, FunctionFacts | ClassFacts] = {}
        self.tables: dict[ast.expr, dict[str | int | None, Values]] = {}
        self.attribute_tables: dict[ast.expr, set[Object]] = {}
        self.holding: set[str] = set()
        self.holding_directly: set[str] = set()
        self._carriers: set[ast.AST] = set()
        self._held_by: dict[ast.AST, set[ast.AST]] = {}
        self.complete = False

    def has_no(self, value: Result, key: object) -> bool:
        """Whether reading that key of a result would have failed: a string key of a tuple, a number of a dictionary."""
        is_dict = self.is_dict(value)
        return (is_dict is False and isinstance(key, str)) or (is_dict is True and isinstance(key, int))

    def function(self, value: Function) -> FunctionFacts:
        """The facts of a function."""
        facts = self.facts[value.node]
        assert isinstance(facts, FunctionFacts)
        return facts

    def of_class(self, value: Class | Object | Super) -> ClassFacts:
        """The facts of a class, or of the class of an object."""
        facts = self.facts[value.node]
        assert isinstance(facts, ClassFacts)
        return facts

    def carries(self, values: Values) -> bool:
        """Whether something legacy, of which a port changes the use, can be had from any of the values."""
        return any(self._carries(value) for value in values)

    def follows(self, values: Values) -> bool:
        """Whether what holds the values is looked at wherever it is used: also a legacy module."""
        return self.carries(values) or self.is_legacy_module(values)

    def is_legacy_module(self, values: Values) -> bool:
        """Whether the values may be a legacy module, or the package of one, of which a name may be looked up."""
        return any(isinstance(value, Named) and value.path in self.retired | self.packages for value in values)

    def _carries(self, value: Value) -> bool:
        if isinstance(value, LEGACY):
            return self.interest(value)
        return isinstance(value, Handed) or (isinstance(value, CARRIERS) and value.node in self._carriers)

    def hold(self, holder: ast.AST, values: Values) -> None:
        """A function returns the values, a class has them as attributes or bases, a table as entries: by its syntax node.

        Whatever holds something legacy is marked at once, and so is all that holds it: asking costs nothing.
        """
        if holder in self._carriers:
            return
        for value in values:
            if self._carries(value):
                self._mark(holder)
                return
            if isinstance(value, CARRIERS):
                self._held_by.setdefault(value.node, set()).add(holder)

    def _mark(self, holder: ast.AST) -> None:
        waiting = [holder]
        while waiting:
            node = waiting.pop()
            if node not in self._carriers:
                self._carriers.add(node)
                waiting += self._held_by.pop(node, ())

    def holds_as(self, name: str, values: Values) -> None:
        """Some attribute of that name leads to something legacy: of what is not followed, it may be that one."""
        if not self.hands_over or name.startswith("__"):
            return
        if any(isinstance(value, LEGACY) for value in values):
            self.holding_directly.add(name)
        if name not in self.holding:
            self.holding.add(name)
            for flow in self.flows.values():
                if name in flow.source.text:
                    flow.heat({name})
                    flow.stale = True

    def attribute(self, facts: ClassFacts, name: str, depth: int = 0) -> Values:
        """What an attribute of a class, or of its bases in the project, may stand for."""
        found = facts.attributes.get(name, EMPTY)
        if found or depth > len(self.facts):
            return found
        for base in facts.bases:
            for value in base:
                if isinstance(value, Class):
                    found |= self.attribute(self.of_class(value), name, depth + 1)
        return found

    def legacy_base(self, facts: ClassFacts, depth: int = 0) -> str | None:
        """The legacy class that a class derives from, directly or through others of the project."""
        for base in facts.bases:
            for value in base:
                if isinstance(value, Symbol):
                    return value.path
                if isinstance(value, Class) and depth <= len(self.facts):
                    found = self.legacy_base(self.of_class(value), depth + 1)
                    if found is not None:
                        return found
        return None
