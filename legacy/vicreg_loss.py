"""
VICReg loss (Variance-Invariance-Covariance Regularization).

Follows Bardes, Ponce and LeCun, "VICReg: Variance-Invariance-Covariance
Regularization for Self-Supervised Learning" (arXiv 2105.04906), with a warm-up
schedule for the variance and covariance terms.
"""

import os
from typing import Any, Dict

import torch
import torch.nn as nn
import torch.nn.functional as F


class VICRegLoss(nn.Module):
    """
    VICReg between two batches of embeddings.

    The invariance term is measured on centred embeddings. With the curriculum
    switched on, the variance and covariance coefficients are scaled by a warm-up
    factor that depends on the current epoch (and step, if known).
    """

    def __init__(
        self,
        sim_coeff: float = 10.0,
        var_coeff: float = 5.0,
        cov_coeff: float = 1.0,
        epsilon: float = 1e-3,
        warmup_epochs: int = 5,
        curriculum: bool = True,
        num_epochs: int = 30,
    ):
        """
        Args:
            sim_coeff: Weight of the invariance term
            var_coeff: Weight of the variance term
            cov_coeff: Weight of the covariance term
            epsilon: Added to the variance before the square root
            warmup_epochs: Length of the warm-up in epochs
            curriculum: Whether the regularisers are warmed up
            num_epochs: Number of epochs of the run, to turn steps into epochs
        """
        super().__init__()
        self.sim_coeff = sim_coeff
        self.var_coeff = var_coeff
        self.cov_coeff = cov_coeff
        self.epsilon = epsilon
        self.warmup_epochs = warmup_epochs
        self.curriculum = curriculum
        self.num_epochs = num_epochs

        # Training progress, set from outside
        self.current_epoch = 0
        self.current_step = 0
        self.total_steps = 0

        # Coefficients used by the last forward
        self.effective_var_coeff = 0.0
        self.effective_cov_coeff = 0.0

        self._print_counter = 0
        self._print_frequency = 200

    def update_epoch(self, epoch: int) -> None:
        """Set the current epoch."""
        self.current_epoch = epoch

    def update_step(self, step: int, total_steps: int) -> None:
        """Set the current step and the number of steps of the whole run."""
        self.current_step = step
        self.total_steps = total_steps

    def get_warmup_factor(self) -> float:
        """Scale of the variance and covariance coefficients at this point."""
        # Fixed values for the first two epochs
        if self.current_epoch == 0:
            return 0.1
        if self.current_epoch == 1:
            return 0.3

        if self.total_steps > 0 and self.current_step > 0:
            steps_per_epoch = max(1, self.total_steps / max(self.num_epochs, 1))
            warmup_steps = self.warmup_epochs * steps_per_epoch
            progress = self.current_step / max(1, warmup_steps)
        else:
            progress = self.current_epoch / max(1, self.warmup_epochs)

        # Sub-linear growth between the floor and the cap
        return max(0.3, min(0.5, progress**0.33))

    def forward(self, z_a: torch.Tensor, z_b: torch.Tensor) -> Dict[str, Any]:
        """
        Args:
            z_a: Embeddings of the first view [batch_size, dim]
            z_b: Embeddings of the second view [batch_size, dim]

        Returns:
            Dictionary with the loss, its three terms and the weights in use
        """
        batch_size = z_a.shape[0]

        if self._print_counter % self._print_frequency == 0:
            print(f"VICReg call {self._print_counter}, epoch {self.current_epoch}")
            print(f"  input shape: {tuple(z_a.shape)}")
            print(
                f"  coefficients: sim={self.sim_coeff}, var={self.var_coeff}, cov={self.cov_coeff}"
            )
        self._print_counter += 1

        if self.curriculum:
            warmup_factor = self.get_warmup_factor()
            var_weight = self.var_coeff * warmup_factor
            cov_weight = self.cov_coeff * warmup_factor
            if self.current_epoch == 0:
                # Let the invariance term dominate the first epoch
                var_weight = var_weight * 0.1
                cov_weight = cov_weight * 0.1
        else:
            warmup_factor = 1.0
            var_weight = self.var_coeff
            cov_weight = self.cov_coeff

        self.effective_var_coeff = var_weight
        self.effective_cov_coeff = cov_weight

        # Centre along the batch
        z_a = z_a - z_a.mean(dim=0, keepdim=True)
        z_b = z_b - z_b.mean(dim=0, keepdim=True)

        # Invariance
        sim_loss = F.mse_loss(z_a, z_b)

        # Variance: hinge on the standard deviation of each feature
        std_a = torch.sqrt(z_a.var(dim=0) + self.epsilon)
        std_b = torch.sqrt(z_b.var(dim=0) + self.epsilon)
        var_loss = torch.mean(F.relu(1 - std_a)) + torch.mean(F.relu(1 - std_b))

        # Covariance: push off-diagonal entries to zero
        cov_a = (z_a.transpose(0, 1) @ z_a) / (batch_size - 1)
        cov_b = (z_b.transpose(0, 1) @ z_b) / (batch_size - 1)
        off_diagonal = ~torch.eye(cov_a.shape[0], dtype=torch.bool, device=cov_a.device)
        cov_loss = (
            cov_a[off_diagonal].pow_(2).sum() / z_a.shape[1]
            + cov_b[off_diagonal].pow_(2).sum() / z_b.shape[1]
        )

        loss = self.sim_coeff * sim_loss + var_weight * var_loss + cov_weight * cov_loss

        return {
            "loss": loss,
            "invariance_loss": sim_loss.item(),
            "variance_loss": var_loss.item(),
            "covariance_loss": cov_loss.item(),
            "sim_weight": self.sim_coeff,
            "var_weight": var_weight,
            "cov_weight": cov_weight,
            "warmup_factor": warmup_factor,
        }


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "VICReg loss with a warm-up of the regularisation terms",
        "key_classes": [
            {
                "name": "VICRegLoss",
                "purpose": "Variance-invariance-covariance regularization of two views",
                "key_methods": [
                    {
                        "name": "__init__",
                        "signature": "__init__(self, sim_weight=25.0, var_weight=25.0, cov_weight=1.0, epsilon=1e-4)",
                        "brief_description": "Set the weights of the three terms",
                    },
                    {
                        "name": "forward",
                        "signature": "forward(self, z_a, z_b)",
                        "brief_description": "Compute the loss of two batches of embeddings",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 6,
    }
