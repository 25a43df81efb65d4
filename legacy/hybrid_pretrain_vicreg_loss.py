"""
Hybrid loss: contrastive pre-training followed by VICReg.

Starts with the InfoNCE loss to align the modalities, then moves over to VICReg,
either at a fixed step or gradually as soon as a batch looks aligned.
"""

import logging
import os
from typing import Any, Dict

import torch
import torch.nn as nn
import torch.nn.functional as F

from legacy.contrastive_loss import ContrastiveLoss
from legacy.vicreg_loss import VICRegLoss

logger = logging.getLogger(__name__)


class HybridPretrainVICRegLoss(nn.Module):
    """
    Schedule between a contrastive loss and VICReg.

    Phases:
        contrastive_pretrain: only the contrastive loss
        transition: linear blend of both losses (adaptive transition only)
        vicreg: only VICReg
    """

    def __init__(
        self,
        sim_coeff: float = 5.0,
        var_coeff: float = 5.0,
        cov_coeff: float = 1.0,
        epsilon: float = 1e-4,
        warmup_epochs: int = 5,
        curriculum: bool = True,
        num_epochs: int = 30,
        contrastive_pretrain_steps: int = 300,
        temperature: float = 0.07,
        adaptive_transition: bool = True,
        min_alignment_threshold: float = 0.3,
        gradual_transition_steps: int = 100,
        fusion_dim: int = 512,
        vision_dim: int = 768,
        text_dim: int = 768,
    ):
        """
        Args:
            sim_coeff: Weight of the VICReg invariance term
            var_coeff: Weight of the VICReg variance term
            cov_coeff: Weight of the VICReg covariance term
            epsilon: Added to the variance in VICReg
            warmup_epochs: Length of the VICReg warm-up in epochs
            curriculum: Whether the VICReg regularisers are warmed up
            num_epochs: Number of epochs of the run
            contrastive_pretrain_steps: Length of the contrastive phase in steps
            temperature: Temperature of the contrastive loss
            adaptive_transition: Whether alignment triggers the transition
            min_alignment_threshold: Alignment gap that triggers the transition
            gradual_transition_steps: Length of the blend in steps
            fusion_dim: Output size of the contrastive heads
            vision_dim: Size of the vision features
            text_dim: Size of the text features
        """
        super().__init__()

        self.vicreg_loss = VICRegLoss(
            sim_coeff=sim_coeff,
            var_coeff=var_coeff,
            cov_coeff=cov_coeff,
            epsilon=epsilon,
            warmup_epochs=warmup_epochs,
            curriculum=curriculum,
            num_epochs=num_epochs,
        )

        needs_projection = vision_dim != fusion_dim or text_dim != fusion_dim
        if needs_projection:
            print(
                f"Hybrid loss: heads from vision {vision_dim} and text {text_dim} to {fusion_dim}"
            )
        else:
            print(f"Hybrid loss: all sizes are {fusion_dim}, heads are not used")

        self.contrastive_loss = ContrastiveLoss(
            temperature=temperature,
            add_projection=True,
            projection_dim=fusion_dim,
            input_dim=vision_dim,
        )

        # The contrastive loss takes one input size only
        if needs_projection and text_dim != vision_dim:
            self.contrastive_loss.text_projection = nn.Sequential(
                nn.Linear(text_dim, text_dim),
                nn.ReLU(),
                nn.Linear(text_dim, fusion_dim),
            )

        self.contrastive_pretrain_steps = contrastive_pretrain_steps
        self.adaptive_transition = adaptive_transition
        self.min_alignment_threshold = min_alignment_threshold
        self.gradual_transition_steps = gradual_transition_steps

        # Progress
        self.current_step = 0
        self.total_steps = 0
        self.in_pretrain_phase = True
        self.transition_progress = 0.0

        # Alignment of the last batch
        self.max_diag_similarity = 0.0
        self.min_diag_similarity = 0.0
        self.mean_similarity = 0.0
        self.alignment_gap = 0.0
        self.alignment_snr = 0.0
        self.alignment_history = {
            "step": [],
            "diag_mean": [],
            "sim_mean": [],
            "alignment_gap": [],
            "alignment_snr": [],
            "vicreg_weight": [],
            "contrastive_weight": [],
        }

        # Transition
        self.transition_complete = False
        self.early_transition = False
        self.early_transition_step = 0
        self.current_phase = "contrastive_pretrain"

        self._print_counter = 0
        self._print_frequency = 200

        logger.info(
            f"Hybrid loss: contrastive pre-training for {contrastive_pretrain_steps} steps, "
            f"adaptive transition {adaptive_transition}, "
            f"alignment threshold {min_alignment_threshold}"
        )

    def update_step(self, step: int, total_steps: int) -> None:
        """Set the current step and move the transition on."""
        self.current_step = step
        self.total_steps = total_steps
        self.vicreg_loss.update_step(step, total_steps)

        if self.adaptive_transition:
            if (
                self.alignment_gap > self.min_alignment_threshold
                and self.in_pretrain_phase
                and not self.early_transition
            ):
                self.early_transition = True
                self.early_transition_step = step
                logger.info(
                    f"Features are aligned at step {step} (gap {self.alignment_gap:.4f}), "
                    "the transition to VICReg starts"
                )
        else:
            if self.in_pretrain_phase and step >= self.contrastive_pretrain_steps:
                self.in_pretrain_phase = False
                self.transition_complete = True
                self.current_phase = "vicreg"
                logger.info(f"Contrastive pre-training ends at step {step}, VICReg starts")

        if self.early_transition:
            self.transition_progress = min(
                1.0, (step - self.early_transition_step) / self.gradual_transition_steps
            )
            if self.transition_progress >= 1.0 and not self.transition_complete:
                self.transition_complete = True
                self.in_pretrain_phase = False
                self.current_phase = "vicreg"
                logger.info(f"Transition to VICReg is complete at step {step}")
        elif not self.in_pretrain_phase:
            self.transition_progress = 1.0

    def update_epoch(self, epoch: int) -> None:
        """Pass the current epoch on to VICReg."""
        self.vicreg_loss.update_epoch(epoch)

    def _compute_alignment_metrics(
        self, z_a: torch.Tensor, z_b: torch.Tensor
    ) -> Dict[str, float]:
        """Figures that say how far matching pairs stand out in a batch."""
        z_a_norm = F.normalize(z_a, p=2, dim=1)
        z_b_norm = F.normalize(z_b, p=2, dim=1)
        similarity = torch.matmul(z_a_norm, z_b_norm.T)

        diag_mean = torch.diagonal(similarity).mean().item()
        sim_mean = similarity.mean().item()
        sim_std = similarity.std().item()

        alignment_gap = diag_mean - sim_mean
        alignment_snr = abs(alignment_gap) / (sim_std + 1e-6)

        return {
            "diag_mean": diag_mean,
            "sim_mean": sim_mean,
            "alignment_gap": alignment_gap,
            "alignment_snr": alignment_snr,
        }

    def _update_alignment_history(self, metrics: Dict[str, float]) -> None:
        """Record the alignment figures of a batch."""
        self.alignment_history["step"].append(self.current_step)
        self.alignment_history["diag_mean"].append(metrics["diag_mean"])
        self.alignment_history["sim_mean"].append(metrics["sim_mean"])
        self.alignment_history["alignment_gap"].append(metrics["alignment_gap"])
        self.alignment_history["alignment_snr"].append(metrics["alignment_snr"])
        self.alignment_history["vicreg_weight"].append(self.transition_progress)
        self.alignment_history["contrastive_weight"].append(1.0 - self.transition_progress)

        self.mean_similarity = metrics["sim_mean"]
        self.alignment_gap = metrics["alignment_gap"]
        self.alignment_snr = metrics["alignment_snr"]
        self.max_diag_similarity = max(self.max_diag_similarity, metrics["diag_mean"])

    def forward(self, z_a: torch.Tensor, z_b: torch.Tensor, **kwargs) -> Dict[str, Any]:
        """
        Args:
            z_a: Vision embeddings [batch_size, dim]
            z_b: Text embeddings [batch_size, dim]
            **kwargs: match_ids for the contrastive loss; anything else is ignored

        Returns:
            Dictionary with the loss and the figures of the current phase
        """
        should_print = self._print_counter % self._print_frequency == 0
        self._print_counter += 1

        metrics = self._compute_alignment_metrics(z_a, z_b)
        self._update_alignment_history(metrics)

        if should_print:
            print(f"Hybrid loss at step {self.current_step}, phase {self.current_phase}")
            print(
                f"  diagonal similarity {metrics['diag_mean']:.4f}, "
                f"mean similarity {metrics['sim_mean']:.4f}"
            )
            logger.info(
                f"Alignment gap {metrics['alignment_gap']:.4f}, "
                f"signal to noise {metrics['alignment_snr']:.4f}"
            )

        if self.in_pretrain_phase and not self.early_transition:
            # Contrastive loss only
            z_a_norm = F.normalize(z_a, p=2, dim=1)
            z_b_norm = F.normalize(z_b, p=2, dim=1)
            contrastive_result = self.contrastive_loss(
                vision_features=z_a_norm,
                text_features=z_b_norm,
                match_ids=kwargs.get("match_ids", None),
            )
            pretrain_progress = min(
                1.0, self.current_step / max(1, self.contrastive_pretrain_steps)
            )

            return {
                "loss": contrastive_result["loss"],
                "current_phase": "contrastive_pretrain",
                "pretrain_progress": pretrain_progress,
                "contrastive_loss": contrastive_result["loss"].item(),
                "accuracy": contrastive_result.get("accuracy", 0.0),
                "diagonal_similarity": metrics["diag_mean"],
                "mean_similarity": metrics["sim_mean"],
                "alignment_gap": metrics["alignment_gap"],
                "alignment_snr": metrics["alignment_snr"],
                "temperature": contrastive_result.get("temperature", 0.07),
                "transition_progress": 0.0,
                "invariance_loss": 0.0,
                "variance_loss": 0.0,
                "covariance_loss": 0.0,
                "sim_weight": self.vicreg_loss.sim_coeff,
                "var_weight": 0.0,
                "cov_weight": 0.0,
            }

        elif self.early_transition and not self.transition_complete:
            # Blend of both losses
            z_a_norm = F.normalize(z_a, p=2, dim=1)
            z_b_norm = F.normalize(z_b, p=2, dim=1)
            contrastive_result = self.contrastive_loss(
                vision_features=z_a_norm,
                text_features=z_b_norm,
                match_ids=kwargs.get("match_ids", None),
            )
            vicreg_result = self.vicreg_loss(z_a, z_b)

            contrastive_weight = max(0.0, 1.0 - self.transition_progress)
            vicreg_weight = min(1.0, self.transition_progress)
            loss = (
                contrastive_weight * contrastive_result["loss"]
                + vicreg_weight * vicreg_result["loss"]
            )

            if should_print:
                logger.info(
                    f"Transition: contrastive {contrastive_weight:.2f}, vicreg {vicreg_weight:.2f}"
                )

            return {
                "loss": loss,
                "current_phase": "transition",
                "transition_progress": self.transition_progress,
                "contrastive_weight": contrastive_weight,
                "vicreg_weight": vicreg_weight,
                "contrastive_loss": contrastive_result["loss"].item(),
                "vicreg_loss": vicreg_result["loss"].item(),
                "accuracy": contrastive_result.get("accuracy", 0.0),
                "diagonal_similarity": metrics["diag_mean"],
                "mean_similarity": metrics["sim_mean"],
                "alignment_gap": metrics["alignment_gap"],
                "alignment_snr": metrics["alignment_snr"],
                "invariance_loss": vicreg_result["invariance_loss"],
                "variance_loss": vicreg_result["variance_loss"],
                "covariance_loss": vicreg_result["covariance_loss"],
                "sim_weight": vicreg_result["sim_weight"],
                "var_weight": vicreg_result["var_weight"],
                "cov_weight": vicreg_result["cov_weight"],
            }

        else:
            # VICReg only
            vicreg_result = self.vicreg_loss(z_a, z_b)

            if not self.transition_complete:
                self.transition_complete = True
                logger.info("VICReg phase starts")

            vicreg_result["current_phase"] = "vicreg"
            vicreg_result["transition_progress"] = 1.0
            vicreg_result["diagonal_similarity"] = metrics["diag_mean"]
            vicreg_result["mean_similarity"] = metrics["sim_mean"]
            vicreg_result["alignment_gap"] = metrics["alignment_gap"]
            vicreg_result["alignment_snr"] = metrics["alignment_snr"]
            return vicreg_result


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Contrastive pre-training followed by VICReg",
        "key_classes": [
            {
                "name": "HybridPretrainVICRegLoss",
                "purpose": "Schedule between a contrastive loss and VICReg",
                "key_methods": [
                    {
                        "name": "update_step",
                        "signature": "update_step(self, step, total_steps)",
                        "brief_description": "Move the transition on",
                    },
                    {
                        "name": "forward",
                        "signature": "forward(self, z_a, z_b, **kwargs)",
                        "brief_description": "Compute the loss of the current phase",
                    },
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 8,
    }
