"""Losses of predictions against known targets, with a weight for each row: cross entropy and
squared error."""

import torch
from torch import Tensor

from losses import utils
from losses.base import BaseLoss
from losses.registry import register


def weigh_rows(losses: Tensor, sample_weight: Tensor | None, reduction: str) -> Tensor:
    """`losses` [N, ...] times `sample_weight` [N], reduced.

    The mean is over all entries, whatever they weigh.
    """
    if sample_weight is not None:
        if sample_weight.shape != losses.shape[:1]:
            raise ValueError(
                f"sample_weight: expected [{len(losses)}], one a row, found "
                f"{utils.describe(sample_weight)}"
            )
        losses = losses * sample_weight.view(-1, *[1] * (losses.dim() - 1))
    return utils.reduce(losses, reduction)


@register("cross_entropy")
class LabelSmoothingCrossEntropy(BaseLoss):
    """Cross entropy with smoothed targets (Szegedy et al. 2016, sec. 7).

        l = -sum over classes c of q_c log_softmax(input)_c
        q = (1 - smoothing) [c = target] + smoothing / C, times `weight` of the classes

    Unlike torch's, the mean is over all entries: neither class weights nor targets of -100, whose
    loss is 0, change its divisor.

    Args:
        smoothing: the share of a target's mass that is spread over all classes, from 0 to 1.
        reduction: `"mean"`, `"sum"` or `"none"`.
        weight: weights of the classes, [C].

    Shape:
        input: [N, C, ...].
        target: [N, ...] of classes or [N, C, ...] of probabilities.
        sample_weight: [N].

    Returns:
        `loss` ([N, ...] for reduction `"none"`).

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> LabelSmoothingCrossEntropy(smoothing=0.1)(torch.eye(2), torch.tensor([0, 1]))["loss"]
        tensor(0.3633)
    """

    weight: Tensor | None

    def __init__(
        self, smoothing: float = 0.1, reduction: str = "mean", weight: Tensor | None = None
    ) -> None:
        super().__init__(reduction)
        self.smoothing = utils.check_fraction("smoothing", smoothing)
        self.register_buffer("weight", weight, persistent=False)

    def forward(
        self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        if not isinstance(input, Tensor) or input.dim() < 2 or not input.dtype.is_floating_point:
            raise ValueError(
                "input: expected floats of shape [rows, classes, ...], found "
                f"{utils.describe(input)}"
            )
        if not isinstance(target, Tensor) or target.shape not in (input[:, 0].shape, input.shape):
            raise ValueError(
                f"target: expected {list(input[:, 0].shape)} to go with input, found "
                f"{utils.describe(target)}"
            )
        logits = utils.full_precision(input)
        target = target.to(logits) if target.is_floating_point() else target.long()
        weight = None if self.weight is None else self.weight.to(logits)
        losses = torch.nn.functional.cross_entropy(
            logits, target, weight, reduction="none", label_smoothing=self.smoothing
        )
        return self.results(weigh_rows(losses, sample_weight, self.reduction), {})


@register("mean_squared_error")
class MeanSquaredError(BaseLoss):
    """l = (input - target)^2, with a weight for each row, and at most `max_loss`.

    The loss is reduced over all entries; there is no gradient above `max_loss`.

    Args:
        reduction: `"mean"`, `"sum"` or `"none"`.
        max_loss: the most that the loss can be, or each of its entries for reduction `"none"`.

    Shape:
        input, target: [N, ...], alike.
        sample_weight: [N].

    Returns:
        `loss` ([N, ...] for reduction `"none"`).

    Raises:
        ValueError: inputs of other shapes or dtypes, or an unknown reduction.

    Example:
        >>> criterion = MeanSquaredError(max_loss=2.0)
        >>> criterion(torch.tensor([[3.0], [1.0]]), torch.zeros(2, 1))["loss"]
        tensor(2.)
    """

    def __init__(self, reduction: str = "mean", max_loss: float | None = None) -> None:
        super().__init__(reduction)
        self.max_loss = max_loss

    def forward(
        self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        for name, x in {"input": input, "target": target}.items():
            if (
                not isinstance(x, Tensor)
                or x.shape != input.shape
                or not x.dim()
                or not x.dtype.is_floating_point
            ):
                raise ValueError(
                    f"{name}: expected floats [rows, ...], input and target alike, found "
                    f"{utils.describe(x)}"
                )
        losses = (utils.full_precision(input) - utils.full_precision(target)).square()
        loss = weigh_rows(losses, sample_weight, self.reduction)
        return self.results(loss if self.max_loss is None else loss.clamp(max=self.max_loss), {})
