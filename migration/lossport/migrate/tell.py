"""What the dashboard is told: stages, parity, call sites and refusals of every loss, gathered from the rooms that know them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lossport.follow.sites import Site, find_sites, is_site_of
from lossport.migrate import stages
from lossport.migrate.mapping_rows import declared, mapping_rows
from lossport.project import ledger
from lossport.project.config import Loss, Project
from lossport.project.snapshot import snapshot_of
from lossport.project.transaction import Change, written
from lossport.report import (
    Facts,
    LossFacts,
    ParityCell,
    PlaceLeft,
    Report,
    Waiting,
    build_report,
    options_of,
    render_report,
)
from lossport.rewrite import Refusal, plan_rewrite
from lossport.source.files import defining_file
from lossport.source.fingerprint import Fingerprint, fingerprint_from

DEVICES = ("cpu", "cuda")
"""The columns of the parity table; one that was never run says so."""


def dashboard(project: Project, *, today: dt.date | None = None) -> Report:
    """Measure the project and join it with what the ledger, the tree and the goldens say."""
    project = snapshot_of(project)
    return build_report(project, facts_of(project), today=today or dt.datetime.now(dt.UTC).date())


def facts_of(project: Project) -> Facts:
    """Everything that the report cannot measure itself."""
    return standings_and_facts(project)[1]


def standings_and_facts(project: Project) -> tuple[Mapping[str, stages.Standing], Facts]:
    """Where each loss stands, and what the report is told: the tree is searched once for both."""
    project = snapshot_of(project)
    losses = tuple(project.losses())
    events = stages.read_events(project)
    retired = {name for name, standing in stages.standings(project, losses, sites=()).items() if standing.retired}
    plan = plan_rewrite(project, [loss for loss in losses if loss.name not in retired])
    sites = list(plan.call_sites)
    if retired:  # their ports cannot be checked against a legacy file that is gone, but something may name it again
        sites += find_sites(project, [loss for loss in losses if loss.name in retired]).sites
    where = stages.standings(project, losses, sites)
    told = tuple(_loss_facts(project, where[loss.name], events, sites, plan.refusals) for loss in losses)
    gates = {str(e.facts["gate"]): float(e.facts["target"]) for e in events if e.kind == "gate"}
    problems = tuple(f"{r.path}:{r.line}: {r.reason}" for r in plan.refusals if not r.symbol)
    return where, Facts(told, gates, problems, options_of(project))


def report_changes(project: Project, report: Report) -> list[Change]:
    """The files of the report, and the ledger with the gates that are met for the first time."""
    files = [written(project.reports / name, content) for name, content in render_report(report).items()]
    met = [ledger.event("gate", "", {"gate": name, "target": target}) for name, target in report.gates_newly_met.items()]
    if met:
        files.append(stages.events_added(project, met))
    return files


def _loss_facts(
    project: Project,
    where: stages.Standing,
    events: Sequence[ledger.Event],
    sites: Sequence[Site],
    refusals: Sequence[Refusal],
) -> LossFacts:
    loss = where.loss
    own = ledger.of_loss(events, loss.name)
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
        sites_left=Counter(site.form for site in sites if is_site_of(site, loss)),
        parity=parity_cells(own, where.fingerprint),
        waiting=tuple(Waiting(r.path, r.line, r.column, r.code, r.reason, r.todo) for r in refusals if r.symbol in loss.symbols),
        started_at=own[0].at if own else None,
        proven_at=next((event.at for event in own if event.kind == "proven"), None),
        retired_at=retired.at if where.retired and retired is not None else None,
        next_command=where.next_command,
        mapping=mapping_rows(loss.ports, loss.gone),
        divergences=declared(loss.ports),
        sites=tuple(PlaceLeft(site.path, site.line, site.form, site.code) for site in sites if site.symbol in loss.symbols),
        shims=tuple(project.relative(path) for path in where.shims),
    )


def _new_files(project: Project, loss: Loss) -> tuple[str, ...]:
    definitions = (defining_file(project, port.new) for port in loss.ports)
    return tuple(dict.fromkeys(project.relative(path) for path in definitions if path is not None))


def parity_cells(events: Sequence[ledger.Event], now: Fingerprint) -> tuple[ParityCell, ...]:
    """Of the latest verdict on each device: the whole, then each precision. Stale if its sources are not as they are `now`."""
    return tuple(cell for device in DEVICES for cell in _on_device(events, device, now))


def _on_device(events: Sequence[ledger.Event], device: str, now: Fingerprint) -> Iterator[ParityCell]:
    verdicts = [e for e in events if e.kind in ("proven", "failed") and e.facts.get("device") == device]
    if not verdicts:
        yield ParityCell(device, "all", "missing")
        return
    last = verdicts[-1]
    changed = fingerprint_from(last.facts.get("fingerprint", {})).changed(now)
    whole = _counted(
        ParityCell(device, "all", "passed" if last.kind == "proven" else "failed", at=last.at), last.facts.get("counts")
    )
    cost = last.facts.get("cost") or {}
    yield replace(
        whole,
        state="stale" if changed else whole.state,
        seconds=last.facts.get("seconds"),
        time_ratio=cost.get("time"),
        memory_ratio=cost.get("memory"),
        why=", ".join(changed) or _why_failed(last),
    )
    for dtype, counts in (last.facts.get("precisions") or {}).items():
        cell = _counted(ParityCell(device, str(dtype), "passed", at=last.at), counts)
        yield replace(cell, state="stale" if changed else "failed" if cell.different else "passed")


def _counted(cell: ParityCell, counts: Mapping[str, int] | None) -> ParityCell:
    found = counts or {}
    different = found.get("different", 0) + found.get("not provable", 0)
    return replace(
        cell, equal=found.get("equal", 0), close=found.get("close", 0), intended=found.get("intended", 0), different=different
    )


def _why_failed(event: ledger.Event) -> str:
    return str(event.facts.get("headline", "")) if event.kind == "failed" else ""
