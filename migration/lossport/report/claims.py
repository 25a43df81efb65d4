"""What was claimed on a day against what the repository says for that day.

A claim names one of the `METRICS` below; its text is shown as it was said, whether or not it can be measured.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lossport.measure.history import Moment
from lossport.project.config import Claim


@dataclass(frozen=True)
class PeakSoFar:
    """The most there had been up to some moment: legacy files, and duplicated lines in both trees."""

    files: int = 0
    duplicated: int = 0

    def over(self, moment: Moment) -> PeakSoFar:
        """The peak with one more moment."""
        return PeakSoFar(max(self.files, moment.legacy.files), max(self.duplicated, _duplicated(moment)))


@dataclass(frozen=True)
class Metric:
    """Something that can be claimed, and how a moment is measured against the peak up to it.

    `less_is_more` is a metric that progress lowers.
    """

    title: str
    unit: str
    less_is_more: bool
    measure: Callable[[Moment, PeakSoFar], float]


def _duplicated(moment: Moment) -> int:
    return moment.legacy.duplicated + moment.new.duplicated


def _complete(moment: Moment, peak: PeakSoFar) -> float:
    return 100 * (peak.files - moment.legacy.files) / peak.files if peak.files else 0.0


def _duplication(moment: Moment, peak: PeakSoFar) -> float:
    source = moment.legacy.source + moment.new.source
    return 100 * _duplicated(moment) / source if source else 0.0


def _duplication_reduced(moment: Moment, peak: PeakSoFar) -> float:
    return 100 * (peak.duplicated - _duplicated(moment)) / peak.duplicated if peak.duplicated else 0.0


METRICS: Mapping[str, Metric] = {
    "complete": Metric("Legacy files gone", "%", False, _complete),
    "duplication-reduced": Metric("Duplicated lines gone", "%", False, _duplication_reduced),
    "duplication": Metric("Duplication of both trees", "%", True, _duplication),
    "lines": Metric("Lines in the new tree", "lines", True, lambda moment, peak: moment.new.lines),
    "legacy-lines": Metric("Lines in the legacy tree", "lines", True, lambda moment, peak: moment.legacy.lines),
}
"""What a claim may name. "Gone" is measured against the most there had been up to that day."""


@dataclass(frozen=True)
class CheckedClaim:
    """A claim with what was measured for its day: `measured` is None where `note` says why."""

    claim: Claim
    metric: Metric | None
    measured: float | None
    note: str

    @property
    def holds(self) -> bool | None:
        """Whether the measure reaches the claim; None if that cannot be said."""
        if self.measured is None or self.claim.value is None or self.metric is None:
            return None
        return self.measured <= self.claim.value if self.metric.less_is_more else self.measured >= self.claim.value


def check_claims(claims: Sequence[Claim], moments: Sequence[Moment]) -> tuple[CheckedClaim, ...]:
    """Every claim in order of date, measured. Without moments nothing is known of the past, and no claim is measured."""
    return tuple(_check(claim, moments) for claim in sorted(claims, key=lambda claim: (claim.date, claim.text)))


def metric_series(name: str, moments: Sequence[Moment]) -> list[tuple[dt.datetime, float]]:
    """A metric at every moment."""
    series: list[tuple[dt.datetime, float]] = []
    peak = PeakSoFar()
    for moment in moments:
        peak = peak.over(moment)
        series.append((moment.at, METRICS[name].measure(moment, peak)))
    return series


def metric_name(claim: Claim) -> str:
    """The metric a claim names, with either kind of dash."""
    return claim.metric.strip().lower().replace("_", "-")


def _check(claim: Claim, moments: Sequence[Moment]) -> CheckedClaim:
    name = metric_name(claim)
    metric = METRICS.get(name)
    if metric is None:
        known = ", ".join(METRICS)
        said = f"no measure is called {name!r}; known: {known}" if name else f"names no metric; known: {known}"
        return CheckedClaim(claim, None, None, said)
    before = [moment for moment in moments if moment.at.date() <= claim.date]
    if not before:
        begins = f"history begins on {moments[0].at.date()}" if moments else "git cannot be read"
        return CheckedClaim(claim, metric, None, f"cannot be checked: {begins}")
    measured = metric_series(name, before)[-1][1]
    return CheckedClaim(claim, metric, measured, f"as of {before[-1].commit[:10] or 'the work tree'}")
