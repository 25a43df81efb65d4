"""
Loss factory: builds the loss that the command-line arguments ask for.

Also holds SimpleContrastiveLoss, a small contrastive loss for debugging and for
the simple model.
"""

import logging
import os
from typing import Any, Dict, Optional

import torch
import torch.nn as nn
import torch.nn.functional as F

from .barlow_twins_loss import BarlowTwinsLoss
from .combined_loss import CombinedLoss
from .contrastive_loss import ContrastiveLoss
from .decoupled_contrastive_loss import DecoupledContrastiveLoss
from .dynamic_temperature_contrastive_loss import DynamicTemperatureContrastiveLoss
from .hard_negative_mining_contrastive_loss import HardNegativeMiningContrastiveLoss
from .memory_queue_contrastive_loss import MemoryQueueContrastiveLoss
from .multimodal_mixed_contrastive_loss import MultiModalMixedContrastiveLoss
from .vicreg_loss import VICRegLoss

logger = logging.getLogger(__name__)


class SimpleContrastiveLoss(nn.Module):
    """
    Symmetric InfoNCE with one random positive per row, plus a squared distance
    that pulls matched pairs together.
    """

    def __init__(self, temperature: float = 0.1):
        """
        Args:
            temperature: Divisor of the similarities
        """
        super().__init__()
        self.temperature = temperature
        self.iteration = 0
        logger.info(f"SimpleContrastiveLoss with temperature {temperature}")

    def forward(
        self,
        vision_features: torch.Tensor,
        text_features: torch.Tensor,
        match_ids: Optional[Any] = None,
        **kwargs,
    ) -> Dict[str, Any]:
        """
        Args:
            vision_features: Vision features [batch_size, dim]
            text_features: Text features [batch_size, dim]
            match_ids: Ids; rows with equal ids match. None: only own pairs match
            **kwargs: decor_loss, a tensor that is added to the loss

        Returns:
            Dictionary with the loss and its figures
        """
        self.iteration += 1
        batch_size = vision_features.shape[0]
        device = vision_features.device

        if self.iteration % 5 == 0:
            vision_var = torch.var(vision_features).item()
            text_var = torch.var(text_features).item()
            logger.info(
                f"Iteration {self.iteration}: feature variance "
                f"vision {vision_var:.6f}, text {text_var:.6f}"
            )

        vision_features = F.normalize(vision_features, p=2, dim=1)
        text_features = F.normalize(text_features, p=2, dim=1)
        logits = torch.matmul(vision_features, text_features.T) / self.temperature

        # Which pairs match
        if match_ids is None:
            match_matrix = torch.eye(batch_size, dtype=torch.bool, device=device)
        else:
            match_matrix = torch.zeros(batch_size, batch_size, dtype=torch.bool, device=device)
            for i in range(batch_size):
                for j in range(batch_size):
                    if match_ids[i] == match_ids[j]:
                        match_matrix[i, j] = True

        # Every row needs a positive
        if (match_matrix.sum(dim=1) == 0).any():
            match_matrix = match_matrix | torch.eye(batch_size, dtype=torch.bool, device=device)

        # Targets: one random positive per row and per column
        v2t_targets = []
        for i in range(batch_size):
            candidates = torch.where(match_matrix[i])[0]
            if len(candidates) > 0:
                pick = torch.randint(0, len(candidates), (1,))
                v2t_targets.append(candidates[pick].item())
            else:
                v2t_targets.append(i)

        t2v_targets = []
        for j in range(batch_size):
            candidates = torch.where(match_matrix[:, j])[0]
            if len(candidates) > 0:
                pick = torch.randint(0, len(candidates), (1,))
                t2v_targets.append(candidates[pick].item())
            else:
                t2v_targets.append(j)

        v2t_targets = torch.tensor(v2t_targets, device=device)
        t2v_targets = torch.tensor(t2v_targets, device=device)

        loss_v2t = F.cross_entropy(logits, v2t_targets)
        loss_t2v = F.cross_entropy(logits.T, t2v_targets)

        # Pull matched pairs together
        mse_loss = 0.0
        mse_count = 0
        for i in range(batch_size):
            candidates = torch.where(match_matrix[i])[0]
            if 0 < len(candidates) < batch_size:
                pick = torch.randint(0, len(candidates), (1,))
                j = candidates[pick].item()
                mse_loss = mse_loss + F.mse_loss(vision_features[i], text_features[j])
                mse_count += 1
        if mse_count > 0:
            mse_loss = mse_loss / mse_count

        with torch.no_grad():
            v2t_pred = torch.argmax(logits, dim=1)
            t2v_pred = torch.argmax(logits.T, dim=1)

            # Any match counts, not only the drawn one
            rows = torch.arange(batch_size, device=device)
            v2t_accuracy = match_matrix[rows, v2t_pred].float().mean()
            t2v_accuracy = match_matrix[t2v_pred, rows].float().mean()
            accuracy = ((v2t_accuracy + t2v_accuracy) / 2).item()

            pos_sim = logits[match_matrix].mean().item() if match_matrix.any() else 0.0
            neg_sim = logits[~match_matrix].mean().item() if (~match_matrix).any() else 0.0
            separation = pos_sim - neg_sim

        loss = (loss_v2t + loss_t2v) / 2 + 0.5 * mse_loss

        decor_loss = kwargs.get("decor_loss", None)
        if isinstance(decor_loss, torch.Tensor):
            loss = loss + 0.2 * decor_loss
            decor_value = decor_loss.item()
        else:
            decor_value = 0.0

        if self.iteration % 5 == 0:
            logger.info(
                f"Iteration {self.iteration}: accuracy {accuracy:.4f}, "
                f"positive {pos_sim:.4f}, negative {neg_sim:.4f}"
            )

        return {
            "loss": loss,
            "infonce_loss": (loss_v2t + loss_t2v).item() / 2,
            "mse_loss": mse_loss.item() if isinstance(mse_loss, torch.Tensor) else mse_loss,
            "v2t_loss": loss_v2t.item(),
            "t2v_loss": loss_t2v.item(),
            "accuracy": accuracy,
            "pos_sim": pos_sim,
            "neg_sim": neg_sim,
            "separation": separation,
            "temperature": self.temperature,
            "decor_loss": decor_value,
        }


