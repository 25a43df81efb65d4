"""Pure functions on tensors that the losses share: similarity, ids, masks, InfoNCE, mining, queues,
covariance, retrieval. No state, no options. Half precision is computed in float32, autocast never
reaches a product, nothing reads a tensor back to the host or loops over the batch, and every
function is defined for a batch without rows."""

import contextlib
import functools
import math
from collections.abc import Callable, Hashable, Sequence
from numbers import Real
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Which rows belong together: a tensor of numbers, or a list of anything hashable.
Ids: TypeAlias = Tensor | Sequence[Hashable]
REDUCTIONS = ("mean", "sum", "none")
# The code of NaN ids, which match nothing: as bits -0.0, which is encoded as 0.0.
UNMATCHED = torch.iinfo(torch.int64).min
# The shortest row that is scaled to length 1, as in `torch.nn.functional.normalize`.
NORM_EPS = 1e-12
# Numbers that are compared at once where only a count is kept: 1 MiB, which a cache holds.
BAND = 2**18
# Logit noise below so many rows: its scale, per missing rows, and least.
NOISE_ROWS, NOISE_SCALE, NOISE_FLOOR = 16, 0.02, 0.005
SEMI_HARD_BAND = 0.2  # Width of the semi-hard band below the mean positive, in cosine units.
HARD_SHARE = 10  # The hardest one of so many negatives counts as hard, and always at least one.


