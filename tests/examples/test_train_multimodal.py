"""The trainer whose loss is chosen on the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_the_trainer_learns_with_the_loss_of_the_command_line(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/train_multimodal.py", "--loss-type", "combined", "--epochs", "3")
    assert run.fell("(combined): loss")
