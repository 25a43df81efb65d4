"""Call sites that no tool can rewrite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_what_no_tool_can_rewrite_still_runs(run_example: Callable[..., Run]) -> None:
    """Whether or not its losses have moved: the first of the three only says so then."""
    run = run_example("examples/needs_a_person")
    assert [line.partition(":")[0] for line in run.output.splitlines() if "loss " in line or "moved" in line] == [
        "computed_name",
        "options_from_elsewhere",
        "whole_result",
    ]
