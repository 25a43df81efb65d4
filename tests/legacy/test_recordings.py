"""All recordings together: each has its test file, and a wrong number in any of them is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.legacy.playing import play
from tests.legacy.recording import Encoded, Step
from tests.legacy.suite import PACKAGE, ROOT, cases_of, modules, standing

STANDING = standing()
RETIRED = sorted(modules() - STANDING)
TALLY = f"{len(RETIRED)} of {len(modules())} modules retired"

FILE = '''\
"""What `{module}.py` did, case by case."""

from tests.legacy.suite import suite_of

test_it_does_what_was_recorded, test_its_recording_is_whole = suite_of("{module}.py")
'''
"""The test file of a recording, the same for all: `python -m tests.legacy.test_recordings` writes those that are missing."""


def file_of(module: str) -> Path:
    """Where the tests of a recording stand."""
    return Path(__file__).with_name(f"test_{module}.py")


@pytest.mark.parametrize("tally", [TALLY], ids=[TALLY])
def test_every_module_was_recorded(tally: str) -> None:
    """Nothing is lost on the way: each module of the package has a recording, standing or retired."""
    there = {path.stem for path in (ROOT / PACKAGE).glob("[!_]*.py")}
    assert there <= modules(), f"{tally}; not recorded: {sorted(there - modules())}"


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_recording_has_its_test_file(module: str) -> None:
    """One file a module, so that whoever changes one module runs the tests of that one."""
    assert file_of(module).read_text(encoding="utf-8") == FILE.format(module=module)


@pytest.mark.parametrize("module", sorted(STANDING))
def test_a_wrong_number_in_a_recording_is_noticed(module: str) -> None:
    """The first number that any case of the module returned, made a little larger; `test_noticed` changes all of them."""
    case, step = next((case, step) for case in cases_of(module) for step in case.steps if has_number(step))
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


if __name__ == "__main__":
    for name in sorted(modules()):
        file_of(name).write_text(FILE.format(module=name), encoding="utf-8")
