"""Option C: the modules stay as they are; what two of them repeat becomes a function that both call."""

from examples.options.shared_functions.clip import CLIPStyleLoss
from examples.options.shared_functions.decoupled import DecoupledContrastiveLoss

__all__ = ["CLIPStyleLoss", "DecoupledContrastiveLoss"]
