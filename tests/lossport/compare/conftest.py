"""An invented project with one old loss and three ways to write it anew: right, wrong in one number, and as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossport.project.config import Project, find_project

OLD = """\
import torch
import torch.nn as nn


class TripletLoss(nn.Module):
    def __init__(self, margin=0.5):
        super().__init__()
        self.margin = margin

    def forward(self, anchor, positive, negative):
        near = (anchor - positive).pow(2).sum(1)
        far = (anchor - negative).pow(2).sum(1)
        loss = torch.clamp(near - far + self.margin, min=0).mean()
        return {"loss": loss, "near": near.mean().item()}
"""

PORT = """\
from lossport.port import Port, Rename, number, tensor

PORTS = (
    Port(
        legacy="old_losses.triplet.TripletLoss",
        new="fresh.TripletLoss",
        parameters=(Rename("margin", "gap"),),
        returns=(tensor("loss"), number("near")),
    ),
)
"""

CASES = """\
from old_losses.triplet import TripletLoss
from lossport.inputs import Inputs


def plain(inputs: Inputs):
    criterion = TripletLoss(margin=1.0)
    parts = [inputs.features(6, 4, name=name) for name in ("anchor", "positive", "negative")]
    yield criterion(*parts)


def without_margin(inputs: Inputs):
    criterion = TripletLoss(0.0)
    parts = [inputs.features(6, 4, name=name) for name in ("anchor", "positive", "negative")]
    yield criterion(*parts)
"""

NEW = """\
import torch
from torch import nn


class TripletLoss(nn.Module):
    def __init__(self, gap=0.5):
        super().__init__()
        self.gap = gap

    def forward(self, anchor, positive, negative):
        near = (anchor - positive).pow(2).sum(1)
        far = (anchor - negative).pow(2).sum(1)
        if self.gap > 100:
            raise ValueError("too large a gap")
        return {"loss": torch.clamp(near - far + self.gap, min=0).mean(), "near": near.mean().detach()}
"""

SECOND = """\
from ways.right.loss import TripletLoss


class HalfTripletLoss(TripletLoss):
    def forward(self, anchor, positive, negative):
        return super().forward(anchor / 2, positive / 2, negative / 2)
"""

TESTS = """\
import pytest
import torch

from ways.kept import loss as kept
from ways.right import loss as right
from ways.wrong import loss as wrong


@pytest.mark.parametrize("way", [kept, right, wrong], ids=["kept", "right", "wrong"])
def test_a_loss_is_a_number(way):
    assert way.TripletLoss()(*torch.randn(3, 4, 2))["loss"] >= 0
"""

PATCH = """\
--- a/ways/right/loss.py
+++ b/ways/right/loss.py
@@ -3,7 +3,7 @@


 class TripletLoss(nn.Module):
-    def __init__(self, gap=0.5):
+    def __init__(self, gap=0.5, squared=True):
         super().__init__()
         self.gap = gap

""".replace("\n\n", "\n \n")

CONFIGURATION = """\
[tool.lossport]
legacy = "old_losses"
new = "fresh"
ports = "ports"
cases = "cases"
goldens = "goldens"

[[tool.lossport.options]]
name = "right"
title = "as it should be"
path = "ways/right"
loss = "triplet"
new = "ways.right.loss.TripletLoss"
second = ["ways/right/half.py"]
change = "ways/right.patch"
tests = ["tests/test_ways.py"]

[[tool.lossport.options]]
name = "wrong"
path = "ways/wrong"
loss = "triplet"
new = "ways.wrong.loss.TripletLoss"
change = "ways/right.patch"
tests = ["tests/test_ways.py"]

[[tool.lossport.options]]
name = "kept"
path = "ways/kept/loss.py"
loss = "triplet"
new = "ways.kept.loss.TripletLoss"
interface = "legacy"
tests = ["tests/test_ways.py"]
"""

FILES = {
    "pyproject.toml": CONFIGURATION,
    "old_losses/__init__.py": "",
    "old_losses/triplet.py": OLD,
    "ports/triplet.py": PORT,
    "cases/triplet.py": CASES,
    "ways/__init__.py": "",
    "ways/right/__init__.py": "",
    "ways/right/loss.py": NEW,
    "ways/right/half.py": SECOND,
    "ways/right.patch": PATCH,
    "ways/wrong/__init__.py": "",
    "ways/wrong/loss.py": NEW.replace("def __init__(self, gap=0.5):", "def __init__(self, gap=0.5, unused=None):").replace(
        "near - far + self.gap", "near - far + 1.5 * self.gap"
    ),
    "ways/kept/__init__.py": "",
    "ways/kept/loss.py": OLD,
    "tests/test_ways.py": TESTS,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project's folder, inside a larger one."""
    folder = tmp_path / "larger" / "project"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def project(root: Path) -> Project:
    return find_project(root)
