"""Three stages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_each_of_three_stages_learns(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/stages")
    assert run.fell("alignment: distance of the views", "contrast: loss", "hardest: loss")
