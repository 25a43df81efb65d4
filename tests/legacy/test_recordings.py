"""Every recorded case of every legacy module that still stands.

A recording ends with its module: once a loss is migrated, its file is gone or points at new code, and its cases are not
collected any more. How many are gone is in the name of the first test.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.legacy.playing import play
from tests.legacy.recording import Case, Encoded, Step, read_recording, stands

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "legacy"
RECORDINGS = sorted(Path(__file__).with_name("recordings").glob("*.json"))

STANDING = frozenset(path.stem for path in RECORDINGS if stands(ROOT, PACKAGE, path.stem))
RETIRED = sorted({path.stem for path in RECORDINGS} - STANDING)
RECORDED = [case for path in RECORDINGS if path.stem in STANDING for case in read_recording(path)]
PLAYED = [case for case in RECORDED if case.modules <= STANDING]

TALLY = (
    f"{len(RETIRED)} of {len(RECORDINGS)} modules retired, {len(PLAYED)} cases played, "
    f"{len(RECORDED) - len(PLAYED)} left out with a retired part"
)


@pytest.mark.parametrize("tally", [TALLY], ids=[TALLY])
def test_a_recording_is_played_until_its_module_is_retired(tally: str) -> None:
    """Nothing is lost on the way: each recorded module is either played or retired."""
    played = {case.module for case in PLAYED}
    left_out = STANDING - played
    assert not left_out, f"{tally}; no case of {', '.join(sorted(left_out))} can be played"
    assert played.isdisjoint(RETIRED)
    assert {path.stem for path in (ROOT / PACKAGE).glob("[!_]*.py")} <= {path.stem for path in RECORDINGS}


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: case.id)
def test_the_module_does_what_was_recorded(case: Case) -> None:
    differences = play(case, PACKAGE)
    assert not differences, "\n".join([f"{case.id}: {case.why}", *differences])


@pytest.mark.parametrize("module", sorted(STANDING))
def test_a_wrong_number_in_a_recording_is_noticed(module: str) -> None:
    """The first number that any case of the module returned, made a little larger."""
    case, step = next((case, step) for case in PLAYED if case.module == module for step in case.steps if has_number(step))
    seen = {**step.seen, "returns": with_first_number_changed(step.seen["returns"])}
    steps = tuple(replace(item, seen=seen) if item is step else item for item in case.steps)
    differences = play(replace(case, steps=steps), PACKAGE)
    assert len(differences) == 1, differences
    assert "returns" in differences[0]


def has_number(step: Step) -> bool:
    returned = step.seen.get("returns")
    return bool(with_first_number_changed(returned) != returned)


def with_first_number_changed(value: Encoded) -> Encoded:
    """The value with its first float, at any depth, one thousandth larger; as it is if it has none."""
    if isinstance(value, float):
        return value + 1e-3 * max(1.0, abs(value))
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    for key, item in items:
        changed = with_first_number_changed(item)
        if changed != item:
            return {**value, key: changed} if isinstance(value, dict) else [*value[:key], changed, *value[key + 1 :]]
    return value
