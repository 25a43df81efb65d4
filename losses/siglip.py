"""The pairwise sigmoid loss: every pair of rows a yes-or-no question of its own, without a softmax
over the batch."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from losses import utils
from losses.base import ContrastiveLoss
from losses.registry import register


@register("siglip")
class SigLIPLoss(ContrastiveLoss):
    """SigLIP (Zhai et al. 2023, eq. 1): every pair of rows is a yes-or-no question of its own.

        loss = 1/N sum over i, j of -log sigmoid(z_ij (scale cos(v_i, t_j) + bias))

    z is 1 for positives, the rows with the id of row i (row i alone without ids), and -1 for all
    others. The scale begins at 1 / temperature and is learned by its logarithm, with the bias.

    Args:
        temperature: the inverse of the first scale, above 0.
        bias: the first bias.
        learnable: whether scale and bias are learned.
        reduction: `"mean"`, `"sum"` or `"none"`, of the sums of the rows.

    Shape:
        vision_features, text_features: [N, D].
        match_ids: N ids, a list or a tensor.

    Returns:
        `loss` ([N] for reduction `"none"`), and 0-d `v2t_accuracy`, `t2v_accuracy`, `accuracy` (any
        positive), `scale`, `bias`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> SigLIPLoss(temperature=1.0, bias=0.0)(torch.eye(2), torch.eye(2))["loss"]
        tensor(1.0064, grad_fn=<MeanBackward0>)
    """

    def __init__(
        self,
        temperature: float = 0.1,
        bias: float = -10.0,
        learnable: bool = True,
        reduction: str = "mean",
    ) -> None:
        super().__init__(temperature, reduction)
        self.bias, self.learnable = bias, learnable
        self.logit_scale = nn.Parameter(
            torch.tensor(-math.log(temperature)), requires_grad=learnable
        )
        self.logit_bias = nn.Parameter(torch.tensor(float(bias)), requires_grad=learnable)

    def forward(
        self, vision_features: Tensor, text_features: Tensor, match_ids: utils.Ids | None = None
    ) -> dict[str, Tensor]:
        cosines, positives = utils.compare_groups(vision_features, text_features, match_ids)
        scale = self.logit_scale.exp()
        logits = cosines * scale + self.logit_bias
        # -log sigmoid(-x) = softplus(x) and -log sigmoid(x) = softplus(x) - x: one function for all
        # pairs, and no second matrix.
        matched = logits.masked_fill(~positives, 0.0).sum(dim=1)
        loss = F.softplus(logits, threshold=60.0).sum(dim=1) - matched
        metrics = {
            **utils.group_accuracy(cosines, positives),
            "scale": scale,
            "bias": self.logit_bias,
        }
        return self.results(utils.reduce(loss, self.reduction), metrics)
