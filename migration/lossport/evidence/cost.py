"""Time and peak memory of a new loss against its legacy one, as ratios beside a proof: told, never judged.

Measured once for the same sources on the same device; a proof that is made again takes over what the one before it said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, TypeAlias

from lossport.project import ledger
from lossport.project.config import Loss, Project
from lossport.project.errors import failure_in_words
from lossport.source.fingerprint import Fingerprint, fingerprint_from

Costs: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Figures by case, side and name, as `evidence.costs` gives them."""

MOST_CASES = 3
"""Cases that are timed: a median moves little after them, and a proof must not wait for its stopwatch."""

SOURCES = ("legacy", "new", "cases")
"""The parts of a fingerprint that time and memory depend on. The legacy source of a retired loss is that of its golden."""


class NotMeasured(Exception):
    """Time and memory of a loss could not be measured; the message says what failed."""


def cost_ratios(
    project: Project, loss: Loss, golden: Any, device: str, now: Fingerprint, events: Sequence[ledger.Event]
) -> dict[str, float]:
    """New divided by legacy: `time` and `memory`, the medians over written cases. A figure that no case has is left out.

    Raises:
        NotMeasured: timing failed; the message says how.
    """
    known = _told_before(loss, device, now, events)
    if known:
        return known
    from lossport import evidence  # noqa: PLC0415  # torch is paid for by those who run losses

    try:
        found = evidence.costs(project, loss, golden, golden.header.rewritten, device, only=spread(list(golden.cases)))
    except Exception as error:  # the verdict on the loss stands without time and memory
        raise NotMeasured(f"time and memory were not measured: {failure_in_words(error)}") from error
    return ratios(found)


def spread(cases: Sequence[str]) -> list[str]:
    """At most `MOST_CASES` of them, from the first to the last in even steps.

    >>> spread([str(number) for number in range(15)])
    ['0', '7', '14']
    """
    if len(cases) <= MOST_CASES:
        return list(cases)
    return [cases[round(index * (len(cases) - 1) / (MOST_CASES - 1))] for index in range(MOST_CASES)]


def ratios(found: Costs) -> dict[str, float]:
    """The medians of new to legacy, for each figure that some case has on both sides: one that raises has none.

    A median, because edges are among the cases: on an empty batch a loss that leaves at once is faster by an order of magnitude.

    >>> ratios({"a": {"legacy": {"seconds": 2.0, "peak_bytes": 8}, "new": {"seconds": 1.0, "peak_bytes": 4}}})
    {'time': 0.5, 'memory': 0.5}
    """
    known = {word: list(_ratios(found, figure)) for word, figure in (("time", "seconds"), ("memory", "peak_bytes"))}
    return {word: round(median(each), 3) for word, each in known.items() if each}


def _ratios(found: Costs, figure: str) -> Iterator[float]:
    for sides in found.values():
        legacy, new = (sides[side].get(figure, 0) for side in ("legacy", "new"))
        if legacy > 0 and new > 0:
            yield new / legacy


def _told_before(loss: Loss, device: str, now: Fingerprint, events: Sequence[ledger.Event]) -> dict[str, float]:
    last = ledger.latest(events, loss.name, "proven", device=device)
    if last is None or not (now.new and now.cases):
        return {}
    then = fingerprint_from(last.facts.get("fingerprint", {}))
    return dict(last.facts.get("cost") or {}) if not then.changed(now, only=SOURCES) else {}
