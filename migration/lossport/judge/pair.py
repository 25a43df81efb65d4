"""Both sides of one loss, ready to run: a case in any variation, run on each and judged. Chooses neither cases nor variants."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from lossport.judge.applying import Given, given_to, observe_variant
from lossport.judge.arbiter import Arbiter, Judged, Looked, Sample
from lossport.judge.comparison import CaseComparison, covers, looked_in
from lossport.judge.distribution import equal_in_distribution
from lossport.judge.variants import BY_NAME, Extent, derived, parts_of
from lossport.judge.verdict import Finding, Known, Verdict
from lossport.observe.observation import Observation
from lossport.observe.run import Run, Trace, observe
from lossport.observe.side import Side
from lossport.project.inputs import PLAIN, Variation
from lossport.project.port import Divergence, Port

UNSTEADY = "the legacy loss differs from itself when it is run twice with the same seeds"


class Recorded(Protocol):
    """What a golden tells of its written cases: their names, their digests, and what this process has just seen of them."""

    @property
    def cases(self) -> Sequence[str]:
        """The names of the written cases, in their order."""

    @property
    def just_seen(self) -> Mapping[str, Observation]:
        """Observations that this process recorded, of cases and their variants; they need not be looked at again."""

    @property
    def runs(self) -> Collection[str] | None:
        """The variants that apply to the written cases, as `case@variant`; None where they are not listed."""

    def digest(self, case: str) -> str:
        """The digest of the recorded observation of a case."""


@dataclass(frozen=True)
class Seen:
    """One run: the verdict, and what both losses showed."""

    verdict: Verdict
    old: Observation
    new: Observation


@dataclass(frozen=True)
class Pair:
    """Both sides of one loss, ready to run, with what is needed to compare them."""

    legacy: Side
    new: Side
    ports: Mapping[str, Port]
    divergences: tuple[Divergence, ...]
    device: str
    judged: dict[str, Judged] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)

    def written(self, case: str, golden: Recorded) -> Seen:
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

    def varied(self, case: str, variation: Variation, plain: Observation, golden: Recorded) -> Seen | None:
        """Run one case in one variation on both sides and judge it; None if the variation does not apply to the case."""
        run = Run(variation, self.device)
        known = golden.just_seen.get(f"{case}@{variation.name}") if self.device == "cpu" else None
        old = known or observe_variant(self.legacy, case, run, plain, self._given(case))
        if old is None:
            return None
        new = observe(self.new, case, run)
        name = f"{case}@{variation.name}"
        verdict = self.compare(name, case, variation, old, new).verdict
        if verdict.kind == "different" and observe(self.legacy, case, run).digest != old.digest:
            return Seen(Verdict(name, "not provable", verdict.findings, reason=UNSTEADY), old, new)
        return Seen(self._allowing_for_chance(case, variation, old, verdict), old, new)

    def _given(self, case: str) -> Given:
        """What the legacy loss is given in a case as written."""
        if case not in self.given:
            trace = Trace()
            observe(self.legacy, case, Run(device=self.device), trace)
            self.given[case] = given_to(trace)
        return self.given[case]

    def _allowing_for_chance(self, case: str, variation: Variation, old: Observation, verdict: Verdict) -> Verdict:
        """A random loss that draws another stream by declaration is judged by distribution where its values differ."""
        used = {instance.symbol for step in old.steps for instance in step.instances.values()} | set(old.called)
        declared = any(port.random == "distribution" and symbol in used for symbol, port in self.ports.items())
        if verdict.kind != "different" or not declared or not any(step.random for step in old.steps):
            return verdict

        def look(stream: int) -> tuple[Observation, Observation]:
            run = Run(variation, self.device, stream=stream)
            return observe(self.legacy, case, run), observe(self.new, case, run)

        return equal_in_distribution(look, self.ports, Run(variation, self.device).precision, verdict)

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

    def runs(self, case: str, golden: Recorded, extent: Extent) -> Iterator[tuple[Variation, Seen]]:
        """The case as written, then its variants, with those that a divergence names; none for a case that raises, or whose
        numbers differ before it varies, by intention or not. What rounding decides at a tie does not count: the same variants are
        derived on every machine."""
        plain = self.written(case, golden)
        yield PLAIN, plain
        agrees = plain.verdict.passed and all(item.is_of_form or item.tied for item in plain.verdict.findings)
        if agrees and not plain.old.raised:
            named = {name for item in self.divergences for name in item.cases}
            for variation in derived(case, golden.cases, extent, named):
                found = self.varied(case, variation, plain.old, golden)
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

    def compare(self, name: str, case: str, variation: Variation, old: Observation, new: Observation) -> CaseComparison:
        """Both observations, with the legacy loss at hand for float64 and samples of its rounding."""

        def again(sample: Sample) -> Looked:
            run = Run(variation, self.device, sample.in_float64, sample.number, sample.moved_by)
            return looked_in(observe(self.legacy, case, run), new, self.ports)

        judged = self.judged.setdefault(case, {})
        arbiter = Arbiter(again, Run(variation, self.device).precision, judged=judged)
        return CaseComparison(name, old, new, self.ports, self.divergences, self.device, arbiter)
