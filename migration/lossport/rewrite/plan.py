"""The plan for some losses: every file as it would be, every site with what happens to it, every refusal. Writes nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import lossport.rewrite.attributes
import lossport.rewrite.calling
import lossport.rewrite.escapes
import lossport.rewrite.subclasses  # noqa: F401  # each registers its fixers
from lossport.follow.sites import Site, config_sites, sites_of
from lossport.follow.survey import ConfigFile, Survey, survey
from lossport.follow.view import view_of_text
from lossport.project.config import Loss, Project
from lossport.project.pause import collection_paused
from lossport.project.snapshot import Snapshot, snapshot_of
from lossport.rewrite.check import check_port
from lossport.rewrite.config_files import rewrite_config
from lossport.rewrite.edits import OverlapError, Replace, Transform, apply_edits, splices
from lossport.rewrite.fixers import Fixers
from lossport.rewrite.import_order import in_kept_order
from lossport.rewrite.imports import Imports
from lossport.rewrite.outcome import Draft, Refusal
from lossport.rewrite.references import Surroundings
from lossport.source.fragments import Splice
from lossport.source.modules import Modules, modules_of
from lossport.source.source import Source, SourceError, decode, parse

A_USE = "use"
"""The form of a place that is refused without naming anything: it uses what a call site made."""

Fate: TypeAlias = Literal["rewritten", "refused", "acknowledged"]


@dataclass(frozen=True)
class PlannedSite:
    """A site and what will happen to it."""

    site: Site
    fate: Fate
    reason: str = ""

    @property
    def is_call_site(self) -> bool:
        """Whether the place names a legacy symbol, and so counts; other uses of what a symbol gave are only listed."""
        return self.site.form != A_USE


@dataclass(frozen=True)
class FileRewrite:
    """A file before and after."""

    path: Path
    before: bytes
    after: bytes


@dataclass(frozen=True)
class RewritePlan:
    """What rewriting would do. `refusals` are those that stand; `acknowledged` those that the port lets stand.

    `not_searched` are folders that nobody looked into, each with the reason: what they hold is not the project's.
    """

    root: Path
    files: tuple[FileRewrite, ...]
    sites: tuple[PlannedSite, ...]
    refusals: tuple[Refusal, ...]
    acknowledged: tuple[Refusal, ...] = ()
    searched: int = 0
    parsed: int = 0
    not_searched: tuple[str, ...] = ()
    told: tuple[Refusal, ...] = ()
    """Places that name something legacy and stop nothing: prose, an example that does not parse, a path in a list of files."""

    @property
    def call_sites(self) -> tuple[Site, ...]:
        """The places that name a legacy symbol: what is counted wherever a number of call sites is shown."""
        return tuple(planned.site for planned in self.sites if planned.is_call_site)

    def only(self, shown: Set[str]) -> RewritePlan:
        """What it says of some files, given by their paths from the root."""
        return replace(
            self,
            files=tuple(file for file in self.files if file.path.relative_to(self.root).as_posix() in shown),
            sites=tuple(planned for planned in self.sites if planned.site.path in shown),
            refusals=tuple(refusal for refusal in self.refusals if refusal.path in shown),
            acknowledged=tuple(refusal for refusal in self.acknowledged if refusal.path in shown),
            told=tuple(refusal for refusal in self.told if refusal.path in shown),
        )

    def diff(self) -> str:
        """A unified diff of all files, as `git apply` reads it."""
        return "".join(piece for file in self.files for piece in _diff_of(self.root, file))


class RewriteRefused(ValueError):
    """Code that cannot be rewritten; `refusals` says where and why."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(f"{r.path}:{r.line}:{r.column}: {r.reason}; {r.todo}\n    {r.code}" for r in refusals))
        self.refusals = tuple(refusals)


def plan_rewrite(project: Project, losses: Sequence[Loss]) -> RewritePlan:
    """Plan the rewrite of every call site of the losses.

    Raises:
        ConfigError: a port does not fit the signatures that it maps.
    """
    with collection_paused():
        return _plan(snapshot_of(project), losses)


def _plan(project: Snapshot, losses: Sequence[Loss]) -> RewritePlan:
    modules = modules_of(project)
    fixers = _fixers(project, losses, modules)
    seen = survey(project, losses, modules=modules, interest=fixers)
    drafts = [Draft(item) for item in seen.views]
    around = rewrite_all(project, losses, fixers, drafts, modules)
    changes = _Changes(project, losses)
    for problem in seen.problems:
        refusal = Refusal(problem.path, problem.line, problem.column, problem.code, problem.reason, problem.todo)
        if problem.blocks:
            changes.refuse(refusal)
        else:
            changes.told.append(refusal)
    for draft in drafts:
        changes.take(draft)
    for config in seen.configs:
        changes.take_config(config, around)
    return changes.plan(seen)


