"""Pure functions on tensors that the losses share. No state, no options, no loop over the batch."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Hashable, Sequence
from numbers import Real
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Ids: TypeAlias = Tensor | Sequence[Hashable]

REDUCTIONS = ("mean", "sum", "none")
UNMATCHED = torch.iinfo(torch.int64).min
"""The code of an id that is not equal to itself (NaN)."""
NORM_EPS = 1e-12


def check_choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """`value`, which must be one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, allowed))}")
    return value


def check_positive(name: str, value: float) -> float:
    """`value`, which must be a finite number above 0."""
    if not (isinstance(value, Real) and 0 < value < math.inf):
        raise ValueError(f"{name}={value!r}: expected a finite number above 0")
    return value


def check_fraction(name: str, value: float) -> float:
    """`value`, which must be a number from 0 to 1."""
    if not (isinstance(value, Real) and 0 <= value <= 1):
        raise ValueError(f"{name}={value!r}: expected a number from 0 to 1")
    return value


def check_features(vision: Tensor, text: Tensor, *, same_width: bool = True) -> None:
    """Both must be [rows, width] tensors of floats, with as many rows."""
    for x in (vision, text):
        if x.dim() != 2 or not x.dtype.is_floating_point:
            raise ValueError(f"expected floats of shape [rows, width], found {x.dtype} of shape {list(x.shape)}")
    if len(vision) != len(text) or (same_width and vision.shape != text.shape):
        raise ValueError(f"vision {list(vision.shape)} and text {list(text.shape)} do not go together")


def check_square(matrix: Tensor, rows: int) -> None:
    """`matrix` must be [rows, rows]."""
    if matrix.shape != (rows, rows):
        raise ValueError(f"expected a matrix of shape {[rows, rows]}, found {list(matrix.shape)}")


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32, or as it is in float64."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """Cosines between all rows of `a` and all rows of `b`, in full precision, also under autocast."""
    with torch.autocast(a.device.type, enabled=False) if a.device.type in ("cpu", "cuda") else contextlib.nullcontext():
        return unit_rows(a) @ unit_rows(b).t()


def unit_rows(x: Tensor) -> Tensor:
    """Every row scaled to length 1; a zero row stays zero. float16 takes an eps whose inverse it can hold."""
    eps = torch.finfo(torch.float16).eps if x.dtype == torch.float16 else NORM_EPS
    return F.normalize(full_precision(x), p=2.0, dim=1, eps=eps)


def encode_ids(ids: Ids, rows: int, *, as_text: bool = False) -> Tensor:
    """One int64 code a row, equal exactly where the ids are equal. A list that begins with no string may compare as text."""
    if len(ids) != rows:
        raise ValueError(f"expected {rows} ids, found {len(ids)}")
    if isinstance(ids, Tensor):
        exact = (ids.double() + 0.0).view(torch.int64) if ids.is_floating_point() else ids.long()
        return torch.where(ids.isnan(), UNMATCHED, exact)
    return _encode_list([str(item) for item in ids] if as_text and rows and not isinstance(ids[0], str) else ids)


def _encode_list(ids: Sequence[Hashable]) -> Tensor:
    codes: dict[Hashable, int] = {}
    # An id that is not equal to itself is a NaN, of whatever type.
    return torch.tensor([codes.setdefault(i, len(codes)) if i == i else UNMATCHED for i in ids], dtype=torch.int64)  # noqa: PLR0124


def positive_mask(codes: Tensor) -> Tensor:
    """Which rows belong together, [rows, rows]."""
    return (codes[:, None] == codes) & (codes != UNMATCHED)[:, None]


def random_words(count: int, device: torch.device) -> Tensor:
    """`count`, an even number, of uniform 32-bit numbers: on the CPU the words that single draws would take."""
    pairs = torch.randint(-(2**63), 2**63 - 1, (count // 2,), device=device) ^ -(2**63)
    return torch.stack((pairs >> 32, pairs), dim=1).flatten() & 0xFFFFFFFF


def pick_positives(codes: Tensor, words: Tensor) -> Tensor:
    """For every row number `words[i] % n` of the n rows with its code; a row that matches nothing gets itself."""
    ordered, order = torch.sort(codes, stable=True)
    start = torch.searchsorted(ordered, codes)
    count = torch.searchsorted(ordered, codes, right=True) - start
    own = torch.arange(len(codes), device=codes.device)
    return torch.where(codes == UNMATCHED, own, order[start + words % count.clamp(min=1)])


def draw_targets(ids: Ids | None, rows: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """A positive for every row and for every column, drawn at random; row i for row i without ids."""
    if ids is None:
        own = torch.arange(rows, device=device)
        return own, own
    codes = encode_ids(ids, rows, as_text=True).to(device)
    drawing = rows if isinstance(ids, Tensor) else int((codes != UNMATCHED).sum())
    words = random_words(2 * drawing, device).view(2, drawing)
    if drawing < rows:
        words = F.pad(words, (0, 1))[:, (codes != UNMATCHED).cumsum(0).sub(1).clamp(min=0)]
    return pick_positives(codes, words[0]), pick_positives(codes, words[1])


def reduce(values: Tensor, reduction: str) -> Tensor:
    """The per-sample `values` reduced; the mean over no samples is 0."""
    if reduction == "none":
        return values
    return values.mean() if reduction == "mean" and values.numel() else values.sum()


def info_nce(logits: Tensor, targets: Tensor, reduction: str, label_smoothing: float) -> Tensor:
    """Cross entropy of every row with its target among all columns."""
    if not len(logits):
        return reduce(logits.sum(dim=1), reduction)
    return F.cross_entropy(logits, targets, reduction=reduction, label_smoothing=label_smoothing)


def summed_positives(logits: Tensor, positives: Tensor) -> Tensor:
    """-log of the share that a row's positives have of its sum of exponentials, [rows]; 0 without positives or negatives."""
    pulled, pushed = _masked_logsumexp(logits, positives), _masked_logsumexp(logits, ~positives)
    return -F.logsigmoid(pulled - pushed).masked_fill(~positives.any(dim=1), 0.0)


