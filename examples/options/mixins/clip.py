"""The CLIP loss out of mixins."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from examples.options.mixins.matching import Ids, MatchingMixin
from examples.options.mixins.projection import ProjectionMixin
from examples.options.mixins.retrieval import RetrievalMixin
from examples.options.mixins.smoothing import SmoothingMixin
from examples.options.mixins.temperature import TemperatureMixin


class CLIPLoss(TemperatureMixin, SmoothingMixin, ProjectionMixin, MatchingMixin, RetrievalMixin):
    """Symmetric cross entropy between two modalities over the similarities of a batch, with retrieval metrics."""

    ids_as_text = True

    def __init__(self, temperature: float = 0.07, reduction: str = "mean", label_smoothing: float = 0.0, **options: Any) -> None:
        super().__init__(temperature=temperature, reduction=reduction, label_smoothing=label_smoothing, **options)

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        match_ids: Ids | None = None,
        similarity_matrix: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The loss and its metrics. A given matrix of logits replaces the computed one."""
        self.check_features(vision_features, text_features, same_width=similarity_matrix is None)
        rows, device = len(vision_features), vision_features.device
        if similarity_matrix is None:
            logits = self.scaled(self.cosines(vision_features, text_features))
        elif similarity_matrix.shape == (rows, rows):
            logits = self.full_precision(similarity_matrix)
        else:
            raise ValueError(f"expected a matrix of shape {[rows, rows]}, found {list(similarity_matrix.shape)}")
        row_targets, column_targets = self.draw_targets(match_ids, rows, device)

        v2t, t2v = self.cross_entropy(logits, row_targets), self.cross_entropy(logits.t(), column_targets)

        seen = logits.detach()
        mean = self.mean(seen)
        matched = self.mean(seen[torch.arange(rows, device=device), row_targets])
        metrics = {
            "v2t_loss": self.mean(v2t),
            "t2v_loss": self.mean(t2v),
            **self.accuracy(seen, row_targets, column_targets),
            "mean_similarity": mean,
            "matched_similarity": matched,
            "similarity_gap": matched - mean,
            **self.recall_at_k(seen, row_targets, column_targets),
        }
        return self.results((v2t + t2v) / 2, metrics)
