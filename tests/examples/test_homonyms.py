"""Names that only look like those of losses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.conftest import ROOT, Run

NEVER_TOUCHED = "e0b4bb12e8ee47975810b27df66ef2fcfc9fdbcf05dba0b034689aa6908254af"
"""SHA-256 of the file: nothing in it is a legacy symbol, so no migration may change a byte. Edit on purpose: change this too."""


@pytest.mark.slow
def test_a_file_of_homonyms_runs(run_example: Callable[..., Run]) -> None:
    assert run_example("examples/homonyms.py").numbers[0] > 0


def test_no_migration_has_touched_the_homonyms() -> None:
    text = Path(ROOT, "examples/homonyms.py").read_text(encoding="utf-8")
    assert hashlib.sha256(text.encode()).hexdigest() == NEVER_TOUCHED
