"""
Multitask loss: weighted sum of one loss per task, with fixed or dynamic weights.
"""

import logging
import os
from typing import Any, Dict, Optional

import torch
import torch.nn as nn

logger = logging.getLogger(__name__)


class MultitaskLoss(nn.Module):
    """
    Weighted sum of the losses of several tasks.

    With dynamic weighting the weights follow moving averages of the task losses:
    each weight is proportional to the inverse of its average.
    """

    def __init__(
        self,
        loss_functions: Dict[str, nn.Module],
        loss_weights: Optional[Dict[str, float]] = None,
        dynamic_weighting: bool = False,
        reduction: str = "mean",
    ):
        """
        Args:
            loss_functions: Loss module of each task
            loss_weights: Weight of each task, scaled to sum one; equal if None
            dynamic_weighting: Whether weights are derived from running losses
            reduction: Reduction of the task losses
        """
        super().__init__()
        self.loss_functions = nn.ModuleDict(loss_functions)
        self.task_names = list(loss_functions.keys())
        self.dynamic_weighting = dynamic_weighting
        self.reduction = reduction

        if loss_weights is None:
            equal_weight = 1.0 / len(self.task_names)
            self.loss_weights = {task: equal_weight for task in self.task_names}
        else:
            weight_sum = sum(loss_weights.values())
            self.loss_weights = {
                task: weight / weight_sum for task, weight in loss_weights.items()
            }

        if dynamic_weighting:
            self.running_losses = {task: 1.0 for task in self.task_names}
            self.momentum = 0.9

    def _update_dynamic_weights(self, individual_losses: Dict[str, torch.Tensor]) -> None:
        """Update the running losses and derive new weights from them."""
        for task in self.task_names:
            key = f"{task}_loss"
            if key in individual_losses:
                self.running_losses[task] = (
                    self.momentum * self.running_losses[task]
                    + (1 - self.momentum) * individual_losses[key].detach().item()
                )

        # Inverse of the running loss, scaled to sum one
        inverse_losses = {
            task: 1.0 / max(self.running_losses[task], 1e-8) for task in self.task_names
        }
        inverse_sum = sum(inverse_losses.values())
        for task in self.task_names:
            self.loss_weights[task] = inverse_losses[task] / inverse_sum

    def forward(self, inputs: Dict[str, Any], targets: Dict[str, Any]) -> Dict[str, Any]:
        """
        Args:
            inputs: Predictions by task
            targets: Targets by task

        Returns:
            Dictionary with the total loss, the task losses and the task weights
        """
        individual_losses = {}
        for task in self.task_names:
            if task in inputs and task in targets:
                individual_losses[f"{task}_loss"] = self.loss_functions[task](
                    inputs[task], targets[task]
                )
            else:
                logger.warning(f"No inputs or targets for task {task}, it is left out")

        if self.dynamic_weighting and individual_losses:
            self._update_dynamic_weights(individual_losses)

        total_loss = 0.0
        for task in self.task_names:
            key = f"{task}_loss"
            if key in individual_losses:
                total_loss += self.loss_weights[task] * individual_losses[key]

        result = {"loss": total_loss, **individual_losses}
        for task in self.task_names:
            result[f"{task}_weight"] = torch.tensor(self.loss_weights[task])

        return result


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Combination of the losses of several tasks",
        "key_classes": [
            {
                "name": "MultitaskLoss",
                "purpose": "Weighted sum of task losses with fixed or dynamic weights",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, inputs, targets)",
                        "brief_description": "Compute the task losses and their weighted sum",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 5,
    }
