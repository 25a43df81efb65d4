"""Proving one loss on one device: the legacy loss out of its capsule against the new one in the tree, case by case."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from lossport.evidence.capsule import CapsuleError
from lossport.evidence.environment import environment
from lossport.evidence.golden import Golden, load_golden, read_golden
from lossport.evidence.loaded import is_unchanged, loaded_code
from lossport.evidence.opening import open_pair
from lossport.evidence.peak import costs_of
from lossport.evidence.remembered import remembered
from lossport.judge.counterexample import counterexample
from lossport.judge.divergences import not_seen, not_shown, too_wide
from lossport.judge.pair import UNSTEADY, Pair
from lossport.judge.shrink import shrink
from lossport.judge.variants import BY_NAME, Extent
from lossport.judge.verdict import NOT_RUN, Counterexample, Known, Proof, Verdict
from lossport.observe.isolation import Scope, Sources, resolve
from lossport.observe.run import steady
from lossport.project.config import Loss, Project
from lossport.project.errors import failure_in_words
from lossport.project.inputs import PLAIN, Variation
from lossport.project.progress import Progress, no_progress
from lossport.source.fingerprint import Fingerprint, file_digest


def devices_here() -> tuple[str, ...]:
    """The devices that evidence can be made on in this process."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def prove(
    project: Project,
    loss: Loss,
    golden: Golden,
    rewritten: str | None = None,
    device: str = "cpu",
    *,
    progress: Progress = no_progress,
    fingerprint: Fingerprint | None = None,
    only: Sequence[str] | None = None,
    extent: Extent = "chosen",
    cache: Path | None = None,
) -> Proof:
    """Compare the new loss in the tree with the legacy loss of the golden, on every case and its derived variants.

    Args:
        rewritten: the case file as the rewriter turns it; None takes the one that the capsule holds.
        device: `cpu` or `cuda`; a device that is missing gives a proof that says "not run here" and has not passed.
        only: names of written cases; others are left out, and so is the check for unused divergences.
        extent: which variants to derive from the written cases.
        cache: a folder for verdicts that passed; where it holds them for the same capsule, cases, port and environment, only the
            new loss runs, and its verdicts stand as long as it shows the same bits. Where none of its code has changed, it runs
            the cases as written alone.
    """
    given = fingerprint or Fingerprint()
    if device not in devices_here():
        return Proof(loss.name, device, (), given, {}, skipped=NOT_RUN)
    text = rewritten if rewritten is not None else _stored_cases(loss, golden, given)
    began = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(steady(device))
        pair = open_pair(stack, project, loss, golden, rewritten=text, device=device)
        names = [name for name in golden.cases if only is None or name in only]
        known = remembered(cache, loss.name, _parts(loss, golden, text, device, extent))
        unchanged = is_unchanged(known.code, pair.new.scope, project.import_roots)
        found: dict[str, Sequence[Known]] = {}
        for done, name in enumerate(names):
            progress(name, done, len(names))
            before = known.cases.get(name, ())
            as_before = pair.as_before(name, before, written_alone=unchanged)
            found[name] = before if as_before else _case(pair, golden, name, extent)
        progress("", len(names), len(names))
        verdicts = [item.verdict for case in found.values() for item in case]
        if only is None:
            verdicts += not_seen(loss, verdicts)
        if only is None and all(item.passed for item in verdicts):
            known.save(found, known.code if unchanged else loaded_code(pair.new.scope))
        shown, why_not = _counterexample(project, loss, pair, verdicts)
        here = environment(device)
    unused = not_shown(loss, device, verdicts) if only is None else ()
    other_runs = () if only or extent != "chosen" else _other_runs(golden, device, verdicts)
    notes = (*_notes(golden, here), *other_runs, *why_not)
    if only is None and all(item.passed for item in verdicts):
        notes += too_wide(loss, device, verdicts, complete=extent == "all")
    return Proof(
        loss.name,
        device,
        tuple(verdicts),
        given,
        here,
        unused=unused,
        notes=notes,
        seconds=time.perf_counter() - began,
        counterexample=shown,
    )


def _case(pair: Pair, golden: Golden, name: str, extent: Extent) -> Sequence[Known]:
    """The verdicts on a case and its variants."""
    if name in golden.unsteady:
        return [Known("", "", Verdict(name, "not provable", reason=UNSTEADY))]
    runs = pair.runs(name, golden, extent)
    return [Known(variation.name, seen.new.digest, seen.verdict) for variation, seen in runs]


