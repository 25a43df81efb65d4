"""Symmetric InfoNCE behind projection heads, over a batch, a memory bank or a table of the data
set; alone and in a mixture."""

import math
from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

from losses import kernel, utils, views
from losses.base import ContrastiveLoss
from losses.registry import register

STRATEGIES = ("auto", "in-batch", "memory-bank", "global")
# `"auto"` keeps a table of smaller data sets than the first, a bank below the second.
TABLE_BELOW, BANK_BELOW = 1000, 10_000
# What is stored where options leave it open: a base-size encoder's, a thousand samples.
STORED_WIDTH, TABLE_ROWS = 768, 1000
# Of the parts of the mixture, unless given.
WEIGHTS = {"infonce": 0.4, "nt_xent": 0.3, "supervised": 0.3}


def heads(input_dim: int | None, projection_dim: int) -> tuple[nn.Module | None, nn.Module | None]:
    """A head for vision and one for text, drawn in this order.

    See `losses.utils.projection_head`.
    """
    if input_dim is None:
        raise ValueError(
            "input_dim=None: expected the width of the features, which add_projection=True "
            "needs for its heads"
        )
    return utils.projection_head(input_dim, projection_dim), utils.projection_head(
        input_dim, projection_dim
    )


def two_views(
    a: Tensor, b: Tensor, labels: utils.Ids | None, temperature: float, reduction: str
) -> Tensor:
    """NT-Xent or, with labels, SupCon over the 2 N rows of both.

    `"none"` gives the mean of the two rows of each pair, [N].
    """
    how = temperature, reduction
    found = (
        views.nt_xent_loss(a, b, *how)
        if labels is None
        else views.supervised_contrastive_loss(a, b, labels, *how)
    )
    return found.view(2, -1).mean(dim=0) if reduction == "none" else found


Compared: TypeAlias = tuple[Tensor, Tensor, tuple[Tensor, Tensor]]


def compare(
    loss: "InfoNCELoss | MixedContrastiveLoss",
    vision_features: Tensor,
    text_features: Tensor,
    ids: utils.Ids | None,
) -> Compared:
    """The rows of both modalities, and the targets of rows and columns."""
    same_width = not loss.add_projection
    utils.check_features(
        vision_features=vision_features, text_features=text_features, same_width=same_width
    )
    vision, text = loss.project(vision_features, text_features)
    return vision, text, utils.draw_targets(ids, len(vision), vision.device)


def similarities(loss: "InfoNCELoss | MixedContrastiveLoss", of: Compared, noise: bool) -> Tensor:
    """The logits, in training with `noise`."""
    logits = utils.product(of[0], of[1].t()) / loss.temperature
    return utils.add_small_batch_noise(logits) if noise and loss.training else logits


