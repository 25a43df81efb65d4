"""Every recorded number is judged sharply enough: a change of one thousandth of a tensor's largest element is noticed.

Where the module's own rounding is larger than that, the place is listed with the reason.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fnmatch import fnmatchcase

import pytest

from lossport.judge.closeness import Different
from lossport.observe.value import Array, Plain
from tests.legacy.comparing import Figures
from tests.legacy.playing import arbiter_of, judged, seen
from tests.legacy.suite import PACKAGE, cases_of, standing

pytestmark = [pytest.mark.full(reason="judges every recorded tensor anew, a minute a module"), pytest.mark.matrix]

CHANGE = 1e-3

NOISE = "nothing but rounding: a batch norm follows, and takes the gradient of a bias before it away"
CANCELS = "a small difference of large terms: its own rounding is larger than a thousandth of it"

TOO_COARSE = {
    "barlow_twins_loss-projection-*: *gradient of parameter *_projection.*.bias": NOISE,
    "vicreg_loss-shift-invariant-invariance: *returns['invariance_loss']": "nothing but rounding: it is zero for shifted features",
    "decoupled_contrastive_loss-*: *returns['*inst*_loss']": CANCELS,
    "supervised_contrastive_loss-*: *returns['intra_*_loss']": CANCELS,
}
"""Recorded numbers that are too coarse for such a change to show, and why."""


@pytest.mark.parametrize("module", sorted(standing()))
def test_a_thousandth_of_the_largest_element_is_noticed(module: str) -> None:
    missed = []
    for case in cases_of(module):
        arbiter = arbiter_of(case, PACKAGE)
        for found in seen(case, PACKAGE):
            changed = with_largest_changed(found) if isinstance(found, Figures) else None
            if changed is not None and not isinstance(judged(changed, arbiter), Different):
                missed.append(f"{case.id}: {changed.place}")
    unexplained = [name for name in missed if not any(matches(name, pattern) for pattern in TOO_COARSE)]
    assert not unexplained, "\n".join(unexplained)


@pytest.mark.parametrize("pattern", sorted(TOO_COARSE))
def test_what_is_listed_as_too_coarse_was_recorded(pattern: str) -> None:
    module = pattern.partition("-")[0]
    names = [
        f"{case.id}: {found.place}" for case in cases_of(module) for found in seen(case, PACKAGE) if isinstance(found, Figures)
    ]
    assert not names or any(matches(name, pattern) for name in names)


def matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def with_largest_changed(figures: Figures) -> Figures | None:
    """The recorded numbers with their largest made a little larger; None where all are zero or none is a float."""
    node = figures.recorded
    if isinstance(node, Plain):
        value = node.value
        is_number = isinstance(value, float) and math.isfinite(value) and value != 0.0
        return replace(figures, recorded=Plain(value * (1 + CHANGE))) if is_number and isinstance(value, float) else None
    return _tensor_changed(figures, node)


def _tensor_changed(figures: Figures, node: Array) -> Figures | None:
    if not node.tensor.is_floating_point() or not node.tensor.numel():
        return None
    flat = node.tensor.flatten().clone()
    sizes = flat.abs().nan_to_num(nan=0.0, posinf=0.0)
    if not sizes.any():
        return None
    flat[sizes.argmax()] *= 1 + CHANGE
    return replace(figures, recorded=replace(node, tensor=flat.reshape(node.tensor.shape)))
