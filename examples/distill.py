"""Keep an encoder near an earlier version of itself while it learns something new.

Run from the project's folder: python examples/distill.py
"""

from __future__ import annotations

import copy
import importlib
import logging
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import blobs

consistency = importlib.import_module("legacy.feature_consistency_loss")

STEPS = 25


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    features, labels = blobs(64)
    encoder = nn.Linear(features.shape[1], 16)
    head = nn.Linear(16, 4)
    criterion = consistency.FeatureConsistencyLoss(reference_vision_model=copy.deepcopy(encoder), distance_fn="cosine")
    classify = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=0.02)

    losses: list[float] = []
    drift = 0.0
    for _ in range(STEPS):
        encoded = encoder(features)
        out = criterion(vision_features=encoded, vision_inputs=features)
        loss = classify(head(encoded), labels) + out["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        drift = out["vision_consistency_loss"]
    print(f"distill: loss {losses[0]:.3f} -> {losses[-1]:.3f}, drift from the reference {drift:.3f}")


if __name__ == "__main__":
    main()
