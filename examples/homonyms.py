"""Names that look like those of the losses and are something else: nothing here may change with them.

A local class `ContrastiveLoss`, torch's `CrossEntropyLoss`, variables, keys and strings called like modules.
Run from the project's folder: python examples/homonyms.py
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import CrossEntropyLoss


class ContrastiveLoss(nn.Module):
    """The margin loss of siamese networks: our own, with a name that others use too."""

    def __init__(self, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, first: Tensor, second: Tensor, same: Tensor) -> Tensor:
        distance = (first - second).norm(dim=1)
        return torch.where(same, distance.square(), (self.margin - distance).clamp(min=0).square()).mean()


class Meter:
    """Running means by name."""

    def __init__(self) -> None:
        self.vicreg_loss = 0.0
        self.values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def barlow_twins_loss(self) -> float:
        """The mean of all values; the name is the one the old dashboards ask for."""
        everything = [value for values in self.values.values() for value in values]
        return sum(everything) / len(everything)


def weigh(loss: Tensor, CLIPStyleLoss: float = 0.5) -> Tensor:
    """A parameter may be called like a class."""
    return CLIPStyleLoss * loss


def main() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(8, 4), torch.randn(8, 4)
    clip_style_loss = ContrastiveLoss(margin=2.0)(first, second, torch.arange(8) % 2 == 0)
    decoupled_contrastive_loss = CrossEntropyLoss()(first, torch.arange(8) % 4)
    multitask_loss = nn.CrossEntropyLoss(label_smoothing=0.1)(second, torch.arange(8) % 4)

    meter = Meter()
    meter.add("clip_style_loss", weigh(clip_style_loss).item())
    meter.add("legacy CLIPStyleLoss", decoupled_contrastive_loss.item())
    meter.add("MultitaskLoss", multitask_loss.item())
    meter.vicreg_loss = meter.barlow_twins_loss()
    print(f"homonyms: mean loss {meter.vicreg_loss:.3f}")


if __name__ == "__main__":
    main()
