"""A search for differences beyond the derived variants, by Hypothesis: any case, at any size, in any way of running it.

Hypothesis is needed here alone and imported when a search is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from lossport.evidence.golden import Golden
from lossport.evidence.opening import open_pair
from lossport.judge.counterexample import counterexample
from lossport.judge.pair import Pair
from lossport.judge.shrink import Smallest, shrink
from lossport.judge.verdict import Counterexample, Finding, Verdict
from lossport.observe.run import steady
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError
from lossport.project.inputs import Variation
from lossport.project.progress import Progress, no_progress

LARGEST = 9
"""Of batches and widths: faults that need more than nine rows are looked for by the written cases."""

ROUND = 20
"""Runs of one round: enough for Hypothesis to vary what it has, few enough to end in time."""


@dataclass(frozen=True)
class Searched:
    """What a search came to: how many runs, and the difference if there is one."""

    runs: int
    seconds: float
    finding: Finding | None = None
    counterexample: Counterexample | None = None

    @property
    def passed(self) -> bool:
        """Whether no difference was found."""
        return self.finding is None

    @property
    def headline(self) -> str:
        """`2,310 runs in 20 s, no difference`."""
        found = "no difference" if self.finding is None else f"{self.finding.case} differs"
        return f"{self.runs:,} runs in {self.seconds:.0f} s, {found}"

    def explanation(self) -> list[str]:
        """The difference, and the smallest input that shows it."""
        told = [] if self.finding is None else self.finding.lines()
        if self.counterexample is not None:
            told += [f"  smallest input that still differs: {self.counterexample.words}"]
            told += [f"    {line}" if line else "" for line in self.counterexample.lines]
        return told


def search(
    project: Project,
    loss: Loss,
    golden: Golden,
    rewritten: str,
    seconds: float,
    device: str = "cpu",
    *,
    progress: Progress = no_progress,
    seed: int = 0,
) -> Searched:
    """Look for a difference for some seconds. Runs in which the legacy loss raises are left to the written cases.

    Raises:
        InputError: Hypothesis is not installed.
    """
    try:
        import hypothesis  # noqa: PLC0415  # optional: needed for a search alone
    except ImportError as error:
        raise InputError("a search needs Hypothesis: pip install 'lossport[search]'") from error
    began = time.monotonic()
    found: list[tuple[Verdict, Variation]] = []
    with ExitStack() as stack:
        stack.enter_context(steady(device))
        pair = open_pair(stack, project, loss, golden, rewritten=rewritten, device=device)
        names = [name for name in golden.cases if pair.written(name, golden).verdict.kind in ("equal", "close")]
        runs = 0

        def agrees(case: str, variation: Variation) -> None:
            nonlocal runs
            if time.monotonic() - began > seconds or found:
                return
            runs += 1
            progress(case, int(time.monotonic() - began), int(seconds))
            verdict = pair.undeclared(case, variation)
            if verdict is not None:
                found.append((verdict, variation))

        while names and not found and time.monotonic() - began < seconds:
            seed += 1
            _round(hypothesis, agrees, names, seed)
        if not found:
            return Searched(runs, time.monotonic() - began)
        return _told(project, loss, pair, found[0], runs, began)


def _round(hypothesis: Any, agrees: Callable[[str, Variation], None], names: Sequence[str], seed: int) -> None:
    """Some runs; Hypothesis has no limit of time, so that a search is made of many rounds."""
    settings = hypothesis.settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    given = hypothesis.given(hypothesis.strategies.sampled_from(names), _variations(hypothesis.strategies))
    hypothesis.seed(seed)(settings(given(agrees)))()


def _told(project: Project, loss: Loss, pair: Pair, found: tuple[Verdict, Variation], runs: int, began: float) -> Searched:
    verdict, variation = found
    smallest: Smallest | None = shrink(pair, verdict, variation)
    first = next(item for item in verdict.findings if item.divergence is None)
    shown = counterexample(project, loss, pair, smallest) if smallest is not None else None
    return Searched(runs, time.monotonic() - began, first, shown)


def _variations(strategies: Any) -> Any:
    """Any variation, mostly departing in one or two ways."""
    sizes = strategies.one_of(strategies.none(), strategies.integers(1, LARGEST))
    plainly = strategies.sampled_from
    return strategies.builds(
        Variation,
        name=strategies.just("search"),
        seed=strategies.integers(0, 2**16),
        batch=sizes,
        dim=sizes,
        dtype=plainly(["float32", "float32", "float32", "float64"]),
        values=plainly(["drawn", "drawn", "drawn", "zero-row", "repeated-row", "whole", "tenths"]),
        scale=plainly([1.0, 1.0, 1.0, 1e-3, 10.0, 100.0]),
        layout=plainly(["contiguous", "contiguous", "strided", "expanded"]),
        mode=plainly(["plain", "plain", "no-grad"]),
        training=plainly([True, True, False]),
        carry=plainly(["", "", "deepcopy"]),
        repeats=plainly([1, 1, 1, 2, 3]),
    )
