"""The change that is kept for each option of the CLIP loss: applied to a copy, it has to do what it says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.examples.conftest import ROOT

OPTIONS = ROOT / "examples/options"
CLASSES = {
    "mixins": ("CLIPLoss", "DecoupledLoss"),
    "restart": ("CLIPLoss", "DecoupledLoss"),
    "shared_functions": ("CLIPStyleLoss", "DecoupledContrastiveLoss"),
}


@pytest.mark.slow
@pytest.mark.parametrize("style", sorted(CLASSES))
def test_the_kept_change_adds_a_learnable_temperature_to_both_losses_and_breaks_nothing(style: str, tmp_path: Path) -> None:
    """With it off nothing changes; with it on the loss is the same and the temperature gets a gradient."""
    copy = tmp_path / "examples/options"
    shutil.copytree(OPTIONS, copy)
    copy.with_name("__init__.py").touch()
    patch = OPTIONS / "learnable_temperature" / f"{style}.patch"
    subprocess.run(["git", "apply", str(patch)], cwd=tmp_path, check=True)
    clip, decoupled = CLASSES[style]
    program = f"""
import torch
from examples.options.{style} import {clip}, {decoupled}

vision, text = torch.randn(2, 6, 4)
for loss in ({clip}, {decoupled}):
    fixed, learned = loss(temperature=0.5), loss(temperature=0.5, learnable_temperature=True)
    assert [*fixed.parameters()] == []
    outs = [criterion(vision, text, match_ids=list("abcdef"))["loss"] for criterion in (fixed, learned)]
    torch.testing.assert_close(*outs)
    outs[1].backward()
    (parameter,) = learned.parameters()
    assert parameter.item() == 0.5 and parameter.grad is not None and parameter.grad != 0
"""
    warm.run("-c", program, cwd=tmp_path, check=True)
