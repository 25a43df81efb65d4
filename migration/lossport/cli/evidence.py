"""The commands that make evidence - record, parity, power - and what they say; a part of the commands."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lossport.cli.terminal import Terminal
from lossport.migrate import evidence_of
from lossport.migrate import parity as comparing
from lossport.migrate.parity import Compared, ParityRequest
from lossport.project.config import Project
from lossport.project.plural import many
from lossport.project.snapshot import snapshot_of

if TYPE_CHECKING:
    from lossport.evidence import Proof, Searched

FINE, FAILED = 0, 1

WORTH_TELLING = {"time": 3.0, "memory": 2.0}
"""Ratios of new to legacy, medians over cases. A stopwatch on a busy machine errs by a factor of two; memory is counted."""

DETAIL = " " * 13
"""What explains a line stands below its text."""


def devices(wanted: str) -> tuple[str, ...]:
    """The devices that an option means."""
    return ("cpu", "cuda") if wanted == "all" else (wanted,)


def record(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the golden of a loss; one that is there is only replaced if that is said."""
    project = snapshot_of(project)
    loss = project.loss(options.loss)
    golden, event = evidence_of.golden_of(project, loss, terminal.busy, again=options.again)
    shown = project.relative(loss.golden_file)
    if event is not None:
        evidence_of.save_evidence(project, loss, golden.content, [event])
    terminal.document({"loss": loss.name, "golden": shown, "cases": list(golden.cases), "written": event is not None})
    count = many(len(golden.cases), "case")
    terminal.line(f"{loss.name}: {count}; {shown} {'written' if event else 'kept: its sources are unchanged'}")
    return FINE


