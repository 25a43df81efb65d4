"""
Supervised contrastive loss for image and text features.

Samples of the same class (or with a high similarity score) attract each
other, within each modality and across modalities.
"""

import logging
from typing import Any, Dict, List, Optional, Tuple, Union

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class SupervisedContrastiveLoss(nn.Module):
    """
    Supervised contrastive loss over two modalities.

    Args:
        temperature: Divisor of the similarities
        contrast_mode: "all", "intra" or "cross"
        base_temperature: Reference temperature that scales the loss
        similarity_threshold: Scores from here on make a positive pair
        use_class_weights: Whether given class weights are applied
        reduction: "mean", "sum" or "none"
    """

    def __init__(
        self,
        temperature: float = 0.07,
        contrast_mode: str = "all",
        base_temperature: float = 0.07,
        similarity_threshold: float = 0.5,
        use_class_weights: bool = False,
        reduction: str = "mean",
    ):
        super().__init__()
        self.temperature = temperature
        self.contrast_mode = contrast_mode
        self.base_temperature = base_temperature
        self.similarity_threshold = similarity_threshold
        self.use_class_weights = use_class_weights
        self.reduction = reduction

    def forward(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        labels: Optional[torch.Tensor] = None,
        similarity_scores: Optional[torch.Tensor] = None,
        class_weights: Optional[torch.Tensor] = None,
        **kwargs,
    ) -> Dict[str, Any]:
        """
        Compute the loss of a batch.

        Args:
            vision_features: Image features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            labels: Class labels [batch_size]
            similarity_scores: Pairwise scores [batch_size, batch_size]
            class_weights: Weight of each class

        Returns:
            Dictionary with the loss, its parts and the accuracy
        """
        batch_size = vision_features.shape[0]
        device = vision_features.device

        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)

        # Which pairs are positives
        if labels is not None:
            if labels.dim() == 2 and labels.shape[1] > 1:
                # Several labels per sample: positives share one of them
                shared_labels = torch.matmul(labels.float(), labels.float().t())
            else:
                labels = labels.contiguous().view(-1, 1)
                mask = torch.eq(labels, labels.t()).float().to(device)
        elif similarity_scores is not None:
            mask = (similarity_scores >= self.similarity_threshold).float().to(device)
        else:
            logger.warning("Neither labels nor similarity scores given")
            mask = torch.eye(batch_size, dtype=torch.float32, device=device)

        # A sample is no positive of itself
        identity = torch.eye(batch_size, dtype=torch.float32, device=device)
        logits_mask = torch.ones_like(mask) - identity
        mask = mask * logits_mask

        positives_per_row = mask.sum(dim=1)
        valid_rows = positives_per_row > 0

        if not valid_rows.any():
            logger.warning("No positive pairs in the batch, the loss is zero")
            return {
                "loss": torch.tensor(0.0, device=device),
                "intra_vision_loss": torch.tensor(0.0, device=device),
                "intra_text_loss": torch.tensor(0.0, device=device),
                "cross_modal_loss": torch.tensor(0.0, device=device),
            }

        loss = 0.0
        intra_vision_loss = 0.0
        intra_text_loss = 0.0
        cross_modal_loss = 0.0

        if self.contrast_mode in ["all", "intra"]:
            # Within vision
            vision_similarity = (
                torch.matmul(vision_features, vision_features.t()) / self.temperature
            )
            vision_max, _ = torch.max(vision_similarity, dim=1, keepdim=True)
            vision_logits = vision_similarity - vision_max.detach()

            vision_positives = vision_logits * mask

            exp_logits = torch.exp(vision_logits) * logits_mask
            log_prob = vision_logits - torch.log(
                exp_logits.sum(dim=1, keepdim=True) + 1e-8
            )
            mean_log_prob = (mask * log_prob).sum(dim=1) / (positives_per_row + 1e-8)

            if self.use_class_weights and class_weights is not None:
                if labels.dim() == 2 and labels.shape[1] > 1:
                    sample_weights = (labels * class_weights).sum(dim=1) / (
                        labels.sum(dim=1) + 1e-8
                    )
                else:
                    sample_weights = class_weights[labels.view(-1)]
                mean_log_prob = mean_log_prob * sample_weights

            intra_vision_loss = -(self.temperature / self.base_temperature) * mean_log_prob
            if self.reduction == "mean":
                intra_vision_loss = intra_vision_loss[valid_rows].mean()
            elif self.reduction == "sum":
                intra_vision_loss = intra_vision_loss[valid_rows].sum()

            # Within text
            text_similarity = (
                torch.matmul(text_features, text_features.t()) / self.temperature
            )
            text_max, _ = torch.max(text_similarity, dim=1, keepdim=True)
            text_logits = text_similarity - text_max.detach()

            text_positives = text_logits * mask

            exp_logits = torch.exp(text_logits) * logits_mask
            log_prob = text_logits - torch.log(exp_logits.sum(dim=1, keepdim=True) + 1e-8)
            mean_log_prob = (mask * log_prob).sum(dim=1) / (positives_per_row + 1e-8)

            if self.use_class_weights and class_weights is not None:
                if labels.dim() == 2 and labels.shape[1] > 1:
                    sample_weights = (labels * class_weights).sum(dim=1) / (
                        labels.sum(dim=1) + 1e-8
                    )
                else:
                    sample_weights = class_weights[labels.view(-1)]
                mean_log_prob = mean_log_prob * sample_weights

            intra_text_loss = -(self.temperature / self.base_temperature) * mean_log_prob
            if self.reduction == "mean":
                intra_text_loss = intra_text_loss[valid_rows].mean()
            elif self.reduction == "sum":
                intra_text_loss = intra_text_loss[valid_rows].sum()

        if self.contrast_mode in ["all", "cross"]:
            cross_similarity = (
                torch.matmul(vision_features, text_features.t()) / self.temperature
            )

            # Vision to text
            v2t_max, _ = torch.max(cross_similarity, dim=1, keepdim=True)
            v2t_logits = cross_similarity - v2t_max.detach()

            v2t_positives = v2t_logits * mask

            log_prob = v2t_logits - torch.log(
                torch.exp(v2t_logits).sum(dim=1, keepdim=True) + 1e-8
            )
            v2t_mean_log_prob = (mask * log_prob).sum(dim=1) / (positives_per_row + 1e-8)

            # Text to vision
            t2v_similarity = cross_similarity.t()
            t2v_max, _ = torch.max(t2v_similarity, dim=1, keepdim=True)
            t2v_logits = t2v_similarity - t2v_max.detach()

            t2v_positives = t2v_logits * mask.t()

            log_prob = t2v_logits - torch.log(
                torch.exp(t2v_logits).sum(dim=1, keepdim=True) + 1e-8
            )
            t2v_mean_log_prob = (mask.t() * log_prob).sum(dim=1) / (
                positives_per_row + 1e-8
            )

            if self.use_class_weights and class_weights is not None:
                if labels.dim() == 2 and labels.shape[1] > 1:
                    sample_weights = (labels * class_weights).sum(dim=1) / (
                        labels.sum(dim=1) + 1e-8
                    )
                else:
                    sample_weights = class_weights[labels.view(-1)]
                v2t_mean_log_prob = v2t_mean_log_prob * sample_weights
                t2v_mean_log_prob = t2v_mean_log_prob * sample_weights

            v2t_loss = -(self.temperature / self.base_temperature) * v2t_mean_log_prob
            t2v_loss = -(self.temperature / self.base_temperature) * t2v_mean_log_prob

            if self.reduction == "mean":
                v2t_loss = v2t_loss[valid_rows].mean()
                t2v_loss = t2v_loss[valid_rows].mean()
            elif self.reduction == "sum":
                v2t_loss = v2t_loss[valid_rows].sum()
                t2v_loss = t2v_loss[valid_rows].sum()

            cross_modal_loss = (v2t_loss + t2v_loss) / 2

        if self.contrast_mode == "all":
            loss = (intra_vision_loss + intra_text_loss + cross_modal_loss) / 3
        elif self.contrast_mode == "intra":
            loss = (intra_vision_loss + intra_text_loss) / 2
        elif self.contrast_mode == "cross":
            loss = cross_modal_loss

        # How often a positive is closer than a negative
        with torch.no_grad():
            similarity = torch.matmul(vision_features, text_features.t())

            if labels is not None:
                positive_pairs = torch.eq(labels, labels.t()).float()
                negative_pairs = 1 - positive_pairs
            else:
                positive_pairs = mask
                negative_pairs = 1 - positive_pairs - identity

            correct = 0
            comparisons = 0
            for i in range(batch_size):
                positive_idx = torch.where(positive_pairs[i] > 0)[0]
                negative_idx = torch.where(negative_pairs[i] > 0)[0]
                if len(positive_idx) > 0 and len(negative_idx) > 0:
                    for p in positive_idx:
                        positive_similarity = similarity[i, p].item()
                        for n in negative_idx:
                            if positive_similarity > similarity[i, n]:
                                correct += 1
                            comparisons += 1

            contrastive_accuracy = correct / comparisons if comparisons > 0 else 0.0

        return {
            "loss": loss,
            "intra_vision_loss": (
                intra_vision_loss.item()
                if isinstance(intra_vision_loss, torch.Tensor)
                else intra_vision_loss
            ),
            "intra_text_loss": (
                intra_text_loss.item()
                if isinstance(intra_text_loss, torch.Tensor)
                else intra_text_loss
            ),
            "cross_modal_loss": (
                cross_modal_loss.item()
                if isinstance(cross_modal_loss, torch.Tensor)
                else cross_modal_loss
            ),
            "contrastive_accuracy": contrastive_accuracy,
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
        "module_purpose": "Supervised contrastive loss over image and text features",
        "key_classes": [
            {
                "name": "SupervisedContrastiveLoss",
                "purpose": "Attracts samples of the same class within and across modalities",
                "key_methods": [
                    {
                        "name": "forward",
                        "brief_description": "Computes the loss and its parts",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn.functional", "logging"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 7,
    }
