"""Many positives for an anchor, within two modalities and across: averaged over an anchor's
positives, or over all pairs."""

import torch
from torch import Tensor

from losses import utils
from losses.base import ContrastiveLoss
from losses.registry import register

PARTS = ("intra_vision_loss", "intra_text_loss", "cross_modal_loss")
# Added to sums of exponentials whose largest term, which may be left out, was scaled to 1: no term
# exceeds 18.4.
LOG_EPS = 1e-8


def row_losses(
    logits: Tensor, positives: Tensor, candidates: Tensor, factor: Tensor | float
) -> tuple[Tensor, Tensor]:
    """`factor` times the mean over the positives p of each row of s_ip - log(sum over candidates j
    of e^s_ij); who has any."""
    top = logits.detach().amax(dim=1, keepdim=True) if len(logits) else 0.0
    log_prob = (
        logits
        - top
        - (((logits - top).exp() * candidates).sum(dim=1, keepdim=True) + LOG_EPS).log()
    )
    mean = log_prob.masked_fill(~positives, 0.0).sum(dim=1) / positives.sum(dim=1).clamp(min=1)
    return mean * factor, positives.any(dim=1)


def average(directions: list[tuple[Tensor, Tensor]], reduction: str) -> Tensor:
    """The mean of the directions, each reduced over its rows with positives."""
    reduced = [
        x.sum() / some.sum().clamp(min=1) if reduction == "mean" else utils.reduce(x, reduction)
        for x, some in directions
    ]
    return torch.stack(reduced).mean(dim=0)


