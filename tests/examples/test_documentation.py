"""The page about the examples."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_the_code_on_the_page_runs(run_code_blocks: Callable[[str], Run]) -> None:
    run = run_code_blocks("docs/examples.md")
    assert len(run.numbers) == 4
    assert all(number >= 0 for number in run.numbers)
