"""
Decorrelation loss: a penalty on the off-diagonal entries of feature covariances.

This is the covariance term of VICReg (Bardes et al., 2021), close to DeCov
(Cogswell et al., 2016), for up to three inputs.
"""

import logging
from typing import Any, Dict, Optional

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class DecorrelationLoss(nn.Module):
    """
    Penalise correlation between feature dimensions to keep features from collapsing.
    """

    def __init__(
        self,
        coef: float = 1.0,
        epsilon: float = 1e-5,
        normalize_embeddings: bool = True,
        track_feature_stats: bool = True,
        reduction: str = "mean",
    ):
        """
        Args:
            coef: Weight of the loss
            epsilon: Small constant for numerical stability
            normalize_embeddings: Whether rows are scaled to unit length first
            track_feature_stats: Whether per-feature variances are reported
            reduction: "mean" or "sum" over the off-diagonal entries
        """
        super().__init__()
        self.coef = coef
        self.epsilon = epsilon
        self.normalize_embeddings = normalize_embeddings
        self.track_feature_stats = track_feature_stats
        self.reduction = reduction

        # Below this variance a dimension counts as collapsed
        self.min_variance_threshold = 1e-4

    def _compute_covariance(self, features: torch.Tensor) -> torch.Tensor:
        """Covariance matrix [dim, dim] of features [batch_size, dim]."""
        batch_size, feature_dim = features.shape
        if batch_size <= 1:
            return torch.zeros(feature_dim, feature_dim, device=features.device)

        centered = features - features.mean(dim=0, keepdim=True)
        return torch.matmul(centered.T, centered) / (batch_size - 1)

    def _compute_off_diagonal_loss(self, cov: torch.Tensor) -> torch.Tensor:
        """Reduce the squared off-diagonal entries of a covariance matrix."""
        feature_dim = cov.shape[0]
        mask = 1.0 - torch.eye(feature_dim, device=cov.device)
        squared = (cov * mask).pow(2)

        if self.reduction == "mean":
            return squared.sum() / (feature_dim * (feature_dim - 1))
        elif self.reduction == "sum":
            return squared.sum()
        else:
            return squared

    def forward(
        self,
        vision_features: Optional[torch.Tensor] = None,
        text_features: Optional[torch.Tensor] = None,
        features: Optional[torch.Tensor] = None,
        **kwargs,
    ) -> Dict[str, Any]:
        """
        Args:
            vision_features: Vision features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            features: Any other features [batch_size, dim]

        Returns:
            Dictionary with the loss, the part of each input and statistics
        """
        if vision_features is None and text_features is None and features is None:
            return {"loss": torch.tensor(0.0)}

        if vision_features is not None:
            device = vision_features.device
        elif text_features is not None:
            device = text_features.device
        else:
            device = features.device

        losses = {}
        feature_stats = {}

        # Vision
        if vision_features is not None:
            batch_size, feature_dim = vision_features.shape
            if batch_size <= 1:
                logger.warning("Batch too small for the covariance of vision features")
                losses["vision_decorrelation_loss"] = torch.tensor(0.0, device=device)
            else:
                if self.normalize_embeddings:
                    vision_features = F.normalize(vision_features, p=2, dim=1)
                cov = self._compute_covariance(vision_features)
                losses["vision_decorrelation_loss"] = self._compute_off_diagonal_loss(cov)

                if self.track_feature_stats:
                    variance = torch.var(vision_features, dim=0)
                    low_var_dims = (variance < self.min_variance_threshold).sum().item()
                    low_var_pct = low_var_dims / feature_dim
                    feature_stats["vision_min_var"] = variance.min().item()
                    feature_stats["vision_max_var"] = variance.max().item()
                    feature_stats["vision_mean_var"] = variance.mean().item()
                    feature_stats["vision_low_var_dims"] = low_var_dims
                    feature_stats["vision_low_var_pct"] = low_var_pct
                    if low_var_pct > 0.5:
                        logger.warning(
                            f"Vision features may be collapsing: {low_var_dims} of "
                            f"{feature_dim} dimensions have low variance"
                        )

        # Text
        if text_features is not None:
            batch_size, feature_dim = text_features.shape
            if batch_size <= 1:
                logger.warning("Batch too small for the covariance of text features")
                losses["text_decorrelation_loss"] = torch.tensor(0.0, device=device)
            else:
                if self.normalize_embeddings:
                    text_features = F.normalize(text_features, p=2, dim=1)
                cov = self._compute_covariance(text_features)
                losses["text_decorrelation_loss"] = self._compute_off_diagonal_loss(cov)

                if self.track_feature_stats:
                    variance = torch.var(text_features, dim=0)
                    low_var_dims = (variance < self.min_variance_threshold).sum().item()
                    low_var_pct = low_var_dims / feature_dim
                    feature_stats["text_min_var"] = variance.min().item()
                    feature_stats["text_max_var"] = variance.max().item()
                    feature_stats["text_mean_var"] = variance.mean().item()
                    feature_stats["text_low_var_dims"] = low_var_dims
                    feature_stats["text_low_var_pct"] = low_var_pct
                    if low_var_pct > 0.5:
                        logger.warning(
                            f"Text features may be collapsing: {low_var_dims} of "
                            f"{feature_dim} dimensions have low variance"
                        )

        # Generic
        if features is not None:
            batch_size, feature_dim = features.shape
            if batch_size <= 1:
                logger.warning("Batch too small for the covariance of features")
                losses["generic_decorrelation_loss"] = torch.tensor(0.0, device=device)
            else:
                if self.normalize_embeddings:
                    features = F.normalize(features, p=2, dim=1)
                cov = self._compute_covariance(features)
                losses["generic_decorrelation_loss"] = self._compute_off_diagonal_loss(cov)

                if self.track_feature_stats:
                    variance = torch.var(features, dim=0)
                    low_var_dims = (variance < self.min_variance_threshold).sum().item()
                    low_var_pct = low_var_dims / feature_dim
                    feature_stats["feature_min_var"] = variance.min().item()
                    feature_stats["feature_max_var"] = variance.max().item()
                    feature_stats["feature_mean_var"] = variance.mean().item()
                    feature_stats["feature_low_var_dims"] = low_var_dims
                    feature_stats["feature_low_var_pct"] = low_var_pct
                    if low_var_pct > 0.5:
                        logger.warning(
                            f"Features may be collapsing: {low_var_dims} of "
                            f"{feature_dim} dimensions have low variance"
                        )

        total_loss = 0.0
        for part in losses.values():
            total_loss = total_loss + part
        if len(losses) > 1:
            total_loss = total_loss / len(losses)
        total_loss = self.coef * total_loss

        result = {"loss": total_loss, "decorrelation_loss": total_loss.item()}
        for name, part in losses.items():
            result[name] = part.item()
        if self.track_feature_stats:
            result["feature_stats"] = feature_stats

        return result


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Decorrelation of feature dimensions",
        "key_classes": [
            {
                "name": "DecorrelationLoss",
                "purpose": "Penalise off-diagonal covariance to prevent feature collapse",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features=None, text_features=None, features=None, **kwargs)",
                        "brief_description": "Compute the loss of the given features",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 5,
    }
