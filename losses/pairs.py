"""Contrast of two modalities over groups of ids, divided by the number of positive pairs.
c_ij is the cosine of v_i and t_j, P(i) the rows with the id of row i (itself too; none if the id is
not equal to itself, as NaN is), and K the number of pairs (i, p) with p in P(i). t2v is v2t with
columns for rows. Reductions are over per-sample losses [N] whose mean is the loss: N / K times the
halves of row i and column i. Without any pair, or row, the loss is 0."""

import math

import torch
from torch import Tensor

from losses import utils
from losses.base import ContrastiveLoss
from losses.registry import register


@register("dynamic_temperature")
class DynamicTemperatureLoss(ContrastiveLoss):
    """InfoNCE (van den Oord et al. 2018, eq. 4), every positive a term, at the batch's temperature.

        gap  = mean of c_ij over positives j != i - mean of c_ij over negatives (an empty mean is 0)
        tau  = clamp(temperature (0.8 + 0.4 exp(-2 gap)), min_temperature, max_temperature)
        v2t  = sum over i, p in P(i) of (lse_j c_ij / tau - c_ip / tau) / K;  loss = (v2t + t2v) / 2

    For c, P, K and reductions see `losses.pairs`. All rows are candidates: positives stand in each
    other's denominators. tau belongs to the graph: the loss may fall by moving it.

    Args:
        temperature: what the batch's temperature is taken from, above 0.
        min_temperature, max_temperature: its bounds; of two that contradict each other, the upper
            one holds.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        vision_features, text_features: [N, D].
        match_ids: N ids, a list or a tensor.

    Returns:
        `loss`, and 0-d `temperature` (tau), `pos_similarity`, `neg_similarity`, `v2t_loss`,
        `t2v_loss`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> criterion = DynamicTemperatureLoss(temperature=0.5, max_temperature=1.0)
        >>> out = criterion(torch.eye(2), torch.eye(2), ["a", "b"])
        >>> out["temperature"], out["loss"]
        (tensor(0.6000), tensor(0.1730))
    """

    def __init__(
        self,
        temperature: float = 0.07,
        min_temperature: float = 0.04,
        max_temperature: float = 0.2,
        reduction: str = "mean",
    ) -> None:
        super().__init__(temperature, reduction)
        self.min_temperature = min_temperature and utils.check_positive(
            "min_temperature", min_temperature
        )
        self.max_temperature = utils.check_positive("max_temperature", max_temperature)

    def forward(
        self, vision_features: Tensor, text_features: Tensor, match_ids: utils.Ids
    ) -> dict[str, Tensor]:
        cosines, positives = utils.compare_groups(vision_features, text_features, match_ids)
        itself = torch.eye(len(cosines), dtype=torch.bool, device=cosines.device)
        pos_mean, neg_mean = (
            _masked_mean(cosines, positives & ~itself),
            _masked_mean(cosines, ~positives),
        )
        wanted = self.temperature * (0.8 + 0.4 * torch.exp(-2.0 * (pos_mean - neg_mean)))
        tau = wanted.clamp(self.min_temperature, self.max_temperature)
        v2t, t2v = (
            utils.all_pairs_loss(cosines / tau, positives),
            utils.all_pairs_loss(cosines.t() / tau, positives),
        )
        loss, parts = utils.average_over_pairs(v2t, t2v, positives, self.reduction)
        return self.results(
            loss,
            {"temperature": tau, "pos_similarity": pos_mean, "neg_similarity": neg_mean, **parts},
        )


@register("hard_negative")
class HardNegativeLoss(ContrastiveLoss):
    """Every positive pair against the row's negatives alone; hard ones count several times.

        n_i = sum over j not in P(i) of w_ij exp(c_ij / temperature)
        v2t = sum over i, p in P(i) of -log(e^s_ip / (e^s_ip + n_i)) / K, s = c / temperature
        loss = (v2t + t2v) / 2;  w_ij: the factor where j is hard for i, else 1

    For c, P, K and reductions see `losses.pairs`. Weights are as in Robinson et al. 2021, eq. 4,
    but constant. Mining has no gradient. Other positives are in no denominator. A row without
    negatives has loss 0, and its pairs still count in K.

    Args:
        temperature: what similarities are divided by, above 0.
        hard_negative_factor: how many times a hard negative counts; 0 leaves the hard ones out.
        mining_strategy: which are hard: `"semi-hard"` (Schroff et al. 2015, sec. 3.2), those less
            than 0.2 below the mean positive; `"hard"`, the most similar tenth; `"none"`.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        vision_features, text_features: [N, D].
        match_ids: N ids, a list or a tensor.

    Returns:
        `loss` and 0-d `v2t_loss`, `t2v_loss`, `hard_negative_factor`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> options = {"hard_negative_factor": 3.0, "mining_strategy": "hard"}
        >>> criterion = HardNegativeLoss(temperature=1.0, **options)
        >>> criterion(torch.eye(2), torch.eye(2), ["a", "b"])["loss"]
        tensor(0.7437)
    """

    def __init__(
        self,
        temperature: float = 0.07,
        hard_negative_factor: float = 2.0,
        mining_strategy: str = "semi-hard",
        reduction: str = "mean",
    ) -> None:
        super().__init__(temperature, reduction)
        self.hard_negative_factor = hard_negative_factor and utils.check_positive(
            "hard_negative_factor", hard_negative_factor
        )
        self.mining_strategy = utils.check_choice(
            "mining_strategy", mining_strategy, ("semi-hard", "hard", "none")
        )

    def forward(
        self, vision_features: Tensor, text_features: Tensor, match_ids: utils.Ids
    ) -> dict[str, Tensor]:
        cosines, positives = utils.compare_groups(vision_features, text_features, match_ids)
        v2t, t2v = self._direction(cosines, positives), self._direction(cosines.t(), positives)
        loss, parts = utils.average_over_pairs(v2t, t2v, positives, self.reduction)
        return self.results(loss, {**parts, "hard_negative_factor": self.hard_negative_factor})

    def _direction(self, cosines: Tensor, positives: Tensor) -> Tensor:
        """The loss of each row."""
        logits, negatives = cosines / self.temperature, ~positives
        hard = utils.mine_hard_negatives(cosines, positives, self.mining_strategy)
        if self.hard_negative_factor:
            weighted = torch.where(hard, logits + math.log(self.hard_negative_factor), logits)
        else:  # no logit stands for the weight 0
            weighted, negatives = logits, negatives & ~hard
        return utils.isolated_pairs_loss(
            logits, positives, utils.masked_logsumexp(weighted, negatives)
        )


