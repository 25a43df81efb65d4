"""
CLIP-style contrastive loss for paired image and text features.

The loss is a symmetric cross entropy over the similarity matrix of a batch:
each image has to pick its caption among all captions of the batch, and each
caption has to pick its image. Besides the loss, a set of retrieval metrics is
computed so that the training loop can log them directly.
"""

import logging
from typing import Any, Dict, List, Optional

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class CLIPStyleLoss(nn.Module):
    """
    Symmetric image-text cross entropy with in-batch negatives.

    Args:
        temperature: Divisor of the cosine similarities
        use_hard_negatives: Whether hard negatives should be emphasised
        hard_negative_weight: Weight of the hard negatives
        reduction: "mean", "sum" or "none"
        label_smoothing: Mass that is spread evenly over the batch
        cache_labels: Keep smoothed targets per batch size
    """

    def __init__(
        self,
        temperature: float = 0.07,
        use_hard_negatives: bool = False,
        hard_negative_weight: float = 0.5,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        cache_labels: bool = True,
    ):
        super().__init__()
        self.temperature = temperature
        self.use_hard_negatives = use_hard_negatives
        self.hard_negative_weight = hard_negative_weight
        self.reduction = reduction
        self.label_smoothing = label_smoothing
        self.cache_labels = cache_labels

        # Smoothed targets by batch size
        self._labels_cache = {}

    def _create_smooth_labels(
        self, batch_size: int, targets: torch.Tensor, label_smoothing: float
    ) -> torch.Tensor:
        """
        Build the smoothed target distribution of a batch.

        Args:
            batch_size: Number of rows (and of candidates)
            targets: Index of the target of each row
            label_smoothing: Smoothing factor

        Returns:
            Tensor of shape [batch_size, batch_size]
        """
        if self.cache_labels and batch_size in self._labels_cache:
            return self._labels_cache[batch_size].to(targets.device)

        one_hot = torch.zeros(
            batch_size, batch_size, dtype=torch.float32, device=targets.device
        )
        one_hot.scatter_(1, targets.unsqueeze(1), 1.0)
        smooth_labels = one_hot * (1 - label_smoothing) + label_smoothing / batch_size

        if self.cache_labels:
            self._labels_cache[batch_size] = smooth_labels.detach().cpu()

        return smooth_labels

    def _compute_recall_at_k(
        self,
        similarity: torch.Tensor,
        K: List[int] = [1, 5, 10],
        v2t_targets: Optional[torch.Tensor] = None,
        t2v_targets: Optional[torch.Tensor] = None,
    ) -> Dict[str, float]:
        """
        Recall@K in both retrieval directions.

        Args:
            similarity: Similarity matrix, images in rows
            K: Cut-offs
            v2t_targets: Target text of each image (diagonal if missing)
            t2v_targets: Target image of each text (diagonal if missing)

        Returns:
            Dictionary with the recalls of both directions and their average
        """
        batch_size = similarity.shape[0]
        device = similarity.device

        if v2t_targets is None:
            v2t_targets = torch.arange(batch_size, device=device)
        if t2v_targets is None:
            t2v_targets = torch.arange(batch_size, device=device)

        recalls = {}
        for k in K:
            k_capped = min(k, batch_size)

            # Image to text
            _, v2t_topk = torch.topk(similarity, k_capped, dim=1)
            v2t_hits = torch.zeros(batch_size, dtype=torch.bool, device=device)
            for i in range(batch_size):
                v2t_hits[i] = (v2t_topk[i] == v2t_targets[i]).any()
            v2t_recall = v2t_hits.float().mean().item()

            # Text to image
            _, t2v_topk = torch.topk(similarity.t(), k_capped, dim=1)
            t2v_hits = torch.zeros(batch_size, dtype=torch.bool, device=device)
            for i in range(batch_size):
                t2v_hits[i] = (t2v_topk[i] == t2v_targets[i]).any()
            t2v_recall = t2v_hits.float().mean().item()

            recalls[f"v2t_recall@{k}"] = v2t_recall
            recalls[f"t2v_recall@{k}"] = t2v_recall
            recalls[f"avg_recall@{k}"] = (v2t_recall + t2v_recall) / 2

        return recalls

    def forward(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        match_ids: Optional[List[str]] = None,
        similarity_matrix: Optional[torch.Tensor] = None,
        **kwargs,
    ) -> Dict[str, Any]:
        """
        Compute the loss and the retrieval metrics of a batch.

        Args:
            vision_features: Image features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            match_ids: Ids that say which images and texts belong together
            similarity_matrix: Logits to use instead of the computed ones

        Returns:
            Dictionary with the loss and the metrics
        """
        batch_size = vision_features.shape[0]
        device = vision_features.device

        if batch_size == 0:
            return {"loss": torch.tensor(0.0, device=device)}

        if text_features.shape[0] != batch_size:
            raise ValueError(
                f"Vision and text batches differ in size: "
                f"{tuple(vision_features.shape)} and {tuple(text_features.shape)}"
            )

        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)

        if similarity_matrix is None:
            similarity = (
                torch.matmul(vision_features, text_features.t()) / self.temperature
            )
        else:
            similarity = similarity_matrix

        if match_ids is not None:
            # Ids are compared as strings
            if not isinstance(match_ids[0], str):
                match_ids = [str(match_id) for match_id in match_ids]

            match_matrix = torch.zeros(
                batch_size, batch_size, dtype=torch.bool, device=device
            )
            for i in range(batch_size):
                for j in range(batch_size):
                    match_matrix[i, j] = match_ids[i] == match_ids[j]

            unique_ids = len(set(match_ids))
            if unique_ids == batch_size and batch_size > 1:
                logger.warning(
                    f"All {batch_size} match ids are unique, every pair stands alone"
                )
            elif unique_ids == 1:
                logger.warning("All match ids are the same, there are no negatives")
            else:
                logger.debug(f"{unique_ids} distinct match ids in a batch of {batch_size}")

            # Pick one of the matching texts for each image
            v2t_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for i in range(batch_size):
                candidates = torch.where(match_matrix[i])[0]
                if len(candidates) > 0:
                    pick = torch.randint(
                        0, len(candidates), (1,), device=match_matrix.device
                    )
                    v2t_targets[i] = candidates[pick]
                else:
                    v2t_targets[i] = i

            # Pick one of the matching images for each text
            t2v_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for j in range(batch_size):
                candidates = torch.where(match_matrix[:, j])[0]
                if len(candidates) > 0:
                    pick = torch.randint(
                        0, len(candidates), (1,), device=match_matrix.device
                    )
                    t2v_targets[j] = candidates[pick]
                else:
                    t2v_targets[j] = j
        else:
            logger.warning("No match ids given, pairing images and texts by position")
            v2t_targets = torch.arange(batch_size, device=device)
            t2v_targets = torch.arange(batch_size, device=device)

        # Image to text
        if self.label_smoothing > 0:
            v2t_labels = self._create_smooth_labels(
                batch_size, v2t_targets, self.label_smoothing
            )
            v2t_log_probs = F.log_softmax(similarity, dim=1)
            v2t_loss = -(v2t_labels * v2t_log_probs).sum(dim=1)
            if self.reduction == "mean":
                v2t_loss = v2t_loss.mean()
            elif self.reduction == "sum":
                v2t_loss = v2t_loss.sum()
        else:
            v2t_loss = F.cross_entropy(
                similarity, v2t_targets, reduction=self.reduction
            )

        # Text to image
        if self.label_smoothing > 0:
            t2v_labels = self._create_smooth_labels(
                batch_size, t2v_targets, self.label_smoothing
            )
            t2v_log_probs = F.log_softmax(similarity.t(), dim=1)
            t2v_loss = -(t2v_labels * t2v_log_probs).sum(dim=1)
            if self.reduction == "mean":
                t2v_loss = t2v_loss.mean()
            elif self.reduction == "sum":
                t2v_loss = t2v_loss.sum()
        else:
            t2v_loss = F.cross_entropy(
                similarity.t(), t2v_targets, reduction=self.reduction
            )

        loss = (v2t_loss + t2v_loss) / 2

        with torch.no_grad():
            v2t_pred = torch.argmax(similarity, dim=1)
            t2v_pred = torch.argmax(similarity.t(), dim=1)
            v2t_accuracy = (v2t_pred == v2t_targets).float().mean()
            t2v_accuracy = (t2v_pred == t2v_targets).float().mean()
            accuracy = (v2t_accuracy + t2v_accuracy) / 2

            mean_similarity = similarity.mean().item()
            rows = torch.arange(batch_size, device=device)
            matched_similarity = similarity[rows, v2t_targets].mean().item()
            similarity_gap = matched_similarity - mean_similarity

            recalls = self._compute_recall_at_k(
                similarity,
                K=[1, 5, 10],
                v2t_targets=v2t_targets,
                t2v_targets=t2v_targets,
            )

        return {
            "loss": loss,
            "v2t_loss": v2t_loss.item(),
            "t2v_loss": t2v_loss.item(),
            "v2t_accuracy": v2t_accuracy.item(),
            "t2v_accuracy": t2v_accuracy.item(),
            "accuracy": accuracy.item(),
            "mean_similarity": mean_similarity,
            "matched_similarity": matched_similarity,
            "similarity_gap": similarity_gap,
            "recalls": recalls,
        }


def extract_file_metadata(file_path=__file__):
    """
    Describe this file for the project overview.

    Args:
        file_path: Path of the file

    Returns:
        Dictionary with the description
    """
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "CLIP-style symmetric contrastive loss with retrieval metrics",
        "key_classes": [
            {
                "name": "CLIPStyleLoss",
                "purpose": "Symmetric cross entropy between image and text features",
                "key_methods": [
                    {
                        "name": "forward",
                        "brief_description": "Computes the loss and the metrics",
                    },
                    {
                        "name": "_create_smooth_labels",
                        "brief_description": "Builds smoothed targets",
                    },
                    {
                        "name": "_compute_recall_at_k",
                        "brief_description": "Computes recall in both directions",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn.functional", "logging"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 7,
    }
