"""A second loss on the base and the pure functions: the cross-modal term and one within each modality."""

from __future__ import annotations

import torch
from torch import Tensor

from examples.options.restart import functions
from examples.options.restart.base import ContrastiveLoss


class DecoupledLoss(ContrastiveLoss):
    """Cross-modal contrast over groups of ids, plus weighted instance discrimination within each modality."""

    def __init__(self, temperature: float = 0.07, lambda_v: float = 0.5, lambda_t: float = 0.5) -> None:
        super().__init__(temperature)
        self.lambda_v, self.lambda_t = lambda_v, lambda_t

    def forward(self, vision_features: Tensor, text_features: Tensor, match_ids: functions.Ids) -> dict[str, Tensor]:
        """The loss and its metrics; right is the first row with the id."""
        functions.check_features(vision_features, text_features)
        rows, device = len(vision_features), vision_features.device
        logits = self.similarity(vision_features, text_features)
        codes = functions.encode_ids(match_ids, rows).to(device)
        positives, itself = functions.positive_mask(codes), torch.eye(rows, dtype=torch.bool, device=device)
        pairs = positives.sum().clamp(min=1)

        v2t = functions.summed_positives(logits, positives).sum() / pairs
        t2v = functions.summed_positives(logits.t(), positives).sum() / pairs
        vision, text = (
            functions.reduce(functions.summed_positives(self.similarity(x, x), itself), "mean").masked_fill(~positives.any(), 0.0)
            for x in (vision_features, text_features)
        )
        cross = (v2t + t2v) / 2
        first = functions.pick_positives(codes, torch.zeros_like(codes))
        metrics = {
            "cross_modal_loss": cross,
            "instance_loss": (vision + text) / 2,
            "v2t_loss": v2t,
            "t2v_loss": t2v,
            "vision_inst_loss": vision,
            "text_inst_loss": text,
            **functions.accuracy(logits.detach(), first, first),
        }
        return self.results(cross + self.lambda_v * vision + self.lambda_t * text, metrics)
