"""
Feature consistency loss: keep features close to those of frozen reference models.

Used between training stages against forgetting, in the manner of learning
without forgetting (Li and Hoiem, 2016) and FitNets (Romero et al., 2015).
"""

import logging
from typing import Any, Dict, Optional, Union

import torch
import torch.nn as nn
import torch.nn.functional as F

logger = logging.getLogger(__name__)


class FeatureConsistencyLoss(nn.Module):
    """
    Distance between current features and those of reference models from an earlier stage.
    """

    def __init__(
        self,
        reference_vision_model: Optional[nn.Module] = None,
        reference_text_model: Optional[nn.Module] = None,
        vision_weight: float = 1.0,
        text_weight: float = 1.0,
        distance_fn: str = "cosine",
        normalize_features: bool = True,
        detach_reference: bool = True,
        reduction: str = "mean",
    ):
        """
        Args:
            reference_vision_model: Vision model of the earlier stage
            reference_text_model: Text model of the earlier stage
            vision_weight: Weight of the vision distance
            text_weight: Weight of the text distance
            distance_fn: "cosine", "l2", "l1" or "smooth_l1"
            normalize_features: Whether rows are scaled to unit length first
            detach_reference: Whether the references are frozen
            reduction: "mean" or "sum" over the batch
        """
        super().__init__()
        self.reference_vision_model = reference_vision_model
        self.reference_text_model = reference_text_model
        self.vision_weight = vision_weight
        self.text_weight = text_weight
        self.distance_fn = distance_fn
        self.normalize_features = normalize_features
        self.detach_reference = detach_reference
        self.reduction = reduction

        if self.reference_vision_model is not None:
            self.reference_vision_model.eval()
            if detach_reference:
                for param in self.reference_vision_model.parameters():
                    param.requires_grad = False

        if self.reference_text_model is not None:
            self.reference_text_model.eval()
            if detach_reference:
                for param in self.reference_text_model.parameters():
                    param.requires_grad = False

    def _compute_distance(self, current: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        """Distance between current and reference features, reduced over the batch."""
        if self.normalize_features:
            current = F.normalize(current, p=2, dim=1)
            reference = F.normalize(reference, p=2, dim=1)

        if self.distance_fn == "cosine":
            distance = 1 - torch.sum(current * reference, dim=1)
        elif self.distance_fn == "l2":
            distance = torch.norm(current - reference, p=2, dim=1)
        elif self.distance_fn == "l1":
            distance = torch.norm(current - reference, p=1, dim=1)
        elif self.distance_fn == "smooth_l1":
            distance = F.smooth_l1_loss(current, reference, reduction="none").sum(dim=1)
        else:
            raise ValueError(f"Unknown distance function: {self.distance_fn}")

        if self.reduction == "mean":
            return distance.mean()
        elif self.reduction == "sum":
            return distance.sum()
        else:
            return distance

    def forward(
        self,
        vision_features: Optional[torch.Tensor] = None,
        text_features: Optional[torch.Tensor] = None,
        vision_inputs: Optional[torch.Tensor] = None,
        text_inputs: Optional[Union[torch.Tensor, Dict[str, torch.Tensor]]] = None,
        **kwargs,
    ) -> Dict[str, Any]:
        """
        Args:
            vision_features: Current vision features [batch_size, dim]
            text_features: Current text features [batch_size, dim]
            vision_inputs: Raw vision inputs for the reference model
            text_inputs: Raw text inputs for the reference model, a tensor or a dict

        Returns:
            Dictionary with the loss, the distance of each side and the weights
        """
        do_vision = self.reference_vision_model is not None and (
            vision_features is not None or vision_inputs is not None
        )
        do_text = self.reference_text_model is not None and (
            text_features is not None or text_inputs is not None
        )

        if vision_features is not None:
            device = vision_features.device
        elif text_features is not None:
            device = text_features.device
        elif vision_inputs is not None:
            device = vision_inputs.device
        elif text_inputs is not None:
            device = text_inputs.device
        else:
            return {"loss": torch.tensor(0.0)}

        vision_loss = None
        text_loss = None

        if do_vision:
            if vision_inputs is not None:
                with torch.set_grad_enabled(not self.detach_reference):
                    model_device = next(self.reference_vision_model.parameters()).device
                    reference_vision = self.reference_vision_model(vision_inputs.to(model_device))
                    reference_vision = reference_vision.to(device)

                if vision_features is None:
                    logger.warning("No vision features given, vision consistency is skipped")
                    do_vision = False
                elif vision_features.shape != reference_vision.shape:
                    logger.warning(
                        f"Vision features {tuple(vision_features.shape)} and reference "
                        f"{tuple(reference_vision.shape)} differ in shape, vision consistency is skipped"
                    )
                    do_vision = False
                else:
                    vision_loss = self._compute_distance(vision_features, reference_vision)
            else:
                logger.warning("No vision inputs given, vision consistency is skipped")
                do_vision = False

        if do_text:
            if text_inputs is not None:
                with torch.set_grad_enabled(not self.detach_reference):
                    model_device = next(self.reference_text_model.parameters()).device
                    if isinstance(text_inputs, dict):
                        model_inputs = {
                            k: v.to(model_device) if isinstance(v, torch.Tensor) else v
                            for k, v in text_inputs.items()
                        }
                    else:
                        model_inputs = text_inputs.to(model_device)
                    reference_text = self.reference_text_model(model_inputs)
                    reference_text = reference_text.to(device)

                if text_features is None:
                    logger.warning("No text features given, text consistency is skipped")
                    do_text = False
                elif text_features.shape != reference_text.shape:
                    logger.warning(
                        f"Text features {tuple(text_features.shape)} and reference "
                        f"{tuple(reference_text.shape)} differ in shape, text consistency is skipped"
                    )
                    do_text = False
                else:
                    text_loss = self._compute_distance(text_features, reference_text)
            else:
                logger.warning("No text inputs given, text consistency is skipped")
                do_text = False

        total_loss = 0.0
        if do_vision:
            total_loss = total_loss + self.vision_weight * vision_loss
        if do_text:
            total_loss = total_loss + self.text_weight * text_loss

        return {
            "loss": total_loss,
            "feature_consistency_loss": total_loss.item(),
            "vision_consistency_loss": vision_loss.item() if do_vision else 0.0,
            "text_consistency_loss": text_loss.item() if do_text else 0.0,
            "vision_weight": self.vision_weight,
            "text_weight": self.text_weight,
        }


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Consistency of features with reference models of an earlier stage",
        "key_classes": [
            {
                "name": "FeatureConsistencyLoss",
                "purpose": "Feature distillation against forgetting between training stages",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features=None, text_features=None, vision_inputs=None, text_inputs=None, **kwargs)",
                        "brief_description": "Compute the distance to the reference features",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 6,
    }
