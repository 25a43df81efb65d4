"""Symmetric cross entropy between two modalities over the similarities of a batch: the CLIP
objective, and one with a pull."""

import torch
from torch import Tensor

from losses import kernel, utils
from losses.base import ContrastiveLoss
from losses.registry import register


@register("clip")
class CLIPLoss(ContrastiveLoss):
    """CLIP (Radford et al. 2021, fig. 3) at a fixed temperature, with ids and retrieval metrics.

    With s_ij = v_i . t_j / temperature of rows scaled to length 1, and one target a row and a
    column:

        v2t_i = lse_j s_ij - s_i,row_target(i)        t2v_j = lse_i s_ij - s_column_target(j),j
        loss  = (reduce(v2t) + reduce(t2v)) / 2

    Positives: without ids, row i and row i. With ids, one of the rows with the same id, drawn anew
    on every call, for every row and then for every column (see `losses.utils.draw_targets`);
    another one than that counts as wrong. All other rows are candidates, also those with the same
    id, and nothing is excluded.

    Args:
        temperature: what similarities are divided by, above 0.
        reduction: `"mean"`, `"sum"` or `"none"`.
        label_smoothing: the share of each target's mass that is spread evenly over the N
            candidates.

    Shape:
        vision_features, text_features: [N, D], any float dtype; N may be 0: all is 0.
        match_ids: N ids, a list or a tensor; lists that do not begin with a string are compared as
            text.
        similarity_matrix: [N, N], logits to use as they are, without temperature; the features then
            get no gradient.

    Returns:
        `loss` (0-d, [N] for reduction `"none"`), and 0-d `v2t_loss`, `t2v_loss` (means),
        `v2t_accuracy`, `t2v_accuracy`, `accuracy`, `mean_similarity`, `matched_similarity`,
        `similarity_gap` (of logits), and what `recall_at_k` returns for k = 1, 5, 10.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> out = CLIPLoss(temperature=0.5)(torch.eye(2), torch.eye(2))
        >>> out["loss"], out["accuracy"]
        (tensor(0.1269), tensor(1.))
    """

    def __init__(
        self, temperature: float = 0.07, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(temperature, reduction)
        self.label_smoothing = utils.check_fraction("label_smoothing", label_smoothing)

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        match_ids: utils.Ids | None = None,
        similarity_matrix: Tensor | None = None,
    ) -> dict[str, Tensor]:
        own_logits = similarity_matrix is None
        utils.check_features(
            vision_features=vision_features, text_features=text_features, same_width=own_logits
        )
        targets = utils.draw_targets(match_ids, len(vision_features), vision_features.device)
        if similarity_matrix is not None:
            utils.check_square("similarity_matrix", similarity_matrix, len(vision_features))
            return self._from_logits(utils.full_precision(similarity_matrix), targets)
        if not (self.normalize and kernel.suits(vision_features, self.temperature)):
            logits = self.compute_similarity(vision_features, text_features)
            return self._from_logits(logits, targets)
        vision, text = (utils.normalize_features(x) for x in (vision_features, text_features))
        *rows, places, matched = kernel.symmetric_info_nce(
            vision, text, targets, self.temperature, self.label_smoothing
        )
        v2t, t2v = (utils.reduce(x, self.reduction) for x in rows)
        with torch.no_grad():
            mean = (vision.mean(dim=0) * text.mean(dim=0)).sum() / self.temperature
        return self._report(v2t, t2v, places, mean, utils.reduce(matched, "mean"))

    def _from_logits(self, logits: Tensor, targets: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        v2t, t2v = (
            utils.info_nce_loss(
                side, target, reduction=self.reduction, label_smoothing=self.label_smoothing
            )
            for side, target in zip((logits, logits.t()), targets, strict=True)
        )
        seen = logits.detach()
        own = torch.arange(len(seen), device=seen.device)
        mean, matched = (utils.reduce(x, "mean") for x in (seen, seen[own, targets[0]]))
        places = utils.target_places(seen, targets[0]), utils.target_places(seen.t(), targets[1])
        return self._report(v2t, t2v, places, mean, matched)

    def _report(
        self, v2t: Tensor, t2v: Tensor, places: tuple[Tensor, Tensor], mean: Tensor, matched: Tensor
    ) -> dict[str, Tensor]:
        metrics = {"v2t_loss": utils.reduce(v2t, "mean"), "t2v_loss": utils.reduce(t2v, "mean")}
        ranked = utils.retrieval_metrics(*places)
        metrics |= {name: ranked[name] for name in ("v2t_accuracy", "t2v_accuracy", "accuracy")}
        metrics |= {
            "mean_similarity": mean,
            "matched_similarity": matched,
            "similarity_gap": matched - mean,
        }
        return self.results((v2t + t2v) / 2, metrics | ranked)


@register("simple")
class SimpleContrastiveLoss(ContrastiveLoss):
    """CLIP (Radford et al. 2021, fig. 3) that pulls pairs together as well.

        loss = (v2t + t2v) / 2 + 0.5 mean over i of |v_i - t_partner(i)|^2 / D + 0.2 decor_loss

    v2t and t2v are as in `CLIPLoss`, but ids compare by value (1 is not "1"), and positives are
    drawn without ids, too. A partner is another positive drawn; where all rows match, that term is
    0.

    Args:
        temperature: what similarities are divided by, above 0.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        vision_features, text_features: [N, D].
        match_ids: N ids.
        decor_loss: one number.

    Returns:
        `loss` ([N] for reduction `"none"`), `infonce_loss`, `mse_loss` (of partners, unweighted),
        `v2t_loss`, `t2v_loss`, `accuracy` (any positive), `pos_sim` and `neg_sim` (mean logits of
        positives and of others, 0 of none), `separation` (their gap), `temperature`, `decor_loss`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.

    Example:
        >>> criterion = SimpleContrastiveLoss(temperature=0.5)
        >>> criterion(torch.eye(2), torch.eye(2), decor_loss=1.0)["loss"]
        tensor(0.3269)
    """

    def __init__(self, temperature: float = 0.1, reduction: str = "mean") -> None:
        super().__init__(temperature, reduction)

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        match_ids: utils.Ids | None = None,
        decor_loss: Tensor | float = 0.0,
    ) -> dict[str, Tensor]:
        utils.check_features(vision_features=vision_features, text_features=text_features)
        vision, text = (
            utils.normalize_features(vision_features),
            utils.normalize_features(text_features),
        )
        logits, own = (
            utils.product(vision, text.t()) / self.temperature,
            torch.arange(len(vision), device=vision.device),
        )
        ids = own if match_ids is None else utils.encode_ids(match_ids, len(own), own.device)
        positives = utils.create_positive_mask(ids) | (own[:, None] == own)
        words = utils.random_words(3 * len(own), own.device).view(3, len(own))
        rows, columns, partners = (utils.pick_positives(ids, drawn) for drawn in words)
        v2t = utils.info_nce_loss(logits, rows, reduction=self.reduction)
        t2v = utils.info_nce_loss(logits.t(), columns, reduction=self.reduction)
        apart = (vision - text[partners]).square().mean(dim=1).masked_fill(positives.all(), 0.0)
        pull = utils.reduce(apart, self.reduction)
        loss = (v2t + t2v) / 2 + 0.5 * pull + 0.2 * decor_loss
        means = {"v2t_loss": utils.reduce(v2t, "mean"), "t2v_loss": utils.reduce(t2v, "mean")}
        near, far = (
            logits.masked_fill(~mask, 0.0).sum() / mask.sum().clamp(min=1)
            for mask in (positives, ~positives)
        )
        parts = {
            "infonce_loss": (means["v2t_loss"] + means["t2v_loss"]) / 2,
            "mse_loss": utils.reduce(pull, "mean"),
            **means,
        }
        parts |= {
            "accuracy": utils.group_accuracy(logits, positives)["accuracy"],
            "pos_sim": near,
            "neg_sim": far,
        }
        parts["separation"] = near - far
        return self.results(
            loss, {**parts, "temperature": self.temperature, "decor_loss": decor_loss}
        )
