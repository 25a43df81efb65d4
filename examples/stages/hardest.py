"""Stage three: the negatives that are nearly as similar as the positives count more."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from examples.stages import HardNegativeMiningContrastiveLoss as HardLoss


class HardestStage:
    """Fine-tuning with semi-hard negatives."""

    def __init__(self, encoder: nn.Module, dim: int) -> None:
        self.encoder = encoder
        self.criterion = HardLoss(temperature=0.2, hard_negative_factor=2.0, mining_strategy="semi-hard", dim=dim)
        self.optimizer = torch.optim.Adam(encoder.parameters(), lr=0.002)

    def step(self, first: Tensor, second: Tensor, ids: list[str]) -> tuple[float, float]:
        """One update; the losses of both directions."""
        result = self.criterion(vision_features=self.encoder(first), text_features=self.encoder(second), match_ids=ids)
        self.optimizer.zero_grad()
        result["loss"].backward()
        self.optimizer.step()
        return result["v2t_loss"], result["t2v_loss"]
