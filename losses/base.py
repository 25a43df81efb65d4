"""The two levels every loss stands on: options and the results contract. Mathematics is in
`losses.utils`, state in losses."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from losses import utils


class BaseLoss(nn.Module, ABC):
    """A loss: options in the constructor, `forward` from tensors to a dictionary of tensors.

    `forward` returns `"loss"` first, with its graph, then metrics as detached 0-d tensors. The keys
    depend on the options of the loss, never on the data: an empty batch has them all. A subclass
    without `forward` can't be built.

    Args:
        reduction: one of `reductions`: `"mean"` or `"sum"` of the per-sample losses, or `"none"`,
            which keeps them.

    Raises:
        ValueError: a reduction that the loss does not have.
    """

    reductions: tuple[str, ...] = utils.REDUCTIONS  # Those that make sense for this loss.

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = utils.check_choice("reduction", reduction, self.reductions)

    @abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Compute the loss of one batch; see the class for what it takes and returns."""

    @staticmethod
    def results(loss: Tensor, metrics: Mapping[str, Tensor | float]) -> dict[str, Tensor]:
        """`loss` first, then `metrics` detached: tensors as they are, numbers as 0-d tensors on the
        device of the loss."""
        found = {"loss": loss}
        for name, value in metrics.items():
            # full() writes the number by a kernel; tensor(number) would copy it from the host and
            # wait.
            dtype = loss.dtype if isinstance(value, float) else None
            found[name] = (
                value.detach()
                if isinstance(value, Tensor)
                else torch.full((), value, dtype=dtype, device=loss.device)
            )
        return found

    def extra_repr(self) -> str:
        """The constructor's options as they stand now, so that `print(model)` shows how a loss was
        built."""
        options = {
            name: vars(self)[name]
            for name in inspect.signature(type(self).__init__).parameters
            if name in vars(self)
        }
        return ", ".join(
            f"{name}={value!r}"
            for name, value in options.items()
            if not isinstance(value, nn.Module)
        )


class ContrastiveLoss(BaseLoss):
    """A loss that compares rows of two feature batches: s_ij = a_i . b_j / temperature.

    Args:
        temperature: what similarities are divided by, above 0.
        reduction: as in `BaseLoss`.
        normalize: whether every row is scaled to length 1 first, so that similarities are cosines.

    Raises:
        ValueError: a temperature of 0 or less, or a reduction that the loss does not have.
    """

    def __init__(
        self, temperature: float = 0.07, reduction: str = "mean", normalize: bool = True
    ) -> None:
        super().__init__(reduction)
        self.temperature, self.normalize = (
            utils.check_positive("temperature", temperature),
            normalize,
        )

    def compute_similarity(self, a: Tensor, b: Tensor) -> Tensor:
        """Logits between all rows of `a` and all rows of `b`.

        See `losses.utils.compute_similarity`.
        """
        return utils.compute_similarity(a, b, self.temperature, normalize=self.normalize)
