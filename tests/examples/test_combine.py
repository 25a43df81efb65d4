"""Two losses added."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_the_combined_loss_is_the_weighted_sum_of_its_parts(run_example: Callable[..., Run]) -> None:
    total, first, weight, second, gradient = run_example("examples/combine.py").numbers[-5:]
    assert total == pytest.approx(first + weight * second, abs=2e-3)
    assert gradient > 0
