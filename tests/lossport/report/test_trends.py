"""How gates moved within a week."""

from __future__ import annotations

import datetime as dt

from lossport.measure.history import Moment, TreeFigures
from lossport.report import Gate
from lossport.report.trends import Trend, trends

TODAY = dt.date(2026, 11, 23)


def moment(days_ago: int, legacy_files: int, new_lines: int) -> Moment:
    at = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC) - dt.timedelta(days=days_ago)
    legacy, new = TreeFigures(legacy_files, 0, 0, 0, 0, 0, None), TreeFigures(1, new_lines, new_lines, 0, 4, 1, 8.0)
    return Moment("c", at, legacy, new)


LINES = Gate("lines", "Lines", 900, "under", 2000, "lines", "wc")
FILES = Gate("legacy-files", "Files", 5, "exactly", 0, "files", "ls")
DONE = Gate("migrated", "Retired", 3, "exactly", 4, "", "status")
SCORE = Gate("architecture", "Score", 9.0, "at least", 7.5, "", "report")


def test_a_trend_is_the_change_since_the_state_a_week_ago_and_knows_which_way_is_better() -> None:
    past = [moment(30, 9, 100), moment(9, 8, 700), moment(2, 6, 800), moment(0, 5, 900)]
    found = trends([LINES, FILES, DONE, SCORE], past, [TODAY - dt.timedelta(days=days) for days in (20, 3, 1)], TODAY)
    week_ago = dt.date(2026, 11, 16)
    assert found == {
        "lines": Trend(700, week_ago, 200, False),
        "legacy-files": Trend(8, week_ago, -3, True),
        "migrated": Trend(1, week_ago, 2, True),
        "architecture": Trend(8.0, week_ago, 1.0, True),
    }


def test_what_did_not_move_is_neither_better_nor_worse() -> None:
    found = trends([LINES], [moment(9, 8, 900)], [], TODAY)
    assert (found["lines"].change, found["lines"].better) == (0, None)


def test_a_young_history_is_compared_with_its_first_day_and_moving_legacy_files_in_is_no_step_back() -> None:
    found = trends([LINES, FILES], [moment(2, 1, 100), moment(1, 6, 300)], [], TODAY)
    assert found["lines"] == Trend(100, dt.date(2026, 11, 21), 800, False)
    assert found["legacy-files"] == Trend(6, dt.date(2026, 11, 21), -1, True)


def test_without_a_value_then_or_now_there_is_no_trend() -> None:
    unmeasured = Gate("coverage", "Coverage", 90, "at least", 80, "%", "coverage")
    assert trends([unmeasured, LINES], [], [], TODAY) == {}
    assert trends([Gate("lines", "Lines", None, "under", 2000, "", "wc")], [moment(9, 8, 900)], [], TODAY) == {}
