"""Migrate one loss: plan, record, prove, switch, retire, tell. The only room that knows the order of the stages.

Everything that a migration writes - golden, ledger, call sites, the deleted legacy file, the undo record - is one transaction at
the end. A stop before it leaves every file as it was.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lossport.follow.emptied import emptied
from lossport.migrate import evidence_of, replaced, sides, stages, tell, unchanged
from lossport.migrate.rehearsal import touching_tests
from lossport.migrate.sides import runs_alone
from lossport.migrate.trial import rehearse
from lossport.migrate.unchanged import Found
from lossport.project import ledger, transaction
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError
from lossport.project.plural import many
from lossport.project.progress import Progress
from lossport.project.snapshot import Snapshot, snapshot_of
from lossport.project.transaction import Change
from lossport.report.ahead import measured_ahead
from lossport.rewrite import RewritePlan, plan_rewrite, shim
from lossport.rewrite.render import refusal_lines
from lossport.source.files import source_files

if TYPE_CHECKING:
    from lossport.evidence import Golden


class Observer(Protocol):
    """Who watches a migration: told every step as it ends, and asked to show that something long runs."""

    def step(self, step: StageStep) -> None: ...

    def busy(self, text: str) -> AbstractContextManager[Progress]: ...


@dataclass(frozen=True)
class StageStep:
    """One line of a migration: what a stage came to, and what a person needs to know if it failed."""

    stage: str
    text: str
    seconds: float
    failed: bool = False
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a migration came to: `migrated`, `switched`, `nothing to do`, `rehearsed` (a dry run), `stopped`, or `others first`.

    `left` is the project as a migration has left it, where it wrote anything.
    `lacks` says what is missing after a migration that is done: the report, and why.
    `switched` is a migration whose legacy file stays, as something that stays names it: `kept` are those files.
    `first` are the losses whose legacy modules use this one: as long as they stand, rewriting them would change what their own
    proofs rest on.
    """

    loss: str
    result: str
    steps: tuple[StageStep, ...] = ()
    first: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    shims: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    lacks: str = ""
    diff: str = field(default="", repr=False)
    left: Snapshot | None = field(default=None, repr=False, compare=False)


class Stopped(Exception):
    """A stage could not be passed; its step has been told."""


class _Run:
    """The steps so far, each told and timed as it ends."""

    def __init__(self, observer: Observer) -> None:
        self.steps: list[StageStep] = []
        self._observer = observer
        self._since = time.perf_counter()
        self.busy = observer.busy

    def passed(self, stage: str, text: str, details: Sequence[str] = ()) -> None:
        self._end(stage, text, False, details)

    def stop(self, stage: str, text: str, details: Sequence[str] = ()) -> Stopped:
        self._end(stage, text, True, details)
        return Stopped(text)

    def _end(self, stage: str, text: str, failed: bool, details: Sequence[str]) -> None:
        now = time.perf_counter()
        self.steps.append(StageStep(stage, text, now - self._since, failed, tuple(details)))
        self._since = now
        self._observer.step(self.steps[-1])


