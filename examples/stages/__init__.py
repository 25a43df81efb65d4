"""A training in three stages: align the views, tell pairs apart, then the hard ones.

Run from the project's folder: python -m examples.stages
"""

from .objectives import HardNegativeMiningContrastiveLoss, PairLoss, VICRegLoss

__all__ = ["HardNegativeMiningContrastiveLoss", "PairLoss", "VICRegLoss"]