def ranking_accuracy(similarity: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    """The share of a row's (positive, negative) pairs in which the positive is the more similar
    one; 0 without any pair."""
    # Its place among the sorted negatives counts those below a positive. A NaN is below nothing,
    # and nothing is below it.
    unknown = similarity.isnan()
    ordered = similarity.masked_fill(~negatives | unknown, torch.inf).sort(dim=1).values
    below = torch.searchsorted(ordered, similarity).masked_fill(~positives | unknown, 0).sum()
    return below.to(similarity.dtype) / (positives.sum(dim=1) * negatives.sum(dim=1)).sum().clamp(
        min=1
    )


def row_weights(labels: utils.Ids | None, class_weights: Tensor) -> Tensor:
    """The weight of each row's class or, of several labels, their mean."""
    if not isinstance(labels, Tensor) or (labels.is_floating_point() and labels.dim() != 2):
        raise ValueError(
            "class_weights: expected a tensor of labels that number the classes, found "
            f"{utils.describe(labels)}"
        )
    labels = labels.to(class_weights.device)
    if labels.dim() == 2 and labels.shape[1] > 1:
        return (labels * class_weights).sum(dim=1) / (labels.sum(dim=1) + LOG_EPS)
    return class_weights[labels.flatten()]


@register("supcon")
class SupConLoss(ContrastiveLoss):
    """SupCon, L_out (Khosla et al. 2020, eq. 2), within vision, within text and across.

    With s_ij = a_i . b_j / temperature of rows of length 1, P(i) the positives of row i, m_i =
    max_j s_ij taken as a constant, and sums over j != i within a modality, over all j across:

        l_i  = -temperature / base_temperature
               * mean over p in P(i) of (s_ip - m_i - log(sum_j e^(s_ij - m_i) + 1e-8))
        loss = (vision + text + cross) / 3, with cross = (v2t + t2v) / 2

    Positives: other rows with the same label, with one of several labels in common, or with a score
    of `similarity_threshold` or more (t2v reads the columns of the scores). The paired row is a
    candidate across modalities, and a positive with `own_pairs`. Rows without positives are left
    out of means and sums, and 0 under `"none"`.

    Args:
        temperature: what similarities are divided by, above 0.
        contrast_mode: `"all"`; `"intra"`: (vision + text) / 2; `"cross"`: cross.
        base_temperature: the temperature at which the loss has no factor, above 0.
        similarity_threshold: the least score of a positive.
        use_class_weights: whether l_i counts `class_weights[label]` times, or the mean of these
            over the labels of row i.
        reduction: `"mean"`, `"sum"` or `"none"`.
        own_pairs: whether the paired row is a positive across modalities.

    Shape:
        vision_features, text_features: [N, D], of two widths only for `contrast_mode="intra"`.
        labels: N labels, or zeros and ones [N, classes].
        similarity_scores: instead of labels, [N, N], or [N] for all rows alike.
        class_weights: [classes], for labels in a tensor that number the classes.

    Returns:
        `loss` ([N] for reduction `"none"`), `intra_vision_loss`, `intra_text_loss`,
        `cross_modal_loss`, 0 where not computed, and `contrastive_accuracy`, the share of pairs of
        a positive and a negative text that vision rows rank rightly; the paired text is a positive
        there by labels, and left out by scores.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> criterion = SupConLoss(temperature=0.5, base_temperature=0.5, contrast_mode="cross")
        >>> criterion(torch.eye(2), torch.eye(2), labels=torch.tensor([0, 0]))["loss"]
        tensor(2.1269)
    """

    def __init__(
        self,
        temperature: float = 0.07,
        contrast_mode: str = "all",
        base_temperature: float = 0.07,
        *,
        similarity_threshold: float = 0.5,
        use_class_weights: bool = False,
        reduction: str = "mean",
        own_pairs: bool = False,
    ) -> None:
        super().__init__(temperature, reduction)
        self.contrast_mode = utils.check_choice(
            "contrast_mode", contrast_mode, ("all", "intra", "cross")
        )
        self.base_temperature = utils.check_positive("base_temperature", base_temperature)
        self.similarity_threshold, self.use_class_weights, self.own_pairs = (
            similarity_threshold,
            use_class_weights,
            own_pairs,
        )

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        labels: utils.Ids | None = None,
        similarity_scores: Tensor | None = None,
        class_weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        same_width = self.contrast_mode != "intra"
        utils.check_features(
            vision_features=vision_features, text_features=text_features, same_width=same_width
        )
        vision, text = (
            utils.normalize_features(vision_features),
            utils.normalize_features(text_features),
        )
        matching = self._matching(labels, similarity_scores, len(vision), vision.device)
        factor: Tensor | float = -self.temperature / self.base_temperature
        if self.use_class_weights and class_weights is not None:
            factor = factor * row_weights(labels, class_weights.to(vision.dtype))
        others = ~torch.eye(len(vision), dtype=torch.bool, device=vision.device)
        parts = self._parts(vision, text, matching, others, factor)
        loss = torch.stack([average(part, self.reduction) for part in parts.values()]).mean(dim=0)
        metrics: dict[str, Tensor | float] = dict.fromkeys((*PARTS, "contrastive_accuracy"), 0.0)
        metrics |= {
            name: average(part, "sum" if self.reduction == "sum" else "mean")
            for name, part in parts.items()
        }
        if vision.shape == text.shape:
            ranked = others if labels is None else torch.ones_like(others)
            cosines = utils.product(vision.detach(), text.detach().t())
            metrics["contrastive_accuracy"] = ranking_accuracy(
                cosines, matching & ranked, ~matching & ranked
            )
        return self.results(loss, metrics)

    def _parts(
        self, vision: Tensor, text: Tensor, matching: Tensor, others: Tensor, factor: Tensor | float
    ) -> dict[str, list[tuple[Tensor, Tensor]]]:
        """The directions of each part that `contrast_mode` asks for."""
        parts: dict[str, list[tuple[Tensor, Tensor]]] = {}
        if self.contrast_mode != "cross":
            for name, x in zip(PARTS, (vision, text), strict=False):
                parts[name] = [
                    row_losses(
                        utils.product(x, x.t()) / self.temperature,
                        matching & others,
                        others,
                        factor,
                    )
                ]
        if self.contrast_mode != "intra":
            logits = utils.product(vision, text.t()) / self.temperature
            positives, everything = (
                matching | ~others if self.own_pairs else matching & others,
                torch.ones_like(others),
            )
            directions = (logits, positives), (logits.t(), positives.t())
            parts["cross_modal_loss"] = [
                row_losses(*direction, everything, factor) for direction in directions
            ]
        return parts

    def _matching(
        self, labels: utils.Ids | None, scores: Tensor | None, rows: int, device: torch.device
    ) -> Tensor:
        """Which rows belong together, [rows, rows].

        By labels that are equal to themselves, a row belongs to itself.
        """
        if (
            isinstance(labels, Tensor)
            and labels.dim() == 2
            and labels.shape[1] > 1
            and len(labels) == rows
        ):
            table = labels.to(device).float()
            return utils.product(table, table.t()) > 0
        if labels is not None:
            return utils.create_positive_mask(utils.encode_ids(labels, rows, device))
        if not isinstance(scores, Tensor) or scores.shape not in ((rows,), (rows, rows)):
            raise ValueError(
                f"similarity_scores: expected {[rows, rows]} or {[rows]}, or labels; found "
                f"{utils.describe(scores)}"
            )
        return (scores.to(device) >= self.similarity_threshold).expand(rows, rows)


@register("all_pairs")
class AllPairsLoss(ContrastiveLoss):
    """Every pair of rows with one id a term of its own: across two modalities, and within each.

    With s(a, b) the cosine over the temperature, P(i) the rows with the id of row i (compared by
    value, NaN equal to nothing), and n the number of pairs of two different rows with one id (in
    both orders; the number of rows if there are none):

        v2t    = sum over i, p in P(i) of (lse_j s(v_i, t_j) - s(v_i, t_p)) / n    t2v: over columns
        vision = sum over i, p in P(i), p != i of (lse_{j != i} s(v_i, v_j) - s(v_i, v_p)) / n
        loss   = (v2t + t2v) / 2 + lambda_v * vision + lambda_t * text              text: likewise

    SupCon's L_out (Khosla et al. 2020, eq. 2) averaged over pairs, not over each row's positives:
    large groups dominate. The paired row is a positive across modalities, but does not count in n.
    Positives stand in each other's denominators too.

    Args:
        temperature: what similarities are divided by, above 0.
        lambda_v, lambda_t: weights of the terms within vision and within text.

    Shape:
        vision_features, text_features: [N, D].
        match_ids: N ids, a list or a tensor.

    Returns:
        0-d `loss`, `cross_modal_loss`, `instance_loss` (weighted), `v2t_loss`, `t2v_loss`,
        `vision_inst_loss`, `text_inst_loss`, and `v2t_accuracy`, `t2v_accuracy`, `accuracy` (any
        positive).

    Raises:
        ValueError: a temperature of 0 or less, or inputs of other shapes or dtypes.

    Example:
        >>> AllPairsLoss(temperature=1.0)(torch.eye(2), torch.eye(2), ["a", "b"])["loss"]
        tensor(0.3133)
    """

    def __init__(
        self, temperature: float = 0.07, lambda_v: float = 0.5, lambda_t: float = 0.5
    ) -> None:
        super().__init__(temperature)
        self.lambda_v, self.lambda_t = lambda_v, lambda_t

    def forward(
        self, vision_features: Tensor, text_features: Tensor, match_ids: utils.Ids
    ) -> dict[str, Tensor]:
        cosines, same = utils.compare_groups(vision_features, text_features, match_ids)
        logits = cosines / self.temperature
        itself = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        pairs = same & ~itself
        count = torch.where(pairs.any(), pairs.sum(), max(len(logits), 1))
        # The lowest number rather than -inf, whose log-softmax would be NaN in a batch of one row.
        lowest = torch.finfo(logits.dtype).min
        vision, text = (
            self.compute_similarity(x, x).masked_fill(itself, lowest)
            for x in (vision_features, text_features)
        )
        terms = {
            "v2t": (logits, same),
            "t2v": (logits.t(), same),
            "vision_inst": (vision, pairs),
            "text_inst": (text, pairs),
        }
        parts = {
            f"{name}_loss": utils.all_pairs_loss(*term).sum() / count
            for name, term in terms.items()
        }
        cross = (parts["v2t_loss"] + parts["t2v_loss"]) / 2
        instance = (
            self.lambda_v * parts["vision_inst_loss"] + self.lambda_t * parts["text_inst_loss"]
        )
        metrics = {
            "cross_modal_loss": cross,
            "instance_loss": instance,
            **parts,
            **utils.group_accuracy(logits, same),
        }
        return self.results(cross + instance, metrics)
