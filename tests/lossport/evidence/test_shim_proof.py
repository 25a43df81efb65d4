"""A shim is proven on the cases as they are written, and a shim that behaves differently is found."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from lossport import evidence
from lossport.rewrite.shim import NoShim, shims


def texts_of(made: Any) -> dict[Path, str]:
    found = shims(made.project, made.loss, dt.date(2027, 3, 1))
    assert not isinstance(found, NoShim), found
    return dict(found)


def test_a_shim_of_the_port_passes_on_every_case(made: Any) -> None:
    golden = made.record()
    proof = evidence.prove_shims(made.project, made.loss, golden, texts_of(made))
    assert [item.case for item in proof.verdicts] == list(golden.cases)
    assert proof.passed, proof.explanation()


@pytest.mark.parametrize(
    ("right", "wrong", "case"),
    [
        ("T=0.1", "T=0.2", "diagonal"),
        ("left=left, right=right", "left=right, right=left", "three_steps"),
        ("'hits@1': ('stats', 'hits@1')", "'hits@1': ('hits@1',)", "reads_keys"),
        ("'forward_loss', ", "", "diagonal"),
    ],
)
def test_a_shim_that_behaves_differently_is_found(made: Any, right: str, wrong: str, case: str) -> None:
    ((path, text),) = texts_of(made).items()
    assert right in text
    proof = evidence.prove_shims(made.project, made.loss, made.record(), {path: text.replace(right, wrong)})
    assert not proof.passed
    assert case in {item.case for item in proof.failures}
