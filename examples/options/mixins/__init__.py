"""Option A: mend the mixin hierarchy. One mixin a concern, each below one base, none below another; losses choose theirs."""

from examples.options.mixins.clip import CLIPLoss
from examples.options.mixins.decoupled import DecoupledLoss

__all__ = ["CLIPLoss", "DecoupledLoss"]