def check_choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """`value`, which must be one of `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, allowed))}")
    return value


def check_number(wanted: str, right: Callable[[float], bool], name: str, value: float) -> float:
    """`value`, which must be a number that is `right`, which is what `wanted` says."""
    if not (isinstance(value, Real) and right(value)):
        raise ValueError(f"{name}={value!r}: expected {wanted}")
    return value


check_positive = functools.partial(
    check_number, "a finite number above 0", lambda value: 0 < value < math.inf
)
check_fraction = functools.partial(
    check_number, "a number from 0 to 1", lambda value: 0 <= value <= 1
)


def check_not_negative(**values: float) -> tuple[float, ...]:
    """The `values`, such as weights, which must be finite numbers of at least 0."""
    check = functools.partial(
        check_number, "a finite number, 0 or more", lambda value: 0 <= value < math.inf
    )
    return tuple(check(name, value) for name, value in values.items())


def check_features(*, same_rows: bool = True, same_width: bool = True, **features: Tensor) -> None:
    """All must be [rows, width] tensors of floats, with the rows and the width of the first unless
    said otherwise."""
    for name, x in features.items():
        if not isinstance(x, Tensor) or x.dim() != 2 or not x.dtype.is_floating_point:
            raise ValueError(f"{name}: expected floats of shape [rows, width], found {describe(x)}")
    (first, model), *others = features.items()
    for name, x in others:
        rows, width = (
            model.shape[0] if same_rows else x.shape[0],
            model.shape[1] if same_width else x.shape[1],
        )
        if x.shape != (rows, width) or (x.dtype == torch.float64) != (model.dtype == torch.float64):
            raise ValueError(
                f"{name}: expected {[rows, width]} to go with {first}, {describe(model)}; "
                f"found {describe(x)}"
            )


def check_square(name: str, matrix: Tensor, rows: int) -> None:
    """`matrix` must hold floats, [rows, rows]."""
    if (
        not isinstance(matrix, Tensor)
        or matrix.shape != (rows, rows)
        or not matrix.dtype.is_floating_point
    ):
        raise ValueError(
            f"{name}: expected floats of shape {[rows, rows]}, found {describe(matrix)}"
        )


def describe(value: object) -> str:
    """What was found, for a message: dtype and shape of a tensor, or the type."""
    return (
        f"{value.dtype} of shape {list(value.shape)}"
        if isinstance(value, Tensor)
        else type(value).__name__
    )


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32, or as it is in float64: half precision holds features, not statistics or sums
    of exponentials."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def full_products(device: torch.device) -> contextlib.AbstractContextManager[None]:
    """Keep matrix products out of autocast."""
    # bfloat16 logits have errors of 0.1 at temperature 0.01, whatever the loss does afterwards.
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return contextlib.nullcontext()


def product(a: Tensor, b: Tensor) -> Tensor:
    """The matrix product of `a` and `b` in full precision, also under autocast."""
    with full_products(a.device):
        return full_precision(a) @ full_precision(b)


def normalize_features(x: Tensor) -> Tensor:
    """Every row scaled to length 1: x / max(|x|, eps), in full precision. A zero row stays zero."""
    # The gradient of a zero row, of order 1 / eps, has to fit into float16.
    eps = torch.finfo(torch.float16).eps if x.dtype == torch.float16 else NORM_EPS
    return F.normalize(full_precision(x), p=2.0, dim=1, eps=eps)


def compute_similarity(
    a: Tensor, b: Tensor, temperature: float | Tensor = 1.0, *, normalize: bool = True
) -> Tensor:
    """s_ij = a_i . b_j / temperature, of rows scaled to length 1 if `normalize`.

    Shape:
        a, b: [rows, width]; the result is [rows of a, rows of b].

    Example:
        >>> compute_similarity(torch.tensor([[2.0, 0.0]]), torch.eye(2), temperature=0.5)
        tensor([[2., 0.]])
    """
    if normalize:
        a, b = normalize_features(a), normalize_features(b)
    return product(a, b.t()) / temperature


def encode_ids(
    ids: Ids, rows: int, device: torch.device | str = "cpu", *, as_text: bool = False
) -> Tensor:
    """One int64 code a row, equal exactly where the ids are equal; `UNMATCHED` for NaN.

    A list is encoded on the host and copied once. A tensor of `rows` numbers is compared by value
    and stays on its device. What is not equal to itself, as NaN is, matches nothing.

    Args:
        ids: one id a row.
        rows: how many there must be.
        device: where the codes are wanted.
        as_text: whether a list that does not begin with a string is compared by `str` of its
            entries, so that 1 and "1" match.

    Raises:
        ValueError: not one id a row, or not hashable.
    """
    return _encode(ids, rows, device, as_text)[0]


def _encode(ids: Ids, rows: int, device: torch.device | str, as_text: bool) -> tuple[Tensor, int]:
    """The codes, and how many rows of a list match themselves.

    Of a tensor all are counted, as looking would be a read-back.
    """
    if isinstance(ids, Sequence) and ids and all(isinstance(item, Tensor) for item in ids):
        ids = torch.stack([item for item in ids if isinstance(item, Tensor)])
    if isinstance(ids, Tensor):
        return _encode_tensor(ids, rows).to(device, non_blocking=True), rows
    codes = _encode_list(ids, rows, as_text)
    return torch.tensor(codes, dtype=torch.int64).to(device, non_blocking=True), rows - codes.count(
        UNMATCHED
    )


def _encode_tensor(ids: Tensor, rows: int) -> Tensor:
    if ids.shape not in ((rows,), (rows, 1)) or ids.is_complex():
        raise ValueError(f"ids: expected {rows} numbers, one a row, found {describe(ids)}")
    ids = ids.reshape(rows)
    if not ids.is_floating_point():
        return ids.long()
    # Adding 0.0 turns -0.0 into 0.0: equal numbers get equal bits.
    return torch.where(ids.isnan(), UNMATCHED, (ids.double() + 0.0).view(torch.int64))


def _encode_list(ids: Sequence[Hashable], rows: int, as_text: bool) -> list[int]:
    try:
        found = list(ids)
    except TypeError:
        raise ValueError(f"ids: expected one a row, {rows} in all, found {describe(ids)}") from None
    if len(found) != rows:
        raise ValueError(f"ids: expected one a row, {rows} in all, found {len(found)}")
    if as_text and found and not isinstance(found[0], str):
        found = [str(item) for item in found]
    codes: dict[Hashable, int] = {}
    try:
        # An id that is not equal to itself is a NaN, of whatever type.
        return [codes.setdefault(item, len(codes)) if item == item else UNMATCHED for item in found]  # noqa: PLR0124
    except TypeError as error:
        raise ValueError(
            f"ids: expected strings, numbers or other hashable values: {error}"
        ) from error


def create_positive_mask(row_ids: Tensor, column_ids: Tensor | None = None) -> Tensor:
    """Which pairs are positives.

    True where the codes of row and column are equal, [rows, columns], the diagonal included.
    """
    column_ids = row_ids if column_ids is None else column_ids
    return (row_ids[:, None] == column_ids) & (row_ids != UNMATCHED)[:, None]


def compare_groups(
    vision_features: Tensor, text_features: Tensor, ids: Ids | None
) -> tuple[Tensor, Tensor]:
    """The cosines of two modalities, and which pairs have one id (without ids: the row itself): two
    matrices [rows, rows]."""
    check_features(vision_features=vision_features, text_features=text_features)
    cosines = compute_similarity(vision_features, text_features)
    own = torch.arange(len(cosines), device=cosines.device)
    return cosines, create_positive_mask(
        own if ids is None else encode_ids(ids, len(own), own.device)
    )


def random_words(count: int, device: torch.device | str = "cpu") -> Tensor:
    """`count` uniform 32-bit numbers as int64, by one call: on the CPU the generator's next words.

    It ends where `count` calls of `torch.randint(0, n, (1,))` leave it, which below 2^28 return w %
    n of one word w each; a draw from a larger range takes two, the earlier one as its upper half.
    (The largest pair is left out: one in 2^64 becomes 0.)
    """
    if count % 2 and torch.device(device).type == "cpu" and not torch.compiler.is_compiling():
        with torch.random.fork_rng(devices=[]):
            words = random_words(count + 1)
        torch.randint(0, 2, (count,))  # takes `count` words
        return words[:count]
    pairs = torch.randint(-(2**63), 2**63 - 1, (-(-count // 2),), device=device) ^ -(2**63)
    return torch.stack((pairs >> 32, pairs), dim=1).flatten()[:count] & 0xFFFFFFFF


def pick_positives(codes: Tensor, words: Tensor) -> Tensor:
    """For every row number `words[i] % n` of the n rows with its code, ascending.

    Itself where the id matches nothing.
    """
    ordered, order = torch.sort(codes, stable=True)
    start = torch.searchsorted(ordered, codes)
    count = torch.searchsorted(ordered, codes, right=True) - start
    own = torch.arange(len(codes), device=codes.device)
    return torch.where(codes == UNMATCHED, own, order[start + words % count])


def draw_targets(ids: Ids | None, rows: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """A target column for every row, and a target row for every column: one positive each, at
    random. Without ids they are 0 .. rows - 1 and nothing is drawn. Otherwise ids compare as in
    `encode_ids(..., as_text=True)`, and on the CPU the draws are those of one `torch.randint(0,
    positives, (1,))` a row, then one a column; a listed NaN takes none."""
    if ids is None:
        own = torch.arange(rows, device=device)
        return own, own
    codes, drawing = _encode(ids, rows, device, as_text=True)
    words = random_words(2 * drawing, device).view(2, drawing)
    if drawing < rows:
        words = F.pad(words, (0, 1))[:, (codes != UNMATCHED).cumsum(0) - 1]
    return pick_positives(codes, words[0]), pick_positives(codes, words[1])


def reduce(values: Tensor, reduction: str) -> Tensor:
    """The per-sample `values` reduced; the mean over no samples is 0."""
    if check_choice("reduction", reduction, REDUCTIONS) == "none":
        return values
    return values.mean() if reduction == "mean" and values.numel() else values.sum()


def info_nce_loss(
    logits: Tensor,
    targets: Tensor | None = None,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """InfoNCE with one positive a row (van den Oord et al. 2018, eq. 4).

        l_i = lse_j s_ij - s_i,target(i)

    Args:
        logits: similarities over temperature, [rows, candidates].
        targets: the positives' columns, [rows]; by default 0 .. rows - 1.
        reduction: `"mean"`, `"sum"` or `"none"`.
        label_smoothing: the share of the target's mass that is spread evenly over all candidates.

    Example:
        >>> info_nce_loss(torch.zeros(3, 4))
        tensor(1.3863)
    """
    logits = full_precision(logits)
    if not len(logits):
        return reduce(logits.sum(dim=1), reduction)
    targets = torch.arange(len(logits), device=logits.device) if targets is None else targets
    return F.cross_entropy(logits, targets, reduction=reduction, label_smoothing=label_smoothing)


def masked_logsumexp(logits: Tensor, mask: Tensor) -> Tensor:
    """lse over the columns of each row where `mask` is True, [rows].

    -inf, without a gradient, where there are none.
    """
    empty = ~mask.any(dim=1, keepdim=True)
    # The gradient of the lse of nothing but -inf is NaN, so such rows are computed in full and then
    # overwritten.
    rows = logits.masked_fill(~(mask | empty), -math.inf).logsumexp(dim=1)
    return rows.masked_fill(empty.squeeze(1), -math.inf)


def all_pairs_loss(logits: Tensor, positives: Tensor) -> Tensor:
    """Every positive pair a term of its own over all candidates: l_i = sum over p in P(i) of (lse_j
    s_ij - s_ip), [rows]."""
    # SupCon's L_out (Khosla et al. 2020, eq. 2) times the number of positives, which stand in each
    # other's denominators, too.
    return logits.log_softmax(dim=1).neg().masked_fill(~positives, 0.0).sum(dim=1)


def isolated_pairs_loss(logits: Tensor, positives: Tensor, log_negatives: Tensor) -> Tensor:
    """Every positive pair against the negatives alone: l_i = sum over p in P(i) of -log(e^s_ip /
    (e^s_ip + e^n_i)), [rows]."""
    # `log_negatives` is n_i, the log of the row's (weighted) sum of negatives; -inf, no negatives,
    # makes the row 0.
    # Exact up to the threshold, and so is its second derivative, unlike that of logsigmoid.
    return (
        F.softplus(log_negatives[:, None] - logits, threshold=60.0)
        .masked_fill(~positives, 0.0)
        .sum(dim=1)
    )


def average_over_pairs(
    v2t: Tensor, t2v: Tensor, positives: Tensor, reduction: str, more: Tensor | float = 0.0
) -> tuple[Tensor, dict[str, Tensor]]:
    """The mean of both directions over all positive pairs, plus `more` of each row: (loss,
    `v2t_loss` and `t2v_loss`)."""
    # v2t_i and t2v_i sum over the pairs of a row and a column; rows / pairs times those are the
    # per-sample losses.
    pairs = positives.sum().clamp(min=1)
    v2t, t2v = v2t * len(v2t) / pairs, t2v * len(t2v) / pairs
    parts = {"v2t_loss": reduce(v2t, "mean"), "t2v_loss": reduce(t2v, "mean")}
    return reduce((v2t + t2v) / 2 + more, reduction), parts


def add_small_batch_noise(logits: Tensor) -> Tensor:
    """Logits with normal noise, for batches under 16 rows in training: of scale max(0.005, 0.02 (16
    - rows) / 16)."""
    scale = max(NOISE_FLOOR, NOISE_SCALE * (NOISE_ROWS - len(logits)) / NOISE_ROWS)
    return logits + torch.randn_like(logits) * scale if len(logits) < NOISE_ROWS else logits


def mine_hard_negatives(
    similarity: Tensor, positives: Tensor, strategy: str = "semi-hard"
) -> Tensor:
    """Which negatives of each row are hard; everything that is no positive is a negative.

    Args:
        similarity: cosines, [rows, columns].
        positives: a mask of the same shape.
        strategy: `"hard"`: the most similar tenth of a row's negatives, at least one. `"semi-hard"`
            (Schroff et al. 2015, sec. 3.2): those less similar than the mean positive m of the row
            by less than 0.2, m - 0.2 < s < m. `"none"`, or a row without positives: none.

    Returns:
        a mask, [rows, columns].

    Raises:
        ValueError: an unknown strategy.

    Example:
        >>> positives = torch.tensor([[True, False, False]])
        >>> mine_hard_negatives(torch.tensor([[0.9, 0.8, 0.1]]), positives)
        tensor([[False,  True, False]])
    """
    if check_choice("strategy", strategy, ("hard", "semi-hard", "none")) == "none":
        return torch.zeros_like(positives)
    similarity, negatives = similarity.detach(), ~positives
    if strategy == "hard":
        wanted = (negatives.sum(dim=1, keepdim=True) // HARD_SHARE).clamp(min=1)
        ranks = (
            similarity.masked_fill(positives, -math.inf)
            .argsort(dim=1, descending=True, stable=True)
            .argsort(dim=1)
        )
        chosen = ranks < wanted
    else:
        count = positives.sum(dim=1, keepdim=True).clamp(min=1)
        mean = similarity.masked_fill(negatives, 0.0).sum(dim=1, keepdim=True) / count
        chosen = (similarity < mean) & (similarity > mean - SEMI_HARD_BAND)
    return chosen & negatives & positives.any(dim=1, keepdim=True)


def write_ring_(ring: Tensor, pointer: Tensor, rows: Tensor, dim: int = 0) -> Tensor:
    """Write `rows` [batch, width] into `ring` from `pointer` on (int64, one element), in place and
    round the end, and move it."""
    # The ring, which it returns, is [capacity, width], or [width, capacity] with `dim=1`. Of a
    # longer batch the last rows stay.
    capacity, batch = ring.shape[dim], len(rows)
    kept = rows[max(0, batch - capacity) :].to(ring.dtype)
    slots = (pointer + torch.arange(batch - len(kept), batch, device=ring.device)) % capacity
    with torch.no_grad():
        ring.index_copy_(dim, slots, kept.t() if dim else kept)
        pointer.add_(batch).remainder_(capacity)
    return ring


def cross_terms(x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The diagonal of C = X^T Y, and the sum of squares of the rest, sum over i != j of C_ij^2.

    For D > N, |X^T Y|_F^2 = <X X^T, Y Y^T> less the squared diagonal, of which rank N < D leaves
    more than 1 / D; the difference is taken in float64.

    Args:
        x, y: features, centred and scaled by the caller; `y` is by default `x`.

    Shape:
        x, y: [N, D]; the results are [D] and 0-d.
    """
    other, (rows, width) = x if y is None else y, x.shape
    if width <= rows:
        c, itself = product(x.t(), other), torch.eye(width, dtype=torch.bool, device=x.device)
        return c.diagonal(), c.masked_fill(itself, 0.0).square().sum()
    x, other = full_precision(x), full_precision(other)
    diagonal, gram = (x * other).sum(dim=0), product(x, x.t())
    whole = gram.square() if y is None else gram * product(other, other.t())
    return diagonal, (
        whole.sum(dtype=torch.float64) - diagonal.square().sum(dtype=torch.float64)
    ).to(x.dtype)


