"""The losses of the stages, in one place; the stages import them from here or from the package."""

from legacy import HardNegativeMiningContrastiveLoss, VICRegLoss
from legacy.contrastive_loss import ContrastiveLoss as PairLoss

__all__ = ["HardNegativeMiningContrastiveLoss", "PairLoss", "VICRegLoss"]
