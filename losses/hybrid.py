"""A schedule from contrast to VICReg: InfoNCE until pairs stand out of the batch, then a blend,
then VICReg alone."""

from typing import Any

import torch
from torch import Tensor

from losses import utils
from losses.base import BaseLoss
from losses.infonce import InfoNCELoss
from losses.registry import register
from losses.vicreg import VICRegLoss, stored

PHASES = PRETRAIN, TRANSITION, VICREG = ("contrastive_pretrain", "transition", "vicreg")
OF_VICREG = (
    "invariance_loss",
    "variance_loss",
    "covariance_loss",
    "sim_weight",
    "var_weight",
    "cov_weight",
    "warmup_factor",
)


@register("hybrid_pretrain_vicreg")
class HybridPretrainVICRegLoss(BaseLoss):
    """InfoNCE first, VICReg later: loss = (1 - p) infonce + p vicreg, with p from 0 to 1.

    Not a published method. infonce is `InfoNCELoss` behind heads, `vision_dim` to `fusion_dim`
    wide, of rows of length 1; vicreg is `VICRegLoss` of the features as they are: see there for
    formulas, positives and negatives. `update_step` alone moves the schedule, through the phases
    that `current_phase` names (`docs/losses.md` has them in a table), and `state_dict` keeps it.
    What counts 0 is not computed and gets no gradient.

    Args:
        sim_coeff, var_coeff, cov_coeff, epsilon, warmup_epochs, curriculum, num_epochs: as in
            `VICRegLoss`.
        contrastive_pretrain_steps: steps until the transition, unless it is adaptive.
        temperature: that of InfoNCE, above 0.
        adaptive_transition: whether the transition waits until pairs stand out of the batch.
        min_alignment_threshold: the `alignment_gap` that it waits for.
        gradual_transition_steps: steps in which p goes from 0 to 1.
        fusion_dim: width of what the heads return.
        vision_dim, text_dim: width of the features, one for both.

    Shape:
        z_a, z_b: [N, vision_dim].
        match_ids: as in `InfoNCELoss`.

    Returns:
        `loss`, and 0-d, 0 for what is not computed, `contrastive_loss`, `vicreg_loss`, their
        `_weight`, `accuracy`, `pretrain_progress` (share of `contrastive_pretrain_steps`),
        `transition_progress` (p), `diagonal_similarity`, `mean_similarity`, `alignment_gap` (their
        difference), `alignment_snr` (gap / deviation), `temperature`, and the metrics of vicreg.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> sizes = {"vision_dim": 2, "text_dim": 2, "contrastive_pretrain_steps": 1}
        >>> criterion = HybridPretrainVICRegLoss(adaptive_transition=False, **sizes)
        >>> criterion.update_step(1, total_steps=2)
        >>> criterion.current_phase, criterion(torch.eye(2), torch.eye(2))["vicreg_weight"]
        ('vicreg', tensor(1.))
    """

    alignment: Tensor
    alignment_gap, max_diag_similarity = stored("alignment", 0), stored("alignment", 1)
    current_step = property(lambda self: self.vicreg_loss.current_step)
    total_steps = property(lambda self: self.vicreg_loss.total_steps)

    def __init__(
        self,
        sim_coeff: float = 5.0,
        var_coeff: float = 5.0,
        cov_coeff: float = 1.0,
        epsilon: float = 1e-4,
        *,
        warmup_epochs: int = 5,
        curriculum: bool = True,
        num_epochs: int = 30,
        contrastive_pretrain_steps: int = 300,
        temperature: float = 0.07,
        adaptive_transition: bool = True,
        min_alignment_threshold: float = 0.3,
        gradual_transition_steps: int = 100,
        fusion_dim: int = 512,
        vision_dim: int = 768,
        text_dim: int = 768,
    ) -> None:
        super().__init__()
        if vision_dim != text_dim:
            raise ValueError(
                f"vision_dim={vision_dim}, text_dim={text_dim}: expected one width for "
                "both, found two"
            )
        warm_up = {"warmup_epochs": warmup_epochs, "num_epochs": num_epochs}
        self.vicreg_loss = VICRegLoss(
            sim_coeff, var_coeff, cov_coeff, epsilon, curriculum=curriculum, **warm_up
        )
        self.contrastive_loss = InfoNCELoss(
            temperature, add_projection=True, projection_dim=fusion_dim, input_dim=vision_dim
        )
        lengths = {
            "contrastive_pretrain_steps": contrastive_pretrain_steps,
            "gradual_transition_steps": gradual_transition_steps,
        }
        self.contrastive_pretrain_steps, self.gradual_transition_steps = utils.check_not_negative(
            **lengths
        )
        self.adaptive_transition, self.min_alignment_threshold = (
            adaptive_transition,
            min_alignment_threshold,
        )
        self.current_phase, self.early_transition_step, self.transition_progress = PRETRAIN, 0, 0.0
        self.register_buffer("alignment", torch.zeros(2, dtype=torch.float64), persistent=False)

    def get_extra_state(self) -> Tensor:
        """Where the schedule stands, for `state_dict`.

        Kept on the host, as the forward pass branches on it.
        """
        stand = (
            PHASES.index(self.current_phase),
            self.early_transition_step,
            self.transition_progress,
        )
        return torch.tensor((*stand, *self.alignment.tolist()), dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Go on where `get_extra_state` stood."""
        phase, step, self.transition_progress, self.alignment_gap, self.max_diag_similarity = (
            state.tolist()
        )
        self.current_phase, self.early_transition_step = PHASES[int(phase)], int(step)

    def update_epoch(self, epoch: int) -> None:
        """Set the current epoch, counted from 0."""
        self.vicreg_loss.update_epoch(epoch)

    def update_step(self, step: int, total_steps: int) -> None:
        """Set the current step and the number of steps of the whole run, and move the schedule
        on."""
        self.vicreg_loss.update_step(step, total_steps)
        if not self.adaptive_transition and step >= self.contrastive_pretrain_steps:
            self.current_phase, self.transition_progress = VICREG, 1.0
        if (
            self.adaptive_transition
            and self.current_phase == PRETRAIN
            and self.alignment_gap > self.min_alignment_threshold
        ):
            self.current_phase, self.early_transition_step = TRANSITION, step
        if self.current_phase == TRANSITION:
            length, done = self.gradual_transition_steps, step - self.early_transition_step
            self.transition_progress = min(1.0, max(0.0, done / length)) if length else 1.0
            self.current_phase = VICREG if self.transition_progress == 1.0 else TRANSITION

    def forward(
        self, z_a: Tensor, z_b: Tensor, match_ids: utils.Ids | None = None
    ) -> dict[str, Tensor]:
        utils.check_features(z_a=z_a, z_b=z_b)
        p, phase = self.transition_progress, self.current_phase
        contrast: dict[str, Any] = {"loss": 0.0, "accuracy": 0.0}
        if phase != VICREG:
            precision = next(self.contrastive_loss.parameters()).dtype
            rows = (
                utils.normalize_features(z).to(torch.promote_types(z.dtype, precision))
                for z in (z_a, z_b)
            )
            contrast = self.contrastive_loss(*rows, match_ids=match_ids)
        vicreg: dict[str, Any] = {
            **dict.fromkeys(("loss", *OF_VICREG), 0.0),
            "sim_weight": self.vicreg_loss.sim_coeff,
        }
        if phase != PRETRAIN:
            vicreg = self.vicreg_loss(z_a, z_b)
        done = (self.vicreg_loss.progress[1] / max(1, self.contrastive_pretrain_steps)).clamp(max=1)
        parts = {
            "contrastive_loss": contrast["loss"],
            "vicreg_loss": vicreg["loss"],
            "accuracy": contrast["accuracy"],
        }
        shares = {
            "contrastive_weight": 1 - p,
            "vicreg_weight": p,
            "transition_progress": p,
            "pretrain_progress": done,
        }
        parts["temperature"] = self.contrastive_loss.temperature
        metrics = {
            **parts,
            **shares,
            **self._align(z_a, z_b),
            **{name: vicreg[name] for name in OF_VICREG},
        }
        return self.results((1 - p) * contrast["loss"] + p * vicreg["loss"], metrics)

    @torch.no_grad()
    def _align(self, z_a: Tensor, z_b: Tensor) -> dict[str, Tensor]:
        """How far pairs stand out of the batch, kept for `update_step`."""
        cosines = utils.compute_similarity(z_a, z_b)
        pairs, mean = (utils.reduce(x, "mean").double() for x in (cosines.diagonal(), cosines))
        gap = pairs - mean
        deviation = (
            cosines.std(correction=min(1, len(cosines) - 1)).double() if len(cosines) else gap
        )
        self.alignment.copy_(torch.stack((gap, torch.fmax(self.alignment[1], pairs))))
        found = {"diagonal_similarity": pairs, "mean_similarity": mean, "alignment_gap": gap}
        return {**found, "alignment_snr": gap.abs() / (deviation + 1e-6)}
