"""Every call site of some losses in a project: which files to look at, what each has, what could not be read.

Finds and describes; what becomes of a site is decided elsewhere.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import lossport.tree.evaluate
import lossport.tree.execute  # noqa: F401  # both register their rules
from lossport.config import Loss, Project
from lossport.pause import collection_paused
from lossport.tree import nodes
from lossport.tree.configtext import SUFFIXES, Mention, mentions_in
from lossport.tree.flow import Flow
from lossport.tree.fragments import Fragment, docstring_fragments, markup_fragment, notebook_fragment, parse_fragment
from lossport.tree.leads import Leads
from lossport.tree.modules import Modules, absolute, describe
from lossport.tree.prefilter import STAR, Wanted, importers, names_of, pattern_of, search
from lossport.tree.scopes import Scopes, scopes_of
from lossport.tree.source import Source, SourceError, decode
from lossport.tree.targets import Targets, targets_of
from lossport.tree.uses import Use, Uses
from lossport.tree.values import Symbol
from lossport.tree.walk import walk
from lossport.tree.world import Interest, World

PYTHON = frozenset({".py", ".pyi", ".pyw"})
MARKUP = frozenset({".md", ".markdown", ".rst"})
NOTEBOOK = ".ipynb"
READ = PYTHON | MARKUP | SUFFIXES | {NOTEBOOK}
"""Kinds of files that can hold a call site: images and checkpoints are not even opened."""


BY_COMPUTED_NAME = frozenset({"getattr", "vars", "__dict__"})
"""With these, whoever imports a package that offers a legacy symbol may take it without naming it. The legacy package, which
stops offering it, is found by its name."""


@dataclass(frozen=True)
class Site:
    """A place that names a legacy symbol. Line and column are 1-based."""

    path: str
    line: int
    column: int
    form: str
    symbol: str
    code: str


@dataclass(frozen=True)
class Problem:
    """A file that contains a legacy name and cannot be looked into or must not be written."""

    path: str
    line: int
    column: int
    reason: str
    code: str = ""


@dataclass(frozen=True)
class SiteReport:
    """All sites of some losses, the files that a person has to look at, and how many files were searched and parsed."""

    sites: tuple[Site, ...]
    problems: tuple[Problem, ...]
    files: int
    parsed: int


@dataclass(frozen=True)
class Imported:
    """One name of an import statement that is a legacy symbol, a legacy module, everything of one, or another name of one."""

    statement: ast.Import | ast.ImportFrom
    alias: ast.alias
    target: str
    kind: Literal["symbol", "module", "star", "other"]


class View:
    """Python that was run - a file, or what is inside one - with what it imports of the legacy modules and how it uses that."""

    def __init__(self, flow: Flow, path: Path, shown: str, targets: Targets, fragment: Fragment | None = None) -> None:
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


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file that names something legacy."""

    path: Path
    shown: str
    source: Source
    mentions: tuple[Mention, ...]


@dataclass(frozen=True)
class Survey:
    """The code and the configuration that has something of the losses, the problems, and the counts."""

    views: tuple[View, ...]
    configs: tuple[ConfigFile, ...]
    problems: tuple[Problem, ...]
    targets: Targets
    modules: Modules
    files: int
    parsed: int


def survey(
    project: Project,
    losses: Sequence[Loss],
    *,
    modules: Modules | None = None,
    interest: Interest | None = None,
    executor: Executor | None = None,
) -> Survey:
    """Look at every file of the project that can hold a call site of the losses.

    Args:
        project: the project.
        losses: the losses whose symbols are looked for.
        modules: the project's modules, if some are parsed already.
        interest: what the ports say: a value that no port changes need not be followed.
        executor: searches the files; in this process if it is left out.
    """
    with collection_paused():
        return _Surveyor(project, losses, modules or Modules(project), interest or Interest(), executor).survey()