def _parts(loss: Loss, golden: Golden, rewritten: str, device: str, extent: Extent) -> list[str | bytes]:
    """All that a verdict depends on, but for what the new loss shows."""
    return [golden.content, rewritten, loss.port_digest, json.dumps(environment(device), sort_keys=True), device, extent]


def _counterexample(
    project: Project, loss: Loss, pair: Pair, verdicts: Sequence[Verdict]
) -> tuple[Counterexample | None, tuple[str, ...]]:
    """The first difference, made small, and a note if that failed. The verdict stands without it."""
    failed = next((item for item in verdicts if item.kind == "different"), None)
    if failed is None:
        return None, ()
    variation = BY_NAME.get(failed.case.partition("@")[2], PLAIN)
    try:
        smallest = shrink(pair, failed, variation)
        return (None if smallest is None else counterexample(project, loss, pair, smallest)), ()
    except Exception as error:  # the code under test runs at odd sizes here, and so does ours
        return None, (f"no smaller input that differs was found: {failure_in_words(error)}",)


def current_fingerprint(loss: Loss) -> Fingerprint:
    """What evidence can tell by itself about the sources of today: the port and the cases."""
    return Fingerprint(cases=file_digest(loss.case_file), port=loss.port_digest)


def costs(
    project: Project, loss: Loss, golden: Golden, rewritten: str, device: str = "cpu", *, only: Sequence[str] | None = None
) -> dict[str, dict[str, dict[str, float]]]:
    """Seconds and peak bytes of every written case, of the legacy and the new loss: `found["diagonal"]["new"]["peak_bytes"]`.

    `only` names the cases to run; all of them if it is left out.
    """
    with ExitStack() as stack:
        stack.enter_context(steady(device))
        pair = open_pair(stack, project, loss, golden, rewritten=rewritten, device=device)
        return {case: costs_of((pair.legacy, pair.new), case, device) for case in only or golden.cases}


def revive(capsule: str | Path, symbol: str) -> Any:
    """The legacy symbol out of a capsule, ready to use, whether or not its file still exists.

    Raises:
        CapsuleError: the capsule cannot be trusted or read.
    """
    sources = Sources(read_golden(Path(capsule)).header.sources)
    with Scope(frozenset({symbol.partition(".")[0]}), sources=sources).active():
        return resolve(symbol)


def replay(project: Project, name: str, case: str, variation: Variation, device: str = "cpu", *, rewritten: str = "") -> Verdict:
    """Run one case in one variation again, as a printed counterexample does."""
    loss = project.loss(name)
    golden = load_golden(project, loss)
    with ExitStack() as stack:
        stack.enter_context(steady(device))
        text = rewritten or _stored_cases(loss, golden, Fingerprint())
        pair = open_pair(stack, project, loss, golden, rewritten=text, device=device)
        found = pair.undeclared(case, variation, f"{case}@{variation.name}" if variation.name else case)
    return found or Verdict(case, "equal")


def _stored_cases(loss: Loss, golden: Golden, given: Fingerprint) -> str:
    text = golden.header.rewritten
    if not text:
        raise CapsuleError(f"the golden of {loss.name} holds no rewritten cases; record it where the rewriter is installed")
    stale = golden.fingerprint.changed(given, only=("port", "rewriter", "cases"))
    if stale:
        raise CapsuleError(f"the rewritten cases in the golden of {loss.name} are stale: {', '.join(stale)}; record it again")
    return text


def _notes(golden: Golden, here: Mapping[str, str]) -> tuple[str, ...]:
    notes = []
    if not golden.same_environment(here):
        there = golden.header.environment
        differing = [
            f"{key} {there.get(key, 'none')} there, {here.get(key, 'none')} here" for key in here if there.get(key) != here[key]
        ]
        notes.append(f"the golden was recorded elsewhere: {', '.join(differing)}")
    notes += [f"no case for {item}" for item in golden.not_derived]
    return tuple(notes)


def _other_runs(golden: Golden, device: str, verdicts: Sequence[Verdict]) -> list[str]:
    """Variants that the golden lists and that do not apply here, and the other way round, where a case is varied at all."""
    if golden.runs is None or device != "cpu":
        return []
    here = {item.case for item in verdicts if "@" in item.case}
    varied = {name.partition("@")[0] for name in here}
    there = {name for name in golden.runs if name.partition("@")[0] in varied}
    missing, new = sorted(there - here), sorted(here - there)
    told = [f"not run here, though the golden lists it: {', '.join(missing)}"] if missing else []
    return told + ([f"run here, though the golden does not list it: {', '.join(new)}"] if new else [])
