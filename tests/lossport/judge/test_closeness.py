"""Numbers that differ: rounding is told from a fault where values are noise, and where the legacy loss jumps at its input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from lossport import evidence

if TYPE_CHECKING:
    from lossport.evidence import Proof

OLD = '''\
import torch
from torch import nn


class OldCosine(nn.Module):
    """Of rows of one number, 1 or -1: their gradients are zero, but for noise."""

    def forward(self, rows, others):
        similarity = (rows / rows.norm(dim=1, keepdim=True)) @ (others / others.norm(dim=1, keepdim=True)).t()
        return {"loss": (similarity / 0.07).logsumexp(1).mean()}


class OldRanked(nn.Module):
    """A row counts where its score is negative: half of the scores are exactly zero."""

    def forward(self, rows):
        return {"loss": rows.sum(), "hits": torch.where(rows * 0.5 - 0.25 < 0, 2.0, 1.0)}
'''

CASES = """\
import torch

from old import OldCosine, OldRanked


def of_one_number(inputs):
    criterion = OldCosine()
    yield criterion(inputs.features(8, 1, name="rows"), inputs.features(8, 1, name="others"))


def of_several(inputs):
    criterion = OldCosine()
    yield criterion(inputs.features(8, 3, name="rows"), inputs.features(8, 3, name="others"))


def at_the_edge(inputs):
    criterion = OldRanked()
    yield criterion(inputs.keep("rows", torch.tensor([0.5, 0.1, 0.5, 0.9, 0.5, 0.5, 0.5, 0.5], requires_grad=True)))
"""

PORT = """\
from lossport.port import Port

PORTS = (Port(legacy="old.OldCosine", new="new.NewCosine"), Port(legacy="old.OldRanked", new="new.NewRanked"))
"""

OTHER_ORDER = (
    "(rows / rows.norm(dim=1, keepdim=True)) @ (others / others.norm(dim=1, keepdim=True)).t()",
    "rows @ others.t() / rows.norm(dim=1, keepdim=True) / others.norm(dim=1)",
)


def renamed(text: str) -> str:
    return re.sub(r"\bOld", "New", text).replace("from old ", "from new ")


@pytest.fixture
def numbers(made: Any) -> Any:
    made.write("old.py", OLD)
    made.write("new.py", renamed(OLD).replace(*OTHER_ORDER))
    made.write("migration/ports/numbers.py", PORT)
    made.write("migration/cases/numbers.py", CASES)
    return made


def prove(made: Any, case: str) -> Proof:
    loss = made.project.loss("numbers")
    golden = evidence.record(made.project, loss)
    return evidence.prove(made.project, loss, golden, renamed(CASES), extent="none", only=[case])


@pytest.mark.parametrize("case", ["of_one_number", "of_several"])
def test_another_order_of_the_same_sums_is_close_where_the_numbers_are_noise_too(numbers: Any, case: str) -> None:
    proof = prove(numbers, case)
    assert proof.counts["close"] == 1, proof.explanation()


@pytest.mark.parametrize("case", ["of_one_number", "of_several"])
def test_a_wrong_factor_is_seen_where_the_gradients_are_noise_too(numbers: Any, case: str) -> None:
    numbers.edit("new.py", "/ 0.07", "/ 0.0701")
    assert prove(numbers, case).counts["different"] == 1


def test_the_other_side_of_a_jump_is_no_rounding(numbers: Any) -> None:
    assert prove(numbers, "at_the_edge").counts["equal"] == 1
    numbers.edit("new.py", "< 0,", "<= 0,")
    first = prove(numbers, "at_the_edge").first
    assert first is not None
    assert (first.place, first.legacy, first.new) == ('returns["hits"]', "1", "2")
