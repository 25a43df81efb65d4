"""Digits and captions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_digits_learn_to_find_their_captions(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/train_pairs.py")
    assert run.fell("loss")
    assert "image finds caption" in run.output
