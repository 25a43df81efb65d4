"""A right new loss passes, a wrong one does not, and a declared difference passes only where it is declared."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import pytest
import torch

from lossport.evidence import Fingerprint
from lossport.project.errors import InputError


def test_a_loss_that_does_the_same_is_equal_in_every_case(made: Any) -> None:
    proof = made.prove()
    assert proof.passed
    assert proof.headline == "6 equal"
    assert proof.explanation() == []


def test_another_order_of_operations_is_close_and_its_error_is_told(made: Any) -> None:
    made.edit(
        "fresh/pairs.py", "torch.matmul(left, right.t()) / self.temperature", "torch.matmul(left / self.temperature, right.t())"
    )
    proof = made.prove()
    assert proof.passed, proof.explanation()
    assert proof.counts["close"] == 3
    assert "3 close, at most" in proof.headline
    assert all(verdict.ulp > 0 for verdict in proof.verdicts if verdict.kind == "close")


NOTHING_BUT_ROUNDING = """
from old_losses.pairs import pick


def nothing_but_rounding(inputs):
    return pick(inputs.features(64, 1), 2)
"""


def test_one_element_that_is_zero_in_the_first_samples_is_judged_by_all_of_them(made: Any) -> None:
    """Where equal terms cancel, an element is often exactly zero: in the legacy run, in float64, and in a sample or two."""
    made.cases(NOTHING_BUT_ROUNDING, NOTHING_BUT_ROUNDING.replace("old_losses.pairs", "fresh").replace("pick", "draw_rows"))
    made.edit("old_losses/pairs.py", "return features[order]", "return features / 3 * 3 - features")
    made.edit("fresh/pairs.py", "features[torch.randperm(features.shape[0])[:count]]", "features * 0.7 / 0.7 - features")
    made.edit("old_losses/pairs.py", "order = torch.randperm(features.shape[0])[:count]", "")
    proof = made.prove(only=["nothing_but_rounding"])
    assert proof.passed, proof.explanation()
    assert proof.headline.startswith("1 close")


FAULTS = {
    "temperature multiplied": ("right.t()) / self.temperature", "right.t()) * self.temperature"),
    "one direction left out": ("(forward + backward) / 2", "forward"),
    "a detach too many": ("functional.normalize(left, dim=1)", "functional.normalize(left.detach(), dim=1)"),
    "smoothing mass off": (
        "(logits, labels, label_smoothing=self.smoothing)",
        "(logits, labels, label_smoothing=0.9 * self.smoothing)",
    ),
    "normalisation dropped": ("functional.normalize(right, dim=1)", "right"),
    "mask inverted": ("masked_fill(~keep", "masked_fill(keep"),
    "mask value finite but other": ("-1e4", "-1e1"),
    "state not kept": ("self.running_loss = self.momentum * self.running_loss", "self.running_loss = self.momentum * 0"),
    "state holds the graph's other loss": ("* loss.detach()", "* forward.detach()"),
    "random number drawn": ("labels = torch.arange", "torch.rand(1); labels = torch.arange"),
    "argument changed in place": ("labels = torch.arange", "keep is None or keep.fill_(True); labels = torch.arange"),
    "input changed in place": (
        "left = functional.normalize(left, dim=1)",
        "left.data.mul_(2); left = functional.normalize(left, dim=1)",
    ),
    "metric still attached": ("forward.detach()", "forward * 1"),
    "metric of another dtype": ("(logits.argmax(1) == labels).float().mean()", "(logits.argmax(1) == labels).sum()"),
    "count as a float": ("torch.tensor(logits.shape[0])", "torch.tensor(float(logits.shape[0]))"),
    "key renamed": ('"hits@1"', '"hits_at_1"'),
    "key added": ('"loss": loss,', '"loss": loss, "extra": hits.clone(),'),
    "keys in another order": (
        '"loss": loss,\n            "forward_loss": forward.detach(),',
        '"forward_loss": forward.detach(), "loss": loss,',
    ),
    "attribute that does not count": ("self.calls += 1", "pass"),
    "default changed": ("temperature=0.1", "temperature=0.11"),
    "parameter dead": ("* torch.exp(self.log_scale)", ""),
    "parameter turned into a zero gradient": (
        "* torch.exp(self.log_scale)",
        "* torch.exp(self.log_scale.detach()) + 0 * self.log_scale",
    ),
    "loss widened": ('"loss": loss,', '"loss": loss.double(),'),
    "another exception": ('raise ValueError(f"expected', 'raise RuntimeError(f"expected'),
    "exception without a message": (
        'raise ValueError(f"expected equal batches, found {tuple(left.shape)} and {tuple(right.shape)}")',
        "raise ValueError",
    ),
    "check dropped": ("if left.shape[0] != right.shape[0]:", "if False:"),
    "eps too large": ("functional.normalize(left, dim=1)", "functional.normalize(left, dim=1, eps=10.0)"),
    "sum for mean": (
        "functional.cross_entropy(logits, labels, label",
        "functional.cross_entropy(logits, labels, reduction='sum', label",
    ),
    "warning added": ("labels = torch.arange", "import warnings; warnings.warn('slow'); labels = torch.arange"),
    "left in eval mode": ("self.calls += 1", "self.calls += 1; self.eval()"),
    "other rows drawn": ("[:count]", "[-count:]"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_new_loss_does_not_get_through(made: Any, fault: str) -> None:
    made.edit("fresh/pairs.py", *FAULTS[fault])
    proof = made.prove()
    assert not proof.passed
    assert proof.counts["different"] >= 1
    assert proof.first is not None


def test_the_first_difference_shows_case_step_place_and_the_three_values(made: Any) -> None:
    made.edit("fresh/pairs.py", "right.t()) / self.temperature", "right.t()) * self.temperature")
    proof = made.prove()
    first, values, *_ = proof.explanation()
    assert first == 'diagonal · step 1 · returns["loss"]'
    words = values.split()
    assert words[0] == "legacy"
    assert words[2] == "new"
    assert words[4:7] == ["legacy", "in", "float64"]
    assert float(words[1]) == pytest.approx(float(words[7]), rel=1e-6)
    assert float(words[3]) > 1.5
    assert proof.headline == "4 of 6 cases differ"


def test_a_missing_gradient_is_told_from_a_zero_gradient(made: Any) -> None:
    made.edit("fresh/pairs.py", *FAULTS["parameter turned into a zero gradient"])
    made.edit("old_losses/pairs.py", "* torch.exp(self.log_scale)", "* torch.exp(self.log_scale.detach())")
    places = {finding.place for verdict in made.prove().failures for finding in verdict.findings}
    assert "gradients[parameter log_scale]" in places
    assert not any("returns" in place and "gradients" not in place for place in places)


DIVERGENCE = 'divergence("pairs-1", "the scale is fixed now", cases={cases!r}, places={places!r}),'


def declared(cases: object = ("*",), places: object = ("*",)) -> str:
    return DIVERGENCE.format(cases=cases, places=places)


def test_a_declared_difference_is_intended(made: Any) -> None:
    made.edit("fresh/pairs.py", "momentum=0.9", "momentum=0.8")
    made.port(declared(places=("state[running_loss]", "attributes[momentum]")))
    proof = made.prove()
    assert proof.passed, proof.explanation()
    assert proof.headline == "1 equal · 5 intended (pairs-1)"


def test_a_difference_outside_its_declared_place_fails(made: Any) -> None:
    made.edit("fresh/pairs.py", "momentum=0.9", "momentum=0.8")
    made.port(declared(places="attributes[*]"))
    proof = made.prove()
    assert not proof.passed
    assert proof.first is not None
    assert proof.first.place == "state[running_loss]"


def test_a_declared_dtype_does_not_hide_other_numbers(made: Any) -> None:
    made.edit("fresh/pairs.py", '"loss": loss,', '"loss": loss.double(),')
    made.port(declared(places="returns*"))
    assert made.prove().passed
    made.edit("fresh/pairs.py", '"loss": loss.double(),', '"loss": loss.double() + 0.1,')
    proof = made.prove()
    assert proof.first is not None
    assert proof.first.place == 'values of returns["loss"]'


def test_a_declared_graph_does_not_hide_other_numbers(made: Any) -> None:
    made.edit("fresh/pairs.py", '"loss": loss,', '"loss": loss.detach() + 1e-3,')
    made.port(declared(places=("returns*", "gradients[*]")))
    unexpected = {item.place for verdict in made.prove().failures for item in verdict.findings if not item.divergence}
    assert unexpected == {'values of returns["loss"]', "values of returns[0]"}
    made.port(declared(places=("returns*", "gradients[*]", "values of returns*")))
    assert made.prove().passed


def test_a_difference_outside_its_declared_cases_fails(made: Any) -> None:
    made.edit("fresh/pairs.py", "momentum=0.9", "momentum=0.8")
    made.port(declared(cases=("diagonal", "three*")))
    proof = made.prove()
    assert {verdict.case for verdict in proof.failures} == {"smoothed", "reads_keys", "batches_that_differ"}


def test_a_divergence_that_no_case_shows_fails(made: Any) -> None:
    made.port(declared())
    proof = made.prove()
    assert not proof.passed
    assert proof.headline == "no case shows pairs-1 any more"
    assert "remove it from the port" in proof.explanation()[0]


def test_a_case_that_differs_by_declaration_in_form_alone_is_varied_all_the_same(made: Any) -> None:
    made.edit("fresh/pairs.py", '"loss": loss,', '"loss": loss, "extra": hits.clone(),')
    made.port("""divergence("pairs-1", "one entry more", cases="*", places='returns["extra"]'),""")
    golden = made.record()
    assert made.prove(golden, extent="chosen", only=["diagonal"]).passed
    made.edit("fresh/pairs.py", "        self.calls += 1", "        self.calls += 1 if left.shape[0] != 7 else 2")
    assert [item.case for item in made.prove(golden, extent="chosen", only=["diagonal"]).failures] == ["diagonal@batch-7"]


def test_what_is_declared_for_a_case_is_declared_for_its_variants(made: Any) -> None:
    made.edit("fresh/pairs.py", '"loss": loss,', '"loss": loss, "extra": hits.clone(),')
    made.port("""divergence("pairs-1", "one entry more", cases="diagonal", places='returns["extra"]'),""")
    assert made.prove(extent="chosen", only=["diagonal"]).passed


@pytest.mark.parametrize("variant", ["batch-7", "nan"])
def test_a_variant_that_a_divergence_names_is_run_whatever_else_is_chosen(made: Any, variant: str) -> None:
    made.edit("fresh/pairs.py", '"loss": loss,', '"loss": loss, "extra": hits.clone(),')
    named = [f"smoothed@{variant}", f"reads_keys@{variant}"]
    made.port(f"""divergence("pairs-1", "one entry more", cases={("*", *named)}, places='returns["extra"]'),""")
    run = {verdict.case for verdict in made.prove(extent="chosen").verdicts}
    assert run.issuperset(named)


def test_brackets_in_a_place_pattern_are_literal(made: Any) -> None:
    made.edit("fresh/pairs.py", "(logits.argmax(1) == labels)", "(logits.argmax(1) != labels)")
    made.port(declared(places=('returns["hits@1"]', "returns[[]0[]]", "returns[1]")))
    assert made.prove().passed


def test_a_loss_that_differs_from_itself_is_not_provable(made: Any) -> None:
    made.edit(
        "old_losses/pairs.py",
        "loss = (forward + backward) / 2",
        "import os; loss = (forward + backward) / 2 + int.from_bytes(os.urandom(2), 'big')",
    )
    proof = made.prove()
    assert not proof.passed
    assert proof.counts["not provable"] == 4
    assert "not provable" in proof.headline
    assert any("differs from itself" in line for line in proof.explanation())


def test_a_proof_is_plain_json_with_its_fingerprint(made: Any) -> None:
    fingerprint = Fingerprint(legacy="a", new="b", cases="c", port="d", rewriter="1")
    made.edit("fresh/pairs.py", "momentum=0.9", "momentum=0.8")
    summary = made.prove(fingerprint=fingerprint).summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["fingerprint"]["new"] == "b"
    assert summary["counts"]["different"] == 5
    assert summary["first"]["place"] == "attributes[momentum]"
    assert summary["environment"]["torch"]


def test_a_fingerprint_says_what_changed() -> None:
    before = Fingerprint(legacy="a", new="b", cases="c", port="d", rewriter="1")
    assert before.changed(Fingerprint(legacy="a", new="x", cases="c", port="y", rewriter="1")) == (
        "the new source changed",
        "the port changed",
    )
    assert before.changed(Fingerprint(new="b")) == ()


def test_a_device_that_is_missing_is_never_passed(made: Any) -> None:
    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    proof = made.prove(device="cuda")
    assert not proof.passed
    assert proof.headline == "not run here"


def test_the_processes_random_streams_and_settings_are_left_alone(made: Any) -> None:
    torch.manual_seed(3)
    random.seed(3)
    before = torch.rand(1), random.random(), torch.get_num_threads()
    torch.manual_seed(3)
    random.seed(3)
    made.prove()
    assert (torch.rand(1), random.random(), torch.get_num_threads()) == before


def test_two_projects_of_the_same_names_do_not_meet(make: Any) -> None:
    right, wrong = make("right"), make("wrong")
    wrong.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    assert right.prove().passed
    assert not wrong.prove().passed
    assert right.prove().passed
    assert "fresh" not in sys.modules
    assert "old_losses" not in sys.modules


def test_nothing_is_written_into_the_project(made: Any) -> None:
    before = sorted(path for path in made.root.rglob("*"))
    made.prove()
    assert sorted(path for path in made.root.rglob("*")) == before


def test_a_case_file_without_cases_is_refused(made: Any) -> None:
    made.cases("from old_losses.pairs import PairLoss\n", "from fresh import Pairs\n")
    with pytest.raises(InputError, match="holds no case; expected public functions"):
        made.record()


def test_a_case_file_that_does_not_parse_is_refused_with_its_line(made: Any) -> None:
    made.cases("import torch\ndef broken(:\n", "")
    with pytest.raises(InputError, match=r"migration/cases/pairs\.py:2: not valid Python"):
        made.record()


def test_a_new_symbol_that_is_missing_is_named(made: Any) -> None:
    made.edit("fresh/__init__.py", "import Pairs, draw_rows", "import draw_rows")
    with pytest.raises(InputError, match=r"fresh\.Pairs: the module fresh has no Pairs"):
        made.prove()
