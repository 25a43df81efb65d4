"""What files know of each other while they are run: functions, classes and names of one that others use.

Starts with the files that contain a legacy name. A file that is handed something legacy, or that imports a name under which
another keeps something legacy, joins on the way.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from pathlib import Path

from lossport.follow.flow import ClassFacts, Flow, FunctionFacts
from lossport.follow.inheritance import is_shared
from lossport.follow.values import (
    EMPTY,
    LEGACY,
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
    Value,
    Values,
    Wrapped,
)
from lossport.source.modules import Modules
from lossport.source.targets import Targets

CARRIERS = (Function, Class, Object, Table, Wrapped)
"""What holds other values, by a syntax node of its own."""

MAX_PASSES = 12
"""Runs of one file until values stop growing. Chains of functions settle in three or four; beyond this everything in the file
also becomes `Other`, which can only lead to refusals."""


class Interest:
    """What ports say about values: by default, that everything changes and nothing is known."""

    def matters(self, value: Legacy) -> bool:
        """Whether a port changes how the value is used, so that it has to be followed."""
        return True

    def is_dict(self, value: Result) -> bool | None:
        """Whether a result, or this part of it, is a dictionary on the legacy side."""
        return None

    @property
    def changed_names(self) -> frozenset[str]:
        """The names that a port changes of what may be read of an instance or of a result."""
        return frozenset()


class World:
    """All files that are run, and the facts that they share."""

    def __init__(
        self,
        modules: Modules,
        targets: Targets,
        interest: Interest,
        open_file: Callable[[World, Path], Flow | None],
    ) -> None:
        self.modules = modules
        self.symbols = targets.symbols
        self.classes = targets.classes
        self.retired = targets.modules
        self.interest = interest.matters
        self.is_dict = interest.is_dict
        self.changed_names = interest.changed_names
        self.hands_over = bool(self.changed_names)
        self.flows: dict[Path, Flow] = {}
        self.facts: dict[ast.AST, FunctionFacts | ClassFacts] = {}
        self.tables: dict[ast.expr, dict[str | int | None, Values]] = {}
        self.attribute_tables: dict[ast.expr, set[Object]] = {}
        self.holding: set[str] = set()
        self.holding_directly: set[str] = set()
        self._carriers: set[ast.AST] = set()
        self._held_by: dict[ast.AST, set[ast.AST]] = {}
        self._open_file = open_file
        self._closed: set[Path] = set()
        self.complete = False
        self.late = False

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
        return self.carries(values) or any(isinstance(value, Named) and value.path in self.retired for value in values)

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

    def resolve(self, flow: Flow, dotted: str) -> Values:
        """What a dotted path means in a file: a legacy symbol, something of another file that is run, or just its name."""
        near = flow.info.path.parent if flow.info.path else None
        if not self.modules.knows(dotted, near):
            return frozenset({Named(dotted)})
        parent, _, name = dotted.rpartition(".")
        target = self.modules.member(parent, name, near) if parent else self.modules.canonical(dotted, near)
        if target in self.symbols:
            return frozenset({Symbol(target)})
        other = self._flow_of(target.rpartition(".")[0], near)
        if other is not None and other is not flow:
            if other.passes == 0:
                other.run_once()  # what is used first, so that the user need not run twice
            other.readers.add(flow)
            if other.running and other.passes == 1:
                flow.guessed = True
                return EMPTY
            held = other.globals.get(target.rpartition(".")[2], EMPTY)
            if any(not isinstance(value, Named) for value in held) and held != OTHER:
                return held
        return frozenset({Named(target if self.modules.path(dotted, near) is None else dotted)})

    def _flow_of(self, module: str, near: Path | None) -> Flow | None:
        path = self.modules.path(module, near) if module else None
        return self.flows.get(path) if path is not None else None

    def starred(self, flow: Flow, name: str) -> Values | None:
        """What a name stands for that the file can only have from a star import."""
        near = flow.info.path.parent if flow.info.path else None
        for star in flow.info.stars:
            other = self.modules.load(star, near)
            if other is not None and name in set(self.modules.public(other)):
                return self.resolve(flow, f"{star}.{name}")
        return None

    def fixture(self, flow: Flow, name: str) -> FunctionFacts | None:
        """The pytest fixture of that name: of the file, or of a `conftest.py` in its folder or above."""
        if name in flow.fixtures:
            return flow.fixtures[name]
        folder = flow.info.path.parent if flow.info.path else None
        while folder is not None and folder.is_relative_to(self.modules.project.root):
            other = self.flows.get(folder / "conftest.py")
            if other is not None and name in other.fixtures:
                other.readers.add(flow)
                return other.fixtures[name]
            folder = folder.parent if folder != folder.parent else None
        return None

    def enter(self, path: Path) -> Flow | None:
        """Let a file join; None if it cannot be read or is not part of the project."""
        if path not in self.flows and path not in self._closed:
            flow = self._open_file(self, path)
            if flow is None:
                self._closed.add(path)
            else:
                self.flows[path] = flow
                flow.heat(name for name in self.holding if name in flow.source.text)
        return self.flows.get(path)

    def pull(self, flow: Flow, dotted: str) -> None:
        """Something legacy is handed to a function or class of the project: its file joins."""
        near = flow.info.path.parent if flow.info.path else None
        module, _, name = dotted.rpartition(".")
        path = self.modules.path(module, near) if module else None
        if path is None or path == flow.info.path or path in self.flows:
            return
        other = self.enter(path)
        if other is not None:
            other.heat({name})
            flow.stale = self.late = True

    def start_over(self) -> None:
        """Forget what was guessed of a file before it joined: that it may be anything stays in whatever was computed from it."""
        self.facts.clear()
        self.tables.clear()
        self.attribute_tables.clear()
        self._carriers.clear()
        self._held_by.clear()
        self.complete = self.late = False
        for flow in self.flows.values():
            flow.start_over()

    def settle(self) -> None:
        """Run stale files until nothing changes."""
        while stale := [flow for flow in self.flows.values() if flow.stale and flow.passes < MAX_PASSES]:
            for flow in stale:
                flow.run_once()

    def complete_guesses(self) -> None:
        """From here on, what is not known may be anything: also the arguments of functions that nothing here calls."""
        self.complete = True
        for flow in self.flows.values():
            if flow.guessed:
                flow.touch()
            for facts in flow.functions:
                if not facts.called and not facts.escapes and not facts.fixture:
                    self._open(flow, facts)

    def _open(self, flow: Flow, facts: FunctionFacts) -> None:
        for name, values in facts.params.items():
            own = any(isinstance(value, Object | Class) and value.node is facts.owner for value in values)
            if not own and not values >= OTHER and name not in facts.typed:
                facts.params[name] = values | OTHER
                flow.touch()

    def give_up(self) -> None:
        """Files that did not settle: everything in them may also be something else."""
        for flow in self.flows.values():
            if flow.stale:
                flow.values = {node: values | OTHER for node, values in flow.values.items()}

    def exports(self, flow: Flow) -> dict[str, Values]:
        """The module-level names under which other files can get something legacy from this one, or hand it something."""
        found: dict[str, Values] = {}
        if flow.part:
            return found
        for name, values in flow.globals.items():
            followed = self.carries(values) or any(self._receives(value) or self._shares(value) for value in values)
            if followed and name not in {symbol.rpartition(".")[2] for symbol in self.symbols}:
                found[name] = values
        return found

    def fixtures(self, flow: Flow) -> set[str]:
        """The fixtures of a `conftest.py` that hand something legacy to tests."""
        if flow.info.path is None or flow.info.path.name != "conftest.py":
            return set()
        return {name for name, facts in flow.fixtures.items() if self.carries(facts.returns | facts.yields)}

    def _shares(self, value: Value) -> bool:
        """Whether a class has something legacy from those that derive from it, and so whatever else derives from it."""
        return isinstance(value, Class) and is_shared(self, self.of_class(value))

    def _receives(self, value: Value) -> bool:
        """Whether a function, or a method of a class, was handed something legacy."""
        if isinstance(value, Function):
            return self.function(value).hot
        if isinstance(value, Class):
            methods: Iterable[Values] = self.of_class(value).attributes.values()
            return any(isinstance(m, Function) and self.function(m).hot for values in methods for m in values)
        return False
