"""Experiments that are files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_every_experiment_file_names_a_loss_that_learns(run_example: Callable[..., Run]) -> None:
    assert run_example("examples/experiments").fell("rings: loss", "rings, decoupled: loss")
