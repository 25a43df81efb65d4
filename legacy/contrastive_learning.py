"""
Contrastive learning for multimodal models.

Holds the multimodal ContrastiveLoss and its relatives: NT-Xent, supervised
contrastive loss, recall at K, a loss that mixes several objectives and a
decoupled loss with instance terms within each modality.
"""

import logging
import os
from typing import Any, Dict, List, Optional

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


def nt_xent_loss(
    vision_features: torch.Tensor,
    text_features: torch.Tensor,
    temperature: float = 0.07,
    reduction: str = "mean",
) -> torch.Tensor:
    """
    NT-Xent loss over image and text features.

    Every feature of the joined batch has to find its partner of the other
    modality among all other features.

    Args:
        vision_features: Image features [batch_size, dim]
        text_features: Text features [batch_size, dim]
        temperature: Divisor of the similarities
        reduction: "mean", "sum" or "none"

    Returns:
        Loss
    """
    batch_size = vision_features.shape[0]
    device = vision_features.device

    # Images first, then texts
    features = torch.cat([vision_features, text_features], dim=0)

    # The partner sits half the joined batch away
    targets = torch.cat(
        [
            torch.arange(batch_size, device=device) + batch_size,
            torch.arange(batch_size, device=device),
        ],
        dim=0,
    )

    similarity = torch.matmul(features, features.t()) / temperature

    # Take self-similarity out of the softmax
    mask = 1.0 - torch.eye(2 * batch_size, dtype=torch.float32, device=device)
    similarity = similarity * mask - 1e9 * (1 - mask)

    return F.cross_entropy(similarity, targets, reduction=reduction)


def supervised_contrastive_loss(
    vision_features: torch.Tensor,
    text_features: torch.Tensor,
    labels: torch.Tensor,
    temperature: float = 0.07,
    reduction: str = "mean",
) -> torch.Tensor:
    """
    Supervised contrastive loss over image and text features.

    All features of the joined batch that share a label are positives.

    Args:
        vision_features: Image features [batch_size, dim]
        text_features: Text features [batch_size, dim]
        labels: Class labels [batch_size]
        temperature: Divisor of the similarities
        reduction: "mean", "sum" or "none"

    Returns:
        Loss
    """
    batch_size = vision_features.shape[0]
    device = vision_features.device

    # Images first, then texts
    features = torch.cat([vision_features, text_features], dim=0)
    labels = torch.cat([labels, labels], dim=0)
    labels = labels.contiguous().view(-1, 1)

    # Pairs with the same label, without the feature itself
    identity = torch.eye(2 * batch_size, dtype=torch.float32, device=device)
    same_label = torch.eq(labels, labels.t()).float() - identity

    not_self = 1.0 - identity
    positives_mask = same_label * not_self
    negatives_mask = (1.0 - same_label) * not_self

    similarity = torch.matmul(features, features.t()) / temperature
    exp_similarity = torch.exp(similarity)
    exp_negatives = torch.exp(similarity) * negatives_mask

    # Average over the positives of each feature
    positives = (similarity * positives_mask).sum(dim=1) / torch.clamp(
        positives_mask.sum(dim=1), min=1
    )
    denominator = torch.log((exp_similarity * not_self).sum(dim=1))

    loss = -positives + denominator

    if reduction == "mean":
        return loss.mean()
    elif reduction == "sum":
        return loss.sum()
    else:
        return loss


def compute_recall_at_k(
    similarity: torch.Tensor,
    K: List[int] = [1, 5, 10],
    v2t_targets: Optional[torch.Tensor] = None,
    t2i_targets: Optional[torch.Tensor] = None,
) -> Dict[str, float]:
    """
    Recall@K in both retrieval directions.

    Args:
        similarity: Similarity matrix, images in rows
        K: Cut-offs
        v2t_targets: Target text of each image (diagonal if missing)
        t2i_targets: Target image of each text (diagonal if missing)

    Returns:
        Dictionary with the recalls of both directions and their average
    """
    batch_size = similarity.shape[0]
    device = similarity.device

    if v2t_targets is None:
        v2t_targets = torch.arange(batch_size, device=device)
    if t2i_targets is None:
        t2i_targets = torch.arange(batch_size, device=device)

    recalls = {}
    for k in K:
        k_capped = min(k, batch_size)

        # Image to text
        _, v2t_indices = torch.topk(similarity, k_capped, dim=1)
        v2t_hits = torch.zeros(batch_size, dtype=torch.bool, device=device)
        for i in range(batch_size):
            v2t_hits[i] = torch.any(v2t_indices[i] == v2t_targets[i])
        v2t_recall = v2t_hits.float().mean().item()

        # Text to image
        _, t2i_indices = torch.topk(similarity.t(), k_capped, dim=1)
        t2i_hits = torch.zeros(batch_size, dtype=torch.bool, device=device)
        for j in range(batch_size):
            t2i_hits[j] = torch.any(t2i_indices[j] == t2i_targets[j])
        t2i_recall = t2i_hits.float().mean().item()

        recalls[f"v2t_recall@{k}"] = v2t_recall
        recalls[f"t2i_recall@{k}"] = t2i_recall
        recalls[f"avg_recall@{k}"] = (v2t_recall + t2i_recall) / 2

    return recalls


