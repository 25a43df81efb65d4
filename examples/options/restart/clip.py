"""The CLIP loss on the base and the pure functions."""

from __future__ import annotations

import torch
from torch import Tensor

from examples.options.restart import functions
from examples.options.restart.base import ContrastiveLoss


class CLIPLoss(ContrastiveLoss):
    """Symmetric cross entropy between two modalities over the similarities of a batch, with retrieval metrics."""

    def __init__(self, temperature: float = 0.07, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        super().__init__(temperature, reduction)
        self.label_smoothing = functions.check_fraction("label_smoothing", label_smoothing)

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        match_ids: functions.Ids | None = None,
        similarity_matrix: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The loss and its metrics. A given matrix of logits replaces the computed one."""
        functions.check_features(vision_features, text_features, same_width=similarity_matrix is None)
        rows, device = len(vision_features), vision_features.device
        if similarity_matrix is None:
            logits = self.similarity(vision_features, text_features)
        else:
            functions.check_square(similarity_matrix, rows)
            logits = functions.full_precision(similarity_matrix)
        row_targets, column_targets = functions.draw_targets(match_ids, rows, device)

        v2t = functions.info_nce(logits, row_targets, self.reduction, self.label_smoothing)
        t2v = functions.info_nce(logits.t(), column_targets, self.reduction, self.label_smoothing)

        seen = logits.detach()
        mean = functions.reduce(seen, "mean")
        matched = functions.reduce(seen[torch.arange(rows, device=device), row_targets], "mean")
        metrics = {
            "v2t_loss": functions.reduce(v2t, "mean"),
            "t2v_loss": functions.reduce(t2v, "mean"),
            **functions.accuracy(seen, row_targets, column_targets),
            "mean_similarity": mean,
            "matched_similarity": matched,
            "similarity_gap": matched - mean,
            **functions.recall_at_k(seen, row_targets, column_targets),
        }
        return self.results((v2t + t2v) / 2, metrics)
