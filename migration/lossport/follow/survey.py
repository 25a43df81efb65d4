"""Which files of a project have something of some losses: those that are looked at, and what could not be read."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lossport.follow.file_facts import FileFacts, Interest
from lossport.follow.flow import Flow
from lossport.follow.readers import readers_of
from lossport.follow.referred import called_from_a_folder, referred, sections
from lossport.follow.values import Symbol
from lossport.follow.view import View, flow_of
from lossport.follow.world import World
from lossport.project.config import Loss, Project
from lossport.project.pause import collection_paused
from lossport.source import scripts
from lossport.source.configtext import SUFFIXES, Mention, mentions_in
from lossport.source.fragments import Fragment, docstring_fragments, markup_fragment, notebook_fragment, parse_fragment
from lossport.source.leads import Leads
from lossport.source.modules import Modules, describe, modules_of
from lossport.source.prefilter import STAR, Wanted, importers, names_of, pattern_of, search
from lossport.source.source import Source, SourceError, decode
from lossport.source.targets import Targets, targets_of
from lossport.source.walk import walk

PYTHON = frozenset({".py", ".pyi", ".pyw"})
MARKUP = frozenset({".md", ".markdown", ".rst"})
NOTEBOOK = ".ipynb"
READ = PYTHON | MARKUP | SUFFIXES | scripts.SUFFIXES | {NOTEBOOK}
"""Kinds of files that can hold a call site, beside those without a suffix: images and checkpoints are not even opened."""


BY_COMPUTED_NAME = frozenset({"getattr", "vars", "__dict__"})
"""With these, whoever imports a package that offers a legacy symbol may take it without naming it. The legacy package, which
stops offering it, is found by its name."""


@dataclass(frozen=True)
class Problem:
    """A file that contains a legacy name and cannot be looked into or must not be written."""

    path: str
    line: int
    column: int
    reason: str
    code: str = ""
    todo: str = "mend the file, or leave it out by exclude= in [tool.lossport]"
    blocks: bool = True
    """Whether nothing may be written while the place stands. Prose that names a loss is only told."""


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file that names something legacy."""

    path: Path
    shown: str
    source: Source
    mentions: tuple[Mention, ...]
    prose: bool = False
    """A page of documentation: a path in it is a name, and nothing is built from it."""


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
    not_entered: tuple[tuple[Path, str], ...] = ()


def survey(
    project: Project,
    losses: Sequence[Loss],
    *,
    modules: Modules | None = None,
    interest: Interest | None = None,
) -> Survey:
    """Look at every file of the project that can hold a call site of the losses.

    Args:
        project: the project.
        losses: the losses whose symbols are looked for.
        modules: the project's modules, if some are parsed already.
        interest: what the ports say: a value that no port changes need not be followed.
    """
    with collection_paused():
        return _Surveyor(losses, modules or modules_of(project), interest or Interest()).survey()


