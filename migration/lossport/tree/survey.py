"""Every call site of some losses in a project: which files to look at, what each has, what could not be read.

Finds and describes; what becomes of a site is decided elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import lossport.tree.evaluate
import lossport.tree.execute  # noqa: F401  # both register their rules
from lossport.config import Loss, Project
from lossport.tree.flow import Context, Flow
from lossport.tree.modules import Modules, absolute, describe
from lossport.tree.prefilter import names_of, search
from lossport.tree.scopes import Scopes, scopes_of
from lossport.tree.signatures import Shape, shape_of
from lossport.tree.source import Source, SourceError, decode, parse
from lossport.tree.uses import Use, Uses
from lossport.tree.values import Named, Symbol, Value
from lossport.tree.walk import walk

PYTHON = frozenset({".py", ".pyi", ".pyw"})


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
class Targets:
    """What is looked for: legacy symbols, which of them are classes, and the modules they live in."""

    symbols: frozenset[str]
    modules: frozenset[str]
    shapes: Mapping[str, Shape]

    @property
    def classes(self) -> frozenset[str]:
        """The symbols that are classes. One whose source is gone counts as a class if its name is written like one."""
        return frozenset(s for s in self.symbols if (self.shapes[s].is_class if s in self.shapes else _looks_like_class(s)))


def _looks_like_class(symbol: str) -> bool:
    return symbol.rpartition(".")[2].lstrip("_")[:1].isupper()


def targets_of(modules: Modules, losses: Iterable[Loss]) -> Targets:
    """The symbols and modules that the losses retire."""
    symbols = frozenset(symbol for loss in losses for symbol in loss.symbols)
    shapes = {symbol: shape for symbol in symbols if (shape := shape_of(modules, symbol)) is not None}
    return Targets(symbols, frozenset(symbol.rpartition(".")[0] for symbol in symbols), shapes)


@dataclass(frozen=True)
class Imported:
    """One name of an import statement that is a legacy symbol, a legacy module, or (`star`) everything of one."""

    statement: ast.Import | ast.ImportFrom
    alias: ast.alias
    target: str
    is_symbol: bool
    star: bool = False


@dataclass
class View:
    """One Python file, run abstractly: what it imports of the legacy modules and how it uses that."""

    path: Path
    shown: str
    source: Source
    tree: ast.Module
    module: str | None
    package: str
    scopes: Scopes
    flow: Flow
    targets: Targets
    modules: Modules

    @cached_property
    def _uses(self) -> Uses:
        return Uses(self.flow, self.tree)

    @property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """The syntax node around each syntax node."""
        return self._uses.parents

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What is done with each expression that may stand for something legacy."""
        return tuple(self._uses.all())

    @cached_property
    def imports(self) -> tuple[Imported, ...]:
        """What the file imports of the legacy modules, guarded and function-local imports included."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[Imported]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    target = self.modules.canonical(alias.name, self.path.parent)
                    if target in self.targets.modules:
                        yield Imported(node, alias, target, is_symbol=False)
            elif isinstance(node, ast.ImportFrom):
                module = absolute(self.package, node.module, node.level)
                if module is not None:
                    yield from self._from(node, module)

    def _from(self, node: ast.ImportFrom, module: str) -> Iterator[Imported]:
        for alias in node.names:
            if alias.name == "*":
                target = self.modules.canonical(module, self.path.parent)
                if target in self.targets.modules:
                    yield Imported(node, alias, target, is_symbol=False, star=True)
                continue
            target = self.modules.member(module, alias.name, self.path.parent)
            if target in self.targets.symbols:
                yield Imported(node, alias, target, is_symbol=True)
            elif target in self.targets.modules:
                yield Imported(node, alias, target, is_symbol=False)


def view(
    path: Path, shown: str, source: Source, tree: ast.Module, module: str | None, modules: Modules, targets: Targets
) -> View:
    """Run one file."""
    info = describe(module or path.stem, path, tree)
    package = info.package if module is not None else ""
    near = path.parent

    def resolve(dotted: str) -> Value:
        parent, _, name = dotted.rpartition(".")
        target = modules.member(parent, name, near) if parent else modules.canonical(dotted, near)
        if target in targets.symbols:
            return Symbol(target)
        owner = next((s for s in targets.symbols if target.startswith(s + ".")), None)
        return Named(target if owner is None and modules.path(dotted, near) is None else dotted)

    starred = [star for star in info.stars if modules.path(star, near) is not None]

    def stars(name: str) -> Value | None:
        for star in starred:
            other = modules.load(star, near)
            if other is not None and name in set(modules.public(other)):
                return resolve(f"{star}.{name}")
        return None

    scopes = scopes_of(tree)
    flow = Flow(tree, scopes, Context(resolve, targets.classes, package, stars)).run()
    return View(path, shown, source, tree, module, package, scopes, flow, targets, modules)


@dataclass(frozen=True)
class Survey:
    """The Python files that have something of the losses, the problems, and the counts."""

    views: tuple[View, ...]
    problems: tuple[Problem, ...]
    targets: Targets
    modules: Modules
    files: int
    parsed: int


def survey(project: Project, losses: Sequence[Loss], *, executor: Executor | None = None) -> Survey:
    """Look at every file of the project that can hold a call site of the losses."""
    modules = Modules(project)
    targets = targets_of(modules, losses)
    walked = walk(project)
    foreign = {found.path: found.foreign for found in walked.files}
    retired = {path for module in targets.modules if (path := project.module_path(module)) is not None}
    words = names_of(targets.symbols)
    hits, unreadable = search([found.path for found in walked.files if found.path not in retired], words, executor)
    problems = [Problem(_shown(project, path), 1, 1, f"cannot be read: {reason}") for path, reason in unreadable]
    views: list[View] = []
    for path in hits:
        if path.suffix not in PYTHON:
            continue
        shown = _shown(project, path)
        if foreign[path]:
            problems.append(Problem(shown, 1, 1, f"contains a legacy name and is {foreign[path]}"))
            continue
        try:
            source = decode(path.read_bytes())
            tree = parse(source)
        except SourceError as error:
            problems.append(Problem(shown, error.line, error.column, f"contains a legacy name and {error.reason}"))
            continue
        views.append(view(path, shown, source, tree, project.module_name(path), modules, targets))
    return Survey(tuple(views), tuple(problems), targets, modules, len(walked.files), len(hits))


def _shown(project: Project, path: Path) -> str:
    return project.relative(path) if path.is_relative_to(project.root) else path.as_posix()


def find_sites(project: Project, losses: Iterable[Loss], *, executor: Executor | None = None) -> SiteReport:
    """Every place of the project that names a legacy symbol of the losses, in the order of files and lines."""
    seen = survey(project, tuple(losses), executor=executor)
    sites = [site for item in seen.views for site in sites_of(item)]
    return SiteReport(tuple(sites), seen.problems, seen.files, seen.parsed)


def sites_of(item: View) -> tuple[Site, ...]:
    """The sites of one file."""
    found: dict[tuple[int, int], Site] = {}

    def add(node: ast.expr | ast.alias, form: str, symbol: str) -> None:
        line, column = item.source.position(item.source.span(node)[0])
        found.setdefault((line, column), Site(item.shown, line, column, form, symbol, item.source.line(line).strip()))

    for imported in item.imports:
        add(imported.alias, "star import" if imported.star else "import", imported.target)
    for use in item.uses:
        if isinstance(use.value, Symbol):
            add(use.node, _FORMS.get(use.kind, use.how or use.kind), use.value.path)
    return tuple(found[key] for key in sorted(found))


_FORMS = {"construct": "call", "prepare": "partial", "base": "base class", "kept": "alias", "unbound": "class attribute"}
