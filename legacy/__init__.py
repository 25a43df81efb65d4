"""
Loss functions for multimodal training.

Contrastive losses, self-supervised losses, a few helpers around them and two
basic losses.
"""

from .memory_queue_contrastive_loss import MemoryQueueContrastiveLoss
from .dynamic_temperature_contrastive_loss import DynamicTemperatureContrastiveLoss
from .hard_negative_mining_contrastive_loss import HardNegativeMiningContrastiveLoss
from .contrastive_loss import ContrastiveLoss
from .multimodal_mixed_contrastive_loss import MultiModalMixedContrastiveLoss
from .decoupled_contrastive_loss import DecoupledContrastiveLoss
from .vicreg_loss import VICRegLoss
from .barlow_twins_loss import BarlowTwinsLoss
from .hybrid_pretrain_vicreg_loss import HybridPretrainVICRegLoss
from .losses import CrossEntropyLoss, MeanSquaredError
from .contrastive_learning import (
    nt_xent_loss,
    supervised_contrastive_loss,
    compute_recall_at_k,
)

__all__ = [
    "MemoryQueueContrastiveLoss",
    "DynamicTemperatureContrastiveLoss",
    "HardNegativeMiningContrastiveLoss",
    "ContrastiveLoss",
    "MultiModalMixedContrastiveLoss",
    "DecoupledContrastiveLoss",
    "VICRegLoss",
    "BarlowTwinsLoss",
    "HybridPretrainVICRegLoss",
    "nt_xent_loss",
    "supervised_contrastive_loss",
    "compute_recall_at_k",
    "CrossEntropyLoss",
    "MeanSquaredError",
]
