"""
Weighted sum of up to three losses that are called with the same arguments.
"""

import os
from typing import Any, Dict, Optional

import torch
import torch.nn as nn


class CombinedLoss(nn.Module):
    """
    Sum of a primary loss and up to two weighted further losses.

    The dictionaries of the parts are merged into one; entries of the second and
    third part get a prefix.
    """

    def __init__(
        self,
        primary_loss: nn.Module,
        secondary_loss: Optional[nn.Module] = None,
        secondary_loss_weight: float = 0.5,
        tertiary_loss: Optional[nn.Module] = None,
        tertiary_loss_weight: float = 0.3,
    ):
        """
        Args:
            primary_loss: Main loss, always with weight one
            secondary_loss: Second loss
            secondary_loss_weight: Weight of the second loss
            tertiary_loss: Third loss
            tertiary_loss_weight: Weight of the third loss
        """
        super().__init__()
        self.primary_loss = primary_loss
        self.secondary_loss = secondary_loss
        self.secondary_loss_weight = secondary_loss_weight
        self.tertiary_loss = tertiary_loss
        self.tertiary_loss_weight = tertiary_loss_weight

    def forward(self, *args, **kwargs) -> Dict[str, Any]:
        """
        Call every part with the given arguments and combine the results.

        Returns:
            Dictionary with the total loss and the entries of all parts
        """
        # Primary
        primary_result = self.primary_loss(*args, **kwargs)
        if isinstance(primary_result, dict):
            primary_value = primary_result["loss"]
        else:
            primary_value = primary_result
            primary_result = {"loss": primary_value}

        total_loss = primary_value
        result = dict(primary_result)
        result["primary_loss"] = (
            primary_value.item() if isinstance(primary_value, torch.Tensor) else primary_value
        )

        # Secondary
        if self.secondary_loss is not None:
            secondary_result = self.secondary_loss(*args, **kwargs)
            if isinstance(secondary_result, dict):
                secondary_value = secondary_result["loss"]
            else:
                secondary_value = secondary_result
                secondary_result = {"loss": secondary_value}

            total_loss = total_loss + self.secondary_loss_weight * secondary_value
            result["secondary_loss"] = (
                secondary_value.item()
                if isinstance(secondary_value, torch.Tensor)
                else secondary_value
            )
            result["secondary_weight"] = self.secondary_loss_weight
            for key, value in secondary_result.items():
                if key != "loss":
                    result[f"secondary_{key}"] = value

        # Tertiary
        if self.tertiary_loss is not None:
            tertiary_result = self.tertiary_loss(*args, **kwargs)
            if isinstance(tertiary_result, dict):
                tertiary_value = tertiary_result["loss"]
            else:
                tertiary_value = tertiary_result
                tertiary_result = {"loss": tertiary_value}

            total_loss = total_loss + self.tertiary_loss_weight * tertiary_value
            result["tertiary_loss"] = (
                tertiary_value.item()
                if isinstance(tertiary_value, torch.Tensor)
                else tertiary_value
            )
            result["tertiary_weight"] = self.tertiary_loss_weight
            for key, value in tertiary_result.items():
                if key != "loss":
                    result[f"tertiary_{key}"] = value

        result["loss"] = total_loss
        return result

    def train(self, mode: bool = True):
        """Set training mode here and in every part."""
        super().train(mode)
        if hasattr(self.primary_loss, "train"):
            self.primary_loss.train(mode)
        if self.secondary_loss is not None and hasattr(self.secondary_loss, "train"):
            self.secondary_loss.train(mode)
        if self.tertiary_loss is not None and hasattr(self.tertiary_loss, "train"):
            self.tertiary_loss.train(mode)
        return self

    def eval(self):
        """Set evaluation mode here and in every part."""
        return self.train(False)


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Weighted combination of several losses",
        "key_classes": [
            {
                "name": "CombinedLoss",
                "purpose": "Sum several losses with weights",
                "key_methods": [
                    {
                        "name": "__init__",
                        "signature": "__init__(self, loss_functions: Dict[str, nn.Module], loss_weights: Dict[str, float])",
                        "brief_description": "Set the losses and their weights",
                    },
                    {
                        "name": "forward",
                        "signature": "forward(self, *args, **kwargs)",
                        "brief_description": "Compute all losses and their weighted sum",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 4,
    }
