"""Divergences say what differs and no more: an exception says it all, and a declaration that is wider than it need be is told."""

from __future__ import annotations

from typing import Any

LATE = "raise ValueError(f"
CHECK = """\
        if left.shape[0] != right.shape[0]:
            raise ValueError(f"expected equal batches, found {tuple(left.shape)} and {tuple(right.shape)}")
"""


def places(proof: Any) -> set[str]:
    return {finding.place for verdict in proof.verdicts for finding in verdict.findings}


def test_where_one_side_alone_raises_that_is_all_that_differs(made: Any) -> None:
    """What the other one went on to do - a call counted, an average moved - has no counterpart."""
    made.edit("fresh/pairs.py", CHECK, "        right = right[: left.shape[0]].repeat(2, 1)[: left.shape[0]]\n")
    made.port("""divergence("pairs-1", "unequal batches are cut", cases="batches_that_differ", places="raises"),""")
    proof = made.prove()
    assert proof.passed, proof.explanation()
    assert places(proof) == {"raises"}


def test_where_both_raise_the_number_of_losses_tells_which_was_earlier(made: Any) -> None:
    case = "\n\ndef unknown(inputs):\n    CLASS(smoothing=2.0)(*inputs.paired(batch=4, dim=3))\n"
    text = (made.root / "migration/cases/pairs.py").read_text(encoding="utf-8")
    made.cases(text + case.replace("CLASS", "PairLoss"), made.rewritten + case.replace("CLASS", "Pairs"))
    made.edit(
        "old_losses/pairs.py",
        "        if left.shape[0] != right",
        "        if self.smoothing > 1:\n            raise ValueError('smoothing')\n        if left.shape[0] != right",
    )
    made.edit(
        "fresh/pairs.py",
        "        self.calls = 0",
        "        if smoothing > 1:\n            raise ValueError('smoothing is above 1')\n        self.calls = 0",
    )
    proof = made.prove()
    assert [item.case for item in proof.failures] == ["unknown"]
    assert places(proof) == {"instances"}


def test_state_that_a_failed_call_left_behind_is_compared_where_both_raise(made: Any) -> None:
    made.edit("fresh/pairs.py", "            raise ValueError(f", "            self.calls += 5\n            raise ValueError(f")
    assert places(made.prove()) == {"attributes[calls]"}


def test_a_divergence_for_every_place_is_told_with_where_it_shows(made: Any) -> None:
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    made.port("""divergence("pairs-1", "one direction", cases="*"),""")
    proof = made.prove()
    assert proof.passed, proof.explanation()
    (note,) = proof.notes
    assert note.startswith("divergence pairs-1 speaks for every place and hides whatever else differs; it shows at returns")


def test_patterns_that_nothing_shows_are_told(made: Any) -> None:
    made.edit("fresh/pairs.py", '"loss": loss,', '"loss": loss, "extra": hits.clone(),')
    made.port(
        """divergence("pairs-1", "one entry more", cases=("diagonal", "smoothed", "three_steps", "rows_*", "gone"),
        places=('returns["extra"]', "raises")),"""
    )
    golden = made.record()
    assert made.prove(golden, extent="chosen").notes == ()
    assert made.prove(golden, extent="all").notes == (
        "divergence pairs-1: nothing shows it for rows_*",
        "divergence pairs-1: nothing shows it for gone",
        "divergence pairs-1: nothing shows it for raises",
    )
