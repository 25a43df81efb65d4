"""Views without labels."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow


def test_views_without_labels_come_closer(run_example: Callable[..., Run]) -> None:
    run = run_example("examples/self_supervised.py")
    assert run.fell("diagonal loss")
    assert "hybrid: similarity of the views" in run.output
