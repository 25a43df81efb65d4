"""Proving one loss on one device: the legacy loss out of its capsule against the new one in the tree, case by case."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch

from lossport.config import Loss, Project
from lossport.evidence.capsule import CapsuleError
from lossport.evidence.fingerprint import Fingerprint
from lossport.evidence.golden import Golden, Progress, environment, no_progress
from lossport.evidence.judging import Arbiter, Comparison, covers
from lossport.evidence.observation import Observation
from lossport.evidence.observe import Run, observe, steady
from lossport.evidence.scope import Sources
from lossport.evidence.side import Side, legacy_side, new_side
from lossport.evidence.variants import Extent, changes_inputs, changes_width, derived
from lossport.evidence.verdict import NOT_RUN, Proof, Verdict
from lossport.inputs import PLAIN, Variation
from lossport.port import Divergence, Port


def devices_here() -> tuple[str, ...]:
    """The devices that evidence can be made on in this process."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


@dataclass(frozen=True)
class Sides:
    """Both sides of one loss, ready to run, with what is needed to compare them."""

    legacy: Side
    new: Side
    ports: Mapping[str, Port]
    divergences: tuple[Divergence, ...]
    device: str

    def written(self, case: str, golden: Golden) -> tuple[Verdict, Observation]:
        """The case as written, and what the legacy loss showed. It has to show the same twice to be provable.

        Where it shows what the golden holds, that is the second time.
        """
        old = observe(self.legacy, case, Run(device=self.device))
        new = observe(self.new, case, Run(device=self.device))
        seen = old.digest()
        if seen != golden.digest(case) and seen != observe(self.legacy, case, Run(device=self.device)).digest():
            return Verdict(case, "not provable", reason=UNSTEADY), old
        return self.compare(case, case, PLAIN, old, new).verdict, old

    def varied(self, case: str, variation: Variation, plain: Observation | None = None) -> Verdict | None:
        """Run one case in one variation on both sides and judge it; None if the variation does not apply to the case.

        `plain` is the legacy observation of the case as written: a variation of inputs that leaves it as it is does not apply.
        """
        run = Run(variation, self.device)
        old = observe(self.legacy, case, run)
        if changes_width(variation) and old.raised:
            return None
        if plain is not None and changes_inputs(variation) and old.digest() == plain.digest():
            return None
        new = observe(self.new, case, run)
        name = f"{case}@{variation.name}"
        verdict = self.compare(name, case, variation, old, new).verdict
        if verdict.kind == "different" and observe(self.legacy, case, run).digest() != old.digest():
            return Verdict(name, "not provable", verdict.findings, reason=UNSTEADY)
        return verdict

    def verdicts(self, case: str, golden: Golden, extent: Extent) -> Iterator[Verdict]:
        """The case as written, then its variants; none for a case that differs, by intention or not, before it varies."""
        verdict, plain = self.written(case, golden)
        yield verdict
        if verdict.kind in ("equal", "close") and not plain.raised:
            for variation in derived(case, golden.cases, extent):
                found = self.varied(case, variation, plain)
                if found is not None:
                    yield found

    def compare(self, name: str, case: str, variation: Variation, old: Observation, new: Observation) -> Comparison:
        """Both observations, with the legacy loss at hand for float64 and nudged runs."""

        def again(in_float64: bool, nudge: int, by: float) -> Observation:
            return observe(self.legacy, case, Run(variation, self.device, in_float64, nudge, by))

        arbiter = Arbiter(again, new, self.ports, precision_of(variation, self.device))
        return Comparison(name, old, new, self.ports, self.divergences, self.device, arbiter)


UNSTEADY = "the legacy loss differs from itself when it is run twice with the same seeds"


