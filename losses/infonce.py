"""Symmetric InfoNCE behind projection heads, over a batch, a memory bank or a table of the data set; alone and in a mixture."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from losses import utils
from losses.base import ContrastiveLoss
from losses.registry import register

LOSS_TYPES = ("infonce", "nt_xent", "supervised")
STRATEGIES = ("auto", "in-batch", "memory-bank", "global")

TABLE_BELOW, BANK_BELOW = 1000, 10_000
"""`"auto"` keeps a table of data sets smaller than the first, and a bank for those smaller than the second."""

STORED_WIDTH, TABLE_ROWS = 768, 1000
"""Size of what is stored where the options leave it open: features of a base-size encoder, a thousand samples."""

WEIGHTS = {"infonce": 0.4, "nt_xent": 0.3, "supervised": 0.3}
"""Of the parts of the mixture, unless given."""


def projection_heads(wanted: bool, input_dim: int | None, projection_dim: int) -> tuple[nn.Module | None, nn.Module | None]:
    """A head for vision and one for text, drawn in this order; see `losses.utils.projection_head`. None unless `wanted`."""
    if not wanted:
        return None, None
    if input_dim is None:
        raise ValueError("input_dim=None: projection heads need the width of the features; give it, or add_projection=False")
    return utils.projection_head(input_dim, projection_dim), utils.projection_head(input_dim, projection_dim)


def per_pair(loss: Tensor) -> Tensor:
    """The losses of the 2 N rows of both views as N losses of pairs, their mean; what is reduced already as it is."""
    return loss.view(2, -1).mean(dim=0) if loss.dim() else loss


@register("infonce")
class InfoNCELoss(ContrastiveLoss):
    """Symmetric InfoNCE (van den Oord et al. 2018, eq. 4; Radford et al. 2021, fig. 3) over the candidates of a strategy.

    With s_ij = v_i . t_j / temperature, rows scaled to length 1 after the heads, and one target a row and a column:

        v2t_i = lse over candidates j of s_ij - s_i,target(i)        t2v likewise        loss = (v2t + t2v) / 2

    Positives: row i or, with ids, one of the rows with its id, drawn anew on every call (`losses.utils.draw_targets`). Nothing is
    excluded. Candidates:

    - `"in-batch"`, `"auto"`: the batch; for `"in-batch"` in training with `losses.utils.add_small_batch_noise`. With a
      `dataset_size`, `"auto"` becomes a table below 1,000 samples, a bank below 10,000, and `"in-batch"` above.
    - `"memory-bank"` (Wu et al. 2018): the batch and, as further negatives, the last rows seen in training.
    - `"global"`, given `indices`: the last features of all samples seen in training; the positive is the sample's own, whatever
      its id. A sample that is not in the table yet is compared within the batch.

    Bank and table are written after the loss is computed. `loss_type` puts NT-Xent or, given `labels`, SupCon over the same rows
    (without noise) into `loss`. Metrics are of InfoNCE; ranks are within the batch, where only the drawn positive is right.

    Args:
        temperature: divisor of the cosines, above 0.
        loss_type: `"infonce"`, `"nt_xent"` or `"supervised"`.
        reduction: `"mean"`, `"sum"`, or `"none"` for a loss of shape [N]; the two directions are then reported as means.
        add_projection: put each modality through a head of its own, `input_dim` to `projection_dim` wide.
        sampling_strategy: see above. What is stored is as wide as the heads' output, or `input_dim` (768) without heads.
        memory_bank_size, dataset_size: rows of the bank; samples of the data set, rows of the table (1,000).
        small_batch_noise: `False` leaves the noise out.

    Shape:
        - vision_features, text_features: [N, D], any float dtype. N may be 0: the loss and all metrics are 0.
        - match_ids, labels: one a row, lists or tensors; ids of a list that does not begin with a string compare as text.
        - indices: whole numbers [N], positions in the data set. Of one that is twice in a batch either row may be stored.
        - Returns `loss` (0-d, [N] for `"none"`) and 0-d metrics: `v2t_loss`, `t2v_loss`, `v2t_accuracy`, `t2v_accuracy`,
          `accuracy`, and for k = 1, 5, 10 `v2t_recall@k`, `t2v_recall@k`, `avg_recall@k`.

    Raises:
        ValueError: an option, a shape, a dtype, ids or labels are not as above; the message says what was found and expected.
        IndexError: an index outside the table.

    >>> criterion = InfoNCELoss(temperature=0.5, sampling_strategy="memory-bank", input_dim=2, memory_bank_size=3)
    >>> [criterion(torch.eye(2), torch.eye(2))["loss"] for step in range(2)]
    [tensor(0.1269), tensor(0.8201)]
    """

    vision_bank: Tensor
    text_bank: Tensor
    bank_ptr: Tensor
    bank_size: Tensor
    bank_written: Tensor

    def __init__(
        self,
        temperature: float = 0.07,
        loss_type: str = "infonce",
        reduction: str = "mean",
        *,
        add_projection: bool = False,
        projection_dim: int = 256,
        input_dim: int | None = None,
        sampling_strategy: str = "auto",
        memory_bank_size: int = 4096,
        dataset_size: int | None = None,
        small_batch_noise: bool = True,
    ) -> None:
        super().__init__(temperature, reduction)
        self.loss_type = utils.check_choice("loss_type", loss_type, LOSS_TYPES)
        self.add_projection, self.projection_dim, self.input_dim = add_projection, projection_dim, input_dim
        self.sampling_strategy = utils.check_choice("sampling_strategy", sampling_strategy, STRATEGIES)
        if sampling_strategy == "auto" and dataset_size is not None:
            otherwise = "memory-bank" if dataset_size < BANK_BELOW else "in-batch"
            self.sampling_strategy = "global" if dataset_size < TABLE_BELOW else otherwise
        self.memory_bank_size, self.dataset_size = memory_bank_size, dataset_size or TABLE_ROWS
        self.small_batch_noise = small_batch_noise

        stored = {"memory-bank": memory_bank_size, "global": self.dataset_size}.get(self.sampling_strategy)
        if stored is not None:
            utils.check_positive("rows of the bank or table", stored)
            width = projection_dim if add_projection else input_dim or STORED_WIDTH
            self.register_buffer("vision_bank", torch.zeros(stored, width))
            self.register_buffer("text_bank", torch.zeros(stored, width))
        if self.sampling_strategy == "memory-bank":
            self.register_buffer("bank_ptr", torch.zeros(1, dtype=torch.int64))
            self.register_buffer("bank_size", torch.zeros(1, dtype=torch.int64))
        elif self.sampling_strategy == "global":
            self.register_buffer("bank_written", torch.zeros(self.dataset_size, dtype=torch.bool))
        self.vision_projection, self.text_projection = projection_heads(add_projection, input_dim, projection_dim)

    def project(self, vision_features: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        """Both features through their heads, if there are any, with rows of length 1."""
        return utils.project(vision_features, self.vision_projection), utils.project(text_features, self.text_projection)

    def update_memory_bank(self, vision_features: Tensor, text_features: Tensor) -> None:
        """Store a batch in the bank, over its oldest rows; without a bank nothing happens."""
        if self.sampling_strategy == "memory-bank":
            utils.write_ring_(self.vision_bank, self.bank_ptr.clone(), vision_features)
            utils.write_ring_(self.text_bank, self.bank_ptr, text_features)
            self.bank_size.add_(len(text_features)).clamp_(max=self.memory_bank_size)

    @torch.no_grad()
    def update_global_embeddings(self, vision_features: Tensor, text_features: Tensor, indices: Tensor) -> None:
        """Store a batch in the table, row `indices[i]` of it; without a table nothing happens."""
        if self.sampling_strategy == "global":
            rows = self._table_rows(indices, len(vision_features))
            self.vision_bank.index_copy_(0, rows, vision_features.to(self.vision_bank.dtype))
            self.text_bank.index_copy_(0, rows, text_features.to(self.text_bank.dtype))
            self.bank_written.index_fill_(0, rows, True)

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        match_ids: utils.Ids | None = None,
        indices: Tensor | None = None,
        labels: utils.Ids | None = None,
    ) -> dict[str, Tensor]:
        """The loss and its metrics; see the class."""
        utils.check_features(vision_features=vision_features, text_features=text_features, same_width=not self.add_projection)
        vision, text = self.project(vision_features, text_features)
        targets = utils.draw_targets(match_ids, len(vision), vision.device)
        logits = utils.product(vision, text.t()) / self.temperature
        if self.small_batch_noise and self.training and self.sampling_strategy == "in-batch":
            logits = utils.add_small_batch_noise(logits)
        own = None if indices is None or self.sampling_strategy != "global" else self._table_rows(indices, len(vision))
        v2t = self._direction(logits, targets[0], vision, getattr(self, "text_bank", None), own)
        t2v = self._direction(logits.t(), targets[1], text, getattr(self, "vision_bank", None), own)

        if self.loss_type == "nt_xent":
            loss = per_pair(utils.nt_xent_loss(vision, text, self.temperature, self.reduction))
        elif self.loss_type == "supervised" and labels is not None:
            loss = per_pair(utils.supervised_contrastive_loss(vision, text, labels, self.temperature, self.reduction))
        else:
            loss = (v2t + t2v) / 2
        if self.training:
            self.update_memory_bank(vision, text)
            if own is not None:
                self.update_global_embeddings(vision, text, own)
        metrics = {
            "v2t_loss": utils.reduce(v2t, "mean"),
            "t2v_loss": utils.reduce(t2v, "mean"),
            **utils.retrieval_accuracy(logits, *targets),
            **utils.recall_at_k(logits, *targets),
        }
        return self.results(loss, metrics)

    def _direction(self, logits: Tensor, targets: Tensor, anchors: Tensor, bank: Tensor | None, own: Tensor | None) -> Tensor:
        """InfoNCE of `anchors` over the batch's `logits` and the `bank` of the other modality, reduced."""
        if bank is None or (own is None and self.sampling_strategy == "global"):
            return utils.info_nce_loss(logits, targets, reduction=self.reduction)
        # A copy: the bank is written in place before the backward pass needs what this product was made of.
        stored = utils.product(anchors, bank.to(anchors.dtype, copy=True).t()) / self.temperature
        if own is None:
            vacant = torch.arange(len(bank), device=bank.device) >= self.bank_size
            candidates = torch.cat((logits, stored.masked_fill(vacant, -math.inf)), dim=1)
            return utils.info_nce_loss(candidates, targets, reduction=self.reduction)
        known = self.bank_written[own]
        # Rows of unknown samples stay whole: nobody reads their loss over the table, but its gradient has to be finite.
        stored = stored.masked_fill(known[:, None] & ~self.bank_written, -math.inf)
        over_table = utils.info_nce_loss(stored, own, reduction="none")
        return utils.reduce(
            torch.where(known, over_table, utils.info_nce_loss(logits, targets, reduction="none")), self.reduction
        )

    def _table_rows(self, indices: Tensor, rows: int) -> Tensor:
        """`indices` on the table's device, all of them inside the table; a CUDA device says so by an assertion of its own."""
        if not isinstance(indices, Tensor) or indices.shape != (rows,) or indices.dtype.is_floating_point:
            raise ValueError(f"indices: expected {rows} whole numbers, one a row, found {utils.describe(indices)}")
        found = indices.to(self.bank_written.device, torch.int64, non_blocking=True)
        try:
            self.bank_written.index_select(0, found)
        except IndexError:
            expected = f"0 to {len(self.bank_written) - 1}"
            raise IndexError(f"indices: expected {expected}, found {found.min()} to {found.max()}") from None
        return found