@register("decoupled")
class DecoupledLoss(ContrastiveLoss):
    """A cross-modal term over groups of ids, and one of instance discrimination in each modality.

        v2t    = sum over i of -log(sum over p in P(i) of e^s_ip / sum over j of e^s_ij) / K
        vision = mean over i of -log(e^s(v_i, v_i) / sum over j of e^s(v_i, v_j));  text: likewise
        loss   = (v2t + t2v) / 2 + lambda_v vision + lambda_t text;  s = c / temperature

    For c, P, K and reductions see `losses.pairs`. Positives are summed inside the log (MIL-NCE,
    Miech et al. 2020, eq. 1): one term a row, but K divides. A row without negatives has term 0,
    and its pairs still count. Within a modality the row itself is the positive and all others are
    negatives, those with its id too. (This is not DCL, Yeh et al. 2022.)

    Args:
        temperature: what similarities are divided by, above 0.
        lambda_v, lambda_t: weights of the terms within vision and within text.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        vision_features, text_features: [N, D].
        match_ids: N ids, a list or a tensor.

    Returns:
        `loss`, `cross_modal_loss`, `instance_loss` (mean of its two), `v2t_loss`, `t2v_loss`,
        `vision_inst_loss`, `text_inst_loss`, `v2t_accuracy`, `t2v_accuracy`, `accuracy` (of the
        first row with the id).

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> out = DecoupledLoss(temperature=1.0)(torch.eye(2), torch.eye(2), ["a", "b"])
        >>> out["loss"], out["cross_modal_loss"]
        (tensor(0.6265), tensor(0.3133))
    """

    def __init__(
        self,
        temperature: float = 0.07,
        lambda_v: float = 0.5,
        lambda_t: float = 0.5,
        reduction: str = "mean",
    ) -> None:
        super().__init__(temperature, reduction)
        self.lambda_v, self.lambda_t = lambda_v, lambda_t

    def forward(
        self, vision_features: Tensor, text_features: Tensor, match_ids: utils.Ids
    ) -> dict[str, Tensor]:
        utils.check_features(vision_features=vision_features, text_features=text_features)
        logits = self.compute_similarity(vision_features, text_features)
        ids = utils.encode_ids(match_ids, len(logits), logits.device)
        positives, itself = (
            utils.create_positive_mask(ids),
            torch.eye(len(ids), dtype=torch.bool, device=ids.device),
        )
        within = (self.compute_similarity(x, x) for x in (vision_features, text_features))
        vision, text = (
            _summed_positives(s, itself).masked_fill(~positives.any(), 0.0) for s in within
        )
        instance = self.lambda_v * vision + self.lambda_t * text
        v2t, t2v = _summed_positives(logits, positives), _summed_positives(logits.t(), positives)
        loss, parts = utils.average_over_pairs(v2t, t2v, positives, self.reduction, instance)
        vision, text = utils.reduce(vision, "mean"), utils.reduce(text, "mean")
        halves = {
            "cross_modal_loss": (parts["v2t_loss"] + parts["t2v_loss"]) / 2,
            "instance_loss": (vision + text) / 2,
        }
        parts = {**halves, **parts, "vision_inst_loss": vision, "text_inst_loss": text}
        first = utils.pick_positives(ids, torch.zeros_like(ids))
        return self.results(loss, {**parts, **utils.retrieval_accuracy(logits, first, first)})


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean where `mask` is True, 0 where it is True nowhere; NaN if any value is."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


def _summed_positives(logits: Tensor, positives: Tensor) -> Tensor:
    """-log of the share that a row's positives have of its sum of exponentials, [rows].

    0 for a row without positives.
    """
    pulled, pushed = (
        utils.masked_logsumexp(logits, positives),
        utils.masked_logsumexp(logits, ~positives),
    )
    return utils.isolated_pairs_loss(pulled[:, None], positives.any(dim=1, keepdim=True), pushed)
