"""Functions instead of classes: how well do noisy copies find each other, and what do the plain losses say?

Run from the project's folder: python examples/retrieval.py
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import legacy
import legacy.contrastive_learning as learning
from examples.data import blobs
from legacy import DecoupledContrastiveLoss, compute_recall_at_k
from legacy.contrastive_learning import supervised_contrastive_loss


def main() -> None:
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    features, classes = blobs(32)
    first = torch.nn.functional.normalize(features + 0.3 * torch.randn_like(features), dim=1)
    second = torch.nn.functional.normalize(features + 0.3 * torch.randn_like(features), dim=1)

    recalls = compute_recall_at_k(first @ second.T, K=[1, 5])
    at_once, among_five = recalls["v2t_recall@1"], recalls["v2t_recall@5"]
    print(f"retrieval: first finds second {at_once:.2f}, among five {among_five:.2f}")

    pairs = legacy.nt_xent_loss(first, second, temperature=0.2)
    by_class = supervised_contrastive_loss(first, second, classes, temperature=0.2)
    print(f"retrieval: NT-Xent loss {pairs.item():.3f}, supervised loss {by_class.item():.3f}")

    # Two classes of one name: what the package exports, and another one in the module.
    ids = classes.tolist()
    one = DecoupledContrastiveLoss(temperature=0.2, lambda_v=0.5, lambda_t=0.5)
    other = learning.DecoupledContrastiveLoss(temperature=0.2, lambda_v=0.5, lambda_t=0.5)
    out = one(first, second, ids)
    other_out = other(first, second, ids)
    print(f"retrieval: decoupled loss {out['loss'].item():.3f}, or {other_out['loss'].item():.3f}")
    across, other_across = out["cross_modal_loss"].item(), other_out["cross_modal_loss"]
    print(f"retrieval: across the views {across:.3f}, or {other_across:.3f}")


if __name__ == "__main__":
    main()
