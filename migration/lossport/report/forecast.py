"""When the last loss will be retired if the present pace holds, and how sure that is.

Retirements are taken as a Poisson process: their recent number gives the pace (a Gamma posterior with Jeffreys' prior), and the
time that the rest takes at an uncertain pace is a ratio of two Gamma variates. Few events make a wide interval.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

PACE_DAYS = 42
"""The present pace is that of the last six weeks: long enough to hold a few retirements, short enough to follow a change."""
LEAST_EVENTS = 3
"""One or two retirements say nothing about a pace: the span would be wider than anyone can use."""
PRIOR_EVENTS = 0.5
"""Jeffreys' prior for a rate: what to believe of the pace before anything is seen."""
EARLY, LATE = 0.1, 0.9
"""Four times out of five the end lies between these quantiles."""
DRAWS = 4000
"""Enough for the tenth of the draws in a tail to number hundreds; takes 10 ms."""
HORIZON_DAYS = 3650
"""Beyond ten years a date says nothing but "not at this pace"."""


@dataclass(frozen=True)
class Forecast:
    """The likely end, with the span in which it lies four times out of five. None: not within ten years."""

    early: dt.date | None
    middle: dt.date | None
    late: dt.date | None
    events: int
    days: int


def forecast(retired: Sequence[dt.date], left: int, since: dt.date, today: dt.date) -> Forecast | None:
    """The end of `left` retirements, from the dates of those that happened; None with fewer than three in the last
    weeks, or none left.

    `since` is when the work began: a younger migration is judged by what it had time for.
    """
    start = max(since, today - dt.timedelta(days=PACE_DAYS))
    days = max(1, (today - start).days)
    events = sum(start <= day <= today for day in retired)
    if events < LEAST_EVENTS or left <= 0:
        return None
    draw = random.Random(0).gammavariate  # seeded: the same data gives the same forecast
    waits = sorted(days * draw(left, 1.0) / draw(events + PRIOR_EVENTS, 1.0) for _ in range(DRAWS))
    ends = [_day(today, waits[int(share * DRAWS)]) for share in (EARLY, 0.5, LATE)]
    return Forecast(ends[0], ends[1], ends[2], events, days)


def _day(today: dt.date, wait: float) -> dt.date | None:
    return today + dt.timedelta(days=round(wait)) if wait <= HORIZON_DAYS else None
