"""Sums of exponentials between the rows of two batches, or of one, in bands of rows.

Similarities of unit rows are at most the scale, so exp(s_ij - scale) cannot overflow, and one
exponential a pair serves rows, columns, ranks and gradients (`pair_sums`). Within one batch of rows
of any length, sums are taken around each row's maximum (`self_sums`). All pairs are kept for the
backward pass where there are few, and computed again where there are many: memory is O(N D). These
operations are opaque to `torch.compile`; for a second derivative, plain operations run.
"""

import math
from typing import Any

import torch
from torch import Tensor

from losses import utils

TILE = 2**20  # Pairs that exist at once: 4 MiB of float32, which a second-level cache still feeds.
FEWEST = 320  # Below so many rows plain operations are faster than the call of an opaque one.
LARGEST_SCALE = (
    32.0  # exp(-2 scale), the least exponential, and its inverse stay far inside float32.
)


def suits(a: Tensor, temperature: float) -> bool:
    """Whether the sums of so many unit rows at this temperature are for `pair_sums` to take."""
    return enough(len(a)) and temperature * LARGEST_SCALE >= 1


def enough(rows: int) -> bool:
    """Whether there are rows enough, and no transform such as vmap, which has no rule for this."""
    return rows >= FEWEST and not torch._C._are_functorch_transforms_active()


def symmetric_info_nce(
    a: Tensor,
    b: Tensor,
    targets: tuple[Tensor, Tensor],
    temperature: float,
    label_smoothing: float = 0.0,
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor], Tensor]:
    """InfoNCE of rows and of columns, as `losses.utils.info_nce_loss` has it, of unit rows.

    Args:
        a, b: rows of length 1, or 0, float32 or float64.
        targets: the column of each row's positive, and the row of each column's.
        temperature: what products are divided by; see `suits`.
        label_smoothing: the share of a target's mass that is spread evenly over all candidates.

    Shape:
        a, b: [N, D]; targets: [N] each.

    Returns:
        the losses of rows and of columns, [N] each; what `losses.utils.target_places` says of
        both; and the logits of the rows' positives, detached, [N].
    """
    scale = 1 / temperature
    row_sums, column_sums, row_own, column_own, *places, _ = pair_sums(a, b, *targets, scale)
    # The positive's exponential is one of the sum, so the ratio keeps the digits of a small loss.
    v2t, t2v = (row_sums / row_own).log(), (column_sums / column_own).log()
    if label_smoothing:
        # The mean logit of a row is its product with the mean of the columns.
        excess = (a * (b[targets[0]] - b.mean(dim=0))).sum(dim=1)
        v2t = v2t + label_smoothing * scale * excess
        excess = (b * (a[targets[1]] - a.mean(dim=0))).sum(dim=1)
        t2v = t2v + label_smoothing * scale * excess
    return v2t, t2v, (places[0], places[1]), row_own.detach().log() + scale


