"""A checkpoint with a loss in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_a_loaded_loss_gives_the_same_number(run_example: Callable[..., Run]) -> None:
    assert "before saving and after loading" in run_example("examples/checkpoint.py").output
