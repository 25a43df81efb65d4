"""
Basic loss functions.

Cross entropy with label smoothing and mean squared error, both with optional
per-sample weights.
"""

import os
from typing import Optional

import torch
import torch.nn as nn
import torch.nn.functional as F


class CrossEntropyLoss(nn.Module):
    """
    Cross entropy with label smoothing.

    Args:
        smoothing: Label smoothing factor
        reduction: "mean", "sum" or "none"
        weight: Class weights
    """

    def __init__(
        self,
        smoothing: float = 0.1,
        reduction: str = "mean",
        weight: Optional[torch.Tensor] = None,
    ):
        super().__init__()
        self.smoothing = smoothing
        self.reduction = reduction
        self.weight = weight

    def forward(
        self,
        input: torch.Tensor,
        target: torch.Tensor,
        sample_weight: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """
        Compute the loss.

        Args:
            input: Logits
            target: Class indices
            sample_weight: Weight of each sample

        Returns:
            Loss
        """
        if self.smoothing > 0:
            num_classes = input.size(-1)

            # Smoothed one-hot targets
            one_hot = F.one_hot(target, num_classes).float()
            smooth_target = one_hot * (1 - self.smoothing) + self.smoothing / num_classes

            log_probs = F.log_softmax(input, dim=-1)
            loss = -(smooth_target * log_probs).sum(dim=-1)
        else:
            loss = F.cross_entropy(input, target, weight=self.weight, reduction="none")

        if sample_weight is not None:
            loss = loss * sample_weight

        if self.reduction == "mean":
            return loss.mean()
        elif self.reduction == "sum":
            return loss.sum()
        else:
            return loss


class MeanSquaredError(nn.Module):
    """
    Mean squared error with per-sample weights.

    Args:
        reduction: "mean", "sum" or "none"
        clip_grad: Upper bound, no bound if None
    """

    def __init__(self, reduction: str = "mean", clip_grad: Optional[float] = None):
        super().__init__()
        self.reduction = reduction
        self.clip_grad = clip_grad

    def forward(
        self,
        input: torch.Tensor,
        target: torch.Tensor,
        sample_weight: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """
        Compute the loss.

        Args:
            input: Predictions
            target: Target values
            sample_weight: Weight of each sample

        Returns:
            Loss
        """
        loss = (input - target) ** 2

        if sample_weight is not None:
            loss = loss * sample_weight.unsqueeze(-1)

        if self.reduction == "mean":
            loss = loss.mean()
        elif self.reduction == "sum":
            loss = loss.sum()

        if self.clip_grad is not None:
            loss = torch.clamp(loss, max=self.clip_grad)

        return loss


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
        "module_purpose": "Basic loss functions with smoothing and sample weights",
        "key_classes": [
            {
                "name": "CrossEntropyLoss",
                "purpose": "Cross entropy with label smoothing and sample weights",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, input, target, sample_weight=None) -> torch.Tensor",
                        "brief_description": "Computes the smoothed cross entropy",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn.functional"],
            },
            {
                "name": "MeanSquaredError",
                "purpose": "Mean squared error with sample weights and clipping",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, input, target, sample_weight=None) -> torch.Tensor",
                        "brief_description": "Computes the weighted squared error",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch"],
            },
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 3,
    }