def precision_of(variation: Variation, device: str) -> torch.dtype:
    """The dtype that numbers of this run are rounded to."""
    if variation.mode == "autocast":
        return torch.bfloat16 if torch.device(device).type == "cpu" else torch.float16
    found: torch.dtype = getattr(torch, variation.dtype)
    return found


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
) -> Proof:
    """Compare the new loss in the tree with the legacy loss of the golden, on every case and its derived variants.

    Args:
        rewritten: the case file as the rewriter turns it; None takes the one that the capsule holds.
        device: `cpu` or `cuda`; a device that is missing gives a proof that says "not run here" and has not passed.
        only: names of written cases; others are left out, and so is the check for unused divergences.
        extent: which variants to derive from the written cases.
    """
    given = fingerprint or Fingerprint()
    if device not in devices_here():
        return Proof(loss.name, device, (), given, {}, skipped=NOT_RUN)
    text = rewritten if rewritten is not None else _stored_cases(loss, golden, given)
    began = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(steady(device))
        sides = open_sides(stack, project, loss, golden, rewritten=text, device=device)
        names = [name for name in golden.cases if only is None or name in only]
        verdicts: list[Verdict] = []
        for done, name in enumerate(names):
            progress(name, done, len(names))
            if name in golden.unsteady:
                verdicts.append(Verdict(name, "not provable", reason=UNSTEADY))
            else:
                verdicts.extend(sides.verdicts(name, golden, extent))
        progress("", len(names), len(names))
    unused = _unused(loss, device, verdicts) if only is None else ()
    notes = _notes(golden, device)
    return Proof(
        loss.name,
        device,
        tuple(verdicts),
        given,
        environment(device),
        unused=unused,
        notes=notes,
        seconds=time.perf_counter() - began,
    )


def open_sides(stack: ExitStack, project: Project, loss: Loss, golden: Golden, *, rewritten: str, device: str) -> Sides:
    """Load both sides; they close with the stack."""
    ports = {port.legacy: port for port in loss.ports}
    sources = Sources(golden.header.sources)
    path = golden.header.cases_path
    legacy = stack.enter_context(legacy_side(sources, tuple(ports), (), (path, golden.header.cases)))
    new_symbols = tuple(dict.fromkeys(port.new for port in loss.ports))
    new = stack.enter_context(new_side(project.import_roots, frozenset(sources.tops), new_symbols, (), (path, rewritten)))
    missing = [name for name in golden.cases if name not in legacy.cases or name not in new.cases]
    if missing:
        raise CapsuleError(
            f"{path}: the golden has the cases {', '.join(missing)}, the rewritten cases do not; record {loss.name} again"
        )
    divergences = tuple(item for port in loss.ports for item in port.divergences)
    return Sides(legacy, new, ports, divergences, device)


def _stored_cases(loss: Loss, golden: Golden, given: Fingerprint) -> str:
    text = golden.header.rewritten
    if not text:
        raise CapsuleError(f"the golden of {loss.name} holds no rewritten cases; record it where the rewriter is installed")
    stale = golden.fingerprint.changed(given, only=("port", "rewriter", "cases"))
    if stale:
        raise CapsuleError(f"the rewritten cases in the golden of {loss.name} are stale: {', '.join(stale)}; record it again")
    return text


def _unused(loss: Loss, device: str, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    shown = {name for verdict in verdicts for name in verdict.divergences}
    declared = [item for port in loss.ports for item in port.divergences]
    return tuple(item.id for item in declared if item.id not in shown and _speaks_of(item, device))


def _speaks_of(divergence: Divergence, device: str) -> bool:
    anywhere = Divergence(divergence.id, divergence.reason, ("*",), ("*",), divergence.devices)
    return covers(anywhere, "", "", device)


def _notes(golden: Golden, device: str) -> tuple[str, ...]:
    notes = []
    if not golden.same_environment(environment(device)):
        there, here = golden.header.environment, environment(device)
        differing = [
            f"{key} {there.get(key, 'none')} there, {here.get(key, 'none')} here" for key in here if there.get(key) != here[key]
        ]
        notes.append(f"the golden was recorded elsewhere: {', '.join(differing)}")
    return tuple(notes)
