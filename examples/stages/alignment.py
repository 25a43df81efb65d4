"""Stage one: both views of a point get the same features, without collapse."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import VICRegLoss


class AlignmentStage:
    """VICReg with its warm-up; the trainer tells it the epoch and the step."""

    def __init__(self, encoder: nn.Module, epochs: int) -> None:
        self.encoder = encoder
        self.epochs = epochs
        self.criterion = VICRegLoss(sim_coeff=5.0, var_coeff=5.0, cov_coeff=1.0, epsilon=1e-3, warmup_epochs=2, num_epochs=epochs)
        self.optimizer = torch.optim.Adam(encoder.parameters(), lr=0.005)

    def run(self, first: Tensor, second: Tensor) -> str:
        """Train for all epochs; a line that says what became of the terms."""
        distances: list[float] = []
        for epoch in range(self.epochs):
            self.criterion.update_epoch(epoch)
            self.criterion.update_step(epoch, self.epochs)
            out = self.criterion(z_a=self.encoder(first), z_b=self.encoder(second))
            self.optimizer.zero_grad()
            out["loss"].backward()
            self.optimizer.step()
            distances.append(out["invariance_loss"])
        return f"alignment: distance of the views {distances[0]:.3f} -> {distances[-1]:.3f}"
