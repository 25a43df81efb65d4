"""An invented project in a temporary folder: an old package with a loss, a new package, a port and cases in both forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lossport import evidence
from lossport.project.config import Loss, Project, parse_project

if TYPE_CHECKING:
    from lossport.evidence import Golden, Proof

OLD_PAIRS = '''\
import logging
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

from old_losses.scaling import scaled

logger = logging.getLogger(__name__)


class PairLoss(nn.Module):
    """Symmetric cross entropy of pairs, the way it was written first."""

    def __init__(self, T=0.1, smoothing=0.0, verbose=False, momentum=0.9):
        super().__init__()
        self.T = T
        self.smoothing = smoothing
        self.verbose = verbose
        self.momentum = momentum
        self.calls = 0
        self._cache = {}
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.register_buffer("running", torch.zeros(1))

    def forward(self, left, right, keep=None):
        if left.shape[0] != right.shape[0]:
            raise ValueError(f"batches differ: {left.shape[0]} and {right.shape[0]}")
        if left.shape[0] == 0:
            return {"loss": torch.tensor(0.0)}
        if self.verbose:
            print("computing")
        left = F.normalize(left, dim=1)
        right = F.normalize(right, dim=1)
        logits = scaled(left, right, self.T) * torch.exp(self.log_scale)
        if keep is not None:
            logits = logits.masked_fill(~keep, -1e4)
        labels = torch.arange(logits.shape[0])
        forward = F.cross_entropy(logits, labels, label_smoothing=self.smoothing)
        backward = F.cross_entropy(logits.t(), labels, label_smoothing=self.smoothing)
        loss = (forward + backward) / 2
        with torch.no_grad():
            self.running = self.momentum * self.running + (1 - self.momentum) * loss.detach()
            hits = (logits.argmax(1) == labels).float().mean().item()
            first = hits
        self.calls += 1
        return {"loss": loss, "forward_loss": forward.item(), "stats": {"hits@1": first, "rows": logits.shape[0]}}


def pick(features, count):
    """Rows drawn at random."""
    order = torch.randperm(features.shape[0])[:count]
    return features[order]
'''

OLD_SCALING = """\
import torch


def scaled(left, right, temperature):
    return torch.matmul(left, right.t()) / temperature
"""

NEW_PAIRS = '''\
import torch
from torch import nn
from torch.nn import functional


class Pairs(nn.Module):
    """Symmetric cross entropy of pairs."""

    def __init__(self, temperature=0.1, smoothing=0.0, momentum=0.9):
        super().__init__()
        self.temperature = temperature
        self.smoothing = smoothing
        self.momentum = momentum
        self.calls = 0
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.register_buffer("running_loss", torch.zeros(1))

    def forward(self, left, right, keep=None):
        if left.shape[0] != right.shape[0]:
            raise ValueError(f"expected equal batches, found {tuple(left.shape)} and {tuple(right.shape)}")
        if left.shape[0] == 0:
            return {"loss": torch.tensor(0.0)}
        left = functional.normalize(left, dim=1)
        right = functional.normalize(right, dim=1)
        logits = torch.matmul(left, right.t()) / self.temperature * torch.exp(self.log_scale)
        if keep is not None:
            logits = logits.masked_fill(~keep, -1e4)
        labels = torch.arange(logits.shape[0])
        forward = functional.cross_entropy(logits, labels, label_smoothing=self.smoothing)
        backward = functional.cross_entropy(logits.t(), labels, label_smoothing=self.smoothing)
        loss = (forward + backward) / 2
        with torch.no_grad():
            self.running_loss = self.momentum * self.running_loss + (1 - self.momentum) * loss.detach()
            hits = (logits.argmax(1) == labels).float().mean()
        self.calls += 1
        return {
            "loss": loss,
            "forward_loss": forward.detach(),
            "hits@1": hits,
            "rows": torch.tensor(logits.shape[0]),
        }


def draw_rows(features, count):
    """Rows drawn at random."""
    return features[torch.randperm(features.shape[0])[:count]]
'''

PORT = """\
from lossport.port import Port, divergence, drop, number, rename, tensor

