"""The tests of one recording, which every `test_<module>.py` beside this file consists of.

A recording ends with its module: once a loss is migrated, its file is gone or points at new code, and its cases are not
collected any more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.legacy.playing import play
from tests.legacy.recording import Case, read_recording, stands

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).parent.name
"""Not written out: a test that names the package as a whole would have to run whenever anything in it changes."""

FOLDER = Path(__file__).with_name("recordings")
Test: TypeAlias = Callable[[Any], None]


def modules() -> frozenset[str]:
    """The names of all recorded modules."""
    return frozenset(path.stem for path in FOLDER.glob("*.json"))


def standing() -> frozenset[str]:
    """The recorded modules that are still what was recorded."""
    return frozenset(name for name in modules() if stands(ROOT, PACKAGE, name))


def cases_of(module: str) -> tuple[Case, ...]:
    """The cases of a module that can be played: it stands, and so does every module that they build a part from."""
    if not stands(ROOT, PACKAGE, module):
        return ()
    recorded = read_recording(FOLDER / f"{module}.json")
    return tuple(case for case in recorded if all(stands(ROOT, PACKAGE, part) for part in case.modules))


def suite_of(file_name: str) -> tuple[Test, Test]:
    """The tests of one module, by the name of its file: so a test says which file it is about, and runs when that one changes."""
    module = Path(file_name).stem
    played = cases_of(module)
    stood = stands(ROOT, PACKAGE, module)
    shown = f"{len(played)} cases" if stood else "retired"

    @pytest.mark.parametrize("cases", [pytest.param(played, id=shown)])
    def is_whole(cases: tuple[Case, ...]) -> None:
        recorded = read_recording(FOLDER / f"{module}.json")
        assert recorded, f"{module}.json holds no case"
        assert bool(cases) == stood, f"{file_name} stands, and no case of it can be played: all are built with a retired part"

    @pytest.mark.parametrize("case", played or [pytest.param(None, id="retired")], ids=lambda case: case.name)
    def does_what_was_recorded(case: Case | None) -> None:
        if case is None:
            assert not stands(ROOT, PACKAGE, module), f"{file_name} stands, and nothing of it was played"
            return
        differences = play(case, PACKAGE)
        assert not differences, "\n".join([f"{case.id}: {case.why}", *differences])

    return does_what_was_recorded, is_whole