def migrate(
    project: Project,
    name: str,
    observer: Observer,
    *,
    devices: Sequence[str] = ("cpu",),
    dry_run: bool = False,
    with_report: bool = True,
    force: bool = False,
    without_tests: bool = False,
) -> Outcome:
    """Take one loss through all stages, or stop at the first that fails with every file as it was.

    Args:
        devices: where to prove the new loss; those that are not here are named, never counted as passed.
        dry_run: go as far as the rehearsal, write nothing.
        force: delete legacy files also where the last commit does not have them as they are.
        with_report: write the dashboard anew; who migrates many losses does that once, after the last.
        without_tests: go on where no test touches what changes.

    Raises:
        ConfigError, InputError: the port, the cases or the tree are such that no stage can be run.
    """
    with transaction.locked(project.state), ExitStack() as stack:
        transaction.recover(project.root, project.state)
        project = snapshot_of(project)
        loss = project.loss(name)
        run = _Run(observer)
        began_with = unchanged.found(project, loss)
        where = stages.standings(project, [loss], sites=())[name]
        asked = stages.shims_are_asked_for(project)
        if where.retired and (asked or not where.shims):
            return Outcome(name, "nothing to do")
        with run.busy("looking for call sites"):
            plan = plan_rewrite(project, [loss])
        first = _used_by(project, loss, plan)
        if first:
            return Outcome(name, "others first", first=first)
        try:
            _plan(project, loss, plan, run)
            if not force:
                _ask_git(project, loss, run)
            measured = stack.enter_context(_measuring(project, loss, wanted=with_report and not dry_run))
            golden, recorded = _record(project, loss, run)
            golden, proven = _prove(project, loss, golden, devices, run)
            shims = _shims(project, loss, golden, run) if asked else {}
            if shims:  # the legacy package goes on naming what stands in it
                plan = replace(plan, files=tuple(f for f in plan.files if not f.path.is_relative_to(project.legacy)))
            removals, kept = _removals(project, loss, shims, plan)
            plan, removals, note = _without_package(project, plan, removals)
            check = partial(runs_alone, project, loss, golden)
            edits = _switch(project, plan, removals, run, without_tests=without_tests, check=check)
            _retire(project, removals, run, [*kept.values(), *note, *_withdrawn(project, plan, removals)])
        except Stopped:
            return Outcome(name, "stopped", tuple(run.steps))
        outcome = Outcome(
            name,
            "rehearsed",
            tuple(run.steps),
            changed=tuple(project.relative(change.path) for change in edits),
            shims=tuple(project.relative(change.path) for change in removals if change.after is not None),
            deleted=tuple(project.relative(change.path) for change in removals if change.after is None),
            kept=tuple(map(project.relative, kept)),
            diff=plan.diff(),
        )
        if dry_run:
            return outcome
        _ask_again(began_with)
        events = [*recorded, *proven, *_ends(project, loss, edits, removals, kept)]
        written, interrupted = _commit(project, loss, golden, events, [*edits, *removals])
        now = project.after(written)
        done = replace(outcome, result="switched" if kept else "migrated", left=now)
        lacks = "interrupted" if interrupted else _told(now, run, measured, with_report=with_report)
        return replace(done, steps=tuple(run.steps), lacks=lacks)


def _told(project: Project, run: _Run, measured: Callable[[], object], *, with_report: bool) -> str:
    """Say that the migration is done, then write the report; why it could not be written, or empty."""
    try:
        run.passed("tell", "ledger")
        measured()
        lacks = report_refreshed(project) if with_report else ""
        if with_report:
            run.passed("tell", project.relative(page_of(project)) if not lacks else f"NO REPORT: {lacks}")
    except KeyboardInterrupt:
        return "interrupted"
    except BrokenPipeError:
        return "nobody reads the output"
    return lacks


def _measuring(project: Project, loss: Loss, *, wanted: bool) -> AbstractContextManager[Callable[[], object]]:
    """What the report measures, measured beside the stages that come before it."""
    return measured_ahead(project, stages.legacy_files(project, loss)) if wanted else nullcontext(lambda: None)


def _plan(project: Project, loss: Loss, plan: RewritePlan, run: _Run) -> None:
    if not loss.case_file.is_file():
        raise InputError(
            f"{project.relative(loss.case_file)}: missing; a loss is proven on its cases: functions that call "
            f"{loss.symbols[0]} as a training script does"
        )
    wrong = sides.wrong_sides(project, loss)
    if wrong:
        raise run.stop("plan", "the new side is not a replacement of the legacy one", wrong)
    files = len({site.path for site in plan.call_sites})
    found = f"{many(len(plan.call_sites), 'call site')} in {many(files, 'file')}"
    if plan.refusals:
        text = f"{found}; {many(len(plan.refusals), 'place')} need{'s' if len(plan.refusals) == 1 else ''} a person"
        raise run.stop("plan", text, refusal_lines(plan.refusals))
    lost = replaced.lost_names(project, loss)
    if lost:
        text = f"{found}; {many(len(lost), 'name')} would be lost with the legacy file"
        raise run.stop("plan", text, refusal_lines(lost))
    acknowledged = f"{many(len(plan.acknowledged), 'refusal')} acknowledged" if plan.acknowledged else "none needs a person"
    run.passed("plan", f"{found}; {acknowledged}" if plan.call_sites else "no call sites")


