"""Losses over the 2 N rows of two views, without the row itself: NT-Xent and SupCon."""

import math

import torch
from torch import Tensor

from losses import kernel, utils
from losses.utils import Ids


def nt_xent_loss(
    z_a: Tensor, z_b: Tensor, temperature: float = 0.07, reduction: str = "mean"
) -> Tensor:
    """NT-Xent (Chen et al. 2020, eq. 1) over the 2 N rows of both views.

    The other view of a row is its only positive, the 2 N - 2 others are negatives, the row itself
    is excluded. Rows are used as given: scale them to length 1 first.

    Args:
        z_a, z_b: the views.
        temperature: what products are divided by, above 0.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        z_a, z_b: [N, width] each; the loss is 0-d, or [2 N] for reduction `"none"`.

    Raises:
        ValueError: views of two shapes, an unknown reduction, a temperature of 0 or less.

    Example:
        >>> nt_xent_loss(torch.eye(2), torch.eye(2), temperature=1.0)
        tensor(0.5514)
    """
    z, others = _two_views(z_a, z_b, temperature), torch.arange(2 * len(z_a), device=z_a.device)
    others = others.roll(len(z_a))
    if not kernel.enough(len(z)):
        return utils.info_nce_loss(_among_others(z, temperature), others, reduction=reduction)
    rest, top, own, _ = kernel.self_sums(z, others, 1 / temperature)
    pull = (z * z[others]).sum(dim=1) / temperature
    # The positive's logit as it stands in the sum, so that a small loss keeps its digits.
    pull = pull + (own - pull).detach()
    return utils.reduce(rest + (top - own) + (own - pull), reduction)


def supervised_contrastive_loss(
    z_a: Tensor, z_b: Tensor, labels: Ids, temperature: float = 0.07, reduction: str = "mean"
) -> Tensor:
    """SupCon, L_out (Khosla et al. 2020, eq. 2) over the 2 N rows of both views.

        l_i = lse over j != i of s_ij - mean over p in P(i) of s_ip

    P(i) are the other rows with the label of i (a NaN label has none). The row itself is excluded
    everywhere. Rows are used as given: scale them to length 1 first.

    Args:
        z_a, z_b: the views.
        labels: N labels, for both views.
        temperature: what products are divided by, above 0.
        reduction: `"mean"`, `"sum"` or `"none"`.

    Shape:
        z_a, z_b: [N, width] each; the loss is 0-d, or [2 N] for reduction `"none"`.

    Raises:
        ValueError: views of two shapes, an unknown reduction, a temperature of 0 or less.

    Example:
        >>> views = torch.eye(2), torch.eye(2)
        >>> supervised_contrastive_loss(*views, torch.tensor([0, 1]), temperature=1.0)
        tensor(0.5514)
    """
    z = _two_views(z_a, z_b, temperature)
    if not len(z):
        return utils.reduce(z.sum(dim=1), reduction)
    codes = utils.encode_ids(labels, len(z_a), z_a.device).repeat(2)
    if kernel.enough(len(z)):
        return utils.reduce(_by_class_sums(z, codes, temperature), reduction)
    logits = _among_others(z, temperature)
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    positives = utils.create_positive_mask(codes) & ~itself
    # lse - s of two numbers near 1 / temperature would lose the digits that a log-softmax keeps.
    log_p = logits.log_softmax(dim=1)
    contrast = -log_p.masked_fill(~positives, 0.0).sum(dim=1) / positives.sum(dim=1).clamp(min=1)
    lonely = utils.masked_logsumexp(logits, ~itself)
    return utils.reduce(torch.where(positives.any(dim=1), contrast, lonely), reduction)


def _by_class_sums(z: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """The losses of all rows, whose positives' mean is a product with the sum of their class."""
    rest, top, _, _ = kernel.self_sums(z, torch.zeros_like(codes), 1 / temperature)
    ordered = codes.sort().values
    place = torch.searchsorted(ordered, codes)
    count = torch.searchsorted(ordered, codes, right=True) - place - 1
    count = count.masked_fill(codes == utils.UNMATCHED, 0)
    sums = torch.zeros_like(z).index_add(0, place, z)
    pull = (z * (sums[place] - z)).sum(dim=1) / temperature / count.clamp(min=1)
    found: Tensor = rest + (top - pull.masked_fill(count == 0, 0.0))
    return found


def _two_views(z_a: Tensor, z_b: Tensor, temperature: float) -> Tensor:
    """All 2 N rows, in full precision."""
    utils.check_features(z_a=z_a, z_b=z_b)
    utils.check_positive("temperature", temperature)
    return utils.full_precision(torch.cat((z_a, z_b)))


def _among_others(z: Tensor, temperature: float) -> Tensor:
    """The logits of all rows with all rows, -inf with themselves."""
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    return (utils.product(z, z.t()) / temperature).masked_fill(itself, -math.inf)
