"""The options come out of a file, so nobody can read from the text which parameters are given."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from examples.data import two_views
from legacy.hard_negative_mining_contrastive_loss import HardNegativeMiningContrastiveLoss

OPTIONS = Path(__file__).with_name("options.json")


def measure() -> str:
    """The loss of one batch with the options of the file."""
    options = json.loads(OPTIONS.read_text(encoding="utf-8"))
    criterion = HardNegativeMiningContrastiveLoss(**options)
    views = two_views(16)
    torch.manual_seed(0)
    out = criterion(views.first, views.second, views.groups.tolist())
    return f"options_from_elsewhere: loss {out['loss'].item():.3f}"
