"""One task, then three."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_a_model_of_digits_learns_one_task_and_then_three(run_example: Callable[..., Run]) -> None:
    assert run_example("examples/train_multitask.py").fell("one task: loss", "three tasks: digit loss")
