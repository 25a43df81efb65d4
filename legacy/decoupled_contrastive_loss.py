"""
Decoupled contrastive loss for image and text features.

The cross-modal term and the terms within each modality are computed apart
from each other, so that their weights can be chosen freely.
"""

import os
from typing import Any, Dict, List

import torch
import torch.nn as nn
import torch.nn.functional as F


class DecoupledContrastiveLoss(nn.Module):
    """
    Cross-modal contrastive loss plus instance discrimination per modality.

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
        self.training = True

    def train(self, mode: bool = True):
        """
        Set the training mode.

        Args:
            mode: Training if true, evaluation otherwise

        Returns:
            The loss itself
        """
        self.training = mode
        return self

    def eval(self):
        """Set the evaluation mode."""
        return self.train(False)

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

        if batch_size == 0:
            return {"loss": torch.tensor(0.0, device=device)}

        if text_features.shape[0] != batch_size:
            raise ValueError(
                f"Vision and text batches differ in size: "
                f"{tuple(vision_features.shape)} and {tuple(text_features.shape)}"
            )

        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)

        match_matrix = torch.zeros(
            batch_size, batch_size, dtype=torch.bool, device=device
        )
        for i in range(batch_size):
            for j in range(batch_size):
                match_matrix[i, j] = match_ids[i] == match_ids[j]

        # Cross-modal part
        v2t_similarity = (
            torch.matmul(vision_features, text_features.t()) / self.temperature
        )
        t2v_similarity = (
            torch.matmul(text_features, vision_features.t()) / self.temperature
        )

        v2t_loss = 0.0
        for i in range(batch_size):
            positive_idx = torch.where(match_matrix[i])[0]
            negative_idx = torch.where(~match_matrix[i])[0]
            if len(positive_idx) == 0 or len(negative_idx) == 0:
                continue
            positives = torch.exp(v2t_similarity[i, positive_idx]).sum()
            negatives = torch.exp(v2t_similarity[i, negative_idx]).sum()
            v2t_loss = v2t_loss + -torch.log(positives / (positives + negatives))

        t2v_loss = 0.0
        for j in range(batch_size):
            positive_idx = torch.where(match_matrix[:, j])[0]
            negative_idx = torch.where(~match_matrix[:, j])[0]
            if len(positive_idx) == 0 or len(negative_idx) == 0:
                continue
            positives = torch.exp(t2v_similarity[j, positive_idx]).sum()
            negatives = torch.exp(t2v_similarity[j, negative_idx]).sum()
            t2v_loss = t2v_loss + -torch.log(positives / (positives + negatives))

        num_positives = match_matrix.sum().item()
        if num_positives == 0:
            return {"loss": torch.tensor(0.0, device=device)}

        v2t_loss = v2t_loss / num_positives
        t2v_loss = t2v_loss / num_positives
        cross_modal_loss = (v2t_loss + t2v_loss) / 2

        # Instance discrimination within each modality
        vision_similarity = (
            torch.matmul(vision_features, vision_features.t()) / self.temperature
        )
        text_similarity = torch.matmul(text_features, text_features.t()) / self.temperature

        vision_inst_loss = 0.0
        for i in range(batch_size):
            if batch_size == 1:
                continue
            own = torch.exp(vision_similarity[i, i])
            others = torch.cat([vision_similarity[i, :i], vision_similarity[i, i + 1 :]])
            others = torch.exp(others).sum()
            vision_inst_loss = vision_inst_loss + -torch.log(own / (own + others))

        text_inst_loss = 0.0
        for i in range(batch_size):
            if batch_size == 1:
                continue
            own = torch.exp(text_similarity[i, i])
            others = torch.cat([text_similarity[i, :i], text_similarity[i, i + 1 :]])
            others = torch.exp(others).sum()
            text_inst_loss = text_inst_loss + -torch.log(own / (own + others))

        if batch_size > 0:
            vision_inst_loss = vision_inst_loss / batch_size
            text_inst_loss = text_inst_loss / batch_size
        else:
            vision_inst_loss = torch.tensor(0.0, device=device)
            text_inst_loss = torch.tensor(0.0, device=device)

        instance_loss = (vision_inst_loss + text_inst_loss) / 2

        loss = (
            cross_modal_loss
            + self.lambda_v * vision_inst_loss
            + self.lambda_t * text_inst_loss
        )

        with torch.no_grad():
            v2t_pred = torch.argmax(v2t_similarity, dim=1)
            t2v_pred = torch.argmax(t2v_similarity, dim=1)

            v2t_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            t2v_targets = torch.zeros(batch_size, dtype=torch.long, device=device)
            for i in range(batch_size):
                matches = torch.where(match_matrix[i])[0]
                v2t_targets[i] = matches[0] if len(matches) > 0 else i
                matches = torch.where(match_matrix[:, i])[0]
                t2v_targets[i] = matches[0] if len(matches) > 0 else i

            v2t_accuracy = (v2t_pred == v2t_targets).float().mean()
            t2v_accuracy = (t2v_pred == t2v_targets).float().mean()
            accuracy = (v2t_accuracy + t2v_accuracy) / 2

        return {
            "loss": loss,
            "cross_modal_loss": cross_modal_loss,
            "instance_loss": instance_loss,
            "v2t_loss": v2t_loss,
            "t2v_loss": t2v_loss,
            "vision_inst_loss": vision_inst_loss,
            "text_inst_loss": text_inst_loss,
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
        "module_purpose": "Decoupled contrastive loss with instance terms per modality",
        "key_classes": [
            {
                "name": "DecoupledContrastiveLoss",
                "purpose": "Cross-modal contrast plus weighted instance discrimination",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids) -> Dict[str, Any]",
                        "brief_description": "Computes the loss and its parts",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 8,
    }
