"""Losses as modules of torch: what they inherit from it, and results that became dictionaries."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossport.project.config import find_project
from lossport.rewrite import plan_rewrite

FILES = {
    "pyproject.toml": '[tool.lossport]\nlegacy = "old_losses"\nnew = "new_losses"\nports = "ports"\n',
    "old_losses/__init__.py": "",
    "old_losses/gap.py": """
import torch.nn as nn


class GapLoss(nn.Module):
    def forward(self, a, b):
        return (a - b).mean()

    def train(self, mode=True):
        return super().train(mode)

    def eval(self):
        return self.train(False)
""",
    "new_losses/__init__.py": """
import torch.nn as nn


class Gap(nn.Module):
    def forward(self, a, b):
        return {"loss": (a - b).mean()}
""",
    "ports/gap.py": """
from lossport.port import Port, tensor

PORTS = (Port("old_losses.gap.GapLoss", "new_losses.Gap", returns=(tensor("", "loss"),)),)
""",
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("loss = criterion(a, b)\nloss.backward()", 'loss = criterion(a, b)["loss"]\nloss.backward()'),
        ("total = 2 * criterion(a, b) + criterion(b, a)", 'total = 2 * criterion(a, b)["loss"] + criterion(b, a)["loss"]'),
        ("criterion(a, b).backward()", 'criterion(a, b)["loss"].backward()'),
        ("losses.append(criterion(a, b))", 'losses.append(criterion(a, b)["loss"])'),
        ("criterion.eval()\ncriterion.train()", "criterion.eval()\ncriterion.train()"),
    ],
)
def test_a_value_is_read_where_it_is_returned_and_inherited_methods_stay(tmp_path: Path, line: str, expected: str) -> None:
    before = f"from old_losses.gap import GapLoss\n\ncriterion = GapLoss()\n{line}\n"
    for name, text in {**FILES, "train.py": before}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    project = find_project(tmp_path)
    plan = plan_rewrite(project, [project.loss("gap")])
    assert plan.refusals == ()
    after = {file.path.name: file.after.decode() for file in plan.files}
    assert after["train.py"] == f"from new_losses import Gap\n\ncriterion = Gap()\n{expected}\n"