class _Surveyor:
    """Opens files for a world, and remembers what could not be opened."""

    def __init__(
        self, project: Project, losses: Sequence[Loss], modules: Modules, interest: Interest, executor: Executor | None
    ) -> None:
        self.project = project
        self.modules = modules
        self.executor = executor
        self.targets = targets_of(modules, losses)
        self.found = walk(project).files
        self.retired = {path for module in self.targets.modules if (path := project.module_path(module)) is not None}
        self.problems: list[Problem] = []
        self._symbol = pattern_of(symbol.rpartition(".")[2] for symbol in self.targets.symbols)
        self.parts: dict[Path, tuple[Path, Fragment, Source]] = {}
        self.world = World(modules, self.targets, interest, self.open)

    def survey(self) -> Survey:
        """Run the files that contain a legacy name, then those that they hand something to, until no file joins."""
        wanted = self.wanted()
        hits = search(self._files_of(READ), wanted, self.executor)
        leads = Leads(self.modules, self.targets, wanted.packages)
        self.problems += [Problem(_shown(self.project, path), 1, 1, f"cannot be read: {why}") for path, why in hits.unreadable]
        configs: list[ConfigFile] = []
        for path in hits.paths:
            if path.suffix in SUFFIXES:
                configs += self._config(path)
            elif path.suffix in PYTHON:
                self._enter(path, wanted, leads)
            else:
                self._enter_document(path, wanted)
        self.settle()
        self.world.give_up()
        views = [self._view(key, flow) for key, flow in self.world.flows.items()]
        return Survey(
            tuple(views), tuple(configs), tuple(self.problems), self.targets, self.modules, len(self.found), len(self.world.flows)
        )

    def _files_of(self, suffixes: Iterable[str]) -> list[str]:
        """The files of some kinds, those of retired modules apart."""
        ends, retired = tuple(suffixes), {str(path) for path in self.retired}
        return [text for text in self.found if text.endswith(ends) and text not in retired]

    def _enter(self, path: Path, wanted: Wanted, leads: Leads) -> None:
        """A module. One that leads nowhere is not followed, but one that cannot be parsed is told of, as it may."""
        raw = path.read_bytes()
        if not leads(path, raw):
            if self._symbol.search(raw):
                self._parse(path)
            return
        flow = self.world.enter(path)
        if flow is not None:
            flow.heat((*wanted.words, *wanted.packages))
            self._enter_docstrings(path, flow, wanted)

    def _view(self, key: Path, flow: Flow) -> View:
        path, fragment, host = self.parts.get(key, (key, None, flow.source))
        made = View(flow, path, _shown(self.project, path), self.targets, fragment)
        made.host = host
        return made

    def _read(self, path: Path) -> Source | None:
        """The text of a file that is no module; None, and a problem, if it is none."""
        shown = _shown(self.project, path)
        try:
            source = decode(path.read_bytes())
        except SourceError as error:
            self.problems.append(Problem(shown, error.line, error.column, f"contains a legacy name and {error.reason}"))
            return None
        if self._is_foreign(path):
            return None
        return source

    def _is_foreign(self, path: Path) -> bool:
        """Whether a file must not be written, which is a problem."""
        why = self.found[str(path)]
        if why:
            self.problems.append(Problem(_shown(self.project, path), 1, 1, f"contains a legacy name and is {why}"))
        return bool(why)

    def _enter_docstrings(self, path: Path, flow: Flow, wanted: Wanted) -> None:
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted.words))})\b")
        for statement in flow.hot_statements():
            hot = ast.Module([statement], [])
            for fragment in docstring_fragments(flow.source, hot, lambda text: pattern.search(text) is not None):
                self._enter_fragment(path, fragment, flow.source, wanted, flow)

    def _enter_document(self, path: Path, wanted: Wanted) -> None:
        """A notebook or a page: its Python, if it has any."""
        source = self._read(path)
        if source is None:
            return
        try:
            fragment = notebook_fragment(source.text) if path.suffix == NOTEBOOK else markup_fragment(source.text)
        except (ValueError, RecursionError) as error:
            self.problems.append(Problem(_shown(self.project, path), 1, 1, f"contains a legacy name and is no notebook: {error}"))
            return
        self._enter_fragment(path, fragment, source, wanted, None)

    def _enter_fragment(self, path: Path, fragment: Fragment, source: Source, wanted: Wanted, host: Flow | None) -> None:
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted.words))})\b")
        for offset, text in fragment.broken:
            if pattern.search(text):
                line, column = source.position(offset)
                reason = "contains a legacy name in code that does not parse"
                self.problems.append(Problem(_shown(self.project, path), line, column, reason, source.line(line).strip()))
        if not fragment.blocks:
            return
        key = path.with_name(f"{path.name}#{len(self.parts)}")
        info = describe(path.stem, path, parse_fragment(fragment))
        flow = Flow(self.world, fragment.source, info.tree, info, host, part=True)
        flow.heat((*wanted.words, *wanted.packages))
        self.world.flows[key] = flow
        self.parts[key] = (path, fragment, source)

    def _config(self, path: Path) -> list[ConfigFile]:
        source = self._read(path)
        if source is None:
            return []
        mentions = mentions_in(
            source.text, path.suffix, self.modules, self.targets.symbols, self.targets.modules, self.project.root
        )
        listed = tuple(mentions)
        return [ConfigFile(path, _shown(self.project, path), source, listed)] if listed else []

    def settle(self) -> None:
        """Run everything until nothing is left to find out; anew where a file that others use joined after them."""
        self._run()
        if not self.world.late:
            self.world.complete_guesses()
            self._run()
        while self.world.late:
            self.world.start_over()
            self.settle()

    def _run(self) -> None:
        """Run files until none changes and none joins."""
        self.world.settle()
        while self._importers_join():
            self.world.settle()

    def wanted(self) -> Wanted:
        """The words of the symbols, and the packages in which a name may be computed."""
        packages = {module.rpartition(".")[0] for module in self.targets.modules} - {""}
        offering = any(self._offers(package) for package in packages)
        computing = ("import_module", "__import__", *(("getattr", "vars") if offering else ()))
        return Wanted(names_of(self.targets.symbols), tuple(sorted(p.rpartition(".")[2] for p in packages)), computing)

    def _offers(self, package: str) -> bool:
        info = self.modules.load(package)
        names = self.modules.public(info) if info is not None else ()
        return any(self.modules.member(package, name) in self.targets.symbols for name in names)

    def _importers_join(self) -> bool:
        """Files that import a name under which another keeps something legacy."""
        wanted: dict[str, set[str]] = {}
        for path, flow in self.world.flows.items():
            names = set(self.world.exports(flow)) | self.handed_on.get(path, set())
            if path.name == "__init__.py" and not path.is_relative_to(self.project.legacy):
                names |= BY_COMPUTED_NAME if any(Symbol in map(type, held) for held in flow.globals.values()) else set()
            if names:
                wanted.setdefault(path.parent.name if path.stem == "__init__" else path.stem, set()).update(names)
        joined = self._tests_join()
        new = {(module, name) for module, names in wanted.items() for name in names} - self.asked
        self.asked |= new
        if not new:
            return joined
        for path, taken in importers(self._files_of(PYTHON), new, self.executor):
            other = self.world.enter(path)
            if other is not None and not other.knows(taken):
                other.heat(taken)
                joined = True
            if other is not None and STAR in taken:
                self.handed_on.setdefault(path, set()).update(taken - {STAR})
        return joined

    def _tests_join(self) -> bool:
        """Files below a `conftest.py` that name a fixture which gives something legacy."""
        joined = False
        for path, flow in list(self.world.flows.items()):
            names = self.world.fixtures(flow)
            below = (
                [t for t in self._files_of(PYTHON) if t.startswith(f"{path.parent}{os.sep}") and t != str(path)] if names else []
            )
            for name in names:
                for hit in search(below, Wanted((name,)), None).paths:
                    other = self.world.enter(hit)
                    if other is not None and not other.knows({name}):
                        other.heat({name})
                        joined = True
        return joined

    @cached_property
    def handed_on(self) -> dict[Path, set[str]]:
        """The names that a file has by the star of another module, and offers in its turn."""
        return {}

    @cached_property
    def asked(self) -> set[tuple[str, str]]:
        """Module and name pairs whose importers have been looked for."""
        return set()

    def open(self, world: World, path: Path) -> Flow | None:
        """Read and parse a file; a file that cannot be is a problem, as it contains a legacy name."""
        if str(path) not in self.found or path in self.retired:
            return None
        parsed = self._parse(path)
        return None if parsed is None else flow_of(world, *parsed, path, self.project.module_name(path))

    def _parse(self, path: Path) -> tuple[Source, ast.Module] | None:
        if self._is_foreign(path):
            return None
        try:
            return self.modules.parsed(path, path.read_bytes())
        except SourceError as error:
            shown = _shown(self.project, path)
            self.problems.append(Problem(shown, error.line, error.column, f"contains a legacy name and {error.reason}"))
            return None


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