@register("mixed")
class MixedContrastiveLoss(ContrastiveLoss):
    """Weighted sum of InfoNCE (as `InfoNCELoss` has it for `"in-batch"`), NT-Xent and SupCon over the same rows of length 1.

        loss = w_infonce (v2t + t2v) / 2 + w_nt_xent nt_xent + w_supervised supcon

    nt_xent (Chen et al. 2020, eq. 1) and supcon (Khosla et al. 2020, eq. 2) are over the 2 N rows of both modalities without the
    row itself and without noise. Ids steer InfoNCE alone: to NT-Xent only the paired row is a positive, and all others are
    negatives. Without labels supcon is 0 and its weight is lost.

    Args:
        temperature: divisor of the cosines in all parts, above 0.
        loss_weights: of all of `"infonce"`, `"nt_xent"`, `"supervised"`; 0.4, 0.3, 0.3 by default. A part of weight 0 is reported
            and left out of the sum, where its NaN would be one.
        reduction: `"mean"`; `"sum"`, of N rows for InfoNCE and of 2 N for the others; or `"none"` for [N], where the two rows of
            a pair are averaged and the parts are reported as means.
        add_projection, projection_dim, input_dim, small_batch_noise: as in `InfoNCELoss`.

    Shape:
        - vision_features, text_features: [N, D], any float dtype; match_ids, labels: one a row, as in `InfoNCELoss`.
        - Returns `loss` (0-d, [N] for `"none"`) and 0-d metrics: `loss_infonce`, `loss_nt_xent`, `loss_supervised`,
          `v2t_accuracy`, `t2v_accuracy`, `accuracy`, and for k = 1, 5, 10 `v2t_recall@k`, `t2v_recall@k`, `avg_recall@k`.

    Raises:
        KeyError: a part has no weight. ValueError: as `InfoNCELoss`.

    >>> criterion = MixedContrastiveLoss(temperature=0.5, small_batch_noise=False)
    >>> out = criterion(torch.eye(2), torch.eye(2))
    >>> out["loss_infonce"], out["loss_nt_xent"], out["loss"]
    (tensor(0.1269), tensor(0.2395), tensor(0.1226))
    """

    def __init__(
        self,
        temperature: float = 0.07,
        loss_weights: Mapping[str, float] | None = None,
        reduction: str = "mean",
        *,
        add_projection: bool = False,
        projection_dim: int = 256,
        input_dim: int | None = None,
        small_batch_noise: bool = True,
    ) -> None:
        super().__init__(temperature, reduction)
        given = WEIGHTS if loss_weights is None else loss_weights
        if missing := WEIGHTS.keys() - given.keys():
            raise KeyError(f"loss_weights: expected one for {', '.join(sorted(missing))} too, found {dict(given)}")
        self.loss_weights = {part: given[part] for part in WEIGHTS}
        self.add_projection, self.projection_dim, self.input_dim = add_projection, projection_dim, input_dim
        self.small_batch_noise = small_batch_noise
        self.vision_projection, self.text_projection = projection_heads(add_projection, input_dim, projection_dim)

    def project(self, vision_features: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        """Both features through their heads, if there are any, with rows of length 1."""
        return utils.project(vision_features, self.vision_projection), utils.project(text_features, self.text_projection)

    def forward(
        self, vision_features: Tensor, text_features: Tensor, match_ids: utils.Ids | None = None, labels: utils.Ids | None = None
    ) -> dict[str, Tensor]:
        """The loss, its parts and its metrics; see the class."""
        utils.check_features(vision_features=vision_features, text_features=text_features, same_width=not self.add_projection)
        vision, text = self.project(vision_features, text_features)
        targets = utils.draw_targets(match_ids, len(vision), vision.device)
        logits = utils.product(vision, text.t()) / self.temperature
        if self.small_batch_noise and self.training:
            logits = utils.add_small_batch_noise(logits)
        v2t = utils.info_nce_loss(logits, targets[0], reduction=self.reduction)
        t2v = utils.info_nce_loss(logits.t(), targets[1], reduction=self.reduction)
        parts = {
            "infonce": (v2t + t2v) / 2,
            "nt_xent": per_pair(utils.nt_xent_loss(vision, text, self.temperature, self.reduction)),
            "supervised": torch.zeros_like(v2t),
        }
        if labels is not None:
            supcon = utils.supervised_contrastive_loss(vision, text, labels, self.temperature, self.reduction)
            parts["supervised"] = per_pair(supcon)
        weighted = (weight * parts[part] for part, weight in self.loss_weights.items() if weight)
        # The sum over no rows is a zero that keeps the loss connected when all weights are 0.
        loss = sum(weighted, start=vision[:0].sum().expand(v2t.shape))
        metrics = {
            **{f"loss_{part}": utils.reduce(value, "mean") for part, value in parts.items()},
            **utils.retrieval_accuracy(logits, *targets),
            **utils.recall_at_k(logits, *targets),
        }
        return self.results(loss, metrics)
