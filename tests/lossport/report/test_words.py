"""How values are said."""

from __future__ import annotations

import pytest

from lossport.report import Gate
from lossport.report.words import duration


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (None, "\N{EN DASH}"),
        (0.0, "0 s"),
        (41 / 3600, "41 s"),
        (0.2, "12 min"),
        (1.5, "1.5 h"),
        (47.9, "47.9 h"),
        (100.8, "4.2 days"),
    ],
)
def test_a_time_is_said_in_the_unit_that_fits(hours: float | None, said: str) -> None:
    assert duration(hours) == said


@pytest.mark.parametrize(
    ("value", "sense", "target", "unit", "said"),
    [
        (2, "exactly", 19, "of 19", ("2 of 19", "all 19")),
        (1, "exactly", 0, "files", ("1 file", "none")),
        (1980, "under", 2000, "lines", ("1,980 lines", "under 2,000 lines")),
        (9.7, "at least", 7.5, "of 10", ("9.7 of 10", "at least 7.5")),
        (0.02, "under", 2, "hours", ("72 s", "under 2 hours")),
        (None, "at least", 80, "%", ("not measured", "at least 80 %")),
    ],
)
def test_a_gate_is_said_with_its_unit_where_it_helps(
    value: float | None, sense: str, target: float, unit: str, said: tuple[str, str]
) -> None:
    gate = Gate("g", "G", value, sense, target, unit, "")  # type: ignore[arg-type]
    assert (gate.value_words, gate.target_words()) == said