def _shown(project: Project, path: Path) -> str:
    return project.relative(path) if path.is_relative_to(project.root) else path.as_posix()


def find_sites(project: Project, losses: Iterable[Loss], *, executor: Executor | None = None) -> SiteReport:
    """Every place of the project that names a legacy symbol of the losses, in the order of files and lines.

    A place that stands for symbols of several losses, such as a choice among them, is a site of each.
    """
    wanted = tuple(losses)
    owners = {symbol: loss.name for loss in wanted for symbol in loss.symbols}
    with collection_paused():
        seen = survey(project, wanted, executor=executor)
        sites = [site for item in seen.views for site in sites_of(item, owners)]
        sites += [site for config in seen.configs for site in config_sites(config)]
    return SiteReport(tuple(sorted(sites, key=lambda s: (s.path, s.line, s.column))), seen.problems, seen.files, seen.parsed)


def sites_of(item: View, owners: Mapping[str, str] = MappingProxyType({})) -> tuple[Site, ...]:
    """The sites of one file, at each place one for every loss that `owners` gives for the symbols there."""
    found: dict[tuple[int, int, str], Site] = {}

    def add(node: ast.expr | ast.alias, form: str, symbol: str) -> None:
        line, column = item.place(item.source.span(node)[0])
        found.setdefault((line, column, owners.get(symbol, "")), Site(item.shown, line, column, form, symbol, item.code_at(line)))

    for imported in item.imports:
        if imported.kind != "other":
            add(imported.alias, "star import" if imported.kind == "star" else "import", imported.target)
    for use in item.uses:
        if isinstance(use.value, Symbol):
            add(use.node, _FORMS.get(use.kind, use.how or use.kind), use.value.path)
    return tuple(found[key] for key in sorted(found))


def config_sites(config: ConfigFile) -> list[Site]:
    """The sites of a configuration file."""
    sites: list[Site] = []
    for mention in config.mentions:
        line, column = config.source.position(mention.start)
        sites.append(Site(config.shown, line, column, "configuration", mention.meaning.target, config.source.line(line).strip()))
    return sites


_FORMS = {"construct": "call", "prepare": "partial", "base": "base class", "kept": "alias", "unbound": "class attribute"}