def retrieval_metrics(row_places: Tensor, column_places: Tensor) -> dict[str, Tensor]:
    """What `retrieval_accuracy` and `recall_at_k` for k = 1, 5, 10 say, from `target_places`."""
    places = row_places, column_places
    return {**_shares(places, 1, "accuracy"), **_recalls(places, (1, 5, 10), ("v2t", "t2v"))}


def retrieval_accuracy(
    logits: Tensor, row_targets: Tensor, column_targets: Tensor
) -> dict[str, Tensor]:
    """The share of rows, and of columns, whose largest logit is their target's, and the mean of
    both. 0 for no rows."""
    return _shares(
        (target_places(logits, row_targets), target_places(logits.t(), column_targets)),
        1,
        "accuracy",
    )


def group_accuracy(logits: Tensor, positives: Tensor) -> dict[str, Tensor]:
    """The share of rows, and of columns, whose largest logit is any positive's, and the mean of
    both. 0 for no rows."""
    seen = logits.detach()
    if not seen.numel():
        return _both(seen.sum(dim=1), seen.sum(dim=0), "accuracy")
    row = positives.gather(1, seen.argmax(dim=1, keepdim=True))
    return _both(row, positives.gather(0, seen.argmax(dim=0, keepdim=True)), "accuracy")


