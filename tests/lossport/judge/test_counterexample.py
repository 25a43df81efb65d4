"""A difference is made small, and its lines run by themselves and show it."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest

from tests import warm


def run(made: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    return warm.run(*arguments, cwd=made.root)


def test_the_smallest_input_of_a_wrong_temperature_is_two_rows_of_one_number(made: Any) -> None:
    made.edit("fresh/pairs.py", "right.t()) / self.temperature", "right.t()) * self.temperature")
    proof = made.prove()
    assert proof.counterexample.words == "batch 2, dim 1, 1 step"
    assert "  smallest input that still differs: batch 2, dim 1, 1 step" in proof.explanation()


def test_values_are_rounded_to_what_can_be_read(made: Any) -> None:
    made.edit("fresh/pairs.py", "right.t()) / self.temperature", "right.t()) * self.temperature")
    lines = made.prove().counterexample.lines
    assert "vision = torch.tensor([[1.0], [-1.0]], requires_grad=True)" in lines


def test_options_that_do_not_matter_are_left_out(made: Any) -> None:
    made.edit("fresh/pairs.py", "label_smoothing=self.smoothing", "label_smoothing=0.9 * self.smoothing")
    lines = made.prove().counterexample.lines
    assert "legacy = PairLoss(smoothing=0.1)" in lines
    assert "new = Pairs(smoothing=0.1)" in lines


def test_an_option_whose_default_is_the_fault_is_kept(made: Any) -> None:
    made.edit("fresh/pairs.py", "temperature=0.1,", "temperature=0.3,")
    proof = made.prove(only=["smoothed", "three_steps"])
    assert proof.passed
    proof = made.prove(only=["diagonal"])
    assert "new = Pairs()" in proof.counterexample.lines


def test_steps_after_the_difference_are_cut_off(made: Any) -> None:
    made.edit("fresh/pairs.py", "self.calls += 1", "self.calls += 1 if self.calls != 1 else 2")
    proof = made.prove(only=["three_steps"])
    assert "2 steps" in proof.counterexample.words


def test_the_lines_run_when_pasted_and_show_both_values(made: Any) -> None:
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    counterexample = made.prove().counterexample
    done = run(made, "-c", "\n".join(counterexample.lines))
    assert done.returncode == 0, done.stderr
    legacy, new = done.stdout.splitlines()
    assert legacy.split()[0] == "legacy"
    assert legacy.split()[1] != new.split()[1]


def test_gradients_are_shown_where_these_differ(made: Any) -> None:
    made.edit("fresh/pairs.py", "functional.normalize(left, dim=1)", "functional.normalize(left.detach(), dim=1)")
    done = run(made, "-c", "\n".join(made.prove().counterexample.lines))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split() == ["new", "None"]


def test_the_lines_run_after_the_legacy_file_is_gone(made: Any) -> None:
    golden = made.record()
    golden.write(made.loss.golden_file)
    shutil.rmtree(made.root / "old_losses")
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    lines = made.prove(golden).counterexample.lines
    assert 'PairLoss = revive("migration/goldens/pairs.safetensors", "old_losses.pairs.PairLoss")' in lines
    done = run(made, "-c", "\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert len(set(line.split()[1] for line in done.stdout.splitlines())) == 2


def test_a_saved_test_fails_until_the_loss_is_mended(made: Any) -> None:
    golden = made.record()
    golden.write(made.loss.golden_file)
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    path = made.prove(golden).counterexample.save(made.root / "found")
    assert path.name == "test_pairs_diagonal.py"
    shutil.rmtree(made.root / "old_losses")
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(made.root), str(path))
    made.write("conftest.py", "")
    failed = run(made, *command)
    assert failed.returncode == 1, failed.stdout
    assert "Mismatched elements" in failed.stdout or "Scalars are not close" in failed.stdout
    made.edit("fresh/pairs.py", "loss = forward\n", "loss = (forward + backward) / 2\n")
    assert run(made, *command).returncode == 0


def test_what_cannot_be_told_as_plain_calls_runs_the_case(made: Any) -> None:
    made.edit("fresh/pairs.py", "labels = torch.arange", "torch.rand(1); labels = torch.arange")
    counterexample = made.prove().counterexample
    assert any("replay(project" in line for line in counterexample.lines)
    made.record().write(made.loss.golden_file)
    made.write("pyproject.toml", '[tool.lossport]\nlegacy = "old_losses"\nnew = "fresh"\n')
    shutil.rmtree(made.root / "old_losses")
    done = run(made, "-c", "\n".join(counterexample.lines))
    assert done.returncode == 0, done.stderr
    assert "random.torch" in done.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "shown"),
    [
        ("(forward + backward) / 2", "(forward + backward) / 2 * (1 + 3e-6)", "new    tensor("),
        ("forward.detach()", "forward * 1", "expected a detached tensor"),
        ('"loss": loss,', '"loss": loss.double(),', "dtype=torch.float64"),
        ("raise ValueError(f", "raise RuntimeError(f", "another exception"),
        ("self.calls += 1", "self.calls += 2", "attributes[calls]"),
        ("return {\n", "from collections import OrderedDict\n        return OrderedDict() | {\n", "collections.OrderedDict"),
    ],
)
def test_lines_and_saved_test_show_differences_of_every_kind(made: Any, right: str, wrong: str, shown: str) -> None:
    golden = made.record()
    golden.write(made.loss.golden_file)
    made.write("pyproject.toml", '[tool.lossport]\nlegacy = "old_losses"\nnew = "fresh"\n')
    made.write("conftest.py", "")
    made.edit("fresh/pairs.py", right, wrong)
    counterexample = made.prove(golden).counterexample
    done = run(made, "-c", "\n".join(counterexample.lines))
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    shutil.rmtree(made.root / "old_losses")
    path = counterexample.save(made.root / "found")
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(made.root), str(path))
    assert run(made, *command).returncode == 1
    made.edit("fresh/pairs.py", wrong, right)
    mended = run(made, *command)
    assert mended.returncode == 0, mended.stdout


def test_a_smaller_input_does_not_slip_into_a_declared_difference(made: Any) -> None:
    made.edit(
        "old_losses/pairs.py",
        "loss = (forward + backward) / 2",
        "loss = (forward + backward) / 2 + (7 if left.shape[0] == 1 else 0)",
    )
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    made.port('divergence("pairs-1", "one row", cases="*@batch-1"),')
    assert made.prove().counterexample.words.startswith("batch 2")


@pytest.mark.parametrize("extent", ["chosen", "all"])
def test_a_difference_in_a_variant_is_made_small_too(made: Any, extent: str) -> None:
    made.edit("fresh/pairs.py", "labels = torch.arange", "logits = logits.float(); labels = torch.arange")
    proof = made.prove(extent=extent)
    assert not proof.passed
    assert "@float64" in proof.first.case or "@" in proof.first.case
    assert proof.counterexample is not None


def test_a_mistake_of_ours_while_an_input_is_made_small_is_told(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("steps")

    monkeypatch.setattr("lossport.evidence.proving.shrink", broken)
    made.edit("fresh/pairs.py", "right.t()) / self.temperature", "right.t()) * self.temperature")
    proof = made.prove()
    assert proof.counterexample is None
    assert not proof.passed
    assert "no smaller input that differs was found: KeyError: 'steps' (test_counterexample.py:" in "\n".join(proof.notes)
