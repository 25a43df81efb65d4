"""Train two encoders so that an image of a digit finds its caption, and the caption its image.

Run from the project's folder: python examples/train_pairs.py
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import digits_with_captions
from legacy.clip_style_loss import CLIPStyleLoss

STEPS = 40
BATCH = 32


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    pairs = digits_with_captions(256)
    image_encoder = nn.Linear(pairs.image.shape[1], 32)
    text_encoder = nn.Linear(pairs.text.shape[1], 32)
    criterion = CLIPStyleLoss(temperature=0.1, reduction="mean", label_smoothing=0.0)
    optimizer = torch.optim.Adam([*image_encoder.parameters(), *text_encoder.parameters()], lr=0.01)

    losses: list[float] = []
    for step in range(STEPS):
        rows = slice(step * BATCH % len(pairs), step * BATCH % len(pairs) + BATCH)
        out = criterion(
            vision_features=image_encoder(pairs.image[rows]),
            text_features=text_encoder(pairs.text[rows]),
        )
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        losses.append(float(out["loss"].detach()))
        if (step + 1) % 20 == 0:
            accuracy = out["accuracy"]
            recall = out["recalls"]["v2t_recall@1"]
            print(f"step {step + 1:3}  accuracy {accuracy:.2f}  image finds caption {recall:.2f}")

    print(f"train_pairs: loss {losses[0]:.3f} -> {losses[-1]:.3f}")


if __name__ == "__main__":
    main()
