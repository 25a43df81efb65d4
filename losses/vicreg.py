"""Losses on the columns of features over a batch, without negatives: VICReg, its covariance term
alone, and Barlow Twins."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from losses import utils
from losses.base import BaseLoss
from losses.registry import register

# Warm-up: epochs 0 and 1, then progress^POWER within the limits.
FIRST, SECOND, POWER, FLOOR, CAP = 0.1, 0.3, 0.33, 0.3, 0.5
# A column of less variance counts as collapsed; columns of rows of length 1 have variances of order
# 1 / D.
COLLAPSED = 1e-4


def stored(buffer: str, at: int) -> property:
    """Number `at` of `buffer`, which `state_dict` keeps, as a Python number: to read it waits for
    the device."""
    return property(
        lambda loss: getattr(loss, buffer)[at].item(),
        lambda loss, value: getattr(loss, buffer)[at].fill_(value),
    )


def spread(x: Tensor) -> tuple[Tensor, Tensor]:
    """The variances of the columns, [D], and the sum of their squared covariances, both unbiased.

    0 below two rows.
    """
    variances, rest = utils.cross_terms(x - x.mean(dim=0))
    return variances / max(1, len(x) - 1), rest / max(1, len(x) - 1) ** 2


@register("vicreg")
class VICRegLoss(BaseLoss):
    """VICReg (Bardes et al. 2022, eqs. 1 - 6) between two views, its regularisers warmed up.

        loss = sim_coeff mean((A - B)^2) + f var_coeff (v_A + v_B) + f cov_coeff (c_A + c_B)
        v = mean over d of max(0, 1 - sqrt(C_dd + epsilon)),  c = sum over i != j of C_ij^2 / D

    A, B are the views less their column means (the paper compares them uncentred: here a shift
    costs nothing), C is a view's unbiased covariance. Row i belongs to row i; nothing is a
    negative, and below two rows v = c = 0. With `curriculum` the factor f follows the epochs that
    `update_epoch` and `update_step` tell, by the table in `docs/losses.md`, else it is 1.
    `state_dict` remembers them.

    Args:
        sim_coeff, var_coeff, cov_coeff: weights of invariance, variance and covariance.
        epsilon: what is added to a variance before its root is taken, above 0.
        warmup_epochs: epochs until f is at its largest.
        curriculum: whether f follows the epochs.
        num_epochs: epochs of the whole run, by which steps become epochs.

    Shape:
        z_a, z_b: [N, D].

    Returns:
        `loss`, and 0-d `invariance_loss`, `variance_loss`, `covariance_loss`, `sim_weight`,
        `var_weight`, `cov_weight`, `warmup_factor`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> criterion = VICRegLoss(sim_coeff=1.0, epsilon=1.0, curriculum=False)
        >>> criterion(torch.eye(2), torch.zeros(2, 2))["loss"]
        tensor(0.5000)
    """

    progress: Tensor
    current_epoch, current_step, total_steps = (
        stored("progress", 0),
        stored("progress", 1),
        stored("progress", 2),
    )

    def __init__(
        self,
        sim_coeff: float = 10.0,
        var_coeff: float = 5.0,
        cov_coeff: float = 1.0,
        epsilon: float = 1e-3,
        *,
        warmup_epochs: int = 5,
        curriculum: bool = True,
        num_epochs: int = 30,
    ) -> None:
        super().__init__()
        weights = utils.check_not_negative(
            sim_coeff=sim_coeff, var_coeff=var_coeff, cov_coeff=cov_coeff
        )
        self.sim_coeff, self.var_coeff, self.cov_coeff = weights
        self.warmup_epochs, self.num_epochs = utils.check_not_negative(
            warmup_epochs=warmup_epochs, num_epochs=num_epochs
        )
        self.epsilon, self.curriculum = utils.check_positive("epsilon", epsilon), curriculum
        self.register_buffer("progress", torch.zeros(3, dtype=torch.int64), persistent=False)

    def get_extra_state(self) -> Tensor:
        """The progress, for `state_dict`."""
        return self.progress

    def set_extra_state(self, state: Tensor) -> None:
        """Go on where `get_extra_state` stood."""
        self.progress.copy_(state)

    def update_epoch(self, epoch: int) -> None:
        """Set the current epoch, counted from 0."""
        (self.current_epoch,) = utils.check_not_negative(epoch=epoch)

    def update_step(self, step: int, total_steps: int) -> None:
        """Set the current step and the number of steps of the whole run."""
        self.current_step, self.total_steps = step, total_steps

    def get_warmup_factor(self) -> float:
        """The warm-up factor as it is reported; waits for the device."""
        return float(self._warmup()[0])

    def _warmup(self) -> tuple[Tensor, Tensor]:
        """The factor and what epoch 0 adds to it, in float64 on the device: a new epoch is no
        reason to compile anew."""
        epoch, step, steps = self.progress.double()
        by_step = step / (
            self.warmup_epochs * (steps / max(1, self.num_epochs)).clamp(min=1)
        ).clamp(min=1)
        share = torch.where((steps > 0) & (step > 0), by_step, epoch / max(1, self.warmup_epochs))
        later = torch.where(epoch == 1, SECOND, share.pow(POWER).clamp(FLOOR, CAP))
        return torch.where(epoch == 0, FIRST, later), torch.where(
            epoch == 0, FIRST, torch.ones_like(epoch)
        )

    def forward(self, z_a: Tensor, z_b: Tensor) -> dict[str, Tensor]:
        utils.check_features(z_a=z_a, z_b=z_b)
        a, b = utils.full_precision(z_a), utils.full_precision(z_b)
        # A - B: one centring for both
        invariance = utils.reduce((a - b - (a - b).mean(dim=0)).square(), "mean")
        (variances_a, rest_a), (variances_b, rest_b) = spread(a), spread(b)
        hinge_a, hinge_b = (
            F.relu(1 - (v + self.epsilon).sqrt()).mean() * (len(a) > 1)
            for v in (variances_a, variances_b)
        )
        variance, covariance = hinge_a + hinge_b, (rest_a + rest_b) / a.shape[1]
        factor, extra = self._warmup() if self.curriculum else (1, 1)
        s, v, c = self.sim_coeff, self.var_coeff * factor * extra, self.cov_coeff * factor * extra
        terms = {
            "invariance_loss": invariance,
            "variance_loss": variance,
            "covariance_loss": covariance,
        }
        weights = {"sim_weight": s, "var_weight": v, "cov_weight": c, "warmup_factor": 1.0 * factor}
        return self.results(
            (s * invariance + v * variance + c * covariance).to(a.dtype), {**terms, **weights}
        )


@register("decorrelation")
class DecorrelationLoss(BaseLoss):
    """Squared covariances of feature columns: VICReg's third term (Bardes et al. 2022, eq. 4).

        loss = coef mean over the given inputs of sum over i != j of C_ij^2 / (D (D - 1))

    C is the unbiased covariance of an input's columns, after rows are scaled to length 1 if
    `normalize` (see also DeCov, Cogswell et al. 2016). There are no positives or negatives. An
    input of fewer than two rows, or of one column, counts as 0.

    Args:
        coef: the weight of the loss, 0 or more.
        normalize: whether rows are scaled to length 1.
        track_feature_stats: whether the variances of the columns are reported.
        reduction: `"mean"`, or `"sum"`, which does not divide by D (D - 1).

    Shape:
        vision_features, text_features, features: [N, D], of any sizes, at least one.

    Returns:
        `loss`, `decorrelation_loss`, of each input `vision_`, `text_` or
        `generic_decorrelation_loss`, and with `track_feature_stats` of its columns' variances
        `<vision, text, feature>_min_var`, `_max_var`, `_mean_var`, and below 1e-4 `_low_var_dims`,
        `_low_var_pct`.

    Raises:
        ValueError: no input at all, an option out of its range, or inputs of other shapes or
            dtypes.

    Example:
        >>> criterion = DecorrelationLoss(normalize=False)
        >>> criterion(features=torch.tensor([[0.0, 0.0], [1.0, 2.0]]))["loss"]
        tensor(1.)
    """

    reductions = ("mean", "sum")

    def __init__(
        self,
        coef: float = 1.0,
        normalize: bool = True,
        track_feature_stats: bool = True,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        (self.coef,) = utils.check_not_negative(coef=coef)
        self.normalize, self.track_feature_stats = normalize, track_feature_stats

    def forward(
        self,
        vision_features: Tensor | None = None,
        text_features: Tensor | None = None,
        features: Tensor | None = None,
    ) -> dict[str, Tensor]:
        inputs = {
            "vision_features": vision_features,
            "text_features": text_features,
            "features": features,
        }
        given = {name: x for name, x in inputs.items() if x is not None}
        if not given:
            raise ValueError(f"expected at least one of {', '.join(inputs)}; found none")
        utils.check_features(same_rows=False, same_width=False, **given)
        parts: dict[str, Tensor] = {}
        stats: dict[str, Tensor] = {}
        for name, x in given.items():
            v, rest = spread(utils.project(x, None, normalize=self.normalize))
            side, pairs = name.removesuffix("_features"), max(1, len(v) * (len(v) - 1))
            part = f"{'generic' if side == name else side}_decorrelation_loss"
            parts[part] = rest / pairs if self.reduction == "mean" else rest
            low, found = (
                v < COLLAPSED,
                {"min_var": v.amin(), "max_var": v.amax(), "mean_var": v.mean()},
            )
            found |= {"low_var_dims": low.sum(), "low_var_pct": low.float().mean()}
            stats |= {f"{side.removesuffix('s')}_{key}": value for key, value in found.items()}
        loss = self.coef * (sum(parts.values(), start=torch.zeros(())) / len(parts))
        return self.results(
            loss,
            {
                "decorrelation_loss": loss.clone(),
                **parts,
                **(stats if self.track_feature_stats else {}),
            },
        )


@register("barlow_twins")
class BarlowTwinsLoss(BaseLoss):
    """Barlow Twins (Zbontar et al. 2021, eq. 1) on a covariance instead of the correlation.

        loss = mean over d of (C_dd - 1)^2 + lambda_coeff sum over i != j of C_ij^2 / D^2

    With V, T the features less their column means, C = V^T T / N (`"cross_modal"`, eq. 2 without
    standard deviations), or (V^T V + T^T T) / 2N (`"within_batch"`: the modalities are not tied).
    The paper has sums where these are means. Row i belongs to row i; nothing is a negative. With
    rows of length 1 C_dd is of order 1 / D, and the first term stays near 1.

    Args:
        lambda_coeff: weight of the second term, 0 or more.
        correlation_mode: `"cross_modal"` or `"within_batch"`.
        normalize: whether rows are scaled to length 1.
        add_projection: whether features go through two heads, whose batch norms need two rows in
            training.
        projection_dim: width of what the heads return.
        input_dim: width of the features, needed for heads.
        batch_norm_last_layer: whether heads end in a batch norm.

    Shape:
        vision_features, text_features: [N, D].

    Returns:
        `loss`, and 0-d `diagonal_loss` and, without its weight, `off_diagonal_loss`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> BarlowTwinsLoss(lambda_coeff=1.0)(torch.eye(2), torch.eye(2))["loss"]
        tensor(0.5938)
    """

    def __init__(
        self,
        lambda_coeff: float = 0.005,
        correlation_mode: str = "cross_modal",
        normalize: bool = True,
        *,
        add_projection: bool = False,
        projection_dim: int = 8192,
        input_dim: int | None = None,
        batch_norm_last_layer: bool = True,
    ) -> None:
        super().__init__()
        (self.lambda_coeff,) = utils.check_not_negative(lambda_coeff=lambda_coeff)
        self.correlation_mode = utils.check_choice(
            "correlation_mode", correlation_mode, ("cross_modal", "within_batch")
        )
        self.normalize, self.add_projection, self.batch_norm_last_layer = (
            normalize,
            add_projection,
            batch_norm_last_layer,
        )
        self.projection_dim, self.input_dim = projection_dim, input_dim
        self.vision_projection, self.text_projection = (
            self._head() if add_projection else None for _ in range(2)
        )

    def _head(self) -> nn.Module:
        if (width := self.input_dim) is None:
            raise ValueError(
                "add_projection=True: expected input_dim, the width of the features; found None"
            )
        blocks = [
            layer
            for _ in range(2)
            for layer in (nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU())
        ]
        last = (
            [nn.BatchNorm1d(self.projection_dim, affine=False)]
            if self.batch_norm_last_layer
            else []
        )
        return nn.Sequential(*blocks, nn.Linear(width, self.projection_dim), *last)

    def project(self, vision_features: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        """Both features through their heads, if there are any, with rows of length 1 if
        `normalize`."""
        vision = utils.project(vision_features, self.vision_projection, normalize=self.normalize)
        return vision, utils.project(text_features, self.text_projection, normalize=self.normalize)

    def forward(self, vision_features: Tensor, text_features: Tensor) -> dict[str, Tensor]:
        utils.check_features(vision_features=vision_features, text_features=text_features)
        # Heads do not see an empty batch: their batch norms would take in statistics of nothing.
        rows = len(vision_features)
        sides = (
            self.project(vision_features, text_features)
            if rows
            else (vision_features, text_features)
        )
        vision, text = (x - x.mean(dim=0) for x in sides)
        compared = (
            (vision, text)
            if self.correlation_mode == "cross_modal"
            else (torch.cat((vision, text)),)
        )
        (diagonal, rest), count = utils.cross_terms(*compared), max(1, len(compared[0]))
        on, off = (
            (diagonal / count - 1).square().mean() * (rows > 0),
            rest / (count * len(diagonal)) ** 2,
        )
        return self.results(
            on + self.lambda_coeff * off, {"diagonal_loss": on, "off_diagonal_loss": off}
        )
