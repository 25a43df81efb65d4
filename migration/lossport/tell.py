"""What the dashboard is told: stages, parity, call sites and refusals of every loss, gathered from the rooms that know them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lossport import ledger, stages, transaction, tree
from lossport.config import Loss, Project
from lossport.evidence.fingerprint import fingerprint_from
from lossport.report import Facts, LossFacts, ParityCell, Report, Waiting, build_report, render_report
from lossport.rewrite import Refusal, plan_rewrite
from lossport.transaction import Change
from lossport.tree import Site
from lossport.tree.files import defining_file

DEVICES = ("cpu", "cuda")
"""The columns of the parity table; one that was never run says so."""


def dashboard(project: Project, *, today: dt.date | None = None) -> Report:
    """Measure the project and join it with what the ledger, the tree and the goldens say."""
    return build_report(project, facts_of(project), today=today or dt.datetime.now(dt.UTC).date())


def facts_of(project: Project) -> Facts:
    """Everything that the report cannot measure itself."""
    losses = tuple(project.losses())
    events = stages.read_events(project)
    found = tree.find_sites(project, losses)
    where = stages.standings(project, losses, found.sites)
    refusals = plan_rewrite(project, [loss for loss in losses if not where[loss.name].retired]).refusals
    told = tuple(_loss_facts(project, where[loss.name], events, found.sites, refusals) for loss in losses)
    gates = {str(e.facts["gate"]): float(e.facts["target"]) for e in events if e.kind == "gate"}
    problems = tuple(f"{p.path}:{p.line}: {p.reason}" for p in found.problems)
    return Facts(told, gates, problems)


def report_changes(project: Project, report: Report) -> list[Change]:
    """The files of the report, and the ledger with the gates that are met for the first time."""
    files = [_write(project.reports / name, content) for name, content in render_report(report).items()]
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    met = [ledger.Event(now, "gate", "", {"gate": name, "target": target}) for name, target in report.gates_newly_met.items()]
    if met:
        files.append(_write(project.ledger, ledger.appended(transaction.read_or_none(project.ledger), met)))
    return files


def _loss_facts(
    project: Project,
    where: stages.Standing,
    events: Sequence[ledger.Event],
    sites: Sequence[Site],
    refusals: Sequence[Refusal],
) -> LossFacts:
    loss = where.loss
    own = [event for event in events if event.loss == loss.name]
    retired = ledger.latest(events, loss.name, "retired")
    named = tuple(str(path) for path in retired.facts.get("files", ())) if retired is not None else ()
    return LossFacts(
        name=loss.name,
        stage=where.stage,
        legacy_symbols=loss.symbols,
        new_symbols=tuple(dict.fromkeys(port.new for port in loss.ports)),
        legacy_files=tuple(project.relative(path) for path in where.legacy_files) or named,
        new_files=_new_files(project, loss),
        why=where.why,
        sites_left=Counter(site.form for site in sites if site.symbol in loss.symbols),
        parity=tuple(_cell(project, loss, events, device) for device in DEVICES),
        waiting=tuple(Waiting(r.path, r.line, r.column, r.code, r.reason, r.todo) for r in refusals if r.symbol in loss.symbols),
        started_at=own[0].at if own else None,
        proven_at=next((event.at for event in own if event.kind == "proven"), None),
        retired_at=retired.at if where.retired and retired is not None else None,
    )


def _new_files(project: Project, loss: Loss) -> tuple[str, ...]:
    definitions = (defining_file(project, port.new) for port in loss.ports)
    return tuple(dict.fromkeys(project.relative(path) for path in definitions if path is not None))


def _cell(project: Project, loss: Loss, events: Sequence[ledger.Event], device: str) -> ParityCell:
    """The latest verdict on a device; stale if what it was made from has changed since."""
    verdicts = [e for e in events if e.loss == loss.name and e.kind in ("proven", "failed") and e.facts.get("device") == device]
    if not verdicts:
        return ParityCell(device, "all", "missing")
    last = verdicts[-1]
    changed = fingerprint_from(last.facts.get("fingerprint", {})).changed(stages.fingerprint(project, loss))
    counts = last.facts.get("counts", {})
    return ParityCell(
        device,
        "all",
        "stale" if changed else "passed" if last.kind == "proven" else "failed",
        equal=counts.get("equal", 0),
        close=counts.get("close", 0),
        intended=counts.get("intended", 0),
        different=counts.get("different", 0) + counts.get("not provable", 0),
        seconds=last.facts.get("seconds"),
        at=last.at,
        why=", ".join(changed),
    )


def _write(path: Path, content: bytes) -> Change:
    return Change(path, transaction.read_or_none(path), content)
