"""Functions instead of classes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_noisy_copies_find_each_other(run_example: Callable[..., Run]) -> None:
    recall_at_1, recall_at_5, *losses = run_example("examples/retrieval.py").numbers
    assert 0.5 < recall_at_1 <= recall_at_5 <= 1.0
    assert len(losses) == 6
    assert all(loss > 0 for loss in losses)