def _masked_logsumexp(logits: Tensor, mask: Tensor) -> Tensor:
    empty = ~mask.any(dim=1, keepdim=True)
    # The gradient of the lse of nothing but -inf is NaN, so such rows are computed in full and then overwritten.
    rows = logits.masked_fill(~(mask | empty), -math.inf).logsumexp(dim=1)
    return rows.masked_fill(empty.squeeze(1), -math.inf)


def accuracy(logits: Tensor, row_targets: Tensor, column_targets: Tensor) -> dict[str, Tensor]:
    """The share of rows, and of columns, whose largest logit is their target's."""
    v2t, t2v = (_share(_best(s) == t) for s, t in ((logits, row_targets), (logits.t(), column_targets)))
    return {"v2t_accuracy": v2t, "t2v_accuracy": t2v, "accuracy": (v2t + t2v) / 2}


def recall_at_k(logits: Tensor, row_targets: Tensor, column_targets: Tensor) -> dict[str, Tensor]:
    """The share of rows, and of columns, whose target is among their k largest logits, for k = 1, 5, 10."""
    found: dict[str, Tensor] = {}
    for k in (1, 5, 10):
        row, column = _among_top(logits, row_targets, k), _among_top(logits.t(), column_targets, k)
        found |= {f"v2t_recall@{k}": row, f"t2v_recall@{k}": column, f"avg_recall@{k}": (row + column) / 2}
    return found


def _best(logits: Tensor) -> Tensor:
    return logits.argmax(dim=1) if logits.numel() else torch.zeros(len(logits), dtype=torch.int64, device=logits.device)


def _among_top(logits: Tensor, targets: Tensor, k: int) -> Tensor:
    best = torch.topk(logits, min(k, logits.shape[1]), dim=1).indices
    return _share((best == targets[:, None]).any(dim=1))


def _share(hits: Tensor) -> Tensor:
    return reduce(hits.float(), "mean")
