"""
Mixture of contrastive objectives for vision and text.

Adds up InfoNCE (CLIP), NT-Xent (SimCLR) and the supervised contrastive loss
(Khosla et al., 2020) with fixed weights.
"""

import logging
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class MultiModalMixedContrastiveLoss(nn.Module):
    """
    Weighted sum of InfoNCE, NT-Xent and supervised contrastive loss.
    """

    def __init__(
        self,
        temperature=0.07,
        loss_weights=None,
        reduction="mean",
        add_projection=False,
        projection_dim=256,
        input_dim=None,
    ):
        """
        Args:
            temperature: Softmax temperature of all parts
            loss_weights: Weights by part: "infonce", "nt_xent", "supervised"
            reduction: Reduction over the samples
            add_projection: Whether to project the features first
            projection_dim: Output width of the projection heads
            input_dim: Input width of the projection heads
        """
        super().__init__()
        self.temperature = temperature
        self.reduction = reduction
        self.loss_weights = (
            loss_weights
            if loss_weights is not None
            else {"infonce": 0.4, "nt_xent": 0.3, "supervised": 0.3}
        )
        self.add_projection = add_projection

        if add_projection:
            assert input_dim is not None, "input_dim is needed for projection heads"

            self.vision_projection = nn.Sequential(
                nn.Linear(input_dim, input_dim),
                nn.ReLU(),
                nn.Linear(input_dim, projection_dim),
            )
            self.text_projection = nn.Sequential(
                nn.Linear(input_dim, input_dim),
                nn.ReLU(),
                nn.Linear(input_dim, projection_dim),
            )

    def train(self, mode=True):
        """Set training mode, for the projection heads too."""
        self.training = mode
        if self.add_projection:
            self.vision_projection.train(mode)
            self.text_projection.train(mode)
        return self

    def eval(self):
        """Set evaluation mode."""
        return self.train(False)

    def project(self, vision_features, text_features):
        """
        Apply the projection heads, if any, and normalize.

        Args:
            vision_features: Vision features [batch, dim]
            text_features: Text features [batch, dim]

        Returns:
            Tuple of normalized vision and text features
        """
        if self.add_projection:
            device = vision_features.device
            if next(self.vision_projection.parameters()).device != device:
                self.vision_projection = self.vision_projection.to(device)
                self.text_projection = self.text_projection.to(device)

            vision_features = self.vision_projection(vision_features)
            text_features = self.text_projection(text_features)

        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)

        return vision_features, text_features

    def forward(self, vision_features, text_features, match_ids=None, labels=None):
        """
        Args:
            vision_features: Vision features [batch, dim]
            text_features: Text features [batch, dim]
            match_ids: One id per sample; equal ids match each other
            labels: Class labels for the supervised part [batch]

        Returns:
            Dictionary with the total, its parts, accuracies and recalls
        """
        batch_size = vision_features.shape[0]
        device = vision_features.device

        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "vision features %s, text features %s",
                tuple(vision_features.shape),
                tuple(text_features.shape),
            )

        if batch_size == 0:
            return {"loss": torch.tensor(0.0, device=device)}

        if text_features.shape[0] != batch_size:
            raise ValueError(
                f"Batch sizes differ: vision {batch_size}, text {text_features.shape[0]}"
            )

        vision_features, text_features = self.project(vision_features, text_features)

        if match_ids is None:
            print("No match_ids given, pairing samples by position")
            v2t_targets = torch.arange(batch_size, device=device)
            t2i_targets = torch.arange(batch_size, device=device)
        else:
            if not isinstance(match_ids[0], str):
                match_ids = [str(match_id) for match_id in match_ids]

            match_matrix = torch.zeros(
                (batch_size, batch_size), dtype=torch.bool, device=device
            )
            for i in range(batch_size):
                for j in range(batch_size):
                    match_matrix[i, j] = match_ids[i] == match_ids[j]

            # Look for groupings that make the task trivial or meaningless
            unique_ids = set(match_ids)
            id_counts = {}
            for match_id in match_ids:
                id_counts[match_id] = id_counts.get(match_id, 0) + 1
            if len(unique_ids) == 1:
                print(f"All {batch_size} samples share one match_id: {id_counts}")
            elif len(unique_ids) == len(match_ids) and batch_size > 1:
                print(f"All {batch_size} match_ids are unique, no groups in this batch")

            # One match per row and per column, chosen at random
            v2t_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for i in range(batch_size):
                candidates = torch.where(match_matrix[i])[0]
                if len(candidates) > 0:
                    choice = torch.randint(0, len(candidates), (1,), device=device)
                    v2t_targets[i] = candidates[choice]
                else:
                    v2t_targets[i] = i

            t2i_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for j in range(batch_size):
                candidates = torch.where(match_matrix[:, j])[0]
                if len(candidates) > 0:
                    choice = torch.randint(0, len(candidates), (1,), device=device)
                    t2i_targets[j] = candidates[choice]
                else:
                    t2i_targets[j] = j

        similarity = torch.matmul(vision_features, text_features.T) / self.temperature

        # Small batches are easy to memorize, so blur their logits a little
        if batch_size < 16 and self.training:
            noise_level = max(0.005, 0.02 * (16 - batch_size) / 16)
            similarity = similarity + torch.randn_like(similarity) * noise_level

        loss_v2t = F.cross_entropy(similarity, v2t_targets, reduction=self.reduction)
        loss_t2v = F.cross_entropy(similarity.T, t2i_targets, reduction=self.reduction)
        infonce_loss = (loss_v2t + loss_t2v) / 2

        nt_xent_loss = self._nt_xent_loss(vision_features, text_features)

        if labels is not None:
            supervised_loss = self._supervised_contrastive_loss(
                vision_features, text_features, labels
            )
        else:
            supervised_loss = torch.tensor(0.0, device=device)

        total_loss = (
            self.loss_weights["infonce"] * infonce_loss
            + self.loss_weights["nt_xent"] * nt_xent_loss
            + self.loss_weights["supervised"] * supervised_loss
        )

        with torch.no_grad():
            v2t_pred = torch.argmax(similarity, dim=1)
            t2v_pred = torch.argmax(similarity, dim=0)
            v2t_accuracy = (v2t_pred == v2t_targets).float().mean()
            t2v_accuracy = (t2v_pred == t2i_targets).float().mean()
            accuracy = (v2t_accuracy + t2v_accuracy) / 2

            recalls = self._compute_recall_at_k(
                similarity,
                K=[1, 5, 10],
                v2t_targets=v2t_targets,
                t2i_targets=t2i_targets,
            )

        return {
            "loss": total_loss,
            "loss_infonce": infonce_loss,
            "loss_nt_xent": nt_xent_loss,
            "loss_supervised": supervised_loss,
            "v2t_accuracy": v2t_accuracy,
            "t2v_accuracy": t2v_accuracy,
            "accuracy": accuracy,
            "recalls": recalls,
        }

    def _nt_xent_loss(self, vision_features, text_features):
        """
        NT-Xent over the stacked vision and text features.

        Args:
            vision_features: Vision features [batch, dim]
            text_features: Text features [batch, dim]

        Returns:
            Loss, reduced over 2 * batch rows
        """
        batch_size = vision_features.shape[0]
        device = vision_features.device

        features = torch.cat([vision_features, text_features], dim=0)

        # The positive of each row is the other modality of the same sample
        targets = torch.cat(
            [
                torch.arange(batch_size, device=device) + batch_size,
                torch.arange(batch_size, device=device),
            ],
            dim=0,
        )

        similarity = torch.matmul(features, features.T) / self.temperature

        # Keep a row from matching itself
        mask = torch.ones(2 * batch_size, 2 * batch_size, device=device) - torch.eye(
            2 * batch_size, device=device
        )
        similarity = similarity * mask - 1e9 * (1 - mask)

        return F.cross_entropy(similarity, targets, reduction=self.reduction)

    def _supervised_contrastive_loss(self, vision_features, text_features, labels):
        """
        Supervised contrastive loss over the stacked vision and text features.

        Args:
            vision_features: Vision features [batch, dim]
            text_features: Text features [batch, dim]
            labels: Class labels [batch]

        Returns:
            Loss, reduced over 2 * batch rows
        """
        batch_size = vision_features.shape[0]
        device = vision_features.device

        features = torch.cat([vision_features, text_features], dim=0)
        labels = torch.cat([labels, labels], dim=0)
        labels = labels.contiguous().view(-1, 1)

        identity = torch.eye(2 * batch_size, device=device)
        label_mask = torch.eq(labels, labels.T).float() - identity
        non_self_mask = 1 - identity
        pos_mask = label_mask * non_self_mask

        similarity = torch.matmul(features, features.T) / self.temperature

        pos_count = pos_mask.sum(dim=1).clamp(min=1)
        pos_mean = (similarity * pos_mask).sum(dim=1) / pos_count

        denominator = torch.log((torch.exp(similarity) * non_self_mask).sum(dim=1))

        loss = -pos_mean + denominator

        if self.reduction == "mean":
            return loss.mean()
        elif self.reduction == "sum":
            return loss.sum()
        return loss

    def _compute_recall_at_k(
        self, similarity, K=[1, 5, 10], v2t_targets=None, t2i_targets=None
    ):
        """
        Recall@k in both directions.

        Args:
            similarity: Similarity of vision rows to text columns
            K: Values of k
            v2t_targets: Matching column of each row
            t2i_targets: Matching row of each column

        Returns:
            Dictionary of recalls
        """
        batch_size = similarity.shape[0]
        device = similarity.device

        if v2t_targets is None:
            v2t_targets = torch.arange(batch_size, device=device)
        if t2i_targets is None:
            t2i_targets = torch.arange(batch_size, device=device)

        recalls = {}
        for k in K:
            k_actual = min(k, batch_size)

            _, v2t_top = torch.topk(similarity, k_actual, dim=1)
            v2t_hits = torch.zeros(batch_size, device=device)
            for i in range(batch_size):
                v2t_hits[i] = (v2t_top[i] == v2t_targets[i]).any().float()
            v2t_recall = v2t_hits.mean().item()

            _, t2i_top = torch.topk(similarity.T, k_actual, dim=1)
            t2i_hits = torch.zeros(batch_size, device=device)
            for j in range(batch_size):
                t2i_hits[j] = (t2i_top[j] == t2i_targets[j]).any().float()
            t2i_recall = t2i_hits.mean().item()

            recalls[f"v2t_recall@{k}"] = v2t_recall
            recalls[f"t2i_recall@{k}"] = t2i_recall
            recalls[f"avg_recall@{k}"] = (v2t_recall + t2i_recall) / 2

        return recalls


def extract_file_metadata(file_path=__file__):
    """
    Describe this file for the project index.

    Args:
        file_path: Path of the file

    Returns:
        Dictionary with the description
    """
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Mixture of several contrastive objectives for vision and text",
        "key_classes": [
            {
                "name": "MultiModalMixedContrastiveLoss",
                "purpose": "Weighted sum of InfoNCE, NT-Xent and supervised contrastive loss",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None, labels=None)",
                        "brief_description": "Compute all parts and their weighted sum",
                    },
                    {
                        "name": "project",
                        "signature": "project(self, vision_features, text_features)",
                        "brief_description": "Project and normalize the features",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 8,
    }
