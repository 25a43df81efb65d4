"""Small data sets that mean something: two views of points on rings, digits with captions, blobs.

Made in memory from a seed; nothing is downloaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
INK_LEVELS = 4
"""Captions say how dark each row of the image is in this many words: blank, light, medium, dark."""


@dataclass(frozen=True)
class Pairs:
    """Paired features: row i of `image` and row i of `text` belong together; equal `ids` mean the same thing."""

    image: Tensor
    text: Tensor
    ids: list[str]
    labels: Tensor

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Views:
    """Two noisy views of the same points, and the group that each point is from."""

    first: Tensor
    second: Tensor
    groups: Tensor

    def __len__(self) -> int:
        return len(self.groups)


def digits_with_captions(count: int) -> Pairs:
    """The first `count` scikit-learn digits: 64 pixels, and a caption as word counts (which digit, how dark each row is)."""
    # Takes a second to import, and most examples need no digits. The package carries no types.
    from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # noqa: PLC0415

    digits = load_digits()
    pixels = torch.tensor(digits.images[:count], dtype=torch.float32) / 16
    labels = torch.tensor(digits.target[:count])
    darkness = (pixels.mean(dim=2) * (INK_LEVELS - 1)).round().long()
    caption = [
        torch.nn.functional.one_hot(labels, len(DIGIT_NAMES)),
        torch.nn.functional.one_hot(darkness, INK_LEVELS).flatten(1),
    ]
    return Pairs(
        image=pixels.flatten(1),
        text=torch.cat(caption, dim=1).float(),
        ids=[DIGIT_NAMES[label] for label in labels.tolist()],
        labels=labels,
    )


def two_views(count: int, *, rings: int = 4, seed: int = 0) -> Views:
    """Points on concentric rings, seen twice: plainly, and turned by a fixed angle, both with noise."""
    generator = torch.Generator().manual_seed(seed)
    groups = torch.arange(count) % rings
    angle = torch.rand(count, generator=generator) * 2 * math.pi
    radius = 1.0 + groups
    points = torch.stack((radius * angle.cos(), radius * angle.sin(), radius), dim=1)
    turn = math.pi / 3
    turned = torch.stack(
        (
            math.cos(turn) * points[:, 0] - math.sin(turn) * points[:, 1],
            math.sin(turn) * points[:, 0] + math.cos(turn) * points[:, 1],
            points[:, 2],
        ),
        dim=1,
    )
    noise = 0.05
    return Views(
        first=points + noise * torch.randn(points.shape, generator=generator),
        second=turned + noise * torch.randn(points.shape, generator=generator),
        groups=groups,
    )


def blobs(count: int, *, classes: int = 4, dim: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Gaussian clouds around `classes` corners: features and class labels."""
    generator = torch.Generator().manual_seed(seed)
    centers = 2.0 * torch.randn(classes, dim, generator=generator)
    labels = torch.arange(count) % classes
    return centers[labels] + torch.randn(count, dim, generator=generator), labels
