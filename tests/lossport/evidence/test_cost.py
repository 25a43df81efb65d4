"""Time and memory beside a proof: ratios of new to legacy, taken over from a proof of the same sources."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lossport.evidence.cost import MOST_CASES, NotMeasured, cost_ratios, ratios, spread
from lossport.project.config import Loss, Project
from lossport.project.ledger import Event
from lossport.source.fingerprint import Fingerprint

NOW = Fingerprint(new="n", cases="c")
LOSS = cast("Loss", SimpleNamespace(name="clip"))
NOBODY = cast("Project", None)
AT = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def side(seconds: float, peak: float) -> dict[str, float]:
    return {"seconds": seconds, "peak_bytes": peak}


def test_ratios_are_medians_so_that_an_edge_that_one_side_leaves_at_once_does_not_count() -> None:
    found = {
        "a": {"legacy": side(2, 4), "new": side(1, 8)},
        "b": {"legacy": side(1, 4), "new": side(1, 8)},
        "empty_batch": {"legacy": side(1, 1), "new": side(20, 10)},
    }
    assert ratios(found) == {"time": 1.0, "memory": 2.0}


def test_a_case_that_allocates_nothing_says_nothing_of_memory() -> None:
    found = {"a": {"legacy": side(1, 0), "new": side(1, 8)}, "b": {"legacy": side(1, 2), "new": side(1, 1)}}
    assert ratios(found) == {"time": 1.0, "memory": 0.5}
    assert ratios({}) == {}


def test_a_case_that_raises_on_one_side_is_left_out() -> None:
    assert ratios({"a": {"legacy": {}, "new": side(1, 8)}, "b": {"legacy": side(2, 2), "new": side(1, 1)}}) == {
        "time": 0.5,
        "memory": 0.5,
    }


def test_many_cases_are_sampled_from_the_first_to_the_last() -> None:
    names = [str(number) for number in range(100)]
    assert (spread(names)[0], spread(names)[-1], len(set(spread(names)))) == ("0", "99", MOST_CASES)
    assert spread(names[:3]) == ["0", "1", "2"]


def proven(new: str) -> Event:
    facts = {"device": "cpu", "fingerprint": Fingerprint(new=new, cases="c").as_dict(), "cost": {"time": 0.5, "memory": 0.25}}
    return Event(AT, "proven", "clip", facts)


def test_a_proof_of_the_same_sources_is_not_measured_again() -> None:
    assert cost_ratios(NOBODY, LOSS, None, "cpu", NOW, [proven("n")]) == {"time": 0.5, "memory": 0.25}


@pytest.mark.parametrize("known", [[], [proven("another")]])
def test_a_failure_while_timing_says_what_it_was(known: list[Any]) -> None:
    with pytest.raises(NotMeasured, match=r"time and memory were not measured: AttributeError: .*NoneType"):
        cost_ratios(NOBODY, LOSS, None, "cpu", NOW, known)