def recall_at_k(
    logits: Tensor,
    row_targets: Tensor | None = None,
    column_targets: Tensor | None = None,
    ks: Sequence[int] = (1, 5, 10),
    names: tuple[str, str] = ("v2t", "t2v"),
) -> dict[str, Tensor]:
    """The share of rows, and of columns, whose target is among their k largest logits; their mean.

    Of equal logits the earlier column comes first, as for argmax. Without rows all is 0.

    Args:
        logits: [N, N].
        row_targets, column_targets: [N], by default 0 .. N - 1.
        ks: the cut-offs.
        names: what rows and columns are called.

    Returns:
        `<row>_recall@k`, `<column>_recall@k`, `avg_recall@k` for each k.

    Raises:
        ValueError: logits that are not square.

    Example:
        >>> recall = recall_at_k(torch.tensor([[2.0, 1.0], [3.0, 0.0]]), ks=[1])
        >>> list(recall), recall["avg_recall@1"]
        (['v2t_recall@1', 't2v_recall@1', 'avg_recall@1'], tensor(0.2500))
    """
    check_square("logits", logits, len(logits))
    own = torch.arange(len(logits), device=logits.device)
    rows, columns = (
        own if targets is None else targets for targets in (row_targets, column_targets)
    )
    return _recalls((target_places(logits, rows), target_places(logits.t(), columns)), ks, names)