@torch.library.custom_op("losses::pair_sums", mutates_args=())
def pair_sums(
    a: Tensor, b: Tensor, row_targets: Tensor, column_targets: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Sums over e_ij = exp(scale (a_i . b_j - 1)): of rows, of columns, the targets' own, places.

    The last result holds all e_ij where they are few enough to be kept for the backward pass.
    """
    rows, few = len(a), a.shape[0] * b.shape[0] <= TILE
    row_sums, row_own, row_places = (a.new_empty(rows) for _ in range(3))
    column_sums, column_places = a.new_zeros(rows), a.new_zeros(rows)
    kept = a.new_empty((rows, rows) if few else (0, 0))
    column_own = ((a[column_targets] * b).sum(dim=1) - 1).mul_(scale).exp_()
    for start, stop in bands(rows):
        e = exponentials(a[start:stop], b, scale, kept if few else None)
        torch.sum(e, dim=1, out=row_sums[start:stop])
        column_sums += e.sum(dim=0)
        own = row_targets[start:stop]
        row_own[start:stop] = e.gather(1, own[:, None]).squeeze(1)
        row_places[start:stop] = utils.target_places(e, own)
        if few:
            column_own = e.gather(0, column_targets[None]).squeeze(0)
            column_places = utils.target_places(e.t(), column_targets)
        else:
            column_places += _ahead(e, column_own, column_targets, start)
    return row_sums, column_sums, row_own, column_own, row_places, column_places, kept


def _ahead(e: Tensor, own: Tensor, targets: Tensor, start: int) -> Tensor:
    """How many rows of a band come before each column's target, as `losses.utils.target_places`."""
    numbers = torch.arange(start, start + len(e), device=e.device)[:, None]
    least = own.nextafter(torch.full_like(own, -math.inf))
    ahead = torch.gt(e, torch.where(numbers < targets, least, own), out=torch.empty_like(e))
    # The target's own product is rounded here as a part of a band, there by itself.
    own_row = (targets - start).clamp(0, len(e) - 1)
    here = (targets >= start) & (targets < start + len(e))
    return ahead.sum(dim=0) - ahead.gather(0, own_row[None]).squeeze(0) * here


def bands(rows: int) -> list[tuple[int, int]]:
    """First and last row of each band of at most `TILE` pairs."""
    band = max(1, TILE // max(1, rows))
    return [(start, min(start + band, rows)) for start in range(0, rows, band)]


def exponentials(a: Tensor, b: Tensor, scale: float, out: Tensor | None = None) -> Tensor:
    """exp(scale (a_i . b_j - 1)), also under autocast in the precision of the rows."""
    with utils.full_products(a.device):
        shifted = torch.addmm(a.new_full((1,), -scale), a * scale, b.t(), out=out)
    return shifted.exp_()


@pair_sums.register_fake
def _(
    a: Tensor, b: Tensor, row_targets: Tensor, column_targets: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    rows = a.shape[0]
    found = [a.new_empty(rows) for _ in range(6)]
    size = rows if a.shape[0] * b.shape[0] <= TILE else 0
    return found[0], found[1], found[2], found[3], found[4], found[5], a.new_empty(size, size)


@torch.library.custom_op("losses::pair_sums_backward", mutates_args=())
def pair_sums_backward(
    a: Tensor, b: Tensor, kept: Tensor, row: Tensor, column: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """The gradients in a and b of sums whose gradients are `row` and `column`, [N] each."""
    for_a, for_b = torch.empty_like(a), torch.zeros_like(b)
    for start, stop in bands(len(a)):
        e = kept if len(kept) else exponentials(a[start:stop], b, scale)
        weights = (row[start:stop, None] + column).mul_(e)
        with utils.full_products(a.device):
            torch.mm(weights, b, out=for_a[start:stop])
            for_b.addmm_(weights.t(), a[start:stop])
    return for_a.mul_(scale), for_b.mul_(scale)


@pair_sums_backward.register_fake
def _(
    a: Tensor, b: Tensor, kept: Tensor, row: Tensor, column: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(a), torch.empty_like(b)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    a, b, row_targets, column_targets, ctx.scale = inputs
    _, _, row_own, column_own, row_places, column_places, kept = output
    ctx.mark_non_differentiable(row_places, column_places, kept)
    ctx.save_for_backward(a, b, row_targets, column_targets, row_own, column_own, kept)


def _backward(
    ctx: Any, row: Tensor, column: Tensor, row_own: Tensor, column_own: Tensor, *_: Tensor
) -> tuple[Tensor, Tensor, None, None, None]:
    a, b, row_targets, column_targets, e_row, e_column, kept = ctx.saved_tensors
    scale = ctx.scale
    if torch.is_grad_enabled():  # This gradient is to be differentiated: in plain operations.
        e = (scale * (utils.product(a, b.t()) - 1)).exp()
        e_row, e_column = (
            e.gather(1, row_targets[:, None])[:, 0],
            e.gather(0, column_targets[None])[0],
        )
        weights = scale * e * (row[:, None] + column)
        for_a, for_b = utils.product(weights, b), utils.product(weights.t(), a)
    else:
        for_a, for_b = pair_sums_backward(a, b, kept, row, column, scale)
    of_rows, of_columns = (
        (scale * row_own * e_row)[:, None],
        (scale * column_own * e_column)[:, None],
    )
    for_a = for_a + of_rows * b[row_targets]
    for_b = for_b + of_columns * a[column_targets]
    for_a = for_a.index_add(0, column_targets, of_columns * b)
    return for_a, for_b.index_add(0, row_targets, of_rows * a), None, None, None


pair_sums.register_autograd(_backward, setup_context=_keep)


@torch.library.custom_op("losses::self_sums", mutates_args=())
def self_sums(z: Tensor, targets: Tensor, scale: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The log-sum-exp of each row's products with all others, s_ij = scale z_i . z_j, in two parts.

    Returns:
        log sum_j exp(s_ij - max_j s_ij), j != i, whose gradient is that of the whole; the maximum;
        s_i,target(i), of the same product; and the shares of all pairs, if they are few.
    """
    rows, few = len(z), len(z) ** 2 <= TILE
    rest, top, own = (z.new_empty(rows) for _ in range(3))
    kept = z.new_empty((rows, rows) if few else (0, 0))
    for start, stop in bands(rows):
        s = _others(z, start, stop, scale, kept if few else None)
        top[start:stop] = s.amax(dim=1)
        own[start:stop] = s.gather(1, targets[start:stop, None]).squeeze(1)
        e = s.sub_(top[start:stop, None]).exp_()
        total = e.sum(dim=1, keepdim=True)
        rest[start:stop] = total.squeeze(1).log()
        if few:
            e /= total
    return rest, top, own, kept


def _others(z: Tensor, start: int, stop: int, scale: float, out: Tensor | None = None) -> Tensor:
    """The logits of a band of rows with all rows, -inf with themselves."""
    with utils.full_products(z.device):
        s = torch.mm(z[start:stop] * scale, z.t(), out=out)
    s.diagonal(offset=start).fill_(-math.inf)
    return s


@self_sums.register_fake
def _(z: Tensor, targets: Tensor, scale: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows = z.shape[0]
    size = rows if rows**2 <= TILE else 0
    return z.new_empty(rows), z.new_empty(rows), z.new_empty(rows), z.new_empty(size, size)


@torch.library.custom_op("losses::self_sums_backward", mutates_args=())
def self_sums_backward(
    z: Tensor, kept: Tensor, top: Tensor, rest: Tensor, weights: Tensor, scale: float
) -> Tensor:
    """The gradient in z of the log-sum-exps whose gradients are `weights`, [N]."""
    found = torch.zeros_like(z)
    for start, stop in bands(len(z)):
        shares = kept
        if not len(kept):
            shares = _others(z, start, stop, scale)
            shares.sub_((top + rest)[start:stop, None]).exp_()
        shares = shares * weights[start:stop, None]
        with utils.full_products(z.device):
            # S is symmetric: what a row is to its candidates, they are to it.
            found[start:stop].addmm_(shares, z)
            found.addmm_(shares.t(), z[start:stop])
    return found.mul_(scale)


@self_sums_backward.register_fake
def _(z: Tensor, kept: Tensor, top: Tensor, rest: Tensor, weights: Tensor, scale: float) -> Tensor:
    return torch.empty_like(z)


def _keep_self(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    z, _, ctx.scale = inputs
    rest, top, own, kept = output
    ctx.mark_non_differentiable(top, own, kept)
    ctx.save_for_backward(z, kept, top, rest)


def _self_backward(ctx: Any, weights: Tensor, *_: Tensor) -> tuple[Tensor, None, None]:
    z, kept, top, rest = ctx.saved_tensors
    if not torch.is_grad_enabled():
        return self_sums_backward(z, kept, top, rest, weights, ctx.scale), None, None
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    logits = (ctx.scale * utils.product(z, z.t())).masked_fill(itself, -math.inf)
    shares = logits.softmax(dim=1) * weights[:, None]
    return ctx.scale * (utils.product(shares, z) + utils.product(shares.t(), z)), None, None


self_sums.register_autograd(_self_backward, setup_context=_keep_self)