class MultiModalMixedContrastiveLoss(nn.Module):
    """
    Mix of contrastive, classification and matching objectives.

    Args:
        contrastive_weight: Weight of the contrastive part
        classification_weight: Weight of the classification part
        multimodal_matching_weight: Weight of the matching part
        temperature: Divisor of the similarities
        use_hard_negatives: Whether given hard negatives are used
        hard_negative_weight: Share of the hard negatives in the contrastive part
        dim: Width of the features
    """

    def __init__(
        self,
        contrastive_weight: float = 1.0,
        classification_weight: float = 0.0,
        multimodal_matching_weight: float = 0.0,
        temperature: float = 0.07,
        use_hard_negatives: bool = False,
        hard_negative_weight: float = 0.5,
        dim: int = 768,
    ):
        super().__init__()
        self.contrastive_weight = contrastive_weight
        self.classification_weight = classification_weight
        self.multimodal_matching_weight = multimodal_matching_weight
        self.temperature = temperature
        self.use_hard_negatives = use_hard_negatives
        self.hard_negative_weight = hard_negative_weight
        self.dim = dim

        print(f"Mixed contrastive loss for features of width {dim}")

        self.contrastive_loss = ContrastiveLoss(
            temperature=temperature,
            add_projection=False,
            input_dim=dim,
            projection_dim=min(512, dim // 2),
        )
        self.classification_loss = nn.CrossEntropyLoss()
        self.matching_loss = nn.BCEWithLogitsLoss()

    def forward(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        match_ids: Optional[List[str]] = None,
        class_logits: Optional[torch.Tensor] = None,
        class_labels: Optional[torch.Tensor] = None,
        matching_logits: Optional[torch.Tensor] = None,
        matching_labels: Optional[torch.Tensor] = None,
        hard_negatives: Optional[Dict[str, torch.Tensor]] = None,
    ) -> Dict[str, Any]:
        """
        Compute the weighted sum of the active objectives.

        Args:
            vision_features: Image features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            match_ids: Ids that say which images and texts belong together
            class_logits: Logits of the classification
            class_labels: Labels of the classification
            matching_logits: Logits of the matching
            matching_labels: Labels of the matching
            hard_negatives: Features of hard negatives, "vision" and "text"

        Returns:
            Dictionary with the losses and metrics of the parts
        """
        total_loss = 0.0
        results = {}

        if self.contrastive_weight > 0:
            contrastive_inputs = {
                "vision_features": vision_features,
                "text_features": text_features,
            }
            if match_ids is not None:
                contrastive_inputs["match_ids"] = match_ids

            contrastive_results = self.contrastive_loss(**contrastive_inputs)
            contrastive = contrastive_results["loss"]

            if self.use_hard_negatives and hard_negatives is not None:
                hard_vision = hard_negatives.get("vision")
                hard_text = hard_negatives.get("text")
                if hard_vision is not None and hard_text is not None:
                    hard_results = self._compute_hard_negative_loss(
                        vision_features, text_features, hard_vision, hard_text
                    )
                    contrastive = (
                        1 - self.hard_negative_weight
                    ) * contrastive + self.hard_negative_weight * hard_results["loss"]
                    for key, value in hard_results.items():
                        results[f"hard_{key}"] = value

            weighted = self.contrastive_weight * contrastive
            total_loss = total_loss + weighted

            results.update(contrastive_results)
            results["contrastive_loss"] = contrastive.item()
            results["weighted_contrastive_loss"] = weighted.item()

        if (
            self.classification_weight > 0
            and class_logits is not None
            and class_labels is not None
        ):
            classification = self.classification_loss(class_logits, class_labels)
            weighted = self.classification_weight * classification
            total_loss = total_loss + weighted

            with torch.no_grad():
                predictions = torch.argmax(class_logits, dim=1)
                class_accuracy = (predictions == class_labels).float().mean()

            results["classification_loss"] = classification.item()
            results["weighted_classification_loss"] = weighted.item()
            results["classification_accuracy"] = class_accuracy.item()

        if (
            self.multimodal_matching_weight > 0
            and matching_logits is not None
            and matching_labels is not None
        ):
            matching = self.matching_loss(matching_logits, matching_labels.float())
            weighted = self.multimodal_matching_weight * matching
            total_loss = total_loss + weighted

            with torch.no_grad():
                predictions = (torch.sigmoid(matching_logits) > 0.5).float()
                matching_accuracy = (predictions == matching_labels).float().mean()

            results["matching_loss"] = matching.item()
            results["weighted_matching_loss"] = weighted.item()
            results["matching_accuracy"] = matching_accuracy.item()

        results["total_loss"] = total_loss

        return results

    def _compute_hard_negative_loss(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        hard_vision: torch.Tensor,
        hard_text: torch.Tensor,
    ) -> Dict[str, Any]:
        """
        InfoNCE with hard negatives as further candidates.

        Args:
            vision_features: Image features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            hard_vision: Image features of the hard negatives
            hard_text: Text features of the hard negatives

        Returns:
            Dictionary with the loss and its metrics
        """
        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)
        hard_vision = F.normalize(hard_vision, p=2, dim=1)
        hard_text = F.normalize(hard_text, p=2, dim=1)

        batch_size = vision_features.shape[0]
        positives = torch.matmul(vision_features, text_features.t()) / self.temperature
        v2t_hard = torch.matmul(vision_features, hard_text.t()) / self.temperature
        t2v_hard = torch.matmul(text_features, hard_vision.t()) / self.temperature

        v2t_logits = torch.cat([positives, v2t_hard], dim=1)
        t2v_logits = torch.cat([positives.t(), t2v_hard], dim=1)
        targets = torch.arange(batch_size, device=vision_features.device)

        v2t_loss = F.cross_entropy(v2t_logits, targets)
        t2v_loss = F.cross_entropy(t2v_logits, targets)
        loss = (v2t_loss + t2v_loss) / 2

        with torch.no_grad():
            v2t_accuracy = (torch.argmax(v2t_logits, dim=1) == targets).float().mean()
            t2v_accuracy = (torch.argmax(t2v_logits, dim=1) == targets).float().mean()
            accuracy = (v2t_accuracy + t2v_accuracy) / 2

        return {
            "loss": loss,
            "v2t_loss": v2t_loss.item(),
            "t2v_loss": t2v_loss.item(),
            "v2t_accuracy": v2t_accuracy.item(),
            "t2v_accuracy": t2v_accuracy.item(),
            "accuracy": accuracy.item(),
        }


