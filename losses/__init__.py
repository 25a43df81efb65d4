"""Contrastive and self-supervised losses: one base, one file a family, one dictionary of tensors as a result."""

from losses.base import BaseLoss, ContrastiveLoss
from losses.clip import CLIPLoss
from losses.consistency import FeatureConsistencyLoss
from losses.hybrid import HybridPretrainVICRegLoss
from losses.infonce import InfoNCELoss, MixedContrastiveLoss
from losses.pairs import DecoupledLoss, DynamicTemperatureLoss, HardNegativeLoss
from losses.queue import MemoryQueueLoss, MoCoLoss
from losses.registry import create, find, names, register
from losses.supcon import AllPairsLoss, SupConLoss
from losses.utils import nt_xent_loss, recall_at_k, supervised_contrastive_loss
from losses.vicreg import BarlowTwinsLoss, DecorrelationLoss, VICRegLoss

__all__ = [
    "AllPairsLoss",
    "BarlowTwinsLoss",
    "BaseLoss",
    "CLIPLoss",
    "ContrastiveLoss",
    "DecorrelationLoss",
    "DecoupledLoss",
    "DynamicTemperatureLoss",
    "FeatureConsistencyLoss",
    "HardNegativeLoss",
    "HybridPretrainVICRegLoss",
    "InfoNCELoss",
    "MemoryQueueLoss",
    "MixedContrastiveLoss",
    "MoCoLoss",
    "SupConLoss",
    "VICRegLoss",
    "create",
    "find",
    "names",
    "nt_xent_loss",
    "recall_at_k",
    "register",
    "supervised_contrastive_loss",
]
