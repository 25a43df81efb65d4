"""The two levels that every loss stands on. Options and the results contract; the mathematics is in `functions`."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from examples.options.restart import functions


class BaseLoss(nn.Module):
    """A loss: a reduction in the constructor, a dictionary of tensors out of `forward`."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = functions.check_choice("reduction", reduction, functions.REDUCTIONS)

    @staticmethod
    def results(loss: Tensor, metrics: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`loss` first, with its graph, then the metrics without theirs."""
        return {"loss": loss, **{name: value.detach() for name, value in metrics.items()}}


class ContrastiveLoss(BaseLoss):
    """A loss that compares rows of two feature batches at a temperature."""

    def __init__(self, temperature: float = 0.07, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.temperature = functions.check_positive("temperature", temperature)

    def similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Cosines between all rows of `a` and all rows of `b`, over the temperature."""
        return functions.cosines(a, b) / self.temperature
