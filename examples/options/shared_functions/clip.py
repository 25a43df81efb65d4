"""CLIP-style contrastive loss for paired image and text features."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from examples.options.shared_functions import functions

logger = logging.getLogger(__name__)


class CLIPStyleLoss(nn.Module):
    """Symmetric image-text cross entropy with in-batch negatives. The hard-negative options are stored and do nothing."""

    def __init__(
        self,
        temperature: float = 0.07,
        use_hard_negatives: bool = False,
        hard_negative_weight: float = 0.5,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        cache_labels: bool = True,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.use_hard_negatives = use_hard_negatives
        self.hard_negative_weight = hard_negative_weight
        self.reduction = reduction
        self.label_smoothing = label_smoothing
        self.cache_labels = cache_labels
        self._labels_cache: dict[int, Tensor] = {}

    def _create_smooth_labels(self, batch_size: int, targets: Tensor, label_smoothing: float) -> Tensor:
        """The smoothed target distribution of a batch."""
        if self.cache_labels and batch_size in self._labels_cache:
            return self._labels_cache[batch_size].to(targets.device)
        one_hot = torch.zeros(batch_size, batch_size, dtype=torch.float32, device=targets.device)
        one_hot.scatter_(1, targets.unsqueeze(1), 1.0)
        smooth_labels = one_hot * (1 - label_smoothing) + label_smoothing / batch_size
        if self.cache_labels:
            self._labels_cache[batch_size] = smooth_labels.detach().cpu()
        return smooth_labels

    def _compute_recall_at_k(self, similarity: Tensor, v2t_targets: Tensor, t2v_targets: Tensor) -> dict[str, float]:
        """Recall@K in both retrieval directions."""
        recalls: dict[str, float] = {}
        for k in (1, 5, 10):
            k_capped = min(k, similarity.shape[0])
            v2t = functions.recall(similarity, v2t_targets, k_capped)
            t2v = functions.recall(similarity.t(), t2v_targets, k_capped)
            recalls |= {f"v2t_recall@{k}": v2t, f"t2v_recall@{k}": t2v, f"avg_recall@{k}": (v2t + t2v) / 2}
        return recalls

    def _targets(self, match_ids: Sequence[Any] | None, batch_size: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """A target for each image and for each text."""
        if match_ids is None:
            logger.warning("No match ids given, pairing images and texts by position")
            diagonal = torch.arange(batch_size, device=device)
            return diagonal, diagonal
        if not isinstance(match_ids[0], str):
            match_ids = [str(match_id) for match_id in match_ids]
        matches = functions.match_matrix(match_ids, batch_size, device)
        unique_ids = len(set(match_ids))
        if unique_ids == batch_size and batch_size > 1:
            logger.warning(f"All {batch_size} match ids are unique, every pair stands alone")
        elif unique_ids == 1:
            logger.warning("All match ids are the same, there are no negatives")
        else:
            logger.debug(f"{unique_ids} distinct match ids in a batch of {batch_size}")
        return functions.drawn_targets(matches), functions.drawn_targets(matches.t())

    def _direction(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of one direction."""
        if self.label_smoothing > 0:
            labels = self._create_smooth_labels(len(logits), targets, self.label_smoothing)
            return functions.smoothed_cross_entropy(logits, labels, self.reduction)
        return F.cross_entropy(logits, targets, reduction=self.reduction)

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        match_ids: Sequence[Any] | None = None,
        similarity_matrix: Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The loss and the retrieval metrics of a batch."""
        batch_size = vision_features.shape[0]
        device = vision_features.device
        if batch_size == 0:
            return {"loss": torch.tensor(0.0, device=device)}
        vision_features, text_features = functions.unit_pair(vision_features, text_features)
        if similarity_matrix is None:
            similarity = torch.matmul(vision_features, text_features.t()) / self.temperature
        else:
            similarity = similarity_matrix
        v2t_targets, t2v_targets = self._targets(match_ids, batch_size, device)
        v2t_loss = self._direction(similarity, v2t_targets)
        t2v_loss = self._direction(similarity.t(), t2v_targets)

        with torch.no_grad():
            accuracies = functions.directional_accuracy(similarity, v2t_targets, t2v_targets)
            mean_similarity = similarity.mean().item()
            matched_similarity = similarity[torch.arange(batch_size, device=device), v2t_targets].mean().item()
            recalls = self._compute_recall_at_k(similarity, v2t_targets, t2v_targets)

        return {
            "loss": (v2t_loss + t2v_loss) / 2,
            "v2t_loss": v2t_loss.item(),
            "t2v_loss": t2v_loss.item(),
            **{name: value.item() for name, value in accuracies.items()},
            "mean_similarity": mean_similarity,
            "matched_similarity": matched_similarity,
            "similarity_gap": matched_similarity - mean_similarity,
            "recalls": recalls,
        }