def _ask_git(project: Project, loss: Loss, run: _Run) -> None:
    """As `git rm` does, keep what git could not give back."""
    unsaved = replaced.unsaved_files(project, loss)
    if unsaved:
        way_out = f"-> commit it, or say lossport migrate {loss.name} --force"
        raise run.stop("plan", f"{', '.join(unsaved)}: not as the last commit has it, and would be deleted", [way_out])


def _used_by(project: Project, loss: Loss, plan: RewritePlan) -> tuple[str, ...]:
    """The other losses whose legacy modules name this one, or are reached by what it returns."""
    paths = {planned.site.path for planned in plan.sites} | {refusal.path for refusal in plan.refusals}
    owners = {
        project.relative(path): other.name
        for other in project.losses()
        if other.name != loss.name
        for path in stages.legacy_files(project, other)
    }
    return tuple(sorted({owners[path] for path in paths if path in owners}))


def _record(project: Project, loss: Loss, run: _Run) -> tuple[Golden, list[ledger.Event]]:
    """The golden: the one there is, if it was made from this legacy source and these cases; else a new one."""
    golden, event = evidence_of.golden_of(project, loss, run.busy)
    made = "golden kept: its sources are unchanged" if event is None else "golden made"
    run.passed("record", f"{many(golden.case_count, 'case')}; {made}")
    return golden, [] if event is None else [event]


def _prove(project: Project, loss: Loss, golden: Golden, devices: Sequence[str], run: _Run) -> tuple[Golden, list[ledger.Event]]:
    golden = evidence_of.with_rewritten_cases(project, loss, golden)
    events = []
    for device in devices:
        with run.busy(f"proving on {device}") as progress:
            proof = evidence_of.prove_on(project, loss, golden, device, progress)
        if proof.skipped:
            run.passed("prove", f"{device:<5} {proof.headline}")
            continue
        if not proof.passed:
            raise run.stop("prove", f"{device:<5} FAILED: {proof.headline}", proof.explanation())
        with run.busy(f"timing on {device}"):
            events.append(evidence_of.proof_event(project, loss, golden, proof))
        run.passed("prove", f"{device:<5} {proof.headline}", proof.notes)
    if not events:
        raise run.stop("prove", f"nothing was proven: none of {', '.join(devices)} is here")
    return golden, events


def _shims(project: Project, loss: Loss, golden: Golden, run: _Run) -> Mapping[Path, str]:
    """The shims that take the places of the legacy files, proven on the cases as they are written."""
    from lossport import evidence  # noqa: PLC0415

    texts = shim.shims(project, loss, project.shim_until or dt.date.max)
    way_out = "write what is missing into the port, or take shim-until out of [tool.lossport]: the file goes at once then"
    if isinstance(texts, shim.NoShim):
        raise run.stop("prove", f"shim  FAILED: {texts.symbol} can have none", [texts.reason, f"-> {way_out}"])
    with run.busy("proving the shim") as progress:
        proof = evidence.prove_shims(project, loss, golden, texts, progress=progress)
    if not proof.passed:
        raise run.stop("prove", f"shim  FAILED: {proof.headline}", [*proof.explanation(), f"-> {way_out}"])
    run.passed("prove", f"shim  {proof.headline}")
    return texts


def _removals(
    project: Project, loss: Loss, shims: Mapping[Path, str], plan: RewritePlan
) -> tuple[list[Change], Mapping[Path, str]]:
    """The legacy files, gone or become shims, and those that have to stay, each with the reason. Shims that nobody asks for any
    more go as well."""
    files = [*stages.legacy_files(project, loss), *(() if shims else stages.shim_files(project, loss))]
    named = replaced.still_named(project, plan, [path for path in files if path not in shims])
    kept = {path: f"{project.relative(path)} stays: {', '.join(places)}" for path, places in named.items()}
    changes = [
        Change(path, snapshot_of(project).content(path), shims[path].encode() if path in shims else None) for path in files
    ]
    return [change for change in changes if change.path not in kept], kept