def within_batch(
    loss: "InfoNCELoss | MixedContrastiveLoss", of: Compared, noise: bool
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """InfoNCE of rows and of columns over the batch, reduced, and the places of the targets."""
    vision, text, targets = of
    if kernel.suits(vision, loss.temperature):
        *both, places, _ = kernel.symmetric_info_nce(vision, text, targets, loss.temperature)
        v2t, t2v = (utils.reduce(x, loss.reduction) for x in both)
        return v2t, t2v, places
    logits = similarities(loss, of, noise)
    v2t = utils.info_nce_loss(logits, targets[0], reduction=loss.reduction)
    t2v = utils.info_nce_loss(logits.t(), targets[1], reduction=loss.reduction)
    return v2t, t2v, places_of(logits, targets)


def places_of(logits: Tensor, targets: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The places of the targets of rows and of columns."""
    row, column = targets
    return utils.target_places(logits, row), utils.target_places(logits.t(), column)


@register("infonce")
class InfoNCELoss(ContrastiveLoss):
    """Symmetric InfoNCE (van den Oord et al. 2018, eq. 4) over the candidates of a strategy.

    With s_ij = v_i . t_j / temperature of rows scaled to length 1, behind heads if there are any,
    and a target for each row (both directions as in Radford et al. 2021, fig. 3):

        v2t_i = lse over candidates j of s_ij - s_i,target(i)        t2v: of columns
        loss  = (v2t + t2v) / 2

    Positives: row i or, with ids, one of the rows with its id, drawn anew on every call
    (`losses.utils.draw_targets`). Candidates, none of which is excluded: the batch; with
    `"memory-bank"` (Wu et al. 2018) also earlier rows, as negatives; with `"global"`, given
    `indices`, the table of all samples seen. `docs/losses.md` says what each strategy stores and
    when.

    Args:
        temperature: what similarities are divided by, above 0.
        loss_type: `"infonce"`, or `"nt_xent"`, or `"supervised"`, which put NT-Xent or, given
            `labels`, SupCon over the same rows (without noise) into `loss`; metrics stay InfoNCE's.
        reduction: `"mean"`, `"sum"` or `"none"`.
        add_projection: whether features go through two heads, `input_dim` to `projection_dim` wide.
        projection_dim: width of what the heads return.
        input_dim: width of the features; needed for heads, and 768 for what is stored without them.
        sampling_strategy: `"auto"`, `"in-batch"`, `"memory-bank"` or `"global"`.
        memory_bank_size: rows of the bank.
        dataset_size: rows of the table; `"auto"` chooses by it.
        small_batch_noise: whether logits of fewer than 16 rows get noise in training.

    Shape:
        vision_features, text_features: [N, D], any float dtype.
        match_ids, labels: N ids, lists or tensors.
        indices: whole numbers [N], positions in the data set, of which one twice in a batch stores
            either row.

    Returns:
        `loss` (0-d, [N] for reduction `"none"`) and 0-d `v2t_loss`, `t2v_loss`, `v2t_accuracy`,
        `t2v_accuracy`, `accuracy`, and for k = 1, 5, 10 `v2t_recall@k`, `t2v_recall@k`,
        `avg_recall@k`, ranked within the batch: only the drawn positive is right.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.
        IndexError: indices outside the table.

    Example:
        >>> bank = {"sampling_strategy": "memory-bank", "input_dim": 2, "memory_bank_size": 3}
        >>> criterion = InfoNCELoss(temperature=0.5, **bank)
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
        self.loss_type = utils.check_choice("loss_type", loss_type, tuple(WEIGHTS))
        self.add_projection, self.projection_dim, self.input_dim = (
            add_projection,
            projection_dim,
            input_dim,
        )
        self.sampling_strategy = utils.check_choice(
            "sampling_strategy", sampling_strategy, STRATEGIES
        )
        if sampling_strategy == "auto" and dataset_size is not None:
            otherwise = "memory-bank" if dataset_size < BANK_BELOW else "in-batch"
            self.sampling_strategy = "global" if dataset_size < TABLE_BELOW else otherwise
        self.memory_bank_size, self.dataset_size = memory_bank_size, dataset_size or TABLE_ROWS
        self.small_batch_noise = small_batch_noise
        self._make_room(projection_dim if add_projection else input_dim or STORED_WIDTH)
        self.vision_projection, self.text_projection = (
            heads(input_dim, projection_dim) if add_projection else (None, None)
        )

    def _make_room(self, width: int) -> None:
        """The bank or the table, empty, if the strategy has one."""
        stores = {
            "memory-bank": {"memory_bank_size": self.memory_bank_size},
            "global": {"dataset_size": self.dataset_size},
        }
        for option, rows in stores.get(self.sampling_strategy, {}).items():
            utils.check_positive(option, rows)
            one, written = torch.zeros(1, dtype=torch.int64), torch.zeros(rows, dtype=torch.bool)
            state = (
                {"bank_ptr": one, "bank_size": one.clone()}
                if option == "memory_bank_size"
                else {"bank_written": written}
            )
            for name, value in {
                "vision_bank": torch.zeros(rows, width),
                "text_bank": torch.zeros(rows, width),
                **state,
            }.items():
                self.register_buffer(name, value)

    def project(self, vision_features: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        """Both features through their heads, if there are any, with rows of length 1."""
        return utils.project(vision_features, self.vision_projection), utils.project(
            text_features, self.text_projection
        )

    def update_memory_bank(self, vision_features: Tensor, text_features: Tensor) -> None:
        """Store a batch in the bank, over its oldest rows; without a bank nothing happens."""
        if self.sampling_strategy == "memory-bank":
            utils.write_ring_(self.vision_bank, self.bank_ptr.clone(), vision_features)
            utils.write_ring_(self.text_bank, self.bank_ptr, text_features)
            self.bank_size.add_(len(text_features)).clamp_(max=self.memory_bank_size)

    @torch.no_grad()
    def update_global_embeddings(
        self, vision_features: Tensor, text_features: Tensor, indices: Tensor
    ) -> None:
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
        noise = self.small_batch_noise and self.sampling_strategy == "in-batch"
        compared = vision, text, targets = compare(self, vision_features, text_features, match_ids)
        own = (
            None
            if indices is None or self.sampling_strategy != "global"
            else self._table_rows(indices, len(vision))
        )
        if hasattr(self, "text_bank") and not (own is None and self.sampling_strategy == "global"):
            logits = similarities(self, compared, noise)
            v2t = self._direction(logits, targets[0], vision, self.text_bank, own)
            t2v = self._direction(logits.t(), targets[1], text, self.vision_bank, own)
            places = places_of(logits, targets)
        else:
            v2t, t2v, places = within_batch(self, compared, noise)
        loss, labels = (v2t + t2v) / 2, labels if self.loss_type == "supervised" else None
        if self.loss_type == "nt_xent" or labels is not None:
            loss = two_views(vision, text, labels, self.temperature, self.reduction)
        if self.training:
            self.update_memory_bank(vision, text)
            if own is not None:
                self.update_global_embeddings(vision, text, own)
        parts = {"v2t_loss": utils.reduce(v2t, "mean"), "t2v_loss": utils.reduce(t2v, "mean")}
        return self.results(loss, {**parts, **utils.retrieval_metrics(*places)})

    def _direction(
        self,
        logits: Tensor,
        targets: Tensor,
        anchors: Tensor,
        bank: Tensor,
        own: Tensor | None,
    ) -> Tensor:
        """InfoNCE of `anchors` over the batch's `logits` and the `bank` of the other modality,
        reduced."""
        if bank.shape[1] != anchors.shape[1]:
            wanted = (
                f"width {bank.shape[1]}, that of what is stored (input_dim, or "
                f"{STORED_WIDTH} without)"
            )
            raise ValueError(f"features: expected {wanted}, found {utils.describe(anchors)}")
        # A copy: the bank is written in place before the backward pass needs what this product was
        # made of.
        stored = utils.product(anchors, bank.to(anchors.dtype, copy=True).t()) / self.temperature
        if own is None:
            vacant = torch.arange(len(bank), device=bank.device) >= self.bank_size
            candidates = torch.cat((logits, stored.masked_fill(vacant, -math.inf)), dim=1)
            return utils.info_nce_loss(candidates, targets, reduction=self.reduction)
        known = self.bank_written[own]
        # Rows of unknown samples stay whole: nobody reads their loss over the table, but its
        # gradient has to be finite.
        stored = stored.masked_fill(known[:, None] & ~self.bank_written, -math.inf)
        over_table, in_batch = (
            utils.info_nce_loss(s, t, reduction="none")
            for s, t in ((stored, own), (logits, targets))
        )
        return utils.reduce(torch.where(known, over_table, in_batch), self.reduction)

    def _table_rows(self, indices: Tensor, rows: int) -> Tensor:
        """`indices` on the table's device, all of them inside the table.

        A CUDA device says so by an assertion of its own.
        """
        if (
            not isinstance(indices, Tensor)
            or indices.shape != (rows,)
            or indices.dtype.is_floating_point
        ):
            raise ValueError(
                f"indices: expected {rows} whole numbers, one a row, found "
                f"{utils.describe(indices)}"
            )
        found = indices.to(self.bank_written.device, torch.int64, non_blocking=True)
        try:
            self.bank_written.index_select(0, found)
        except IndexError:
            last = len(self.bank_written) - 1
            raise IndexError(
                f"indices: expected 0 to {last}, found {found.min()} to {found.max()}"
            ) from None
        return found


@register("mixed")
class MixedContrastiveLoss(ContrastiveLoss):
    """Weighted sum of InfoNCE, NT-Xent and SupCon over the same rows of length 1.

        loss = w_infonce (v2t + t2v) / 2 + w_nt_xent nt_xent + w_supervised supcon

    InfoNCE is that of `InfoNCELoss` for `"in-batch"`; nt_xent (Chen et al. 2020, eq. 1) and supcon
    (Khosla et al. 2020, eq. 2) are over the 2 N rows of both modalities without the row itself and
    without noise. Ids steer InfoNCE alone: to NT-Xent only the paired row is a positive, all others
    are negatives. Without labels supcon is 0, and its weight is lost. A part of weight 0 is
    reported alone: its NaN would stay one in the sum.

    Args:
        temperature: what similarities are divided by, above 0.
        loss_weights: weights of `"infonce"`, `"nt_xent"`, `"supervised"`; by default 0.4, 0.3, 0.3.
        reduction: `"mean"`; `"sum"`, of N rows for InfoNCE and of 2 N for the others; or `"none"`,
            [N], which averages the two rows of a pair.
        add_projection: whether features go through two heads, `input_dim` to `projection_dim` wide.
        projection_dim: width of what the heads return.
        input_dim: width of the features, needed for heads.
        small_batch_noise: whether logits of fewer than 16 rows get noise in training.

    Shape:
        vision_features, text_features, match_ids, labels: as in `InfoNCELoss`.

    Returns:
        `loss`, `loss_infonce`, `loss_nt_xent`, `loss_supervised`, as means, and the accuracies and
        recalls of `InfoNCELoss`.

    Raises:
        ValueError: an option out of its range, or inputs of other shapes or dtypes.
        KeyError: loss_weights without one of the parts.

    Example:
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
            raise KeyError(
                f"loss_weights: expected one for {', '.join(sorted(missing))} too, found "
                f"{dict(given)}"
            )
        self.loss_weights = {part: given[part] for part in WEIGHTS}
        self.add_projection, self.projection_dim, self.input_dim = (
            add_projection,
            projection_dim,
            input_dim,
        )
        self.small_batch_noise = small_batch_noise
        self.vision_projection, self.text_projection = (
            heads(input_dim, projection_dim) if add_projection else (None, None)
        )

    def project(self, vision_features: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        """Both features through their heads, if there are any, with rows of length 1."""
        return utils.project(vision_features, self.vision_projection), utils.project(
            text_features, self.text_projection
        )

    def forward(
        self,
        vision_features: Tensor,
        text_features: Tensor,
        match_ids: utils.Ids | None = None,
        labels: utils.Ids | None = None,
    ) -> dict[str, Tensor]:
        compared = vision, text, _ = compare(self, vision_features, text_features, match_ids)
        v2t, t2v, places = within_batch(self, compared, self.small_batch_noise)
        nt_xent = two_views(vision, text, None, self.temperature, self.reduction)
        parts = {
            "infonce": (v2t + t2v) / 2,
            "nt_xent": nt_xent,
            "supervised": torch.zeros_like(v2t),
        }
        if labels is not None:
            parts["supervised"] = two_views(vision, text, labels, self.temperature, self.reduction)
        weighted = (weight * parts[part] for part, weight in self.loss_weights.items() if weight)
        # The sum over no rows is a zero that keeps the loss connected when all weights are 0.
        loss = sum(weighted, start=torch.cat((vision[:0], text[:0])).sum().expand(v2t.shape))
        means = {f"loss_{part}": utils.reduce(value, "mean") for part, value in parts.items()}
        return self.results(loss, {**means, **utils.retrieval_metrics(*places)})
