"""Contrastive and self-supervised losses: one base, one file a family, one dictionary of tensors as a result."""

from losses.base import BaseLoss, ContrastiveLoss
from losses.clip import CLIPLoss
from losses.infonce import InfoNCELoss, MixedContrastiveLoss
from losses.pairs import DecoupledLoss, DynamicTemperatureLoss, HardNegativeLoss
from losses.queue import MemoryQueueLoss, MoCoLoss
from losses.registry import create, find, names, register
from losses.supcon import AllPairsLoss, SupConLoss
from losses.utils import nt_xent_loss, recall_at_k, supervised_contrastive_loss

__all__ = [
    "AllPairsLoss",
    "BaseLoss",
    "CLIPLoss",
    "ContrastiveLoss",
    "DecoupledLoss",
    "DynamicTemperatureLoss",
    "HardNegativeLoss",
    "InfoNCELoss",
    "MemoryQueueLoss",
    "MixedContrastiveLoss",
    "MoCoLoss",
    "SupConLoss",
    "create",
    "find",
    "names",
    "nt_xent_loss",
    "recall_at_k",
    "register",
    "supervised_contrastive_loss",
]
