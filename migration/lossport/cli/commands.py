"""What each command does and says: asks the rooms, puts their answers into words or JSON, and returns the exit status."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from lossport import compare as comparing
from lossport import scaffold
from lossport.cli.evidence import devices, parity, power, record
from lossport.cli.overview import overview
from lossport.cli.terminal import Terminal
from lossport.measure import git
from lossport.migrate import pipeline, stages, tell
from lossport.migrate.pipeline import Outcome, StageStep
from lossport.project import transaction
from lossport.project.config import Project
from lossport.project.errors import InputError
from lossport.project.progress import Progress
from lossport.project.snapshot import snapshot_of
from lossport.report import Gate, lost, measure_gates, metrics, next_step

FINE, FAILED, INTERRUPTED = 0, 1, 130

NO_REPORT = "the report could not be written ({}); that changes nothing else: lossport report writes it"

__all__ = ["compare", "migrate", "new", "parity", "power", "record", "report", "status", "undo"]


class Watcher:
    """Shows a migration on a terminal as it goes on."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._last = ""

    def step(self, step: StageStep) -> None:
        label = "" if step.stage == self._last else step.stage
        self._last = step.stage
        self._terminal.step(label, step.text, step.seconds, failed=step.failed)
        for line in step.details:
            self._terminal.line(f"           {line}")

    @contextmanager
    def busy(self, text: str) -> Iterator[Progress]:
        with self._terminal.busy(text) as progress:
            yield progress


