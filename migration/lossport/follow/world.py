"""What files know of each other while they are run: functions, classes and names of one that others use.

Starts with the files that contain a legacy name. A file that is handed something legacy, or that imports a name under which
another keeps something legacy, joins on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lossport.follow.file_facts import ClassFacts, FileFacts, FunctionFacts, Interest, SharedFacts
from lossport.follow.inheritance import carrying, is_shared, kin_below, lineage
from lossport.follow.values import (
    EMPTY,
    OTHER,
    Class,
    Function,
    Named,
    Object,
    Symbol,
    Value,
    Values,
)
from lossport.source.modules import Modules
from lossport.source.targets import Targets

MAX_PASSES = 12
"""Runs of one file until values stop growing. Chains of functions settle in three or four; beyond this everything in the file
also becomes `Other`, which can only lead to refusals."""


class World(SharedFacts):
    """All files that are run, and the loop that runs them until nothing changes."""

    def __init__(
        self,
        modules: Modules,
        targets: Targets,
        interest: Interest,
        open_file: Callable[[World, Path], FileFacts | None],
    ) -> None:
        super().__init__(modules, targets, interest)
        self._open_file = open_file
        self._closed: set[Path] = set()
        self.late = False

    def resolve(self, flow: FileFacts, dotted: str) -> Values:
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

    def _flow_of(self, module: str, near: Path | None) -> FileFacts | None:
        path = self.modules.path(module, near) if module else None
        return self.flows.get(path) if path is not None else None

    def starred(self, flow: FileFacts, name: str) -> Values | None:
        """What a name stands for that the file can only have from a star import."""
        near = flow.info.path.parent if flow.info.path else None
        for star in flow.info.stars:
            other = self.modules.load(star, near)
            if other is not None and name in set(self.modules.public(other)):
                return self.resolve(flow, f"{star}.{name}")
        return None

    def fixture(self, flow: FileFacts, name: str) -> FunctionFacts | None:
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

    def enter(self, path: Path) -> FileFacts | None:
        """Let a file join; None if it cannot be read or is not part of the project."""
        if path not in self.flows and path not in self._closed:
            flow = self._open_file(self, path)
            if flow is None:
                self._closed.add(path)
            else:
                self.flows[path] = flow
                flow.heat(name for name in self.holding if name in flow.source.text)
        return self.flows.get(path)

    def pull(self, flow: FileFacts, dotted: str) -> None:
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

    def meet_relatives(self, flow: FileFacts, facts: ClassFacts) -> None:
        """A class and its bases learn which attributes lead to something legacy; bases in files that were not run yet join."""
        legacy = self.legacy_base(facts) is not None
        mine = carrying(self, facts)
        for values in facts.bases:
            for value in values:
                if isinstance(value, Named) and (mine or legacy):
                    self.pull(flow, value.path)
                elif isinstance(value, Class):
                    self._introduce(flow, facts, self.of_class(value))
                elif isinstance(value, Symbol):
                    flow.heat({facts.node.name})

    def _introduce(self, flow: FileFacts, facts: ClassFacts, base: ClassFacts) -> None:
        if facts not in base.subclasses:
            base.subclasses.append(facts)
            base.flow.touch()
        for one in lineage(self, base):
            words = {word for kin in (one, *kin_below(self, one)) for word in carrying(self, kin)}
            flow.heat(words)
            one.flow.heat(words)
            one.flow.readers.add(flow)
            if self.legacy_base(facts) is not None:
                one.flow.heat_methods(one)

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

    def _open(self, flow: FileFacts, facts: FunctionFacts) -> None:
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

    def exports(self, flow: FileFacts) -> dict[str, Values]:
        """The module-level names under which other files can get something legacy from this one, or hand it something."""
        found: dict[str, Values] = {}
        if flow.part:
            return found
        for name, values in flow.globals.items():
            followed = self.follows(values) or any(self._receives(value) or self._shares(value) for value in values)
            if followed and name not in {symbol.rpartition(".")[2] for symbol in self.symbols}:
                found[name] = values
        return found

    def fixtures(self, flow: FileFacts) -> set[str]:
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
