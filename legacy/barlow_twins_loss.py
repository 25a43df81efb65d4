"""
Barlow Twins style loss for vision and text features.

After Zbontar et al., "Barlow Twins: Self-Supervised Learning via Redundancy
Reduction" (arXiv 2103.03230).
"""

import logging
import os
from typing import Any, Dict, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class BarlowTwinsLoss(nn.Module):
    """
    Redundancy reduction between two batches of features.

    The diagonal of the feature matrix is pulled to one, everything off the
    diagonal to zero. The matrix is taken across the modalities or averaged from
    the two matrices within the modalities.
    """

    def __init__(
        self,
        lambda_coeff: float = 0.005,
        batch_norm_last_layer: bool = True,
        correlation_mode: str = "cross_modal",
        add_projection: bool = False,
        projection_dim: int = 8192,
        input_dim: Optional[int] = None,
        normalize_embeddings: bool = True,
    ):
        """
        Args:
            lambda_coeff: Weight of the off-diagonal term
            batch_norm_last_layer: Whether the heads end in a batch norm
            correlation_mode: "cross_modal" or "within_batch"
            add_projection: Whether to put projection heads before the loss
            projection_dim: Output size of the heads
            input_dim: Input size of the heads, needed if they are used
            normalize_embeddings: Whether rows are scaled to unit length
        """
        super().__init__()
        self.lambda_coeff = lambda_coeff
        self.normalize_embeddings = normalize_embeddings
        self.correlation_mode = correlation_mode
        self.batch_norm_last_layer = batch_norm_last_layer
        self.add_projection = add_projection

        if add_projection:
            assert input_dim is not None, "input_dim is needed when add_projection is True"

            vision_layers = [
                nn.Linear(input_dim, input_dim),
                nn.BatchNorm1d(input_dim),
                nn.ReLU(inplace=True),
                nn.Linear(input_dim, input_dim),
                nn.BatchNorm1d(input_dim),
                nn.ReLU(inplace=True),
                nn.Linear(input_dim, projection_dim),
            ]
            if batch_norm_last_layer:
                vision_layers.append(nn.BatchNorm1d(projection_dim, affine=False))
            self.vision_projection = nn.Sequential(*vision_layers)

            text_layers = [
                nn.Linear(input_dim, input_dim),
                nn.BatchNorm1d(input_dim),
                nn.ReLU(inplace=True),
                nn.Linear(input_dim, input_dim),
                nn.BatchNorm1d(input_dim),
                nn.ReLU(inplace=True),
                nn.Linear(input_dim, projection_dim),
            ]
            if batch_norm_last_layer:
                text_layers.append(nn.BatchNorm1d(projection_dim, affine=False))
            self.text_projection = nn.Sequential(*text_layers)

    def project(
        self, vision_features: torch.Tensor, text_features: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Apply the heads (if any) and the row normalisation (if wanted)."""
        if self.add_projection:
            device = vision_features.device
            if next(self.vision_projection.parameters()).device != device:
                self.vision_projection = self.vision_projection.to(device)
                self.text_projection = self.text_projection.to(device)

            vision_features = self.vision_projection(vision_features)
            text_features = self.text_projection(text_features)

        if self.normalize_embeddings:
            vision_features = F.normalize(vision_features, p=2, dim=1)
            text_features = F.normalize(text_features, p=2, dim=1)

        return vision_features, text_features

    def forward(
        self, vision_features: torch.Tensor, text_features: torch.Tensor
    ) -> Tuple[torch.Tensor, Dict[str, Any]]:
        """
        Args:
            vision_features: Vision features [batch_size, dim]
            text_features: Text features [batch_size, dim]

        Returns:
            The loss and a dictionary with its two terms
        """
        batch_size = vision_features.shape[0]

        if batch_size == 0:
            return torch.tensor(0.0, device=vision_features.device), {
                "diagonal_loss": 0.0,
                "off_diagonal_loss": 0.0,
            }

        vision_features, text_features = self.project(vision_features, text_features)

        vision_features = vision_features - vision_features.mean(dim=0)
        text_features = text_features - text_features.mean(dim=0)

        if self.correlation_mode == "cross_modal":
            c = torch.matmul(vision_features.T, text_features) / batch_size
        else:
            c_vision = torch.matmul(vision_features.T, vision_features) / batch_size
            c_text = torch.matmul(text_features.T, text_features) / batch_size
            c = (c_vision + c_text) / 2

        diagonal_loss = (torch.diagonal(c) - 1).pow(2).mean()

        off_diagonal_mask = 1 - torch.eye(c.shape[0], device=c.device)
        off_diagonal_loss = (c * off_diagonal_mask).pow(2).mean()

        loss = diagonal_loss + self.lambda_coeff * off_diagonal_loss

        return loss, {
            "diagonal_loss": diagonal_loss.item(),
            "off_diagonal_loss": off_diagonal_loss.item(),
        }

    def train(self, mode: bool = True):
        """Set training mode of the heads and of the loss itself."""
        if self.add_projection:
            self.vision_projection.train(mode)
            self.text_projection.train(mode)
        return super().train(mode)


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Barlow Twins style redundancy reduction for vision and text",
        "key_classes": [
            {
                "name": "BarlowTwinsLoss",
                "purpose": "Diagonal and off-diagonal terms of a feature matrix",
                "key_methods": [
                    {
                        "name": "project",
                        "signature": "project(self, vision_features, text_features)",
                        "brief_description": "Apply heads and normalisation",
                    },
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features)",
                        "brief_description": "Compute the loss and its terms",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 6,
    }