def status(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """How far, what holds each loss up, which gates are missed, what is next: in one screen."""
    project = snapshot_of(project)
    with terminal.busy("looking"):
        where, facts = tell.standings_and_facts(project)
        gates = measure_gates(project, facts)
    step = next_step(facts.losses)
    terminal.document(
        {
            "retired": sum(standing.retired for standing in where.values()),
            "losses": [
                {
                    "name": name,
                    "stage": standing.stage,
                    "why": standing.why,
                    "next": standing.next_command,
                    "legacy": [project.relative(path) for path in standing.legacy_files],
                    "new": [port.new for port in standing.loss.ports],
                    "sites_left": standing.sites_left,
                }
                for name, standing in where.items()
            ],
            "gates": [{"gate": g.name, "met": g.met, "value": g.value, "sense": g.sense, "target": g.target} for g in gates],
            "next": step.command if step else "",
        }
    )
    if not where:
        terminal.line(
            f"no losses yet: a loss begins with its port, {project.relative(project.ports)}/<loss>.py (see docs/ports.md)"
        )
        return FINE
    for line in overview(facts, gates):
        terminal.line(line.text, line.style)
    return FINE


def migrate(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Take one loss, or all of them, through every stage; those whose legacy modules use it go first."""
    project = snapshot_of(project)
    waiting = project.names([] if options.loss == "all" else [options.loss])
    outcomes: list[Outcome] = []
    postponed: set[str] = set()
    while waiting:
        name = waiting[0]
        outcome = _migrate_one(project, name, options, terminal)
        project = outcome.left or project
        if outcome.result == "others first":
            circle = postponed.intersection(outcome.first)
            if circle:
                raise InputError(f"{name} and {', '.join(circle)} use each other: they can only go together, in one port file")
            postponed.add(name)
            terminal.line(f"{name} is used by other legacy modules, which go first: {', '.join(outcome.first)}")
            if options.dry_run:
                outcomes.append(outcome)
                break
            waiting = [*outcome.first, *(other for other in waiting if other not in outcome.first)]
            continue
        waiting.remove(name)
        outcomes.append(outcome)
        if outcome.result == "stopped" or outcome.lacks == "interrupted":
            break
    if options.loss == "all" and any(outcome.result in ("migrated", "switched") for outcome in outcomes):
        with terminal.busy("measuring"):
            lacks = pipeline.report_refreshed(project)
        page = project.relative(pipeline.page_of(project))
        terminal.line(f"all of it in one page: {page}" if not lacks else NO_REPORT.format(lacks), "bold red" if lacks else "")
        outcomes[-1] = replace(outcomes[-1], lacks=lacks or outcomes[-1].lacks)
    terminal.document({"migrations": [_outcome(outcome) for outcome in outcomes]})
    if any(outcome.lacks == "interrupted" for outcome in outcomes):
        return INTERRUPTED
    unfinished = ("stopped", "others first", "switched")
    return FAILED if any(outcome.result in unfinished or outcome.lacks for outcome in outcomes) else FINE


def _migrate_one(project: Project, name: str, options: argparse.Namespace, terminal: Terminal) -> Outcome:
    loss = project.loss(name)
    width = len(name)
    for number, port in enumerate(loss.ports):
        terminal.line(f"{'' if number else name:{width}}   {port.legacy} -> {port.new}", "bold")
    terminal.line()
    outcome = pipeline.migrate(
        project,
        name,
        Watcher(terminal),
        devices=devices(options.device),
        dry_run=options.dry_run,
        force=options.force,
        without_tests=options.without_tests,
        with_report=options.loss != "all",
    )
    _ending(outcome.left or project, outcome, terminal)
    return outcome


def _ending(project: Project, outcome: Outcome, terminal: Terminal) -> None:
    name = outcome.loss
    if outcome.steps:
        terminal.line()
    match outcome.result:
        case "others first":
            pass
        case "nothing to do":
            terminal.line(f"{name} is retired already: nothing to do.")
        case "stopped":
            terminal.line(f"{name} stays as it was: nothing was changed.", "bold red")
        case "rehearsed":
            terminal.diff(outcome.diff)
            for path in outcome.shims:
                terminal.line(f"{path} would become a shim")
            for path in outcome.deleted:
                terminal.line(f"{path} would be deleted", "red")
            terminal.line()
            terminal.line(f"a dry run: nothing was written.   do it: lossport migrate {name}")
        case _:
            _landed(project, outcome, terminal)


def _landed(project: Project, outcome: Outcome, terminal: Terminal) -> None:
    """What has changed, and what is left."""
    name = outcome.loss
    changed = (("rewritten", outcome.changed), ("shim", outcome.shims), ("deleted", outcome.deleted), ("kept", outcome.kept))
    for word, paths in changed:
        for path in paths:
            terminal.line(f"  {word:<9}  {path}")
    terminal.line()
    back = f"see it: git diff   take it back: lossport undo {name}"
    if outcome.result == "switched":
        terminal.line(f"{name} is switched and not retired: mend what names its legacy file, then migrate again.   {back}")
        return
    if outcome.lacks:
        terminal.line(f"{name} is migrated.   {back}", "bold")
        terminal.line(NO_REPORT.format(outcome.lacks), "bold red")
        return
    left = sum(not s.retired for s in stages.standings(project, list(project.losses()), sites=()).values())
    terminal.line(f"{name} is retired; {left} of {len(project.loss_names)} are left.   {back}")


def _outcome(outcome: Outcome) -> dict[str, Any]:
    steps = [
        {"stage": s.stage, "text": s.text, "seconds": round(s.seconds, 3), "failed": s.failed, "details": list(s.details)}
        for s in outcome.steps
    ]
    return {
        "loss": outcome.loss, "result": outcome.result, "first": list(outcome.first), "steps": steps,
        "rewritten": list(outcome.changed), "shims": list(outcome.shims), "deleted": list(outcome.deleted),
        "kept": list(outcome.kept), "lacks": outcome.lacks, "diff": outcome.diff,
    }  # fmt: skip


def undo(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Take a migration back."""
    files = pipeline.undo(project, project.loss(options.loss).name)
    for path in files:
        terminal.line(f"  restored   {path}")
    terminal.line()
    terminal.line(f"the migration of {options.loss} is taken back; its golden and proof stay, so migrating again is quick.")
    lacks = pipeline.report_refreshed(project)
    if lacks:
        terminal.line(NO_REPORT.format(lacks), "bold red")
    terminal.document({"loss": options.loss, "restored": list(files), "lacks": lacks})
    return FAILED if lacks else FINE


def new(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the skeleton of a new loss: module, tests that are red, export, a line of documentation."""
    changes = scaffold.skeleton(project, options.name)
    pipeline.write_files(project, {change.path: change.after or b"" for change in changes})
    written = [project.relative(change.path) for change in changes]
    terminal.document({"name": options.name, "written": written})
    for path in written:
        terminal.line(f"  written    {path}")
    terminal.line()
    terminal.line(f"the tests of {options.name} are red until it is written; docs/adding-a-loss.md walks through it.")
    return FINE


def compare(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Measure the ways to write a loss that the configuration lists, and put the matrix into docs/decision.md."""
    with terminal.busy("comparing") as progress:
        found = comparing.compare(project, progress=progress)
    content = json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n"
    written = {project.reports / comparing.FILE: content}
    document = project.root / "docs" / "decision.md"
    if document.is_file():
        text = document.read_text(encoding="utf-8")
        written[document] = comparing.update_document(text, found, project.relative(document))
    pipeline.write_files(project, {path: text.encode() for path, text in written.items()})
    terminal.document(found.to_json())
    rows = [(row.title, *(cell.text for cell in row.cells)) for row in found.rows]
    terminal.table((found.loss, *found.titles), rows)
    terminal.line()
    for path in written:
        terminal.line(f"  written    {project.relative(path)}")
    return FINE


def report(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the dashboard; with --check, write nothing and fail if a gate that was met is lost."""
    if options.check:
        return _check_gates(snapshot_of(project), terminal)
    with terminal.busy("measuring"):
        dashboard = tell.dashboard(project)
        with transaction.locked(project.state):
            changes = tell.report_changes(project, dashboard)
            transaction.commit(project.root, project.state, changes)
    written = [project.relative(change.path) for change in changes if change.path.is_relative_to(project.reports)]
    terminal.document({"written": written, "lost": list(map(_lost, dashboard.gates_lost)), "metrics": metrics(dashboard)})
    shown, *rest = written or ("",)
    terminal.line(f"  written    {shown or 'nothing new'}{f' and {len(rest)} more files beside it' if rest else ''}")
    if dashboard.git_problem:
        terminal.line(f"  git        cannot be read: {dashboard.git_problem}", "bold red")
    _tell_lost(dashboard.gates_lost, terminal)
    return FINE


def _check_gates(project: Project, terminal: Terminal) -> int:
    """The ratchet alone, for CI."""
    with terminal.busy("measuring"):
        facts = tell.facts_of(project)
        gates = measure_gates(project, facts)
        unreadable = git.problem(project.root)
    gone = lost(gates, facts.gates_met)
    terminal.document({"lost": list(map(_lost, gone)), "git_problem": unreadable or None})
    _tell_lost(gone, terminal)
    if unreadable:
        terminal.line(f"  git        cannot be read: {unreadable}", "bold red")
    elif not gone:
        met = sum(gate.met is True for gate in gates)
        terminal.line(f"no gate that was met is lost; {met} of {len(gates)} are met")
    return FAILED if gone or unreadable else FINE


def _lost(gate: Gate) -> dict[str, Any]:
    return {"gate": gate.name, "value": gate.value, "target": gate.target, "command": gate.command}


def _tell_lost(gates: Sequence[Gate], terminal: Terminal) -> None:
    for gate in gates:
        said = f"{gate.title}: {gate.value_words}, and it was {gate.target_words()}; see it: {gate.command}"
        terminal.line(f"  lost       {said}", "bold red")