def target_places(logits: Tensor, targets: Tensor) -> Tensor:
    """How many of its logits come before each row's target: larger ones, and of equal ones those of
    earlier columns, [rows]."""
    seen, columns = logits.detach(), logits.shape[1]
    if not seen.numel():
        return seen.sum(dim=1)
    band = max(1, BAND // columns)  # Bands of rows keep what is counted in a cache.
    starts = range(0, len(seen), band)
    places = [_place(seen[at : at + band], targets[at : at + band]) for at in starts]
    return torch.cat(places).masked_fill((targets < 0) | (targets >= columns), math.inf)


def _place(logits: Tensor, targets: Tensor) -> Tensor:
    own = logits.gather(1, targets.clamp(0, logits.shape[1] - 1)[:, None])
    # Earlier columns must be smaller by a step, later ones need not: one comparison, and numbers of
    # its own layout to sum up.
    before = torch.arange(logits.shape[1], device=logits.device) < targets[:, None]
    if not torch.compiler.is_compiling():
        before = torch.empty_like(logits, dtype=torch.bool).copy_(before)
    bound = torch.where(before, own.nextafter(torch.full_like(own, -math.inf)), own)
    after = logits.shape[1] - (logits <= bound).to(logits.dtype).sum(dim=1)
    # Nothing is smaller than NaN, which usually fills its row: the first one is the largest, as for
    # argmax.
    return torch.where(own.squeeze(1).isnan(), targets.to(after.dtype), after)


def _recalls(
    places: tuple[Tensor, Tensor], ks: Sequence[int], names: tuple[str, str]
) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for k in ks:
        found |= _shares(places, k, f"recall@{k}", (*names, "avg_"))
    return found


def _shares(
    places: tuple[Tensor, Tensor],
    k: int,
    name: str,
    sides: tuple[str, str, str] = ("v2t", "t2v", ""),
) -> dict[str, Tensor]:
    """The shares of targets with fewer than `k` before them."""
    return _both(places[0] < k, places[1] < k, name, sides)


def _both(
    row: Tensor, column: Tensor, name: str, sides: tuple[str, str, str] = ("v2t", "t2v", "")
) -> dict[str, Tensor]:
    """The share of hits among rows, among columns, and the mean of both, by the names of the
    sides."""
    shares = reduce(row.float(), "mean"), reduce(column.float(), "mean")
    mean = (shares[0] + shares[1]) / 2
    return {
        f"{sides[0]}_{name}": shares[0],
        f"{sides[1]}_{name}": shares[1],
        f"{sides[2]}{name}": mean,
    }


def projection_head(input_dim: int, output_dim: int) -> nn.Sequential:
    """Linear(input, input), ReLU, Linear(input, output), drawn in this order: the head of the
    contrastive losses."""
    return nn.Sequential(
        nn.Linear(input_dim, input_dim), nn.ReLU(), nn.Linear(input_dim, output_dim)
    )


def project(features: Tensor, head: nn.Module | None, *, normalize: bool = True) -> Tensor:
    """`features` through `head`, if there is one, with rows of length 1 if `normalize`.

    Half precision takes the head's dtype.
    """
    if head is not None:
        first = next(head.parameters())
        if features.shape[1] != first.shape[-1]:
            raise ValueError(
                f"features: the projection head expected width {first.shape[-1]}, found "
                f"{describe(features)}"
            )
        features = head(features.to(torch.promote_types(features.dtype, first.dtype)))
    return normalize_features(features) if normalize else full_precision(features)
