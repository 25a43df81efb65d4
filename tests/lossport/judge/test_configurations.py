"""Every construction in the tree becomes a case, or is named."""

from __future__ import annotations

from typing import Any

from lossport import evidence
from lossport.judge.configurations import constructions

TRAINING = """\
from old_losses import pairs
from old_losses.pairs import PairLoss

SCALE = 0.3
criterion = PairLoss(T=0.25, smoothing=0.2)
again = pairs.PairLoss(T=0.25, smoothing=0.2)
other = PairLoss(SCALE)
known = PairLoss(T=0.5)


def build(options, rate):
    return PairLoss(**options), PairLoss(smoothing=rate)
"""


def recorded(made: Any) -> Any:
    return evidence.record(made.project, made.loss, built=constructions(made.project, [made.loss]))


def test_each_distinct_construction_becomes_one_case(made: Any) -> None:
    made.write("train.py", TRAINING)
    golden = recorded(made)
    added = [name for name in golden.cases if name.startswith("configuration_")]
    assert added == ["configuration_1", "configuration_2"]
    assert "As built in train.py:5." in golden.header.cases
    assert "PairLoss(T=0.25, smoothing=0.2)" in golden.header.cases
    assert "PairLoss(0.3)" in golden.header.cases


def test_what_cannot_be_derived_is_named_with_its_place(made: Any) -> None:
    made.write("train.py", TRAINING)
    missing = recorded(made).not_derived
    assert len(missing) == 2
    assert all(item.startswith("train.py:12: arguments that are no literals") for item in missing)


def test_a_configuration_that_the_new_loss_gets_wrong_fails(made: Any) -> None:
    made.write("train.py", "from old_losses.pairs import PairLoss\ncriterion = PairLoss(momentum=0.5)\n")
    made.edit("fresh/pairs.py", "self.momentum = momentum", "self.momentum = 0.9")
    golden = recorded(made)
    rewritten = made.rewritten + golden.header.cases.split("reads_keys", 1)[1].split("\n\n\n")[-1].replace("PairLoss", "Pairs")
    assert "configuration_1" in rewritten
    proof = evidence.prove(made.project, made.loss, golden, rewritten, "cpu", extent="none")
    assert {item.case for item in proof.failures} == {"configuration_1"}


def test_a_construction_that_does_not_run_with_the_template_is_named(made: Any) -> None:
    made.write("train.py", "from old_losses.pairs import PairLoss\ncriterion = PairLoss(T='cold')\n")
    golden = recorded(made)
    assert not [name for name in golden.cases if name.startswith("configuration_")]
    assert "does not fit the case" in golden.not_derived[0]
    assert golden.not_derived[0].startswith("train.py:2")


def test_a_tree_without_call_sites_adds_nothing(made: Any) -> None:
    golden = recorded(made)
    assert golden.header.cases == (made.root / "migration/cases/pairs.py").read_text()
    assert golden.not_derived == ()
