"""The plan for some losses: every file as it would be, every site with what happens to it, every refusal. Writes nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

import lossport.rewrite.attributes
import lossport.rewrite.calling
import lossport.rewrite.escapes
import lossport.rewrite.subclasses  # noqa: F401  # each registers its fixers
from lossport.config import Loss, Project
from lossport.port import Acknowledged
from lossport.rewrite.check import check_port
from lossport.rewrite.edits import apply_edits
from lossport.rewrite.fixers import Fixers
from lossport.rewrite.imports import Imports
from lossport.rewrite.outcome import Draft, Refusal
from lossport.tree.modules import Modules
from lossport.tree.source import SourceError, decode, parse
from lossport.tree.survey import Site, View, sites_of, survey, view_of_text

REWRITER_VERSION = "1"
"""Goes up whenever the same port would rewrite the same code to something else: evidence made by another version is stale."""

Fate: TypeAlias = Literal["rewritten", "refused", "acknowledged"]


@dataclass(frozen=True)
class PlannedSite:
    """A site and what will happen to it."""

    site: Site
    fate: Fate
    reason: str = ""


@dataclass(frozen=True)
class FileRewrite:
    """A file before and after."""

    path: Path
    before: bytes
    after: bytes


@dataclass(frozen=True)
class RewritePlan:
    """What rewriting would do. `refusals` are those that stand; `acknowledged` those that the port lets stand."""

    root: Path
    files: tuple[FileRewrite, ...]
    sites: tuple[PlannedSite, ...]
    refusals: tuple[Refusal, ...]
    acknowledged: tuple[Refusal, ...] = ()
    searched: int = 0
    parsed: int = 0

    def diff(self) -> str:
        """A unified diff of all files, as `git apply` reads it."""
        return "".join(piece for file in self.files for piece in _diff_of(self.root, file))


class RewriteRefused(ValueError):
    """Code that cannot be rewritten; `refusals` says where and why."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(f"{r.path}:{r.line}:{r.column}: {r.reason}; {r.todo}\n    {r.code}" for r in refusals))
        self.refusals = tuple(refusals)


def plan_rewrite(project: Project, losses: Sequence[Loss], *, executor: Executor | None = None) -> RewritePlan:
    """Plan the rewrite of every call site of the losses.

    Raises:
        ConfigError: a port does not fit the signatures that it maps.
    """
    modules = Modules(project)
    fixers = _fixers(project, losses, modules)
    seen = survey(project, losses, modules=modules, interest=fixers, executor=executor)
    acknowledged = [item for loss in losses for port in loss.ports for item in port.acknowledged]
    files: list[FileRewrite] = []
    sites: list[PlannedSite] = []
    refused = [
        Refusal(p.path, p.line, p.column, p.code, p.reason, "mend the file, or leave it out by exclude= in [tool.lossport]")
        for p in seen.problems
    ]
    drafts = {item.path: Draft(item) for item in seen.views}
    rewrite_all(project, losses, fixers, drafts)
    for item in seen.views:
        draft = drafts[item.path]
        refused += draft.refusals
        known = {id(r): _is_acknowledged(r, acknowledged) for r in draft.refusals}
        stands = all(known.values()) and not any(
            r.symbol in item.targets.symbols and _names_symbol(item, r) for r in draft.refusals
        )
        if stands and draft.edits:
            after = item.source.encode(apply_edits(item.source.text, draft.edits))
            before = item.source.encode(item.source.text)
            if after != before:
                files.append(FileRewrite(item.path, before, after))
        sites += _planned(item, draft, acknowledged)
    standing = tuple(r for r in refused if not _is_acknowledged(r, acknowledged))
    noted = tuple(r for r in refused if _is_acknowledged(r, acknowledged))
    return RewritePlan(project.root, tuple(files), tuple(sites), standing, noted, seen.files, seen.parsed)


def rewrite_all(project: Project, losses: Sequence[Loss], fixers: Fixers, drafts: Mapping[Path, Draft]) -> None:
    """Fill the drafts of all files."""
    others = _OtherLosses(project, {loss.name for loss in losses})
    Imports(drafts, fixers.contracts, fixers.gone, legacy=project.legacy, elsewhere=others.speak_of).rewrite()
    for draft in drafts.values():
        fixers.rewrite(draft)


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


def _names_symbol(item: View, refusal: Refusal) -> bool:
    """Whether the refused place names the symbol itself, so that the file still needs the legacy import."""
    return any((s.line, s.column) == (refusal.line, refusal.column) for s in sites_of(item))


def _is_acknowledged(refusal: Refusal, acknowledged: Iterable[Acknowledged]) -> bool:
    return any(fnmatchcase(refusal.path, item.path) and item.code in refusal.code for item in acknowledged)


def _planned(item: View, draft: Draft, acknowledged: Sequence[Acknowledged]) -> Iterator[PlannedSite]:
    by_line: dict[int, Refusal] = {}
    for refusal in draft.refusals:
        by_line.setdefault(refusal.line, refusal)
    for site in sites_of(item):
        refused = by_line.pop(site.line, None)
        if refused is None:
            yield PlannedSite(site, "rewritten")
        else:
            yield PlannedSite(site, _fate(refused, acknowledged), refused.reason)
    for refusal in by_line.values():
        site = Site(item.shown, refusal.line, refusal.column, "result", refusal.symbol, refusal.code)
        yield PlannedSite(site, _fate(refusal, acknowledged), refusal.reason)


def _fate(refusal: Refusal, acknowledged: Sequence[Acknowledged]) -> Fate:
    return "acknowledged" if _is_acknowledged(refusal, acknowledged) else "refused"


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
    rewrite_all(project, [loss], fixers, {item.path: draft})
    if draft.refusals:
        raise RewriteRefused(draft.refusals)
    return apply_edits(source.text, draft.edits)
