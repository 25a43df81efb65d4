"""Sums of losses: of up to three that see the same batch, or of one for each of several tasks."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from losses import utils
from losses.base import BaseLoss
from losses.registry import register


def outcome(found: Any) -> tuple[Tensor, dict[str, Any]]:
    """The loss that a part returned, alone, first in a tuple or as `"loss"`, and its numbers and
    tensors by innermost names."""
    figures: dict[str, Any] = {}
    if isinstance(found, Mapping):
        for name, value in found.items():
            inner = (
                outcome({"loss": 0.0, **value})[1] if isinstance(value, Mapping) else {name: value}
            )
            figures |= {
                key: x
                for key, x in inner.items()
                if key != "loss" and isinstance(x, Tensor | int | float)
            }
        found = found["loss"]
    value = found[0] if isinstance(found, tuple) else found
    return value if isinstance(value, Tensor) else torch.tensor(float(value)), figures


@register("combined")
class CombinedLoss(BaseLoss):
    """Up to three losses on the same arguments, summed.

        loss = primary + secondary_loss_weight secondary + tertiary_loss_weight tertiary

    A part is any callable that returns a loss, or a dictionary or a tuple with one; weight 0 does
    not spare its call.

    Args:
        primary_loss, secondary_loss, tertiary_loss: the parts.
        secondary_loss_weight, tertiary_loss_weight: their weights.

    Shape:
        as the parts have it; a loss per row stays one, and is reported as its mean.

    Returns:
        `loss`, the metrics of the primary part, `primary_loss`, and of the others `secondary_loss`,
        `secondary_weight`, `secondary_<name>`, and likewise `tertiary_`. Numbers become tensors,
        inner dictionaries their entries (the last of one name); texts are left out.

    Raises:
        what the parts raise.

    Example:
        >>> from losses import CLIPLoss
        >>> criterion = CombinedLoss(CLIPLoss(temperature=0.5), CLIPLoss(temperature=1.0), 0.1)
        >>> criterion(torch.eye(2), torch.eye(2))["loss"]
        tensor(0.1583)
    """

    def __init__(
        self,
        primary_loss: Callable[..., Any],
        secondary_loss: Callable[..., Any] | None = None,
        secondary_loss_weight: float = 0.5,
        tertiary_loss: Callable[..., Any] | None = None,
        tertiary_loss_weight: float = 0.3,
    ) -> None:
        super().__init__()
        self.primary_loss, self.secondary_loss, self.tertiary_loss = (
            primary_loss,
            secondary_loss,
            tertiary_loss,
        )
        self.secondary_loss_weight, self.tertiary_loss_weight = (
            secondary_loss_weight,
            tertiary_loss_weight,
        )

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        loss, metrics = outcome(self.primary_loss(*args, **kwargs))
        metrics["primary_loss"] = utils.reduce(loss, "mean")
        second, third = (
            (self.secondary_loss, self.secondary_loss_weight),
            (self.tertiary_loss, self.tertiary_loss_weight),
        )
        for name, (part, weight) in {"secondary": second, "tertiary": third}.items():
            if part is not None:
                value, figures = outcome(part(*args, **kwargs))
                loss = loss + weight * value
                metrics |= {f"{name}_loss": utils.reduce(value, "mean"), f"{name}_weight": weight}
                metrics |= {f"{name}_{key}": figure for key, figure in figures.items()}
        return self.results(loss, metrics)

    def update_epoch(self, epoch: int) -> None:
        """Pass the epoch on to the parts that want to know."""
        for part in self.children():
            getattr(part, "update_epoch", lambda _: None)(epoch)

    def update_step(self, step: int, total_steps: int) -> None:
        """Pass the step, and the number of steps of the run, on to the parts that want to know."""
        for part in self.children():
            getattr(part, "update_step", lambda *_: None)(step, total_steps)


@register("multitask")
class MultitaskLoss(BaseLoss):
    """One loss for each task: loss = sum over tasks t of w_t l_t(inputs[t], targets[t]).

    Weights are `loss_weights` scaled to sum 1, or equal. With `dynamic_weighting` every training
    call replaces them for good by

        w_t = (1 / |r_t|) / sum over u of 1 / |r_u|

    with r_t the running mean of l_t, from 1 on, without what is not finite: small losses weigh
    more. A task that inputs or targets lack is left out with a warning, and its weight lost.

    Args:
        loss_functions: the loss of each task, which returns what parts of `CombinedLoss` may.
        loss_weights: the weight of each task, of sum not 0.
        dynamic_weighting: whether weights follow the losses.
        momentum: the share that a running mean keeps of itself.

    Shape:
        as the parts have it.

    Returns:
        `loss`, `<task>_loss` of the tasks given, without weight, and `<task>_weight` of all, 0-d
        metrics.

    Raises:
        ValueError: weights for other tasks than there are, or of sum 0.

    Example:
        >>> criterion = MultitaskLoss({"a": nn.L1Loss(), "b": nn.MSELoss()})
        >>> criterion({"a": torch.ones(1)}, {"a": torch.zeros(1)})["loss"]
        tensor(0.5000)
    """

    task_weights: Tensor
    task_means: Tensor

    def __init__(
        self,
        loss_functions: Mapping[str, nn.Module],
        loss_weights: Mapping[str, float] | None = None,
        dynamic_weighting: bool = False,
        momentum: float = 0.9,
    ) -> None:
        super().__init__()
        given = dict.fromkeys(loss_functions, 1.0) if loss_weights is None else loss_weights
        if given.keys() != loss_functions.keys() or not sum(given.values()):
            raise ValueError(
                f"loss_weights: expected one for each of {list(loss_functions)}, of sum "
                f"not 0; found {dict(given)}"
            )
        self.loss_functions, self.task_names = nn.ModuleDict(loss_functions), list(loss_functions)
        self.dynamic_weighting, self.momentum = dynamic_weighting, momentum
        weights = torch.tensor(
            [given[task] / sum(given.values()) for task in self.task_names], dtype=torch.float64
        )
        self.register_buffer("task_weights", weights, persistent=dynamic_weighting)
        self.register_buffer("task_means", torch.ones_like(weights), persistent=dynamic_weighting)

    loss_weights = property(
        lambda self: dict(zip(self.task_names, self.task_weights.tolist(), strict=True))
    )
    running_losses = property(
        lambda self: dict(zip(self.task_names, self.task_means.tolist(), strict=True))
    )

    def forward(self, inputs: Mapping[str, Any], targets: Mapping[str, Any]) -> dict[str, Tensor]:
        """The sum, and the loss and the weight of each task; see the class."""
        given = [task for task in self.task_names if task in inputs and task in targets]
        if absent := set(self.task_names).difference(given):
            logging.getLogger(__name__).warning(
                "left out, for want of inputs or targets: %s", ", ".join(sorted(absent))
            )
        found = {
            task: outcome(self.loss_functions[task](inputs[task], targets[task]))[0]
            for task in given
        }
        metrics = {
            f"{task}_loss": utils.reduce(value.detach(), "mean") for task, value in found.items()
        }
        self._follow(metrics)
        weights = dict(zip(self.task_names, self.task_weights.unbind(), strict=True))
        parts = [weights[task].to(value) * value for task, value in found.items()]
        # Without any task the loss is a zero that can be differentiated.
        loss = sum(parts[1:], start=parts[0] if parts else torch.zeros((), requires_grad=True))
        return self.results(
            loss,
            {**metrics, **{f"{task}_weight": weight.float() for task, weight in weights.items()}},
        )

    @torch.inference_mode(False)  # Training refuses tensors that were made in it.
    def _follow(self, losses: Mapping[str, Tensor]) -> None:
        if not (losses and self.dynamic_weighting and self.training):
            return
        # a loss moved to half precision would round the smallest mean to 0
        means = self.task_means.double()
        latest = torch.stack(
            [
                losses.get(f"{task}_loss", means.new_full((), torch.nan)).to(means)
                for task in self.task_names
            ]
        )
        moved = self.momentum * means + (1 - self.momentum) * latest
        self.task_means = torch.where(moved.isfinite(), moved, means)
        inverse = 1.0 / self.task_means.abs().clamp(min=1e-8)
        self.task_weights = inverse / inverse.sum()