def create_loss_function(
    args: Any, dataset_size: Optional[int] = None, train_loader: Optional[Any] = None
) -> nn.Module:
    """
    Build the loss for the given arguments.

    Args:
        args: Command-line arguments
        dataset_size: Number of training samples, if known
        train_loader: Training data

    Returns:
        The loss
    """
    loss_type = args.loss_type

    if hasattr(args, "use_simple_model") and args.use_simple_model:
        logger.info("Simple model: using SimpleContrastiveLoss")
        return SimpleContrastiveLoss(temperature=args.temperature)

    if args.use_mixed_loss:
        loss_type = "mixed"

    # Width of the features
    if hasattr(args, "fusion_dim") and args.fusion_dim is not None:
        model_dim = args.fusion_dim
    else:
        model_dim = 768

    if model_dim == 512 and getattr(args, "vision_model", "") == "vit-base":
        logger.warning("Fusion size 512 does not fit vit-base, using 768")
        model_dim = 768

    if model_dim <= 0:
        logger.warning(f"Feature size {model_dim} is not positive, using 768")
        model_dim = 768

    if loss_type == "barlow_twins":
        logger.info(f"Using BarlowTwinsLoss with size {model_dim}")
        return BarlowTwinsLoss(
            lambda_coeff=getattr(args, "lambda_coeff", 0.005),
            batch_norm_last_layer=getattr(args, "batch_norm_last", True),
            correlation_mode=getattr(args, "correlation_mode", "cross_modal"),
            add_projection=True,
            projection_dim=model_dim * 2,
            input_dim=model_dim,
            normalize_embeddings=True,
        )

    elif loss_type == "vicreg":
        sim_weight = getattr(args, "sim_weight", 5.0)
        var_weight = getattr(args, "var_weight", 5.0)
        cov_weight = getattr(args, "cov_weight", 1.0)
        warmup_epochs = getattr(args, "vicreg_warmup_epochs", 5)
        use_curriculum = getattr(args, "use_curriculum", True)
        num_epochs = getattr(args, "num_epochs", 30)
        use_contrastive_pretrain = getattr(args, "use_contrastive_pretrain", False)
        contrastive_pretrain_steps = getattr(args, "contrastive_pretrain_steps", 200)

        print(f"VICReg weights: sim={sim_weight}, var={var_weight}, cov={cov_weight}")

        if use_contrastive_pretrain:
            adaptive_transition = getattr(args, "adaptive_transition", True)
            min_alignment_threshold = getattr(args, "min_alignment_threshold", 0.3)
            gradual_transition_steps = getattr(args, "gradual_transition_steps", 100)

            from src.training.loss.hybrid_pretrain_vicreg_loss import HybridPretrainVICRegLoss

            vision_dim = 768 if "vit-base" in getattr(args, "vision_model", "") else model_dim
            text_dim = 768 if "bert" in getattr(args, "text_model", "") else model_dim

            logger.info(
                f"Using HybridPretrainVICRegLoss with {contrastive_pretrain_steps} contrastive steps"
            )
            return HybridPretrainVICRegLoss(
                sim_coeff=sim_weight,
                var_coeff=var_weight,
                cov_coeff=cov_weight,
                epsilon=1e-4,
                warmup_epochs=warmup_epochs,
                curriculum=use_curriculum,
                num_epochs=num_epochs,
                contrastive_pretrain_steps=contrastive_pretrain_steps,
                temperature=getattr(args, "temperature", 0.07),
                adaptive_transition=adaptive_transition,
                min_alignment_threshold=min_alignment_threshold,
                gradual_transition_steps=gradual_transition_steps,
                fusion_dim=model_dim,
                vision_dim=vision_dim,
                text_dim=text_dim,
            )

        logger.info("Using VICRegLoss")
        return VICRegLoss(
            sim_coeff=sim_weight,
            var_coeff=var_weight,
            cov_coeff=cov_weight,
            epsilon=1e-4,
            warmup_epochs=warmup_epochs,
            curriculum=use_curriculum,
            num_epochs=num_epochs,
        )

    elif loss_type == "memory_queue":
        if args.queue_size:
            queue_size = args.queue_size
        elif dataset_size is not None:
            if dataset_size > 10000:
                queue_size = 16384
            elif dataset_size > 5000:
                queue_size = 8192
            elif dataset_size > 1000:
                queue_size = 4096
            else:
                queue_size = 2048
        else:
            queue_size = 8192

        # A queue has many more negatives, so soften the logits a little
        temperature = args.temperature * 1.1

        logger.info(f"Using MemoryQueueContrastiveLoss with queue size {queue_size}")
        return MemoryQueueContrastiveLoss(
            dim=model_dim, queue_size=queue_size, temperature=temperature
        )

    elif loss_type == "dynamic_temp":
        if args.dynamic_temp_min is not None:
            min_temp = args.dynamic_temp_min
        else:
            min_temp = max(0.01, args.temperature * 0.6)
        if args.dynamic_temp_max is not None:
            max_temp = args.dynamic_temp_max
        else:
            max_temp = min(0.3, args.temperature * 2.0)

        logger.info(f"Using DynamicTemperatureContrastiveLoss from {min_temp} to {max_temp}")
        return DynamicTemperatureContrastiveLoss(
            base_temperature=args.temperature,
            min_temp=min_temp,
            max_temp=max_temp,
            dim=model_dim,
        )

    elif loss_type == "hard_negative":
        if args.mining_strategy and args.mining_strategy != "auto":
            mining_strategy = args.mining_strategy
        elif args.batch_size < 32:
            mining_strategy = "semi-hard"
        else:
            mining_strategy = "hard"

        if args.hard_negative_factor is not None:
            hard_negative_factor = args.hard_negative_factor
        elif mining_strategy == "semi-hard":
            hard_negative_factor = 3.0
        else:
            hard_negative_factor = 2.0

        logger.info(
            f"Using HardNegativeMiningContrastiveLoss, strategy {mining_strategy}, "
            f"factor {hard_negative_factor}"
        )
        return HardNegativeMiningContrastiveLoss(
            temperature=args.temperature,
            hard_negative_factor=hard_negative_factor,
            mining_strategy="semi-hard",
            dim=model_dim,
        )

    elif loss_type == "mixed":
        loss_weights = {
            "infonce": args.contrastive_weight,
            "nt_xent": args.classification_weight,
            "supervised": args.multimodal_matching_weight,
        }

        logger.info(f"Using MultiModalMixedContrastiveLoss with weights {loss_weights}")
        return MultiModalMixedContrastiveLoss(
            temperature=args.temperature,
            loss_weights=loss_weights,
            add_projection=args.use_hard_negatives,
            projection_dim=args.dim if args.dim else 256,
            input_dim=args.dim if args.dim else None,
        )

    elif loss_type == "decoupled":
        logger.info("Using DecoupledContrastiveLoss")
        return DecoupledContrastiveLoss(
            temperature=args.temperature,
            lambda_v=getattr(args, "lambda_v", 0.5),
            lambda_t=getattr(args, "lambda_t", 0.5),
        )

    elif loss_type == "combined":
        primary_loss = ContrastiveLoss(
            temperature=args.temperature,
            add_projection=args.use_hard_negatives,
            projection_dim=model_dim,
            input_dim=model_dim,
        )
        secondary_loss = DecoupledContrastiveLoss(
            temperature=args.temperature,
            lambda_v=getattr(args, "lambda_v", 0.5),
            lambda_t=getattr(args, "lambda_t", 0.5),
        )
        tertiary_loss = MultiModalMixedContrastiveLoss(
            temperature=args.temperature,
            loss_weights={
                "infonce": args.contrastive_weight,
                "nt_xent": args.classification_weight,
                "supervised": args.multimodal_matching_weight,
            },
            add_projection=args.use_hard_negatives,
            projection_dim=model_dim,
            input_dim=model_dim,
        )

        logger.info("Using CombinedLoss of contrastive, decoupled and mixed")
        return CombinedLoss(
            primary_loss=primary_loss,
            secondary_loss=secondary_loss,
            secondary_loss_weight=getattr(args, "secondary_loss_weight", 0.5),
            tertiary_loss=tertiary_loss,
            tertiary_loss_weight=getattr(args, "tertiary_loss_weight", 0.3),
        )

    else:
        sampling_strategy = args.contrastive_sampling
        if sampling_strategy == "auto":
            if dataset_size is None:
                sampling_strategy = "memory-bank"
            elif dataset_size < 1000:
                sampling_strategy = "global"
            elif dataset_size < 10000:
                sampling_strategy = "memory-bank"
            else:
                sampling_strategy = "in-batch"
            logger.info(f"Sampling strategy {sampling_strategy} for dataset size {dataset_size}")

        # Fewer negatives in small batches call for a lower temperature
        if args.batch_size < 64:
            temperature_scale = 0.85
        elif args.batch_size < 128:
            temperature_scale = 0.9
        else:
            temperature_scale = 0.95

        if sampling_strategy == "in-batch":
            logger.warning("In-batch sampling depends on large batches")
            temperature = args.temperature * temperature_scale
        elif sampling_strategy == "memory-bank":
            temperature = args.temperature * 1.0
        else:
            temperature = args.temperature * 1.05

        logger.info(
            f"Temperature {temperature:.4f}, {temperature / args.temperature:.2f} of the given one"
        )

        # Pre-trained encoders are best used without heads, but keep the sizes aligned
        print(f"Contrastive loss: projection heads on, size {model_dim}")

        logger.info(f"Using ContrastiveLoss with {sampling_strategy} sampling")
        return ContrastiveLoss(
            temperature=temperature,
            loss_type="infonce",
            reduction="mean",
            add_projection=True,
            projection_dim=model_dim,
            input_dim=model_dim,
            sampling_strategy=sampling_strategy,
            memory_bank_size=args.memory_bank_size * 2,
            dataset_size=dataset_size,
        )


def extract_file_metadata(file_path=__file__):
    """Describe this file for the project index."""
    return {
        "filename": os.path.basename(file_path),
        "module_purpose": "Builds the loss that the command-line arguments ask for",
        "key_classes": [
            {
                "name": "SimpleContrastiveLoss",
                "purpose": "Small contrastive loss with a distance term",
                "key_methods": [
                    {
                        "name": "forward",
                        "signature": "forward(self, vision_features, text_features, match_ids=None, **kwargs)",
                        "brief_description": "Compute the loss and its figures",
                    }
                ],
                "inheritance": "nn.Module",
                "dependencies": ["torch", "torch.nn", "torch.nn.functional"],
            }
        ],
        "key_functions": [
            {
                "name": "create_loss_function",
                "signature": "create_loss_function(args, dataset_size=None, train_loader=None)",
                "brief_description": "Build the loss for the given arguments",
            }
        ],
        "external_dependencies": ["torch"],
        "complexity_score": 7,
    }
