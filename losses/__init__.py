"""Contrastive and self-supervised losses: one base, one file a family, one dictionary of tensors as
a result."""

from losses.base import BaseLoss, ContrastiveLoss
from losses.clip import CLIPLoss, SimpleContrastiveLoss
from losses.combine import CombinedLoss, MultitaskLoss
from losses.consistency import FeatureConsistencyLoss
from losses.factory import create_loss_function
from losses.hybrid import HybridPretrainVICRegLoss
from losses.infonce import InfoNCELoss, MixedContrastiveLoss
from losses.pairs import DecoupledLoss, DynamicTemperatureLoss, HardNegativeLoss
from losses.queue import MemoryQueueLoss, MoCoLoss
from losses.registry import create, find, names, register
from losses.siglip import SigLIPLoss
from losses.supcon import AllPairsLoss, SupConLoss
from losses.targets import LabelSmoothingCrossEntropy, MeanSquaredError
from losses.utils import recall_at_k
from losses.vicreg import BarlowTwinsLoss, DecorrelationLoss, VICRegLoss
from losses.views import nt_xent_loss, supervised_contrastive_loss

__all__ = [
    "AllPairsLoss",
    "BarlowTwinsLoss",
    "BaseLoss",
    "CLIPLoss",
    "CombinedLoss",
    "ContrastiveLoss",
    "DecorrelationLoss",
    "DecoupledLoss",
    "DynamicTemperatureLoss",
    "FeatureConsistencyLoss",
    "HardNegativeLoss",
    "HybridPretrainVICRegLoss",
    "InfoNCELoss",
    "LabelSmoothingCrossEntropy",
    "MeanSquaredError",
    "MemoryQueueLoss",
    "MixedContrastiveLoss",
    "MoCoLoss",
    "MultitaskLoss",
    "SigLIPLoss",
    "SimpleContrastiveLoss",
    "SupConLoss",
    "VICRegLoss",
    "create",
    "create_loss_function",
    "find",
    "names",
    "nt_xent_loss",
    "recall_at_k",
    "register",
    "supervised_contrastive_loss",
]
