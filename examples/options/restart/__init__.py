"""Option B: start again simply. A base, pure functions, and one file a loss, all of it in this folder."""

from examples.options.restart.clip import CLIPLoss
from examples.options.restart.decoupled import DecoupledLoss

__all__ = ["CLIPLoss", "DecoupledLoss"]