class DecoupledContrastiveLoss(nn.Module):
    """
    Cross-modal contrastive loss plus instance terms within each modality.

    Args:
        temperature: Divisor of the similarities
        lambda_v: Weight of the image instance term
        lambda_t: Weight of the text instance term
        reduction: "mean", "sum" or "none"
    """

    def __init__(
        self,
        temperature: float = 0.07,
        lambda_v: float = 0.5,
        lambda_t: float = 0.5,
        reduction: str = "mean",
    ):
        super().__init__()
        self.temperature = temperature
        self.lambda_v = lambda_v
        self.lambda_t = lambda_t
        self.reduction = reduction

    def forward(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        match_ids: List[str],
    ) -> Dict[str, Any]:
        """
        Compute the loss and the accuracies of a batch.

        Args:
            vision_features: Image features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            match_ids: Ids that say which images and texts belong together

        Returns:
            Dictionary with the loss, its parts and the accuracies
        """
        batch_size = vision_features.shape[0]
        device = vision_features.device

        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)

        match_matrix = torch.zeros(
            batch_size, batch_size, dtype=torch.bool, device=device
        )
        for i in range(batch_size):
            for j in range(batch_size):
                match_matrix[i, j] = match_ids[i] == match_ids[j]

        # Cross-modal part
        similarity = torch.matmul(vision_features, text_features.t()) / self.temperature

        v2t_loss = torch.tensor(0.0, device=device)
        v2t_correct = 0
        for i in range(batch_size):
            positives = torch.where(match_matrix[i])[0]
            if len(positives) == 0:
                continue
            row = similarity[i]
            pos_similarity = row[positives]
            for j in positives:
                v2t_loss = v2t_loss + (-row[j] + torch.logsumexp(row, dim=0))
            if match_matrix[i, torch.argmax(similarity[i])]:
                v2t_correct += 1

        t2v_loss = torch.tensor(0.0, device=device)
        t2v_correct = 0
        for j in range(batch_size):
            positives = torch.where(match_matrix[:, j])[0]
            if len(positives) == 0:
                continue
            column = similarity[:, j]
            pos_similarity = column[positives]
            for i in positives:
                t2v_loss = t2v_loss + (-column[i] + torch.logsumexp(column, dim=0))
            if match_matrix[torch.argmax(similarity[:, j]), j]:
                t2v_correct += 1

        # Instance part, within each modality
        identity = torch.eye(batch_size, dtype=torch.bool, device=device)
        vision_similarity = (
            torch.matmul(vision_features, vision_features.t()) / self.temperature
        )
        text_similarity = torch.matmul(text_features, text_features.t()) / self.temperature
        vision_similarity = vision_similarity.masked_fill(identity, float("-inf"))
        text_similarity = text_similarity.masked_fill(identity, float("-inf"))

        vision_inst_loss = torch.tensor(0.0, device=device)
        for i in range(batch_size):
            for j in range(batch_size):
                if i != j and match_matrix[i, j]:
                    vision_inst_loss = vision_inst_loss + (
                        -vision_similarity[i, j]
                        + torch.logsumexp(vision_similarity[i], dim=0)
                    )

        text_inst_loss = torch.tensor(0.0, device=device)
        for i in range(batch_size):
            for j in range(batch_size):
                if i != j and match_matrix[i, j]:
                    text_inst_loss = text_inst_loss + (
                        -text_similarity[i, j]
                        + torch.logsumexp(text_similarity[i], dim=0)
                    )

        # Average over the matching pairs
        num_pairs = (match_matrix & ~identity).sum().item()
        if num_pairs > 0:
            v2t_loss = v2t_loss / num_pairs
            t2v_loss = t2v_loss / num_pairs
            vision_inst_loss = vision_inst_loss / num_pairs
            text_inst_loss = text_inst_loss / num_pairs
        else:
            v2t_loss = torch.tensor(0.0, device=device)
            t2v_loss = torch.tensor(0.0, device=device)
            vision_inst_loss = torch.tensor(0.0, device=device)
            text_inst_loss = torch.tensor(0.0, device=device)

        v2t_accuracy = v2t_correct / batch_size if batch_size > 0 else 0.0
        t2v_accuracy = t2v_correct / batch_size if batch_size > 0 else 0.0
        accuracy = (v2t_accuracy + t2v_accuracy) / 2

        cross_modal_loss = (v2t_loss + t2v_loss) / 2
        instance_loss = self.lambda_v * vision_inst_loss + self.lambda_t * text_inst_loss
        loss = cross_modal_loss + instance_loss

        return {
            "loss": loss,
            "cross_modal_loss": cross_modal_loss.item(),
            "instance_loss": instance_loss.item(),
            "v2t_loss": v2t_loss.item(),
            "t2v_loss": t2v_loss.item(),
            "vision_inst_loss": vision_inst_loss.item(),
            "text_inst_loss": text_inst_loss.item(),
            "v2t_accuracy": v2t_accuracy,
            "t2v_accuracy": t2v_accuracy,
            "accuracy": accuracy,
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
        "module_purpose": "Contrastive learning objectives for multimodal models",
        "key_classes": [
            {
                "name": "ContrastiveLoss",
                "purpose": "InfoNCE between image and text features",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None) -> Dict[str, Any]",
                        "brief_description": "Computes the contrastive loss",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn.functional"],
            },
            {
                "name": "MultiModalMixedContrastiveLoss",
                "purpose": "Mix of contrastive, classification and matching objectives",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None, ...) -> Dict[str, Any]",
                        "brief_description": "Computes the weighted sum of the parts",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "ContrastiveLoss"],
            },
            {
                "name": "DecoupledContrastiveLoss",
                "purpose": "Cross-modal loss with instance terms",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids) -> Dict[str, Any]",
                        "brief_description": "Computes the decoupled loss",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn.functional"],
            },
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 8,
    }
