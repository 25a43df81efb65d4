"""Momentum contrast."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_momentum_contrast_fills_its_queue_and_learns(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/train_moco.py")
    assert "queue filled 1.00" in run.output
    assert run.fell("momentum 0.9: loss")
