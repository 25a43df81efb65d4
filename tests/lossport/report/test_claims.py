"""Claims against what the repository said on their day."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from lossport.measure.history import Moment, TreeFigures
from lossport.project.config import CLAIM_METRICS, Claim, ConfigError, find_project
from lossport.report.claims import METRICS, CheckedClaim, check_claims, metric_series
from lossport.report.series import claimed

ROOT = Path(__file__).resolve().parents[3]


def tree(files: int, duplicated: int, lines: int = 100) -> TreeFigures:
    return TreeFigures(files, lines, 200, duplicated, 5, 1, 9.0)


def moment(day: int, legacy: TreeFigures, new: TreeFigures | None = None) -> Moment:
    return Moment(f"{day:010d}" + "0" * 30, dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC), legacy, new or tree(0, 0, 0))


PAST = (
    moment(2, tree(10, 80)),
    moment(5, tree(20, 100)),
    moment(9, tree(15, 70), tree(3, 10, 400)),
    moment(20, tree(5, 20), tree(8, 0, 900)),
)


def check(day: int, metric: str, value: float | None = 35.0) -> CheckedClaim:
    (found,) = check_claims([Claim(dt.date(2026, 11, day), "said", "somewhere", metric, value)], PAST)
    return found


def test_complete_is_the_share_of_the_most_files_there_ever_were_that_is_gone() -> None:
    assert check(9, "complete").measured == 25.0
    assert check(9, "complete").holds is False
    assert check(30, "complete").measured == 75.0
    assert check(30, "complete").holds is True


def test_the_state_of_a_day_is_that_of_the_last_commit_up_to_it() -> None:
    assert check(8, "complete").measured == 0.0
    assert "0000000005" in check(8, "complete").note


def test_reduced_duplication_counts_both_trees_against_their_peak() -> None:
    assert check(9, "duplication_reduced").measured == 20.0
    assert check(20, "duplication-reduced").measured == 80.0


def test_figures_that_ought_to_fall_hold_when_they_are_at_most_what_was_claimed() -> None:
    assert (check(9, "duplication", 25.0).measured, check(9, "duplication", 25.0).holds) == (20.0, True)
    assert check(9, "duplication", 19.0).holds is False
    assert (check(20, "lines", 900).holds, check(20, "lines", 899).holds) == (True, False)


def test_a_claim_from_before_the_history_says_so() -> None:
    found = check(1, "complete")
    assert (found.measured, found.holds) == (None, None)
    assert "history begins on 2026-11-02" in found.note


def test_an_unknown_metric_names_the_known_ones() -> None:
    assert "no measure is called 'speed'; known: complete, duplication-reduced" in check(9, "speed").note
    assert "names no metric" in check(9, "").note


def test_the_configuration_knows_the_same_metrics_and_refuses_any_other(tmp_path: Path) -> None:
    assert tuple(METRICS) == CLAIM_METRICS
    claim = '[tool.lossport]\n[[tool.lossport.claims]]\ndate = 2026-05-04\ntext = "a"\nsource = "b"\nmetric = "{}"\nvalue = 1\n'
    (tmp_path / "pyproject.toml").write_text(claim.format("losses_migrated_percent"))
    with pytest.raises(
        ConfigError, match=r"claims\[0\].metric: 'losses_migrated_percent' is not a metric; use one of complete, "
    ):
        find_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text(claim.format("duplication_reduced"))
    assert find_project(tmp_path).claims[0].metric == "duplication_reduced"


def test_the_example_of_the_documentation_and_our_own_claims_can_be_measured(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "configuration.md").read_text(), re.S)
    assert example is not None
    (tmp_path / "pyproject.toml").write_text(example[1])
    for project in (find_project(tmp_path), find_project(ROOT)):
        assert project.claims
        assert all(claim.source and claim.value is not None for claim in project.claims)


def test_a_claim_without_a_number_is_measured_all_the_same() -> None:
    found = check(20, "complete", None)
    assert (found.measured, found.holds) == (75.0, None)


def test_claims_come_in_order_of_their_dates() -> None:
    claims = [Claim(dt.date(2026, 11, day), str(day), "") for day in (9, 2, 5)]
    assert [item.claim.text for item in check_claims(claims, PAST)] == ["2", "5", "9"]


def test_the_chart_draws_claims_over_the_measured_line() -> None:
    chart = claimed([check(9, "complete"), check(1, "complete", 50.0)], PAST, "%")
    assert chart is not None
    line, points = chart.lines
    assert line.points == tuple(metric_series("complete", PAST)[index] for index in (0, 2, 3))
    assert [value for _, value in points.points] == [35.0, 50.0]
    assert "said (2026-11-09): measured 25 %" in chart.summary
    assert "said (2026-11-01): not measured" in chart.summary
    assert claimed([check(9, "speed")], PAST, "%") is None