def _switch(
    project: Project,
    plan: RewritePlan,
    removals: Sequence[Change],
    run: _Run,
    *,
    without_tests: bool,
    check: Callable[[Path], str],
) -> list[Change]:
    """Rehearse the whole migration on a copy: the rewritten call sites without the legacy file."""
    edits = [Change(file.path, file.before, file.after) for file in plan.files]
    changes = [*edits, *removals]
    rewritten = f"{many(len(edits), 'file')} rewritten"
    with run.busy("choosing the tests that touch the call sites"):
        tests = touching_tests(project, source_files(project), [change.path for change in changes])
    with run.busy(f"rehearsing with {many(len(tests), 'test file')}"):
        trial = rehearse(project, changes, tests, check)
    if not trial.passed:
        what = "tests fail" if trial.output else "it does not run"
        raise run.stop("switch", f"FAILED: {what} with {rewritten}", [trial.reason, *trial.about_known(), trial.tail])
    if not tests:
        allowed = without_tests or not project.require_tests or not edits  # a file that nobody names changes no program
        _without_tests(project, run, rewritten, allowed=allowed)
        return edits
    tested = f"the tests that touch them {'fail as before' if trial.known else 'pass'}"
    run.passed("switch", f"{rewritten}; {tested}", trial.about_known())
    return edits


def _without_tests(project: Project, run: _Run, rewritten: str, *, allowed: bool) -> None:
    """Nothing ran, which is no pass: it stops, unless a person says that it may go on."""
    missing = {folder: "" if folder.is_dir() else " (no such folder)" for folder in project.tests}
    folders = ", ".join(f"{project.relative(folder)}{told}" for folder, told in missing.items())
    text = f"{rewritten}; no test in {folders} touches them: nothing was tried"
    if not allowed:
        way_out = "-> write one that imports what changes, correct tests= in [tool.lossport], or say --without-tests"
        raise run.stop("switch", f"FAILED: {text}", [way_out])
    run.passed("switch", f"WARNING: {text}")


def _without_package(
    project: Project, plan: RewritePlan, removals: list[Change]
) -> tuple[RewritePlan, list[Change], Sequence[str]]:
    """With the last module, the `__init__`s of the legacy package go as well, unless something needs them: then it is said."""
    after = {**{file.path: file.after for file in plan.files}, **{change.path: change.after for change in removals}}
    left = emptied(project, after)
    kept = tuple(file for file in plan.files if file.path not in left.files)
    gone = [Change(path, snapshot_of(project).content(path), None) for path in left.files]
    return replace(plan, files=kept), [*removals, *gone], [f"{left.kept}, which is empty now and stays"] if left.kept else []


def _withdrawn(project: Project, plan: RewritePlan, removals: Sequence[Change]) -> list[str]:
    """What code outside the repository can no longer import by way of a package."""
    names = replaced.withdrawn_names(project, plan, [change.path for change in removals if change.after is None])
    return [f"{name} can no longer be imported; code outside needs shim-until in [tool.lossport]" for name in names]


def _retire(project: Project, removals: Sequence[Change], run: _Run, notes: Sequence[str]) -> None:
    deleted = ", ".join(project.relative(change.path) for change in removals if change.after is None)
    shims = ", ".join(project.relative(change.path) for change in removals if change.after is not None)
    told = [f"{deleted} deleted; nothing names it"] if deleted else []
    told += [f"{shims} is a shim until {project.shim_until}"] if shims else []
    run.passed("retire", "; ".join(told) or "no legacy file is deleted", notes)


def _ends(
    project: Project, loss: Loss, edits: Sequence[Change], removals: Sequence[Change], kept: Mapping[Path, str]
) -> list[ledger.Event]:
    """The events that end a migration: a loss whose legacy file stays is not retired."""
    changed = [project.relative(change.path) for change in (*edits, *removals) if change.after is not None]
    deleted = [project.relative(change.path) for change in removals if change.after is None]
    switched = ledger.event("switched", loss.name, {"files": changed})
    return [switched] if kept else [switched, ledger.event("retired", loss.name, {"files": deleted})]