def parity(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Compare new losses with their goldens, on every device that is wanted and here."""
    project = snapshot_of(project)
    names = project.names(options.losses)
    wanted = ParityRequest(devices(options.device), options.extent, options.search)
    jobs = options.jobs or comparing.processors()
    found: list[Compared] = []
    with terminal.busy(f"comparing {names[0] if len(names) == 1 else f'{len(names)} losses'}") as progress:
        for one in comparing.compare_all(project, names, wanted, jobs, progress):
            evidence_of.save_evidence(project, project.loss(one.loss), one.golden, one.events)
            _tell(one, max(map(len, names)), options, terminal)
            found.append(one)
    proofs = [proof for one in found for proof in one.proofs]
    if options.junit is not None:
        _write_junit(proofs, options, terminal)
    terminal.document(
        {
            "proofs": [{**proof.summary(), "cost": dict(one.cost(proof.device))} for one in found for proof in one.proofs],
            "searches": [_search(one) for one in found if one.searched],
        }
    )
    _matrix(proofs, terminal)
    failed = [one for one in found if one.failed]
    if failed:
        terminal.line()
        terminal.line(f"{len(failed)} of {len(names)} losses {'differs' if len(failed) == 1 else 'differ'}.", "bold red")
    return FAILED if failed or not any(proof.passed for proof in proofs) else FINE


def _tell(one: Compared, widest: int, options: argparse.Namespace, terminal: Terminal) -> None:
    """The lines of one loss."""
    searched = dict(one.searched)
    for number, proof in enumerate(one.proofs):
        differs = not proof.passed and not proof.skipped
        label = f"{one.loss if number == 0 else '':<{widest}}"
        terminal.step(label, f"{proof.device:<5} {proof.headline}", proof.seconds or None, failed=differs)
        notes = (*proof.notes, *costly(one.cost(proof.device)), *one.not_measured(proof.device))
        for line in (*notes, *(proof.explanation() if differs else ())):
            terminal.line(f"{DETAIL}{line}")
        _save(proof, options, terminal)
        if proof.device in searched:
            found = searched[proof.device]
            terminal.step(" " * widest, f"      searched: {found.headline}", found.seconds, failed=not found.passed)
            for line in found.explanation():
                terminal.line(f"{DETAIL}{line}")
            _save(found, options, terminal)


def costly(cost: Mapping[str, float]) -> Iterator[str]:
    """What to tell of a new loss that costs much more than the legacy one.

    >>> list(costly({"time": 12.0, "memory": 1.1}))
    ['takes 12 times the time of the legacy loss (told, not judged)']
    """
    for word, least in WORTH_TELLING.items():
        if cost.get(word, 0.0) >= least:
            yield f"takes {cost[word]:.3g} times the {word} of the legacy loss (told, not judged)"


def _save(found: Proof | Searched, options: argparse.Namespace, terminal: Terminal) -> None:
    if options.save is not None and found.counterexample is not None:
        terminal.line(f"{DETAIL}saved as {found.counterexample.save(options.save)}")


def _search(one: Compared) -> dict[str, Any]:
    return {
        "loss": one.loss,
        "devices": {
            device: {"passed": found.passed, "runs": found.runs, "seconds": round(found.seconds, 1), "told": found.explanation()}
            for device, found in one.searched
        },
    }


def _write_junit(proofs: Sequence[Proof], options: argparse.Namespace, terminal: Terminal) -> None:
    from lossport.evidence.junit import junit_xml  # noqa: PLC0415  # needs the proofs' types alone

    options.junit.parent.mkdir(parents=True, exist_ok=True)
    options.junit.write_text(junit_xml(proofs), encoding="utf-8")
    terminal.line(f"  written    {options.junit}")


def _matrix(proofs: Sequence[Proof], terminal: Terminal) -> None:
    """Loss by device and precision: how many cases and variants agree of how many were run."""
    here = [proof for proof in proofs if not proof.skipped]
    columns = list(dict.fromkeys((proof.device, name) for proof in here for name in proof.by_precision))
    if len({proof.loss for proof in proofs}) < 2 or not columns:
        return
    losses = list(dict.fromkeys(proof.loss for proof in proofs))
    cells = {(proof.loss, proof.device, name): _cell(row) for proof in here for name, row in proof.by_precision.items()}
    absent = list(dict.fromkeys(proof.device for proof in proofs if proof.skipped))
    header = ("agree", *(f"{device} {name}" for device, name in columns), *absent)
    rows = [
        (loss, *(cells.get((loss, *column), "-") for column in columns), *("not run here" for _ in absent)) for loss in losses
    ]
    terminal.line()
    terminal.table(header, rows, right=frozenset(range(1, len(columns) + 1)))


def _cell(row: dict[Any, int]) -> str:
    agree, run = row["equal"] + row["close"] + row["intended"], sum(row.values())
    return f"{run}" if agree == run else f"{agree} of {run}"


def power(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Plant faults in new losses and report which ones parity catches."""
    from lossport.power import detection, outcomes  # noqa: PLC0415  # torch is paid for by those who run losses

    found: list[outcomes.Power] = []
    names = project.names(options.losses)
    built = evidence_of.built_in_tree(project, [project.loss(name) for name in names])
    for name in names:
        loss = project.loss(name)
        golden, _ = evidence_of.provable_golden(project, loss, terminal.busy, built)
        with terminal.busy(f"planting faults in {name}") as progress:
            tried = detection.power(
                project,
                loss,
                golden,
                golden.header.rewritten,
                progress=progress,
                jobs=options.jobs or comparing.processors(),
                elsewhere=outcomes.caught_by(found),
                kept=project.state / "power",
            )
        found.append(tried)
        terminal.step(f"{name:<{max(map(len, names))}}", tried.headline, tried.seconds)
    survivors = outcomes.survivors_of_all(found)
    for fault, losses in survivors:
        terminal.line()
        terminal.line(f"no case of {', '.join(losses)} sees")
        terminal.line(fault.diff())
    open_ends = outcomes.not_tried_of_all(found)
    for item in open_ends:
        terminal.line(item)
    records = sorted({line for tried in found for line in tried.wrong_told()})
    for line in records:
        terminal.line(line)
    if survivors and len(names) < len(project.loss_names):
        terminal.line()
        terminal.line("Another loss may see what is in lines that losses share: lossport power tries all of them.")
    ends = outcomes.outcomes_of_all(found)
    terminal.document({"power": [tried.summary() for tried in found], "together": ends})
    if len(found) > 1:
        terminal.line()
        terminal.line(f"together {outcomes.told(ends)}")
    return FAILED if survivors or records or open_ends else FINE
