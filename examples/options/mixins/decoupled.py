"""A second loss out of mixins: the cross-modal term and one within each modality."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from examples.options.mixins.grouping import GroupingMixin
from examples.options.mixins.matching import Ids, MatchingMixin
from examples.options.mixins.projection import ProjectionMixin
from examples.options.mixins.retrieval import RetrievalMixin
from examples.options.mixins.temperature import TemperatureMixin


class DecoupledLoss(TemperatureMixin, ProjectionMixin, MatchingMixin, GroupingMixin, RetrievalMixin):
    """Cross-modal contrast over groups of ids, plus weighted instance discrimination within each modality."""

    def __init__(self, temperature: float = 0.07, lambda_v: float = 0.5, lambda_t: float = 0.5, **options: Any) -> None:
        super().__init__(temperature=temperature, **options)
        self.lambda_v, self.lambda_t = lambda_v, lambda_t

    def forward(self, vision_features: Tensor, text_features: Tensor, match_ids: Ids) -> dict[str, Tensor]:
        """The loss and its metrics; right is the first row with the id."""
        self.check_features(vision_features, text_features)
        rows, device = len(vision_features), vision_features.device
        logits = self.scaled(self.cosines(vision_features, text_features))
        codes = self.encode_ids(match_ids, rows).to(device)
        positives, itself = self.positive_mask(codes), torch.eye(rows, dtype=torch.bool, device=device)
        pairs = positives.sum().clamp(min=1)

        v2t = self.summed_positives(logits, positives).sum() / pairs
        t2v = self.summed_positives(logits.t(), positives).sum() / pairs
        vision, text = (
            self.mean(self.summed_positives(self.scaled(self.cosines(x, x)), itself)).masked_fill(~positives.any(), 0.0)
            for x in (vision_features, text_features)
        )
        cross = (v2t + t2v) / 2
        first = self.pick_positives(codes, torch.zeros_like(codes))
        metrics = {
            "cross_modal_loss": cross,
            "instance_loss": (vision + text) / 2,
            "v2t_loss": v2t,
            "t2v_loss": t2v,
            "vision_inst_loss": vision,
            "text_inst_loss": text,
            **self.accuracy(logits.detach(), first, first),
        }
        return self.results(cross + self.lambda_v * vision + self.lambda_t * text, metrics)
