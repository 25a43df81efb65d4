"""The cases take every branch of the modules being retired that a call can take; those that none can are listed, with the reason.

Measured on the cases as they are written; the variants that the harness derives come on top.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lossport.project.config import find_project
from tests import warm
from tests.legacy.recording import stands

ROOT = Path(__file__).resolve().parents[2]
PROJECT = find_project(ROOT)
PACKAGE = PROJECT.legacy.name

REACHED = 95.0
"""Per cent of all branches, those that no call can take included."""

ON_ANOTHER_DEVICE = "only features on another device than the loss: on one device there is none"
IN_DEBUG = "only where the application logs at DEBUG; it says the shapes once more"
DEFAULT_TARGETS = "a helper of forward, which always gives the targets"

UNREACHABLE: dict[str, tuple[tuple[str, int, str], ...]] = {
    "barlow_twins_loss": (
        ("BarlowTwinsLoss.project: if next(self.vision_projection.parameters()).device", 1, ON_ANOTHER_DEVICE),
    ),
    "clip_style_loss": (
        ("CLIPStyleLoss._compute_recall_at_k: if v2t_targets is None:", 1, DEFAULT_TARGETS),
        ("CLIPStyleLoss._compute_recall_at_k: if t2v_targets is None:", 1, DEFAULT_TARGETS),
    ),
    "contrastive_loss": (
        ("ContrastiveLoss.project: if next(self.vision_projection.parameters()).device", 1, ON_ANOTHER_DEVICE),
        ("ContrastiveLoss.forward: if logger.isEnabledFor(logging.DEBUG):", 1, IN_DEBUG),
        ("ContrastiveLoss.update_global_embeddings: if len(indices) > 0:", 1, "the maximum of no indices has raised before"),
    ),
    "contrastive_learning": (("MultiModalMixedContrastiveLoss.forward: ", 14, "cl-1: its constructor always raises NameError"),),
    "decorrelation_loss": (
        ("DecorrelationLoss._compute_covariance: if batch_size <= 1:", 1, "forward never asks for that of so few rows"),
    ),
    "decoupled_contrastive_loss": (
        ("DecoupledContrastiveLoss.forward: if batch_size > 0:", 1, "an empty batch has returned long before"),
    ),
    "hybrid_pretrain_vicreg_loss": (
        ("HybridPretrainVICRegLoss.forward: if not self.transition_complete:", 1, "what ends the first phase completes it, too"),
    ),
    "loss_factory": (
        ("SimpleContrastiveLoss.forward: if len(candidates) > 0:", 2, "where a row has none, the diagonal has been added"),
    ),
    "memory_queue_contrastive_loss": (
        ("MemoryQueueContrastiveLoss._update_queue: if not self.initialized:", 1, "both callers have made the queues before"),
        ("MemoryQueueContrastiveLoss.forward: elif self.vision_queue.device != device:", 1, ON_ANOTHER_DEVICE),
    ),
    "multimodal_mixed_contrastive_loss": (
        ("MultiModalMixedContrastiveLoss.project: if next(self.vision_projection", 1, ON_ANOTHER_DEVICE),
        ("MultiModalMixedContrastiveLoss.forward: if logger.isEnabledFor(logging.DEBUG):", 1, IN_DEBUG),
        ("MultiModalMixedContrastiveLoss._compute_recall_at_k: if v2t_targets is None:", 1, DEFAULT_TARGETS),
        ("MultiModalMixedContrastiveLoss._compute_recall_at_k: if t2i_targets is None:", 1, DEFAULT_TARGETS),
    ),
    "supervised_contrastive_loss": (
        (
            "SupervisedContrastiveLoss.forward: if labels.dim() == 2",
            3,
            "several labels a row have raised before: no mask is set",
        ),
    ),
}
"""By module: how the place begins, how many branches there no call can take, and why."""

MODULES = {module.rpartition(".")[2]: loss.name for loss in PROJECT.losses() for module in loss.modules}
"""All modules, with their losses."""

STANDING = {module: name for module, name in MODULES.items() if stands(ROOT, PACKAGE, module)}
"""Those that are still what they were. One that is retired took its branches along."""


@pytest.fixture(scope="module")
def measured(once: Callable[[str, Callable[[Path], object]], Path]) -> dict[str, Any]:
    """What all cases reach, by module; one process for all."""
    folder = once("reach", lambda folder: (folder / "found.json").write_text(reach(), encoding="utf-8"))
    found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return {name.rpartition(".")[2]: item for name, item in found.items()}


def reach() -> str:
    program = str(Path(__file__).with_name("reach.py"))
    done = warm.run(program, str(ROOT), *sorted(set(STANDING.values())), cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("module", sorted(STANDING))
def test_the_cases_take_every_branch_that_a_call_can_take(measured: dict[str, Any], module: str) -> None:
    listed = UNREACHABLE.get(module, ())
    missed = Counter(measured[module]["missed"])
    assert {place: sum(n for text, n in missed.items() if text.startswith(place)) for place, _, _ in listed} == {
        place: count for place, count, _ in listed
    }
    assert [text for text in missed if not any(text.startswith(place) for place, _, _ in listed)] == []


@pytest.mark.slow
@pytest.mark.skipif(STANDING != MODULES, reason="modules are retired: those that stand are judged one by one")
def test_the_cases_take_nearly_all_branches_there_are(measured: dict[str, Any]) -> None:
    whole = sum(measured[module]["branches"] for module in STANDING)
    missed = sum(len(measured[module]["missed"]) for module in STANDING)
    assert whole > 0
    assert 100 * (whole - missed) / whole >= REACHED


def test_every_unreachable_branch_has_its_module_and_its_reason() -> None:
    assert UNREACHABLE.keys() <= MODULES.keys()
    assert all(reason and count > 0 for places in UNREACHABLE.values() for _, count, reason in places)