class _Surveyor:
    """Opens files for a world, and remembers what could not be opened."""

    def __init__(self, losses: Sequence[Loss], modules: Modules, interest: Interest) -> None:
        self.project = modules.project
        self.modules = modules
        self.targets = targets_of(modules, losses)
        walked = walk(self.project)
        self.found, self.not_entered = walked.files, walked.not_entered
        self.retired = {path for module in self.targets.modules if (path := self.project.module_path(module)) is not None}
        self.problems: list[Problem] = []
        self._symbol = pattern_of(symbol.rpartition(".")[2] for symbol in self.targets.symbols)
        self.parts: dict[Path, tuple[Path, Fragment, Source]] = {}
        self.world = World(modules, self.targets, interest, self.open)

    def survey(self) -> Survey:
        """Run the files that contain a legacy name, then those that they hand something to, until no file joins."""
        wanted = self.wanted()
        hits = search(self.project, [*self._files_of(READ), *self._without_suffix], wanted)
        leads = Leads(self.modules, self.targets, wanted.packages)
        self.problems += [Problem(_shown(self.project, path), 1, 1, f"cannot be read: {why}") for path, why in hits.unreadable]
        configs: list[ConfigFile] = []
        for path in hits.paths:
            if path.suffix in SUFFIXES:
                configs += self._config(path)
            elif path.suffix in PYTHON or str(path) in self._python_scripts:
                self._enter(path, wanted, leads)
            elif path.suffix in scripts.SUFFIXES or str(path) in self._without_suffix:
                self._enter_script(path)
            else:
                configs += self._enter_document(path, wanted)
        self.settle()
        self.world.give_up()
        views = [self._view(key, flow) for key, flow in self.world.flows.items()]
        return Survey(
            tuple(views),
            tuple(configs),
            tuple(self.problems),
            self.targets,
            self.modules,
            len(self.found),
            len(self.world.flows),
            self.not_entered,
        )

    def _files_of(self, suffixes: Iterable[str]) -> list[str]:
        """The files of some kinds, those of retired modules apart."""
        ends, retired = tuple(suffixes), {str(path) for path in self.retired}
        return [text for text in self.found if text.endswith(ends) and text not in retired]

    @cached_property
    def _without_suffix(self) -> dict[str, None]:
        return dict.fromkeys(text for text in self.found if scripts.has_no_suffix(text))

    @cached_property
    def _python_scripts(self) -> dict[str, None]:
        return dict.fromkeys(text for text in self._without_suffix if scripts.is_python(self._content(text)))

    def _enter(self, path: Path, wanted: Wanted, leads: Leads) -> None:
        """A module. One that leads nowhere is not followed, but one that cannot be parsed is told of, as it may."""
        raw = self._content(path)
        if not leads(path, raw):
            self._tell_of_folder(path, raw)
            if self._symbol.search(raw):
                self._parse(path)
            return
        flow = self.world.enter(path)
        if flow is not None:
            flow.heat((*wanted.words, *wanted.packages))
            self._enter_docstrings(path, flow, wanted)

    def _tell_of_folder(self, path: Path, raw: bytes) -> None:
        """`sys.path.insert(0, "legacy")`, and then `from clip import OldClip`."""
        for offset, target in called_from_a_folder(raw, self.targets):
            line = raw.count(b"\n", 0, offset) + 1
            code = raw.split(b"\n")[line - 1].decode(errors="replace").strip()
            reason = f"imports {target} by way of sys.path, where it cannot be followed"
            todo = "import it by its whole path, or acknowledge this place"
            self.problems.append(Problem(_shown(self.project, path), line, 1, reason, code, todo))

    def _content(self, path: Path | str) -> bytes:
        """Empty for a file that cannot be read, which is told where it is searched."""
        try:
            return self.project.content(path) or b""
        except OSError:
            return b""

    def _view(self, key: Path, flow: FileFacts) -> View:
        path, fragment, host = self.parts.get(key, (key, None, flow.source))
        made = View(flow, path, _shown(self.project, path), self.targets, fragment)
        made.host = host
        return made

    def _read(self, path: Path) -> Source | None:
        """The text of a file that is no module; None, and a problem, if it is none."""
        shown = _shown(self.project, path)
        try:
            source = decode(self._content(path))
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

    def _enter_docstrings(self, path: Path, flow: FileFacts, wanted: Wanted) -> None:
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted.words))})\b")
        for statement in flow.hot_statements():
            hot = ast.Module([statement], [])
            for fragment in docstring_fragments(flow.source, hot, lambda text: pattern.search(text) is not None):
                self._enter_fragment(path, fragment, flow.source, wanted, flow)

    def _enter_document(self, path: Path, wanted: Wanted) -> list[ConfigFile]:
        """A notebook or a page: its Python, if it has any, and the paths in its text."""
        source = self._read(path)
        if source is None:
            return []
        try:
            fragment = notebook_fragment(source.text) if path.suffix == NOTEBOOK else markup_fragment(source.text)
        except (ValueError, RecursionError) as error:
            self.problems.append(Problem(_shown(self.project, path), 1, 1, f"contains a legacy name and is no notebook: {error}"))
            return []
        self._enter_fragment(path, fragment, source, wanted, None)
        return self._prose(path, source, fragment) if path.suffix in MARKUP else []

    def _prose(self, path: Path, source: Source, fragment: Fragment) -> list[ConfigFile]:
        """The paths in a page outside its Python: roles and directives are rewritten, anything else is told."""

        def outside(offset: int) -> bool:
            return not any(start <= offset <= end for start, end in fragment.covered)

        named = [mention for mention in referred(source.text, path, self.modules, self.targets) if outside(mention.start)]
        known = {mention.start for mention in named}
        places = scripts.legacy_places(source.text, path, self.modules, self.targets)
        told = [(offset, target) for offset, target in places if offset not in known and outside(offset)]
        self._tell_of(path, source.text, told, "names {}, outside of the code that is read", blocks=False)
        return [ConfigFile(path, _shown(self.project, path), source, tuple(named), prose=True)] if named else []

    def _enter_fragment(self, path: Path, fragment: Fragment, source: Source, wanted: Wanted, host: FileFacts | None) -> None:
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, wanted.words))})\b")
        for offset, text in fragment.broken:
            if pattern.search(text):
                line, column = source.position(offset)
                reason, code = "contains a legacy name in code that does not parse", source.line(line).strip()
                blocks = path.suffix not in MARKUP
                self.problems.append(Problem(_shown(self.project, path), line, column, reason, code, blocks=blocks))
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
        run = list(scripts.commands(source.text, path, self.modules, self.targets))
        self._tell_of(path, source.text, run)
        lines = {source.position(offset)[0] for offset, _ in run}
        named = scripts.files(source.text, path, self.modules, self.targets)
        rest = [
            place
            for place in (*named, *sections(source.text, path, self.modules, self.targets))
            if source.position(place[0])[0] not in lines
        ]
        self._tell_of(path, source.text, rest, "names {}, which goes", blocks=False)
        return [ConfigFile(path, _shown(self.project, path), source, listed)] if listed else []

    def _enter_script(self, path: Path) -> None:
        raw = self._content(path)
        if scripts.is_script(path, raw):
            text = raw.decode("utf-8", errors="replace")
            self._tell_of(path, text, scripts.legacy_places(text, path, self.modules, self.targets))

    def _tell_of(
        self,
        path: Path,
        text: str,
        places: Iterable[tuple[int, str]],
        reason: str = "uses {}, and files of this kind are not rewritten",
        *,
        blocks: bool = True,
    ) -> None:
        """Places that no tool rewrites: one a line."""
        lines = {text.count("\n", 0, offset): (offset, target) for offset, target in reversed(list(places))}
        for number, (offset, target) in sorted(lines.items()):
            column = offset - text.rfind("\n", 0, offset)
            code = text.split("\n")[number].strip()
            todo = "name what is new there" + (", or acknowledge this place" if blocks else "")
            shown = _shown(self.project, path)
            self.problems.append(Problem(shown, number + 1, column, reason.format(target), code, todo, blocks))

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
        while self._importers_join() or self._users_join():
            self.world.settle()

    def wanted(self) -> Wanted:
        """The words of the symbols, and the packages in which a name may be computed."""
        packages = {module.rpartition(".")[0] for module in self.targets.modules} - {""}
        offering = any(self._offers(package) for package in packages)
        computing = ("import_module", "__import__", *(("import",) if offering else ()))
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
        for path, taken in importers(self.project, [*self._files_of(PYTHON), *self._python_scripts], new):
            other = self.world.enter(path)
            if other is not None and not other.knows(taken):
                other.heat(taken)
                joined = True
            if other is not None and STAR in taken:
                self.handed_on.setdefault(path, set()).update(taken - {STAR})
        return joined

    def _users_join(self) -> bool:
        """Files that read something of an attribute that holds a legacy loss, whatever they have it from: a callback, say."""
        names = self.world.holding_directly - self.read_of
        if not names:
            return False
        self.read_of |= names
        joined = False
        for path in readers_of(self.project, self._files_of(PYTHON), names, self.world.changed_names):
            joined |= path not in self.world.flows and self.world.enter(path) is not None
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
                for hit in search(self.project, below, Wanted((name,))).paths:
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
    def read_of(self) -> set[str]:
        """Attributes whose readers have been looked for."""
        return set()

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
            return self.modules.parsed(path, self._content(path))
        except SourceError as error:
            shown = _shown(self.project, path)
            self.problems.append(Problem(shown, error.line, error.column, f"contains a legacy name and {error.reason}"))
            return None


def _shown(project: Project, path: Path) -> str:
    return project.relative(path) if path.is_relative_to(project.root) else path.as_posix()
