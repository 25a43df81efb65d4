"""The forecast: an end with an honest span."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from lossport.report.forecast import PACE_DAYS, Forecast, forecast

TODAY = dt.date(2026, 11, 23)


def ago(*days: int) -> list[dt.date]:
    return [TODAY - dt.timedelta(days=number) for number in days]


def expect(retired: list[dt.date], left: int, since: int = 400) -> Forecast:
    found = forecast(retired, left, TODAY - dt.timedelta(days=since), TODAY)
    assert found is not None
    return found


def dates(found: Forecast) -> list[int]:
    """Days from now to the early, middle and late end; an end that cannot be named is very far."""
    return [(date - TODAY).days if date else 10**6 for date in (found.early, found.middle, found.late)]


def test_a_steady_pace_leads_where_it_should() -> None:
    found = expect(ago(*range(1, PACE_DAYS, 3)), left=14)
    assert found.events == 14
    assert abs(dates(found)[1] - PACE_DAYS) <= 5


def test_the_end_lies_in_its_span_and_few_events_widen_it() -> None:
    many, few = (dates(found) for found in (expect(ago(*range(1, 41, 2)), left=10), expect(ago(5, 15, 25), left=1)))
    for early, middle, late in (many, few):
        assert 0 <= early <= middle <= late
    assert few[2] / max(1, few[0]) > 2 * many[2] / many[0]


@pytest.mark.parametrize(
    ("retired", "left"),
    [([], 5), (ago(1), 0), (ago(PACE_DAYS + 1, 300, 301), 3), (ago(1, 2), 3)],
    ids=["nothing yet", "nothing left", "long ago", "too few"],
)
def test_without_a_pace_or_anything_left_there_is_none(retired: list[dt.date], left: int) -> None:
    assert forecast(retired, left, TODAY - dt.timedelta(days=400), TODAY) is None


def test_a_young_migration_is_judged_by_the_days_it_had() -> None:
    assert expect(ago(0, 1, 1), left=4, since=2).days == 2
    assert expect(ago(0, 0, 0), left=4, since=0).days == 1


def test_an_end_beyond_ten_years_has_no_date() -> None:
    found = expect(ago(38, 39, 40), left=2000)
    assert found.late is None


def test_the_same_data_gives_the_same_forecast() -> None:
    assert expect(ago(1, 5, 9), left=7) == expect(ago(1, 5, 9), left=7)


def test_four_times_out_of_five_the_end_falls_into_the_span() -> None:
    """Migrations whose true pace is drawn at random: the span must hold as often as it says, within what chance allows."""
    rng = random.Random(3)
    hits = runs = 0
    while runs < 120:
        rate = rng.uniform(0.05, 0.6)
        days = [day for day in range(PACE_DAYS) if rng.random() < rate]
        left = rng.randrange(1, 15)
        found = forecast(ago(*days), left, TODAY - dt.timedelta(days=400), TODAY)
        if found is None:
            continue
        runs += 1
        early, _, late = dates(found)
        hits += early <= round(rng.gammavariate(left, 1 / rate)) <= late
    assert 0.72 <= hits / runs <= 0.92
