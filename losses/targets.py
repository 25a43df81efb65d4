"""Losses of predictions against known targets, with a weight for each row: cross entropy and squared error."""

import torch
from torch import Tensor

from losses import utils
from losses.base import BaseLoss
from losses.registry import register


def weigh_rows(losses: Tensor, sample_weight: Tensor | None, reduction: str) -> Tensor:
    """`losses` [N, ...] times `sample_weight` [N], reduced; the mean is over all entries, whatever they weigh."""
    if sample_weight is not None:
        if sample_weight.shape != losses.shape[:1]:
            raise ValueError(f"sample_weight: expected [{len(losses)}], one a row, found {utils.describe(sample_weight)}")
        losses = losses * sample_weight.view(-1, *[1] * (losses.dim() - 1))
    return utils.reduce(losses, reduction)


@register("cross_entropy")
class LabelSmoothingCrossEntropy(BaseLoss):
    """Cross entropy with smoothed targets (Szegedy et al. 2016, sec. 7): l = -sum over classes c of q_c log_softmax(input)_c.

    q = (1 - smoothing) [c = target] + smoothing / C, times `weight` [C] of the classes. Unlike torch's, the mean is over all
    entries: neither class weights nor targets of -100, whose loss is 0, change its divisor. No metrics.
    Shape: input [N, C, ...], target [N, ...] of classes or [N, C, ...] of probabilities, sample_weight [N]; `"none"`: [N, ...].
    >>> LabelSmoothingCrossEntropy(smoothing=0.1)(torch.eye(2), torch.tensor([0, 1]))["loss"]
    tensor(0.3633)"""

    weight: Tensor | None

    def __init__(self, smoothing: float = 0.1, reduction: str = "mean", weight: Tensor | None = None) -> None:
        super().__init__(reduction)
        self.smoothing = utils.check_fraction("smoothing", smoothing)
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> dict[str, Tensor]:
        if not isinstance(input, Tensor) or input.dim() < 2 or not input.dtype.is_floating_point:
            raise ValueError(f"input: expected floats of shape [rows, classes, ...], found {utils.describe(input)}")
        if not isinstance(target, Tensor) or target.shape not in (input[:, 0].shape, input.shape):
            raise ValueError(f"target: expected {list(input[:, 0].shape)} to go with input, found {utils.describe(target)}")
        logits = utils.full_precision(input)
        target = target.to(logits) if target.is_floating_point() else target.long()
        weight = None if self.weight is None else self.weight.to(logits)
        losses = torch.nn.functional.cross_entropy(logits, target, weight, reduction="none", label_smoothing=self.smoothing)
        return self.results(weigh_rows(losses, sample_weight, self.reduction), {})


@register("mean_squared_error")
class MeanSquaredError(BaseLoss):
    """l = (input - target)^2, with a weight for each row, reduced over all entries, and at most `max_loss`: no gradient above it.

    Shape: input, target [N, ...], alike; sample_weight [N]. `"none"` gives [N, ...], each entry at most `max_loss`. No metrics.
    >>> MeanSquaredError(max_loss=2.0)(torch.tensor([[3.0], [1.0]]), torch.zeros(2, 1))["loss"]
    tensor(2.)"""

    def __init__(self, reduction: str = "mean", max_loss: float | None = None) -> None:
        super().__init__(reduction)
        self.max_loss = max_loss

    def forward(self, input: Tensor, target: Tensor, sample_weight: Tensor | None = None) -> dict[str, Tensor]:
        for name, x in {"input": input, "target": target}.items():
            if not isinstance(x, Tensor) or x.shape != input.shape or not x.dim() or not x.dtype.is_floating_point:
                raise ValueError(f"{name}: expected floats [rows, ...], input and target alike, found {utils.describe(x)}")
        losses = (utils.full_precision(input) - utils.full_precision(target)).square()
        loss = weigh_rows(losses, sample_weight, self.reduction)
        return self.results(loss if self.max_loss is None else loss.clamp(max=self.max_loss), {})