PORTS = (
    Port(
        legacy="old_losses.pairs.PairLoss",
        new="fresh.Pairs",
        parameters=(rename("T", "temperature"), drop("verbose", reason="it only prints")),
        returns=(tensor("loss"), number("forward_loss"), number("stats.hits@1", "hits@1"), number("stats.rows", "rows")),
        attributes=(rename("T", "temperature"),),
        state=(rename("running", "running_loss"),),
        divergences=(DIVERGENCES),
    ),
    Port(legacy="old_losses.pairs.pick", new="fresh.draw_rows"),
)
"""

CASES = """\
import torch

from old_losses.pairs import PairLoss, pick
from lossport.inputs import Inputs


def diagonal(inputs: Inputs):
    criterion = PairLoss()
    left, right = inputs.paired(batch=6, dim=8)
    yield criterion(left, right)


def smoothed(inputs: Inputs):
    criterion = PairLoss(0.2, smoothing=0.1, verbose=True)
    left, right = inputs.paired(batch=6, dim=8)
    yield criterion(left, right)


def three_steps(inputs: Inputs):
    criterion = PairLoss(T=0.5)
    for _ in range(3):
        left, right = inputs.paired(batch=5, dim=4)
        yield criterion(left, right, keep=inputs.mask(5, 5) | torch.eye(5, dtype=torch.bool))


def reads_keys(inputs: Inputs):
    out = PairLoss()(*inputs.paired(batch=4, dim=3))
    yield out["loss"], out["stats"]["hits@1"]


def batches_that_differ(inputs: Inputs):
    PairLoss()(inputs.features(4, 3), inputs.features(3, 3))


def rows_at_random(inputs: Inputs):
    return pick(inputs.features(6, 3), 2)


def _not_a_case(inputs):
    raise AssertionError
"""

REWRITTEN = (
    CASES.replace("from old_losses.pairs import PairLoss, pick", "from fresh import Pairs, draw_rows")
    .replace("PairLoss(0.2, smoothing=0.1, verbose=True)", "Pairs(0.2, smoothing=0.1)")
    .replace("PairLoss(T=0.5)", "Pairs(temperature=0.5)")
    .replace("PairLoss()", "Pairs()")
    .replace('out["stats"]["hits@1"]', 'out["hits@1"].item()')
    .replace("pick(", "draw_rows(")
)


@dataclass
class Made:
    """The invented project, with shortcuts to record and prove."""

    project: Project
    root: Path
    rewritten: str = REWRITTEN

    @property
    def loss(self) -> Loss:
        return self.project.loss("pairs")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def port(self, divergences: str = "") -> None:
        self.write("migration/ports/pairs.py", PORT.replace("DIVERGENCES", divergences))

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        self.write(name, text.replace(old, new))

    def cases(self, text: str, rewritten: str) -> None:
        self.write("migration/cases/pairs.py", text)
        self.rewritten = rewritten

    def record(self) -> Golden:
        return evidence.record(self.project, self.loss, rewritten=self.rewritten)

    def prove(self, golden: Golden | None = None, device: str = "cpu", **options: object) -> Proof:
        options.setdefault("extent", "none")
        return evidence.prove(self.project, self.loss, golden or self.record(), self.rewritten, device, **options)  # type: ignore[arg-type]


def build(root: Path) -> Made:
    made = Made(parse_project(root, {"legacy": "old_losses", "new": "fresh"}), root)
    made.write("old_losses/__init__.py", "")
    made.write("old_losses/pairs.py", OLD_PAIRS)
    made.write("old_losses/scaling.py", OLD_SCALING)
    made.write("fresh/__init__.py", "from fresh.pairs import Pairs, draw_rows\n")
    made.write("fresh/pairs.py", NEW_PAIRS)
    made.write("migration/cases/pairs.py", CASES)
    made.port()
    return made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return build(tmp_path)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Made]:
    return lambda name: build(tmp_path / name)
