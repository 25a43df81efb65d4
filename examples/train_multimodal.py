"""Train image and text encoders with a loss that is chosen on the command line.

Run from the project's folder: python examples/train_multimodal.py --loss-type hard_negative --epochs 3
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.data import two_views
from legacy.loss_factory import create_loss_function

LOSS_TYPES = ("contrastive", "memory_queue", "dynamic_temp", "hard_negative", "decoupled", "combined")


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train two encoders on paired features.")
    parser.add_argument("--loss-type", default="contrastive", choices=LOSS_TYPES)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=24)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--fusion-dim", type=int, default=16)
    parser.add_argument("--queue-size", type=int, default=64)
    parser.add_argument("--memory-bank-size", type=int, default=64)
    parser.add_argument("--contrastive-sampling", default="in-batch", choices=("auto", "in-batch", "memory-bank", "global"))
    parser.add_argument("--dynamic-temp-min", type=float, default=None)
    parser.add_argument("--dynamic-temp-max", type=float, default=None)
    parser.add_argument("--mining-strategy", default="auto", choices=("auto", "hard", "semi-hard"))
    parser.add_argument("--hard-negative-factor", type=float, default=None)
    parser.add_argument("--contrastive-weight", type=float, default=1.0)
    parser.add_argument("--classification-weight", type=float, default=0.0)
    parser.add_argument("--multimodal-matching-weight", type=float, default=0.0)
    parser.add_argument("--use-mixed-loss", action="store_true")
    parser.add_argument("--use-hard-negatives", action="store_true")
    return parser.parse_args(argv)


class MultimodalTrainer:
    """Two encoders and one loss; knows nothing about the loss but that it takes features and ids and returns a dictionary."""

    def __init__(self, vision_dim: int, text_dim: int, args: argparse.Namespace, dataset_size: int) -> None:
        self.vision_encoder = nn.Sequential(nn.Linear(vision_dim, 32), nn.ReLU(), nn.Linear(32, args.fusion_dim))
        self.text_encoder = nn.Sequential(nn.Linear(text_dim, 32), nn.ReLU(), nn.Linear(32, args.fusion_dim))
        self.loss_fn = create_loss_function(args, dataset_size=dataset_size)
        parameters = [*self.vision_encoder.parameters(), *self.text_encoder.parameters()]
        self.optimizer = torch.optim.Adam(parameters, lr=0.01)

    def train_epoch(self, batches: Iterator[tuple[Tensor, Tensor, list[str]]]) -> float:
        """One pass over the batches; the mean loss."""
        total, count = 0.0, 0
        for images, texts, ids in batches:
            out = self.loss_fn(
                vision_features=self.vision_encoder(images),
                text_features=self.text_encoder(texts),
                match_ids=ids,
            )
            self.optimizer.zero_grad()
            out["loss"].backward()
            self.optimizer.step()
            total += float(out["loss"].detach())
            count += 1
        return total / count


def main(argv: Sequence[str] | None = None) -> None:
    logging.basicConfig(level=logging.ERROR)
    args = parse_arguments(argv)
    torch.manual_seed(0)
    views = two_views(5 * args.batch_size, rings=8)
    ids = [f"ring-{group}" for group in views.groups.tolist()]
    trainer = MultimodalTrainer(views.first.shape[1], views.second.shape[1], args, dataset_size=len(views))

    def batches() -> Iterator[tuple[Tensor, Tensor, list[str]]]:
        for start in range(0, len(views), args.batch_size):
            rows = slice(start, start + args.batch_size)
            yield views.first[rows], views.second[rows], ids[rows]

    losses = [trainer.train_epoch(batches()) for _ in range(args.epochs)]
    print(f"train_multimodal ({args.loss_type}): loss {losses[0]:.3f} -> {losses[-1]:.3f}")


if __name__ == "__main__":
    main()
