"""Losses by short names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_every_registered_loss_is_built_and_called(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/loss_registry.py")
    assert len(run.numbers) == 3
    assert all(loss > 0 for loss in run.numbers)