def rewrite_all(
    project: Project, losses: Sequence[Loss], fixers: Fixers, drafts: Sequence[Draft], modules: Modules
) -> Surroundings:
    """Fill the drafts of all files."""
    others = _OtherLosses(project, {loss.name for loss in losses})
    imports = Imports(drafts, fixers.contracts, fixers.gone, modules=modules, legacy=project.legacy, elsewhere=others.speak_of)
    imports.rewrite()
    fixers.rewrite_all(drafts)
    return imports.around


class _Changes:
    """Collects what happens to each file and site."""

    def __init__(self, project: Project, losses: Sequence[Loss]) -> None:
        self.project = project
        self.acknowledged = [item for loss in losses for port in loss.ports for item in port.acknowledged]
        self.edits: dict[Path, list[Replace | Transform]] = {}
        self.sources: dict[Path, Source] = {}
        self.refused: list[Refusal] = []
        self.told: list[Refusal] = []
        self.sites: list[PlannedSite] = []

    def refuse(self, refusal: Refusal) -> None:
        """Note a refusal. In the legacy package the way out is another one: the module that uses the loss goes first."""
        path = self.project.root / refusal.path
        if path.is_relative_to(self.project.legacy) and path.name != "__init__.py":
            module = self.project.module_name(path) or refusal.path
            refusal = replace(refusal, todo=f"migrate what {module} holds first, or {refusal.todo}")
        self.refused.append(refusal)

    def take(self, draft: Draft) -> None:
        """The edits and refusals of one piece of Python."""
        item = draft.view
        self.sources.setdefault(item.path, item.host)
        edits = self.edits.setdefault(item.path, [])
        if item.fragment is None:
            edits += draft.edits
        else:
            inner = [Splice(s.start, s.end, s.text) for s in self.ordered(item.source.text, draft)]
            edits += [Replace(s.start, s.end, s.text) for s in item.fragment.write_back(inner)]
        for refusal in draft.refusals:
            self.refuse(refusal)
        self.told += draft.told
        self.sites += self.planned(sites_of(item), draft.refusals)

    def ordered(self, text: str, draft: Draft) -> list[Replace]:
        """The edits of a fragment as plain replacements: line by line where they would leave its imports out of order."""
        after = apply_edits(text, draft.edits)
        kept = in_kept_order(text, after, self.is_own)
        old, new = text.split("\n"), kept.split("\n")
        if kept == after or len(old) != len(new):
            return splices(text, draft.edits)
        found, start = [], 0
        for before, line in zip(old, new, strict=True):
            if before != line:
                found.append(Replace(start, start + len(before), line))
            start += len(before) + 1
        return found

    def is_own(self, module: str) -> bool:
        """Whether a top-level module is one of the project's."""
        return self.project.module_path(module) is not None

    def take_config(self, config: ConfigFile, around: Surroundings) -> None:
        """The edits and refusals of one configuration file."""
        self.sources[config.path] = config.source
        edits, refusals = rewrite_config(config, around)
        self.edits.setdefault(config.path, []).extend(edits)
        for refusal in refusals:
            self.refuse(refusal)
        edited = {config.source.position(edit.start) for edit in edits}
        self.sites += self.planned(config_sites(config), refusals, edited)

    def is_acknowledged(self, refusal: Refusal) -> bool:
        """Whether the port lets a refusal stand."""
        return any(fnmatchcase(refusal.path, item.path) and item.code in refusal.code for item in self.acknowledged)

    def planned(
        self, sites: Iterable[Site], refusals: Iterable[Refusal], edited: Set[tuple[int, int]] = frozenset()
    ) -> Iterator[PlannedSite]:
        """The sites of a file with what happens to each; a refusal beside no site is a place of its own.

        A path in a configuration that a person acknowledged gets its new name all the same, and that is what is said.
        """
        by_line: dict[int, Refusal] = {}
        for refusal in refusals:
            by_line.setdefault(refusal.line, refusal)
        for site in sites:
            refused = by_line.pop(site.line, None)
            if refused is None:
                yield PlannedSite(site, "rewritten")
            else:
                fate = self.fate(refused)
                named_anew = fate == "acknowledged" and (site.line, site.column) in edited
                yield PlannedSite(site, "rewritten" if named_anew else fate, refused.reason)
        for refusal in by_line.values():
            site = Site(refusal.path, refusal.line, refusal.column, A_USE, refusal.symbol, refusal.code)
            yield PlannedSite(site, self.fate(refusal), refusal.reason)

    def fate(self, refusal: Refusal) -> Fate:
        """Refused, or acknowledged."""
        return "acknowledged" if self.is_acknowledged(refusal) else "refused"

    def rewritten(self, path: Path) -> FileRewrite | Refusal:
        """A file with its edits made; a refusal where two of them want the same code."""
        source = self.sources[path]
        try:
            after = apply_edits(source.text, self.edits[path])
            if path.suffix == ".py":
                after = in_kept_order(source.text, after, self.is_own)
        except OverlapError as error:
            line, column = source.position(error.offset)
            reason = "two rewrites of this code do not go together"
            todo = "write it as two statements, or rewrite it by hand"
            return Refusal(self.project.relative(path), line, column, source.line(line).strip(), reason, todo)
        return FileRewrite(path, source.encode(source.text), source.encode(after))

    def plan(self, seen: Survey) -> RewritePlan:
        """The plan. A file with a refusal that stands is left out: nothing is rewritten by halves."""
        standing = tuple(r for r in self.refused if not self.is_acknowledged(r))
        closed = {refusal.path for refusal in standing}
        files: list[FileRewrite] = []
        for path in sorted(self.edits):
            if self.project.relative(path) not in closed and self.edits[path]:
                rewritten = self.rewritten(path)
                if isinstance(rewritten, Refusal):
                    standing = (*standing, rewritten)
                elif rewritten.before != rewritten.after:
                    files.append(rewritten)
        noted = tuple(r for r in self.refused if self.is_acknowledged(r))
        return RewritePlan(
            self.project.root,
            tuple(files),
            tuple(sorted(self.sites, key=lambda p: (p.site.path, p.site.line, p.site.column))),
            tuple(sorted(standing, key=_order)),
            tuple(sorted(noted, key=_order)),
            seen.files,
            seen.parsed,
            tuple(f"{self.project.relative(path)}: {why}" for path, why in seen.not_entered),
            tuple(sorted((r for r in self.told if not self.is_acknowledged(r)), key=_order)),
        )


