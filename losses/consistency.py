"""Distance to the features of frozen reference models, so that a later stage of training does not
forget an earlier one."""

import logging
from collections.abc import Callable
from typing import Any, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from losses import utils
from losses.base import BaseLoss
from losses.registry import register

DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cosine": lambda x, r: 1 - (x * r).sum(dim=1),
    "l2": lambda x, r: torch.linalg.vector_norm(x - r, dim=1),
    "l1": lambda x, r: torch.linalg.vector_norm(x - r, ord=1, dim=1),
    "smooth_l1": lambda x, r: F.smooth_l1_loss(x, r, reduction="none").sum(dim=1),
}


def moved(inputs: Any, device: torch.device | None) -> Any:
    """A tensor, or a dictionary's tensors, on the device; anything else as it is."""
    if isinstance(inputs, dict):
        return {
            key: value.to(device) if isinstance(value, Tensor) else value
            for key, value in inputs.items()
        }
    return inputs.to(device) if isinstance(inputs, Tensor) else inputs


@register("feature_consistency")
class FeatureConsistencyLoss(BaseLoss):
    """Feature distillation (FitNets, Romero et al. 2015, eq. 3) from up to two reference models.

        loss = vision_weight d(vision_features, reference(vision_inputs))
               + text_weight d(text_features, reference(text_inputs))

    d is the mean or sum over rows x, r of 1 - x . r (`"cosine"`), |x - r|_2 (`"l2"`), |x - r|_1
    (`"l1"`), or the summed smooth L1 distance, beta 1 (`"smooth_l1"`); see also Li and Hoiem 2016.
    Row i belongs to row i; nothing is a negative. A side without reference, features or inputs is
    0; a reference that misses one of them logs a warning. References are not copied, stay in
    evaluation mode and are frozen.

    Args:
        reference_vision_model, reference_text_model: the references.
        vision_weight, text_weight: weights of the two sides, 0 or more.
        distance_fn: `"cosine"`, `"l2"`, `"l1"` or `"smooth_l1"`.
        normalize: whether rows are scaled to length 1.
        detach_reference: whether references are frozen; without, gradients go through to them and
            their inputs.
        reduction: `"mean"` or `"sum"`.

    Shape:
        vision_features, text_features: [N, D], as the references return them.
        vision_inputs, text_inputs: their one argument, a tensor or a dictionary, moved to their
            device.

    Returns:
        `loss`, and 0-d `feature_consistency_loss`, `vision_`, `text_consistency_loss` without
        weights, `vision_weight`, `text_weight`.

    Raises:
        ValueError: an option out of its range, or features of other shapes than the reference's.

    Example:
        >>> criterion = FeatureConsistencyLoss(nn.Identity(), distance_fn="l1", normalize=False)
        >>> criterion(vision_features=torch.ones(2, 3), vision_inputs=torch.zeros(2, 3))["loss"]
        tensor(3.)
    """

    reductions = ("mean", "sum")

    def __init__(
        self,
        reference_vision_model: nn.Module | None = None,
        reference_text_model: nn.Module | None = None,
        vision_weight: float = 1.0,
        text_weight: float = 1.0,
        distance_fn: str = "cosine",
        *,
        normalize: bool = True,
        detach_reference: bool = True,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.reference_vision_model, self.reference_text_model = (
            reference_vision_model,
            reference_text_model,
        )
        self.vision_weight, self.text_weight = utils.check_not_negative(
            vision_weight=vision_weight, text_weight=text_weight
        )
        self.distance_fn = utils.check_choice("distance_fn", distance_fn, tuple(DISTANCES))
        self.normalize, self.detach_reference = normalize, detach_reference
        for parameter in self.train().parameters():
            parameter.requires_grad_(parameter.requires_grad and not detach_reference)

    def train(self, mode: bool = True) -> Self:
        """Set the flag; the references stay in evaluation mode."""
        super().train(mode)
        for reference in self.children():
            reference.eval()
        return self

    def forward(
        self,
        vision_features: Tensor | None = None,
        text_features: Tensor | None = None,
        vision_inputs: Tensor | dict[str, Any] | None = None,
        text_inputs: Tensor | dict[str, Any] | None = None,
    ) -> dict[str, Tensor]:
        vision = self._side("vision", self.reference_vision_model, vision_features, vision_inputs)
        text = self._side("text", self.reference_text_model, text_features, text_inputs)
        loss = torch.as_tensor(self.vision_weight * vision + self.text_weight * text)
        metrics = {
            "feature_consistency_loss": loss.clone(),
            "vision_consistency_loss": vision,
            "text_consistency_loss": text,
        }
        return self.results(
            loss, {**metrics, "vision_weight": self.vision_weight, "text_weight": self.text_weight}
        )

    def _side(
        self, name: str, model: nn.Module | None, x: Tensor | None, inputs: Any
    ) -> Tensor | float:
        if model is None or x is None or inputs is None:
            if model is not None and not (x is None and inputs is None):
                logging.getLogger(__name__).warning(
                    "%s consistency is left out: features and inputs are not both given", name
                )
            return 0.0
        utils.check_features(same_rows=False, same_width=False, **{f"{name}_features": x})
        reference = self._refer(model, inputs, x.device)
        if reference.shape != x.shape:
            raise ValueError(
                f"{name}_features: expected {list(reference.shape)}, as of the reference; "
                f"found {utils.describe(x)}"
            )
        x, reference = (
            utils.project(rows, None, normalize=self.normalize) for rows in (x, reference)
        )
        return utils.reduce(DISTANCES[self.distance_fn](x, reference), self.reduction)

    def _refer(self, model: nn.Module, inputs: Any, device: torch.device) -> Tensor:
        """What the reference makes of its inputs on its own device, moved to `device`."""
        home = next((parameter.device for parameter in model.parameters()), None)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.detach_reference):
            return cast(Tensor, model(moved(inputs, home)).to(device))
