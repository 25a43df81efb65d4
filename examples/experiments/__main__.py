"""Run every experiment of the folder `configs`."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import nn

from examples.data import two_views
from examples.experiments.loader import Experiment, build_loss, read_experiment

CONFIGS = Path(__file__).with_name("configs")


def train(experiment: Experiment) -> str:
    """Train one encoder as the experiment says."""
    torch.manual_seed(0)
    views = two_views(10 * experiment.batch, rings=8)
    encoder = nn.Sequential(nn.Linear(views.first.shape[1], 32), nn.ReLU(), nn.Linear(32, 16))
    criterion = build_loss(experiment)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.01)
    losses: list[float] = []
    for step in range(experiment.steps):
        start = step * experiment.batch % len(views)
        rows = slice(start, start + experiment.batch)
        ids = [f"ring-{group}" for group in views.groups[rows].tolist()]
        out = criterion(encoder(views.first[rows]), encoder(views.second[rows]), ids)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(float(out["loss"].detach()))
    return f"{experiment.name}: loss {losses[0]:.3f} -> {losses[-1]:.3f}"


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    for path in sorted(CONFIGS.iterdir()):
        if path.suffix in {".yaml", ".toml"}:
            print(train(read_experiment(path)))


if __name__ == "__main__":
    main()
