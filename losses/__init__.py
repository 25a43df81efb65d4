"""Contrastive and self-supervised losses: one base, one file a family, one dictionary of tensors as a result."""

from losses.base import BaseLoss, ContrastiveLoss
from losses.clip import CLIPLoss
from losses.registry import create, find, names, register
from losses.utils import recall_at_k

__all__ = [
    "BaseLoss",
    "CLIPLoss",
    "ContrastiveLoss",
    "create",
    "find",
    "names",
    "recall_at_k",
    "register",
]
