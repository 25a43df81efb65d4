"""The name of the class is computed, so nobody can read from the text which loss is meant."""

from __future__ import annotations

import importlib

import torch

from examples.data import two_views

DEFAULT = "decoupled_contrastive_loss"


def class_name(module: str) -> str:
    """`some_loss` -> `SomeLoss`."""
    return "".join(part.capitalize() for part in module.split("_"))


def measure(module: str = DEFAULT) -> str:
    """The loss of one batch, if the module is still there."""
    try:
        loss_class = getattr(importlib.import_module("legacy." + module), class_name(module))
    except ModuleNotFoundError:
        return f"computed_name: {module} has moved"
    views = two_views(16)
    torch.manual_seed(0)
    out = loss_class(temperature=0.2)(views.first, views.second, views.groups.tolist())
    return f"computed_name: loss {float(out['loss']):.3f}"