def _order(refusal: Refusal) -> tuple[str, int, int]:
    return refusal.path, refusal.line, refusal.column


class _OtherLosses:
    """The legacy symbols that other ports of the project speak of; the port files are read when the first question comes."""

    def __init__(self, project: Project, mine: set[str]) -> None:
        self.project = project
        self.mine = mine

    @cached_property
    def symbols(self) -> frozenset[str]:
        """All of them."""
        names = (name for name in self.project.loss_names if name not in self.mine)
        return frozenset(symbol for name in names for symbol in self.project.loss(name).symbols)

    def speak_of(self, dotted: str) -> bool:
        """Whether one of them is meant."""
        return dotted in self.symbols


def _fixers(project: Project, losses: Iterable[Loss], modules: Modules, *, case: bool = False) -> Fixers:
    listed = tuple(losses)
    contracts = {c.port.legacy: c for loss in listed for c in check_port(project, loss, modules)}
    gone = {item.legacy: item for loss in listed for item in loss.gone}
    return Fixers(contracts, gone, case=case)


def _diff_of(root: Path, file: FileRewrite) -> Iterator[str]:
    name = file.path.relative_to(root).as_posix()
    before, after = (raw.decode("utf-8", "surrogateescape").splitlines(keepends=True) for raw in (file.before, file.after))
    for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"):
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def rewrite_case_file(project: Project, loss: Loss, text: str, *, sources: Mapping[str, str] | None = None) -> str:
    """The cases of a loss, rewritten as the repository's call sites are. A case may hand a whole result to the harness.

    Args:
        project: the project.
        loss: the loss whose case file this is.
        text: the case file.
        sources: source text by module name, for legacy modules that are not in the tree any more.

    Raises:
        RewriteRefused: something in it cannot be rewritten.
        ConfigError: the port does not fit the signatures.
    """
    modules = Modules(project, sources)
    fixers = _fixers(project, [loss], modules, case=True)
    shown = project.relative(loss.case_file)
    try:
        source = decode(text.encode())
        tree = parse(source)
    except SourceError as error:
        raise RewriteRefused([Refusal(shown, error.line, error.column, "", error.reason, "mend the file")]) from error
    item = view_of_text(project, modules, loss, loss.case_file, source, tree, fixers)
    draft = Draft(item)
    rewrite_all(project, [loss], fixers, [draft], modules)
    if draft.refusals:
        raise RewriteRefused(draft.refusals)
    return apply_edits(source.text, draft.edits)
