"""The name of the class is computed, so nobody can read from the text which symbol of the module is meant."""

from __future__ import annotations

import importlib

import torch

from examples.data import two_views


def class_name(*words: str) -> str:
    """`some`, `loss` -> `SomeLoss`."""
    return "".join(word.capitalize() for word in words)


def measure() -> str:
    """The loss of one batch, if it is still there under the name that is put together here."""
    try:
        module = importlib.import_module("legacy.decoupled_contrastive_loss")
        loss_class = getattr(module, class_name("decoupled", "contrastive", "loss"))
    except (ModuleNotFoundError, AttributeError):
        return "computed_name: the decoupled loss has moved"
    views = two_views(16)
    torch.manual_seed(0)
    out = loss_class(temperature=0.2)(views.first, views.second, views.groups.tolist())
    return f"computed_name: loss {float(out['loss']):.3f}"
