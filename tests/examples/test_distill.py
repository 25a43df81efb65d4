"""Learning without forgetting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_an_encoder_learns_and_stays_near_its_former_self(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/distill.py")
    assert run.fell("loss")
    assert 0.0 < run.numbers[-1] < 0.5, "the drift, as a cosine distance"
