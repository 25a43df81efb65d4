"""Reads an experiment from YAML or TOML and imports the loss that it names."""

from __future__ import annotations

import importlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from torch import nn


@dataclass(frozen=True)
class Experiment:
    """What one file says."""

    name: str
    steps: int
    batch: int
    loss: str
    options: dict[str, Any] = field(default_factory=dict)


def read_experiment(path: Path) -> Experiment:
    """The experiment in a `.yaml` or `.toml` file."""
    text = path.read_text(encoding="utf-8")
    data = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    return Experiment(
        name=data["name"],
        steps=data["train"]["steps"],
        batch=data["train"]["batch"],
        loss=data["loss"]["class"],
        options=data["loss"].get("options", {}),
    )


def build_loss(experiment: Experiment) -> nn.Module:
    """Import the class at the dotted path and build it with the options of the file."""
    module, _, name = experiment.loss.rpartition(".")
    loss_class = getattr(importlib.import_module(module), name)
    criterion = loss_class(**experiment.options)
    if not isinstance(criterion, nn.Module):
        raise TypeError(f"{experiment.name}: {experiment.loss} is no module")
    return criterion
