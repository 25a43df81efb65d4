"""Decoupled contrastive loss for image and text features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from examples.options.shared_functions import functions


class DecoupledContrastiveLoss(nn.Module):
    """Cross-modal contrastive loss plus instance discrimination per modality."""

    def __init__(self, temperature: float = 0.07, lambda_v: float = 0.5, lambda_t: float = 0.5, reduction: str = "mean") -> None:
        super().__init__()
        self.temperature = temperature
        self.lambda_v = lambda_v
        self.lambda_t = lambda_t
        self.reduction = reduction

    def forward(self, vision_features: Tensor, text_features: Tensor, match_ids: Sequence[Any]) -> dict[str, Any]:
        """The loss, its parts and the accuracies of a batch."""
        batch_size = vision_features.shape[0]
        device = vision_features.device
        if batch_size == 0:
            return {"loss": torch.tensor(0.0, device=device)}
        vision_features, text_features = functions.unit_pair(vision_features, text_features)
        matches = functions.match_matrix(match_ids, batch_size, device)
        num_positives = matches.sum().item()
        if num_positives == 0:
            return {"loss": torch.tensor(0.0, device=device)}

        similarity = torch.matmul(vision_features, text_features.t()) / self.temperature
        v2t_loss = functions.summed_share(similarity, matches) / num_positives
        t2v_loss = functions.summed_share(similarity.t(), matches.t()) / num_positives
        cross_modal_loss = (v2t_loss + t2v_loss) / 2

        own = torch.eye(batch_size, dtype=torch.bool, device=device)
        vision_similarity = torch.matmul(vision_features, vision_features.t()) / self.temperature
        text_similarity = torch.matmul(text_features, text_features.t()) / self.temperature
        vision_inst_loss = functions.summed_share(vision_similarity, own) / batch_size
        text_inst_loss = functions.summed_share(text_similarity, own) / batch_size

        with torch.no_grad():
            first, first_of_columns = functions.first_targets(matches), functions.first_targets(matches.t())
            accuracies = functions.directional_accuracy(similarity, first, first_of_columns)

        return {
            "loss": cross_modal_loss + self.lambda_v * vision_inst_loss + self.lambda_t * text_inst_loss,
            "cross_modal_loss": cross_modal_loss,
            "instance_loss": (vision_inst_loss + text_inst_loss) / 2,
            "v2t_loss": v2t_loss,
            "t2v_loss": t2v_loss,
            "vision_inst_loss": vision_inst_loss,
            "text_inst_loss": text_inst_loss,
            **accuracies,
        }
