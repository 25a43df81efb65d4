"""What the modules repeated: moved here and called, otherwise as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def unit_pair(vision: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
    """Both feature batches with rows of length 1."""
    if text.shape[0] != vision.shape[0]:
        raise ValueError(f"vision and text batches differ in size: {tuple(vision.shape)} and {tuple(text.shape)}")
    return F.normalize(vision, p=2, dim=1), F.normalize(text, p=2, dim=1)


def match_matrix(ids: Sequence[Any] | Tensor, rows: int, device: torch.device) -> Tensor:
    """Which rows belong together, [rows, rows]."""
    found = [[bool(ids[i] == ids[j]) for j in range(rows)] for i in range(rows)]
    return torch.tensor(found, dtype=torch.bool, device=device)


def drawn_targets(matches: Tensor) -> Tensor:
    """One of the matches of each row, drawn at random; the row itself if it has none."""
    targets = torch.arange(len(matches), device=matches.device)
    for i in range(len(matches)):
        candidates = torch.where(matches[i])[0]
        if len(candidates) > 0:
            targets[i] = candidates[torch.randint(0, len(candidates), (1,), device=matches.device)]
    return targets


def first_targets(matches: Tensor) -> Tensor:
    """The first match of each row; the row itself if it has none."""
    targets = torch.arange(len(matches), device=matches.device)
    for i in range(len(matches)):
        candidates = torch.where(matches[i])[0]
        if len(candidates) > 0:
            targets[i] = candidates[0]
    return targets


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, reduction: str) -> Tensor:
    """Cross entropy with a distribution for each row."""
    losses = -(labels * F.log_softmax(logits, dim=1)).sum(dim=1)
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def directional_accuracy(logits: Tensor, row_targets: Tensor, column_targets: Tensor) -> dict[str, Tensor]:
    """The share of rows, and of columns, whose largest logit is their target's."""
    v2t = (torch.argmax(logits, dim=1) == row_targets).float().mean()
    t2v = (torch.argmax(logits.t(), dim=1) == column_targets).float().mean()
    return {"v2t_accuracy": v2t, "t2v_accuracy": t2v, "accuracy": (v2t + t2v) / 2}


def recall(logits: Tensor, targets: Tensor, k: int) -> float:
    """The share of rows whose target is among their k largest logits."""
    best = torch.topk(logits, k, dim=1).indices
    return (best == targets[:, None]).any(dim=1).float().mean().item()


def summed_share(logits: Tensor, matches: Tensor) -> Tensor | float:
    """The sum over rows of -log of the share that the matches have of the row's exponentials."""
    loss: Tensor | float = 0.0
    for i in range(len(logits)):
        if matches[i].all() or not matches[i].any():
            continue
        positives = torch.exp(logits[i, matches[i]]).sum()
        negatives = torch.exp(logits[i, ~matches[i]]).sum()
        loss = loss - torch.log(positives / (positives + negatives))
    return loss
