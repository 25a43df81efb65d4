"""One piece of Python that was run: what it imports of the legacy modules, and how it uses that."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import lossport.follow.evaluate
import lossport.follow.execute
import lossport.follow.library_calls  # noqa: F401  # each registers its rules
from lossport.follow.file_facts import FileFacts, Interest
from lossport.follow.flow import Flow
from lossport.follow.uses import Use, Uses
from lossport.follow.world import World
from lossport.project.config import Loss, Project
from lossport.source import nodes
from lossport.source.fragments import Fragment
from lossport.source.modules import Modules, absolute, describe
from lossport.source.prefilter import names_of
from lossport.source.source import Source
from lossport.source.targets import Targets, targets_of
from lossport.source.variables import Scopes, scopes_of


@dataclass(frozen=True)
class Imported:
    """One name of an import statement that is a legacy symbol, a legacy module, everything of one, or another name of one."""

    statement: ast.Import | ast.ImportFrom
    alias: ast.alias
    target: str
    kind: Literal["symbol", "module", "star", "other"]


class View:
    """Python that was run - a file, or what is inside one - with what it imports of the legacy modules and how it uses that."""

    def __init__(self, flow: FileFacts, path: Path, shown: str, targets: Targets, fragment: Fragment | None = None) -> None:
        self.flow = flow
        self.path = path
        self.shown = shown
        self.targets = targets
        self.fragment = fragment
        self.source: Source = flow.source
        self.host: Source = flow.source
        self.tree: ast.Module = flow.tree
        self.modules: Modules = flow.world.modules

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column in the file of a place in the code."""
        return self.host.position(offset if self.fragment is None else self.fragment.host_offset(offset))

    def code_at(self, line: int) -> str:
        """A line of the file, without its indentation."""
        return self.host.line(line).strip()

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.flow.info.package

    @cached_property
    def _uses(self) -> Uses:
        return Uses(self.flow)

    @property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """The syntax node around each syntax node, in code that has to do with something legacy."""
        return self._uses.parents

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What is done with each expression that may stand for something legacy."""
        return tuple(self._uses.all())

    def scopes(self, words: Iterable[str]) -> Scopes:
        """The variables of the file, complete for these names."""
        places = self.source.places_of(set(words))
        touched = [statement for statement in self.tree.body if self.flow.has_any(statement, places)]
        return scopes_of(self.tree, touched, self.flow.quoted)

    @cached_property
    def imports(self) -> tuple[Imported, ...]:
        """What the file imports of the legacy modules, guarded and function-local imports included."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[Imported]:
        for node in (node for statement in self.flow.hot_statements() for node in nodes.walk(statement)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    target = self.modules.canonical(alias.name, self.path.parent)
                    if target in self.targets.modules:
                        yield Imported(node, alias, target, "module")
            elif isinstance(node, ast.ImportFrom):
                module = absolute(self.package, node.module, node.level)
                if module is not None:
                    yield from self._from(node, module)

    def _from(self, node: ast.ImportFrom, module: str) -> Iterator[Imported]:
        for alias in node.names:
            if alias.name == "*":
                target = self.modules.canonical(module, self.path.parent)
                if target in self.targets.modules:
                    yield Imported(node, alias, target, "star")
                continue
            target = self.modules.member(module, alias.name, self.path.parent)
            if target in self.targets.symbols:
                yield Imported(node, alias, target, "symbol")
            elif target in self.targets.modules:
                yield Imported(node, alias, target, "module")
            elif self.modules.canonical(module, self.path.parent) in self.targets.modules:
                yield Imported(node, alias, f"{self.modules.canonical(module, self.path.parent)}.{alias.name}", "other")


def flow_of(world: World, source: Source, tree: ast.Module, path: Path, module: str | None) -> Flow:
    """A parsed file, ready to be run."""
    info = describe(module or path.stem, path, tree)
    return Flow(world, source, tree, info)


def view_of_text(
    project: Project, modules: Modules, loss: Loss, path: Path, source: Source, tree: ast.Module, interest: Interest | None = None
) -> View:
    """One file alone, whether it is on disk or not."""
    targets = targets_of(modules, [loss])
    world = World(modules, targets, interest or Interest(), lambda world, path: None)
    flow = flow_of(world, source, tree, path, project.module_name(path))
    flow.heat(names_of(targets.symbols))
    world.flows[path] = flow
    world.settle()
    world.complete_guesses()
    world.settle()
    world.give_up()
    return View(flow, path, project.relative(path), targets)
