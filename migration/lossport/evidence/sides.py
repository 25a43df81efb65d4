"""Both sides of one loss, ready to run: a case in any variation, run on each and judged. Chooses neither cases nor variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from lossport.config import Loss, Project
from lossport.evidence.capsule import CapsuleError
from lossport.evidence.distribution import equal_in_distribution
from lossport.evidence.golden import Golden
from lossport.evidence.judging import Arbiter, Comparison, Judged, Sample, covers
from lossport.evidence.observation import Observation
from lossport.evidence.observe import Run, observe
from lossport.evidence.remembered import Known
from lossport.evidence.scope import Sources
from lossport.evidence.side import Side, legacy_side, new_side
from lossport.evidence.variants import BY_NAME, Extent, changes_inputs, changes_width, derived, parts_of
from lossport.evidence.verdict import Finding, Verdict
from lossport.inputs import PLAIN, Variation
from lossport.port import Divergence, Port, Rename

UNSTEADY = "the legacy loss differs from itself when it is run twice with the same seeds"


@dataclass(frozen=True)
class Seen:
    """One run: the verdict, and what both losses showed."""

    verdict: Verdict
    old: Observation
    new: Observation


@dataclass(frozen=True)
class Sides:
    """Both sides of one loss, ready to run, with what is needed to compare them."""

    legacy: Side
    new: Side
    ports: Mapping[str, Port]
    divergences: tuple[Divergence, ...]
    device: str
    judged: dict[str, Judged] = field(default_factory=dict)

    def written(self, case: str, golden: Golden) -> Seen:
        """The case as written. The legacy loss has to show the same twice to be provable.

        Where it shows what the golden holds, that is the second time; a golden made by this process has seen it twice.
        """
        run = Run(device=self.device)
        seen_before = golden.just_seen.get(case) if self.device == "cpu" else None
        old = seen_before or observe(self.legacy, case, run)
        new = observe(self.new, case, run)
        seen = old.digest
        if seen != golden.digest(case) and seen != observe(self.legacy, case, run).digest:
            return Seen(Verdict(case, "not provable", reason=UNSTEADY), old, new)
        verdict = self.compare(case, case, PLAIN, old, new).verdict
        return Seen(self._allowing_for_chance(case, PLAIN, old, verdict), old, new)

    def varied(self, case: str, variation: Variation, plain: Observation | None = None) -> Seen | None:
        """Run one case in one variation on both sides and judge it; None if the variation does not apply to the case.

        `plain` is the legacy observation of the case as written: a variation of inputs that leaves it as it is does not apply.
        """
        run = Run(variation, self.device)
        old = observe(self.legacy, case, run)
        if changes_width(variation) and old.raised:
            return None
        if plain is not None and changes_inputs(variation) and old.digest == plain.digest:
            return None
        new = observe(self.new, case, run)
        name = f"{case}@{variation.name}"
        verdict = self.compare(name, case, variation, old, new).verdict
        if verdict.kind == "different" and observe(self.legacy, case, run).digest != old.digest:
            return Seen(Verdict(name, "not provable", verdict.findings, reason=UNSTEADY), old, new)
        return Seen(self._allowing_for_chance(case, variation, old, verdict), old, new)

    def _allowing_for_chance(self, case: str, variation: Variation, old: Observation, verdict: Verdict) -> Verdict:
        """A random loss that draws another stream by declaration is judged by distribution where its values differ."""
        used = {instance.symbol for step in old.steps for instance in step.instances.values()} | set(old.called)
        declared = any(port.random == "distribution" and symbol in used for symbol, port in self.ports.items())
        if verdict.kind != "different" or not declared or not any(step.random for step in old.steps):
            return verdict
        return equal_in_distribution(self, case, variation, verdict)

    def undeclared(self, case: str, variation: Variation, name: str | None = None) -> Verdict | None:
        """The verdict on any run in which the legacy loss does not raise, if it shows a difference that nothing declares.

        A divergence that is declared for a derived variant speaks for runs that are made of it, too.
        """
        run = Run(variation, self.device)
        old = observe(self.legacy, case, run)
        if old.raised and name is None:
            return None
        named = name or f"{case}@{variation.name}"
        verdict = self.compare(named, case, variation, old, observe(self.new, case, run)).verdict
        parts = [f"{case}@{part}" for part in parts_of(variation)]
        left = [item for item in verdict.findings if item.divergence is None and not self._declared(item, [case, *parts])]
        return replace(verdict, findings=tuple(left)) if left else None

    def _declared(self, finding: Finding, names: Sequence[str]) -> bool:
        return any(covers(item, name, finding.place, self.device) for item in self.divergences for name in names)

    def runs(self, case: str, golden: Golden, extent: Extent) -> Iterator[tuple[Variation, Seen]]:
        """The case as written, then its variants, with those that a divergence names; none for a case that raises, or whose
        numbers differ before it varies, by intention or not."""
        plain = self.written(case, golden)
        yield PLAIN, plain
        agrees = plain.verdict.passed and all(item.is_of_form for item in plain.verdict.findings)
        if agrees and not plain.old.raised:
            named = {name for item in self.divergences for name in item.cases}
            for variation in derived(case, golden.cases, extent, named):
                found = self.varied(case, variation, plain.old)
                if found is not None:
                    yield variation, found

    def as_before(self, case: str, known: Sequence[Known], *, written_alone: bool) -> bool:
        """Whether the new loss shows in every run of a case, or in the case as written, what it showed when these verdicts were
        found.

        A verdict by distribution, which alone passes with a reason, rests on hundreds of seeds: one run says nothing of it.
        """
        if not known or any(item.verdict.reason for item in known):
            return False
        return all(
            observe(self.new, case, Run(BY_NAME.get(item.variation, PLAIN), self.device)).digest == item.digest
            for item in (known[:1] if written_alone else known)
        )

    def compare(self, name: str, case: str, variation: Variation, old: Observation, new: Observation) -> Comparison:
        """Both observations, with the legacy loss at hand for float64 and samples of its rounding."""

        def again(sample: Sample) -> Observation:
            run = Run(variation, self.device, sample.in_float64, sample.number, sample.moved_by)
            return observe(self.legacy, case, run)

        judged = self.judged.setdefault(case, {})
        arbiter = Arbiter(again, new, self.ports, Run(variation, self.device).precision, judged)
        return Comparison(name, old, new, self.ports, self.divergences, self.device, arbiter)


def open_sides(
    stack: ExitStack,
    project: Project,
    loss: Loss,
    golden: Golden,
    *,
    rewritten: str,
    device: str,
    new_sources: Sources | None = None,
) -> Sides:
    """Load both sides; they close with the stack. `new_sources` takes the place of the new modules in the tree."""
    ports = {port.legacy: port for port in loss.ports}
    sources = Sources(golden.header.sources)
    path = golden.header.cases_path
    legacy = stack.enter_context(legacy_side(sources, tuple(ports), (), (path, golden.header.cases)))
    new_symbols = tuple(dict.fromkeys(port.new for port in loss.ports))
    tops = frozenset(sources.tops)
    new = stack.enter_context(new_side(project.import_roots, tops, new_symbols, (path, rewritten), new_sources))
    missing = [name for name in golden.cases if name not in legacy.cases or name not in new.cases]
    if missing:
        names = ", ".join(missing)
        raise CapsuleError(f"{path}: the golden has the cases {names}, the rewritten cases do not; record {loss.name} again")
    divergences = tuple(item for port in loss.ports for item in port.divergences)
    renamed = {rule.old: rule.new for port in loss.ports for rule in port.parameters if isinstance(rule, Rename)}
    return Sides(legacy, replace(new, options=renamed), ports, divergences, device)
