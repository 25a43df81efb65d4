"""Two views of points on rings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_two_views_of_a_point_learn_to_agree(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/train_views.py")
    assert run.fell("loss")
    assert "similarity gap" in run.output