def _ask_again(began_with: Found) -> None:
    """Stop where something that was read is not as it was: what was proven is then not what would be applied.

    Raises:
        InputError: names what has changed.
    """
    changed = began_with.changed()
    if changed:
        raise InputError(f"while the migration ran, {'; '.join(changed)}. Nothing was changed; run it again")


def _commit(
    project: Project, loss: Loss, golden: Golden, events: list[ledger.Event], changes: list[Change]
) -> tuple[list[Path], bool]:
    """Everything at once: evidence, call sites, the deleted file, and what takes it back.

    The files that were written, and whether somebody interrupted after the commit.
    """
    undo = undo_file(project, loss.name)
    undo.parent.mkdir(parents=True, exist_ok=True)
    evidence_files = [
        transaction.written(loss.golden_file, golden.content),
        stages.events_added(project, events),
        transaction.written(undo, transaction.undo_record(project.root, changes)),
    ]
    written = [change.path for change in (*changes, *evidence_files)]
    try:
        transaction.commit(project.root, project.state, [*changes, *evidence_files])
    except transaction.CommittedThenInterrupted:
        return written, True
    return written, False


def undo(project: Project, name: str) -> tuple[str, ...]:
    """Take the migration of a loss back; the files that are as they were again. Golden and proof stay: they are still true.

    Raises:
        InputError: there is nothing to take back, or a file was changed since.
    """
    record = undo_file(project, name)
    with transaction.locked(project.state):
        transaction.recover(project.root, project.state)
        if not record.is_file():
            raise InputError(f"{name}: there is no migration to take back in this work tree; if it was committed, use git revert")
        _ask_for_later_ones(project, record)
        changes = transaction.read_undo_record(project.root, record)
        files = tuple(project.relative(change.path) for change in changes)
        event = ledger.event("undone", name, {"files": list(files)})
        own = [Change(record, record.read_bytes(), None), stages.events_added(project, [event])]
        transaction.commit(project.root, project.state, [*changes, *own])
    return files


def _ask_for_later_ones(project: Project, record: Path) -> None:
    """Stop where a migration that came later changed the same files.

    Raises:
        InputError: names the one to take back first.
    """
    own = transaction.recorded_paths(record)
    since = record.stat().st_mtime_ns
    later = [other for other in record.parent.glob("*.json") if other != record and other.stat().st_mtime_ns > since]
    for other in sorted(later, key=lambda path: -path.stat().st_mtime_ns):
        both = own & transaction.recorded_paths(other)
        if both:
            raise InputError(
                f"{record.stem}: {other.stem} was migrated later and changed {', '.join(sorted(both))} too; "
                f"take that back first: lossport undo {other.stem}"
            )


def undo_file(project: Project, name: str) -> Path:
    """Where the record lies that takes a loss's migration back."""
    return project.state / "undo" / f"{name}.json"


def page_of(project: Project) -> Path:
    """The dashboard."""
    return project.reports / "index.html"


def refresh_report(project: Project) -> Path:
    """Write the dashboard anew; the page."""
    report = tell.dashboard(project)
    transaction.commit(project.root, project.state, tell.report_changes(project, report))
    return page_of(project)


def report_refreshed(project: Project) -> str:
    """Write the dashboard anew after something that is done whether or not that works; why it did not, or empty."""
    try:
        refresh_report(project)
    except Exception as error:  # what came before is written and stays; the reason is told, and `lossport report` shows more
        return f"{type(error).__name__}: {error}" if not isinstance(error, InputError) else str(error)
    return ""


def write_files(project: Project, contents: Mapping[Path, bytes]) -> None:
    """Write files that the harness generates, all or none."""
    with transaction.locked(project.state):
        changes = [transaction.written(path, content) for path, content in contents.items()]
        transaction.commit(project.root, project.state, changes)
