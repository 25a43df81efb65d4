"""Random losses whose stream differs are compared by distribution; a search goes beyond the derived variants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lossport import evidence
from lossport.judge.distribution import critical_distance, detectable, distance

OLD = """\
import torch
from torch import nn


class NoisyLoss(nn.Module):
    def forward(self, left):
        noise = torch.randn(left.shape[0])
        return {"loss": left.sum() + noise.mean(), "rows": left.shape[0]}
"""
NEW = OLD.replace("NoisyLoss", "Noisy").replace("torch.randn(left.shape[0])", "torch.randn(2, left.shape[0])[1]")
PORT = """\
from lossport.port import Port
PORTS = (Port(legacy="old_losses.noisy.NoisyLoss", new="fresh.noisy.Noisy", random={random!r}, random_reason="drawn at once"),)
"""
CASES = """\
from old_losses.noisy import NoisyLoss


def plain(inputs):
    yield NoisyLoss()(inputs.features(8, 3))
"""
REWRITTEN = CASES.replace("old_losses.noisy", "fresh.noisy").replace("NoisyLoss", "Noisy")


def noisy(made: Any, new: str = NEW, random: str = "distribution", cache: Path | None = None) -> Any:
    made.write("old_losses/noisy.py", OLD)
    made.write("fresh/noisy.py", new)
    made.write("migration/ports/noisy.py", PORT.format(random=random))
    made.write("migration/cases/noisy.py", CASES)
    loss = made.project.loss("noisy")
    golden = evidence.record(made.project, loss)
    return evidence.prove(made.project, loss, golden, REWRITTEN, "cpu", extent="none", cache=cache)


def test_another_stream_of_the_same_distribution_passes_with_the_test_told(made: Any) -> None:
    proof = noisy(made)
    assert proof.passed, proof.explanation()
    assert proof.verdicts[0].kind == "close"
    assert "Kolmogorov-Smirnov over 400 seeds" in proof.verdicts[0].reason
    assert "is missed once in 100" in proof.verdicts[0].reason


@pytest.mark.parametrize(
    "sign", ["<", pytest.param(">", marks=pytest.mark.full(reason="400 seeds, twice; the other sign runs every time"))]
)
def test_a_verdict_by_distribution_is_never_taken_from_memory(made: Any, tmp_path: Any, sign: str) -> None:
    """With one of the two signs the seeds of a warm run show the same bits as before, and others do not."""
    assert noisy(made, cache=tmp_path / "cache").passed
    skewed = NEW.replace("noise.mean()", f"(noise.mean() * (9 if noise.mean() {sign} 0 else 1))")
    assert not noisy(made, skewed, cache=tmp_path / "cache").passed


def test_another_stream_fails_where_the_port_promises_the_same_one(made: Any) -> None:
    assert not noisy(made, random="stream").passed


def test_noise_of_another_width_fails(made: Any) -> None:
    proof = noisy(made, NEW.replace("noise.mean()", "4 * noise.mean()"))
    assert not proof.passed
    assert "Kolmogorov-Smirnov" in proof.verdicts[0].findings[0].detail


def test_a_difference_that_no_seed_explains_fails(made: Any) -> None:
    proof = noisy(made, NEW.replace('"rows": left.shape[0]', '"rows": left.shape[0] + 1'))
    assert {item.place for item in proof.verdicts[0].findings} == {'returns["rows"]'}


def test_the_stated_power_holds() -> None:
    torch.manual_seed(0)
    critical = critical_distance(1)
    assert 0 < critical < detectable(critical) < 0.5
    same = [distance(torch.randn(400), torch.randn(400)) for _ in range(200)]
    assert max(same) <= critical
    shift = 2 * torch.distributions.Normal(0, 1).icdf(torch.tensor((1 + detectable(critical)) / 2)).item()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    apart = [distance(torch.randn(400), torch.randn(400) + shift) for _ in range(200)]
    assert sum(item > critical for item in apart) >= 198


def test_a_search_finds_what_the_variants_do_not(made: Any) -> None:
    pytest.importorskip("hypothesis")
    made.edit(
        "fresh/pairs.py",
        "(logits.argmax(1) == labels)",
        "(logits.argmax(1) == labels.flip(0) if labels.shape[0] == 3 else logits.argmax(1) == labels)",
    )
    assert made.prove(extent="chosen").counts["different"] == 0
    found = evidence.search(made.project, made.loss, made.record(), made.rewritten, 20.0)
    assert not found.passed
    assert found.finding is not None
    assert "hits@1" in found.finding.place or "returns" in found.finding.place


def test_a_search_on_a_right_loss_finds_nothing_and_keeps_to_its_time(made: Any) -> None:
    pytest.importorskip("hypothesis")
    found = evidence.search(made.project, made.loss, made.record(), made.rewritten, 3.0)
    assert found.passed, found.finding
    assert found.runs > 0
    assert "no difference" in found.headline
