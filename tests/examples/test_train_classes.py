"""Clouds of points by class."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_points_are_pulled_together_by_class_and_fine_tuned(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/train_classes.py")
    assert run.fell("by class: loss", "WarmTemperatureLoss(warm): loss")
