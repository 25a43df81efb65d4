"""The shared functions against loops that say the same more slowly."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid, normalize

from losses import utils, views

NAN = float("nan")


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


# ---- similarity and precision


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32_and_the_others_as_they_are(dtype: torch.dtype) -> None:
    assert utils.full_precision(torch.zeros(1, dtype=dtype)).dtype == torch.float32
    for kept in (torch.zeros(1), torch.zeros(1, dtype=torch.float64)):
        assert utils.full_precision(kept) is kept


def test_products_keep_their_precision_under_autocast() -> None:
    a, b = drawn(4, 8, dtype=torch.float32), drawn(8, 4, seed=1, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(utils.product(a, b), a @ b.clone()) is False  # the plain product has lost digits
        found = utils.product(a, b)
    assert torch.equal(found, a @ b)


def test_products_work_where_there_is_no_autocast() -> None:
    assert utils.product(torch.empty(2, 3, device="meta"), torch.empty(3, 4, device="meta")).shape == (2, 4)


def test_normalized_rows_have_length_one_and_zero_rows_stay_zero() -> None:
    x = drawn(3, 4)
    x[1] = 0
    assert utils.normalize_features(x).norm(dim=1).tolist() == pytest.approx([1, 0, 1])


@pytest.mark.parametrize(
    ("dtype", "length"), [(torch.float32, 1e-11), (torch.float64, 1e-11), (torch.bfloat16, 1e-11), (torch.float16, 2e-3)]
)
def test_the_shortest_rows_are_normalized_too(dtype: torch.dtype, length: float) -> None:
    x = torch.tensor([[length, 0.0]], dtype=torch.float64).to(dtype)
    assert utils.normalize_features(x).norm().item() == pytest.approx(1, rel=1e-6)


def test_the_gradient_of_a_zero_row_fits_into_float16() -> None:
    x = torch.zeros(1, 4, dtype=torch.float16, requires_grad=True)
    torch.autograd.backward(utils.normalize_features(x).sum())
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_similarity_is_a_cosine_over_the_temperature_or_a_plain_product() -> None:
    a, b = drawn(3, 4), drawn(2, 4, seed=1)
    cosines = torch.nn.functional.cosine_similarity(a[:, None], b[None], dim=2)
    torch.testing.assert_close(utils.compute_similarity(a, b, 0.1), cosines / 0.1)
    torch.testing.assert_close(utils.compute_similarity(a, b, torch.tensor(2.0), normalize=False), a @ b.t() / 2)


# ---- ids


def pairs(ids: list[Any]) -> list[list[bool]]:
    return [[bool(a == b) for b in ids] for a in ids]


LISTS: list[list[Hashable]] = [
    ["a", "b", "a"],
    [1, 2, 1, 1.0, True],
    [1, "1", 1],
    [("a", 1), ("a", 2), ("a", 1)],
    ["x", NAN, NAN, "x"],
    [None, None, 3],
    [],
]


@pytest.mark.parametrize("ids", LISTS, ids=str)
def test_ids_of_a_list_match_where_python_calls_them_equal(ids: list[Hashable]) -> None:
    found = utils.create_positive_mask(utils.encode_ids(ids, len(ids)))
    assert found.tolist() == pairs(ids)


@pytest.mark.parametrize("ids", [*LISTS, [3, "3", 3.0], [NAN, NAN], ["3", 3]], ids=str)
def test_as_text_a_list_that_does_not_begin_with_a_string_matches_by_its_text(ids: list[Any]) -> None:
    compared = ids if ids and isinstance(ids[0], str) else [str(item) for item in ids]
    found = utils.create_positive_mask(utils.encode_ids(ids, len(ids), as_text=True))
    assert found.tolist() == pairs(compared)


@pytest.mark.parametrize(
    "dtype", [torch.int64, torch.int32, torch.uint8, torch.bool, torch.float16, torch.float32, torch.float64]
)
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
@pytest.mark.parametrize("as_text", [False, True])
def test_ids_of_a_tensor_match_by_value(dtype: torch.dtype, shape: tuple[int, ...], as_text: bool) -> None:
    ids = torch.tensor([1, 0, 1, 0, 0]).to(dtype).view(shape)
    found = utils.create_positive_mask(utils.encode_ids(ids, 5, as_text=as_text))
    assert found.tolist() == pairs(ids.flatten().tolist())


def test_float_ids_tell_close_values_apart_and_minus_zero_is_zero_and_nan_matches_nothing() -> None:
    ids = torch.tensor([1.00001, 1.00002, 0.0, -0.0, NAN, NAN, math.inf, math.inf, -math.inf])
    found = utils.create_positive_mask(utils.encode_ids(ids, 9))
    assert found.tolist() == pairs(ids.tolist())


def test_a_list_of_tensors_is_a_tensor() -> None:
    ids = [torch.tensor(2), torch.tensor(5), torch.tensor(2)]
    assert utils.encode_ids(ids, 3).tolist() == [2, 5, 2]
    assert utils.encode_ids(numpy.array([4, 4, 9]), 3).tolist() == [0, 0, 1]  # type: ignore[arg-type] # any iterable will do


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (["a", "b"], "found 2"),
        (["a"] * 4, "found 4"),
        (torch.zeros(2), r"found torch.float32 of shape \[2\]"),
        (torch.zeros(3, 2), r"found torch.float32 of shape \[3, 2\]"),
        (torch.zeros(3, dtype=torch.complex64), "found torch.complex64"),
        (7, "found int"),
        ([[1], [2], [3]], "unhashable"),
    ],
    ids=str,
)
def test_ids_that_are_not_one_a_row_are_refused(ids: Any, found: str) -> None:
    with pytest.raises(ValueError, match=rf"ids: expected .*{found}"):
        utils.encode_ids(ids, 3)


def test_a_mask_of_two_batches_compares_rows_with_columns() -> None:
    rows, columns = torch.tensor([1, utils.UNMATCHED]), torch.tensor([1, 2, utils.UNMATCHED])
    assert utils.create_positive_mask(rows, columns).tolist() == [[True, False, False], [False, False, False]]


# ---- random positives


def test_random_words_are_those_of_single_draws_and_leave_the_generator_where_they_do() -> None:
    for seed in range(400):
        chance = random.Random(seed)
        sizes = [
            chance.choice([1, 2, 3, 7, 100, 65536, 2**28 - 1, chance.randint(1, 10**6)]) for _ in range(chance.randint(0, 60))
        ]
        torch.manual_seed(seed)
        torch.randint(0, 5, (chance.choice([0, 1, 2, 620, 623, 624, 700]),))
        if chance.random() < 0.3:
            torch.randn(chance.randint(1, 20))
        start = torch.get_rng_state()
        single = [int(torch.randint(0, size, (1,))) for size in sizes]
        end = torch.get_rng_state()
        torch.set_rng_state(start)
        words = utils.random_words(len(sizes))
        assert (words % torch.tensor(sizes, dtype=torch.int64)).tolist() == single
        assert torch.equal(torch.get_rng_state(), end)


def single_draws(ids: list[Any] | None, rows: int) -> tuple[list[int], list[int]]:
    """One target a row, then one a column, each by a draw of its own."""

    def one(i: int) -> int:
        candidates = [j for j in range(rows) if ids[i] == ids[j]] if ids else []
        return candidates[int(torch.randint(0, len(candidates), (1,)))] if candidates else i

    return [one(i) for i in range(rows)], [one(j) for j in range(rows)]


@pytest.mark.parametrize("rows", [1, 2, 3, 16, 33])
@pytest.mark.parametrize(
    "kind", ["none", "unique", "equal", "groups", "some nan", "mostly nan", "numbers", "texts", "tensor", "nan tensor"]
)
def test_targets_are_those_of_single_draws(kind: str, rows: int) -> None:
    groups = torch.randint(0, 4, (rows,), generator=torch.Generator().manual_seed(rows))
    some: dict[str, list[Any]] = {
        "unique": [f"id{n}" for n in range(rows)],
        "equal": ["one"] * rows,
        "groups": [f"id{n}" for n in groups.tolist()],
        "some nan": ["a", *(NAN if n % 2 else "b" for n in range(1, rows))],
        "mostly nan": ["a", *(NAN for _ in range(1, rows))],
        "numbers": groups.tolist(),
        "texts": [groups[0].item(), *(n if i % 2 else str(n) for i, n in enumerate(groups.tolist()[1:]))],
        "tensor": groups.tolist(),
        "nan tensor": [NAN if n == 1 else float(n) for n in groups.tolist()],
    }
    ids = some.get(kind)
    given: Any = torch.tensor(ids) if "tensor" in kind else ids
    # A tensor is not read back, so its NaNs take a draw as well: of themselves, the only candidate.
    ids = [str(n) for n in ids] if kind == "texts" and ids else ids
    compared = [f"nan{i}" if "tensor" in kind and n != n else n for i, n in enumerate(ids)] if ids else None  # noqa: PLR0124
    torch.manual_seed(rows)
    expected = single_draws(compared, rows)
    end = torch.get_rng_state()
    torch.manual_seed(rows)
    found = utils.draw_targets(given, rows, "cpu")
    assert tuple(t.tolist() for t in found) == expected
    assert torch.equal(torch.get_rng_state(), end)


def test_every_positive_is_drawn_equally_often_and_nothing_else() -> None:
    torch.manual_seed(0)
    ids = ["a", "b", "a", "a", "b"]
    counts = torch.zeros(5, 5)
    for _ in range(2000):
        for targets in utils.draw_targets(ids, 5, "cpu"):
            counts[torch.arange(5), targets] += 1
    share = utils.create_positive_mask(utils.encode_ids(ids, 5)).double()
    share /= share.sum(dim=1, keepdim=True)
    # 4000 draws a row: a share of a half has a standard deviation of 0.008.
    torch.testing.assert_close(counts.double() / 4000, share, atol=0.04, rtol=0)


def test_draws_of_any_number_compile_to_one_graph() -> None:
    compiled = torch.compile(utils.random_words, fullgraph=True, backend="aot_eager")
    assert compiled(3).shape == (3,)


# ---- losses over logits


@pytest.mark.parametrize("values", [torch.tensor([1.0, 2.0, 6.0]), torch.zeros(0)], ids=["three", "none"])
def test_reduce_means_sums_or_keeps(values: Tensor) -> None:
    assert utils.reduce(values, "mean") == (3.0 if len(values) else 0.0)
    assert utils.reduce(values, "sum") == values.sum()
    assert utils.reduce(values, "none") is values
    with pytest.raises(ValueError, match="reduction='max': expected one of 'mean', 'sum', 'none'"):
        utils.reduce(values, "max")


@pytest.mark.parametrize("smoothing", [0.0, 0.25])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_info_nce_is_minus_the_log_of_the_positives_share(reduction: str, smoothing: float) -> None:
    logits, targets = drawn(3, 5), torch.tensor([4, 0, 2])
    log_p = torch.log(logits.exp() / logits.exp().sum(dim=1, keepdim=True))
    rows = torch.stack([-(1 - smoothing) * log_p[i, t] - smoothing * log_p[i].mean() for i, t in enumerate(targets.tolist())])
    found = utils.info_nce_loss(logits, targets, reduction=reduction, label_smoothing=smoothing)
    torch.testing.assert_close(found, utils.reduce(rows, reduction))


def test_info_nce_takes_the_diagonal_and_float32_by_itself_and_an_empty_batch() -> None:
    logits = drawn(3, 3, dtype=torch.float16)
    assert torch.equal(utils.info_nce_loss(logits), utils.info_nce_loss(logits.float(), torch.arange(3)))
    for reduction, shape in (("mean", ()), ("sum", ()), ("none", (0,))):
        empty = utils.info_nce_loss(torch.zeros(0, 4, requires_grad=True), reduction=reduction, label_smoothing=0.1)
        assert (empty.shape, empty.sum().item(), empty.requires_grad) == (shape, 0.0, True)


def test_masked_logsumexp_sees_only_the_mask_and_rows_without_any_have_no_gradient() -> None:
    logits = (drawn(3, 4) * 50).requires_grad_()
    mask = torch.tensor([[True, False, True, False], [False] * 4, [True] * 4])
    found = utils.masked_logsumexp(logits, mask)
    assert found[1] == -math.inf
    torch.testing.assert_close(found[[0, 2]], torch.stack([logits[0, [0, 2]].logsumexp(0), logits[2].logsumexp(0)]))
    (gradient,) = torch.autograd.grad(logsigmoid(-found).sum(), logits)
    assert gradient.isfinite().all()
    assert (gradient[~mask] == 0).all()


POSITIVES = torch.tensor([[True, True, False], [False, False, False], [False, True, True]])


def test_all_pairs_loss_is_one_cross_entropy_a_pair() -> None:
    logits = drawn(3, 3)
    expected = [sum(cross_entropy(logits[i], torch.tensor(j)).item() for j in range(3) if POSITIVES[i, j]) for i in range(3)]
    assert utils.all_pairs_loss(logits, POSITIVES).tolist() == pytest.approx(expected, rel=1e-12)


def test_isolated_pairs_loss_leaves_other_positives_out() -> None:
    logits, negatives = drawn(3, 3), drawn(3, seed=1)
    expected = [
        sum(-math.log(e / (e + math.exp(negatives[i]))) for j in range(3) if POSITIVES[i, j] for e in [math.exp(logits[i, j])])
        for i in range(3)
    ]
    assert utils.isolated_pairs_loss(logits, POSITIVES, negatives).tolist() == pytest.approx(expected, rel=1e-12)


def test_isolated_pairs_loss_without_negatives_is_zero_with_a_zero_gradient() -> None:
    logits = (drawn(3, 3) * 100).requires_grad_()
    found = utils.isolated_pairs_loss(logits, POSITIVES, utils.masked_logsumexp(logits, torch.zeros_like(POSITIVES)))
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    assert (found.tolist(), gradient.abs().sum().item()) == ([0, 0, 0], 0)


@pytest.mark.parametrize("temperature", [0.01, 0.5])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nt_xent_is_equation_1_of_simclr(reduction: str, temperature: float) -> None:
    a, b = (normalize(drawn(4, 3, seed=seed)) for seed in (0, 1))
    z = torch.cat((a, b))
    rows = []
    for i in range(8):
        others = torch.stack([z[i] @ z[k] / temperature for k in range(8) if k != i])
        rows.append(others.logsumexp(0) - z[i] @ z[(i + 4) % 8] / temperature)
    torch.testing.assert_close(views.nt_xent_loss(a, b, temperature, reduction), utils.reduce(torch.stack(rows), reduction))


@pytest.mark.parametrize("labels", [[0, 1, 0, 1], [0, 1, 2, 3], [5] * 4, [0, NAN, 0, 1]], ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_supervised_contrastive_is_equation_2_of_supcon(labels: list[float], reduction: str) -> None:
    a, b = (normalize(drawn(4, 3, seed=seed)) for seed in (0, 1))
    z, twice = torch.cat((a, b)), labels * 2
    rows = []
    for i in range(8):
        s = [z[i] @ z[k] / 0.1 for k in range(8)]
        positives = [s[k] for k in range(8) if k != i and twice[k] == twice[i]]
        mean = torch.stack(positives).mean() if positives else 0.0
        rows.append(torch.stack([s[k] for k in range(8) if k != i]).logsumexp(0) - mean)
    expected = utils.reduce(torch.stack(rows), reduction)
    for given in (labels, torch.tensor(labels), torch.tensor(labels).view(4, 1)):
        torch.testing.assert_close(views.supervised_contrastive_loss(a, b, given, 0.1, reduction), expected)


def without_labels(a: Tensor, b: Tensor, *options: Any) -> Tensor:
    return views.supervised_contrastive_loss(a, b, [], *options)


@pytest.mark.parametrize("loss", [views.nt_xent_loss, without_labels])
def test_losses_of_two_views_are_zero_for_no_rows_and_refuse_wrong_options(loss: Any) -> None:
    none = torch.zeros(0, 3, requires_grad=True)
    assert loss(none, none).item() == 0
    assert loss(none, none).requires_grad
    with pytest.raises(ValueError, match="temperature=0: expected"):
        loss(none, none, 0)
    with pytest.raises(ValueError, match="reduction='avg': expected"):
        loss(none, none, 0.1, "avg")
    with pytest.raises(ValueError, match=r"z_b: expected \[0, 3\].*found torch.float32 of shape \[1, 3\]"):
        loss(none, torch.zeros(1, 3))


def test_one_row_is_its_own_and_only_candidate() -> None:
    a, b = drawn(1, 3), drawn(1, 3, seed=1)
    assert views.nt_xent_loss(a, b).item() == views.supervised_contrastive_loss(a, b, [0]).item() == 0


def test_losses_of_two_views_do_not_overflow() -> None:
    z = drawn(4, 8, dtype=torch.float32) * 100
    assert views.nt_xent_loss(z, z, 0.01).isfinite()
    assert views.supervised_contrastive_loss(z, z, [0, 0, 1, 1], 0.01).isfinite()


def test_noise_shrinks_with_the_batch_and_ends_at_sixteen_rows() -> None:
    for rows, scale in ((1, 0.01875), (4, 0.015), (12, 0.005), (15, 0.005)):
        torch.manual_seed(0)
        expected = torch.randn(rows, rows) * scale
        torch.manual_seed(0)
        torch.testing.assert_close(utils.add_small_batch_noise(torch.zeros(rows, rows)), expected)
    large = torch.zeros(16, 16)
    assert utils.add_small_batch_noise(large) is large


# ---- mining


def mined_row(row: list[float], positive: list[bool], strategy: str) -> set[int]:
    negatives = [j for j, p in enumerate(positive) if not p]
    if not any(positive) or not negatives or strategy == "none":
        return set()
    if strategy == "hard":
        return set(sorted(negatives, key=lambda j: -row[j])[: max(1, len(negatives) // 10)])
    mean = sum(s for s, p in zip(row, positive, strict=True) if p) / sum(positive)
    return {j for j in negatives if mean - 0.2 < row[j] < mean}


@pytest.mark.parametrize("strategy", ["hard", "semi-hard", "none"])
@pytest.mark.parametrize("columns", [1, 2, 9, 31])
def test_mining_marks_the_hard_negatives_of_each_row(strategy: str, columns: int) -> None:
    similarity = drawn(20, columns).tanh()
    positives = torch.rand(20, columns, generator=torch.Generator().manual_seed(1)) < 0.3
    positives[0], positives[1] = False, True
    found = utils.mine_hard_negatives(similarity.requires_grad_(), positives, strategy)
    for i in range(20):
        expected = mined_row(similarity[i].tolist(), positives[i].tolist(), strategy)
        assert set(found[i].nonzero().flatten().tolist()) == expected
    assert found.dtype == torch.bool


def test_an_unknown_mining_strategy_is_refused() -> None:
    with pytest.raises(ValueError, match="strategy='soft': expected one of 'hard', 'semi-hard', 'none'"):
        utils.mine_hard_negatives(torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool), "soft")


# ---- queues


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("batches", [[2, 2, 2], [5, 1], [3, 4, 3], [7], [12], [0, 3, 0], [1] * 11], ids=str)
def test_a_ring_holds_the_last_rows_in_the_slots_of_one_write_a_row(batches: list[int], dim: int) -> None:
    capacity, width = 5, 3
    ring = torch.zeros((capacity, width) if dim == 0 else (width, capacity))
    pointer = torch.zeros(1, dtype=torch.int64)
    storage, expected, place = ring.data_ptr(), torch.zeros(capacity, width), 0
    for number, batch in enumerate(batches):
        rows = drawn(batch, width, seed=number).requires_grad_()
        utils.write_ring_(ring, pointer, rows, dim)
        for row in rows.detach():
            expected[place] = row
            place = (place + 1) % capacity
    assert torch.equal(ring if dim == 0 else ring.t(), expected)
    assert pointer.tolist() == [place]
    assert (ring.data_ptr(), ring.requires_grad) == (storage, False)


# ---- covariance


@pytest.mark.parametrize(("rows", "width"), [(6, 4), (4, 6), (0, 3), (1, 3), (3, 1), (5, 600), (0, 600), (700, 600)])
@pytest.mark.parametrize("two", [False, True])
def test_cross_terms_are_those_of_the_full_matrix(rows: int, width: int, two: bool) -> None:
    x, y = drawn(rows, width).requires_grad_(), drawn(rows, width, seed=1).requires_grad_()
    diagonal, rest = utils.cross_terms(x, y if two else None)
    c = x.t() @ (y if two else x)
    torch.testing.assert_close(diagonal, c.diagonal())
    torch.testing.assert_close(rest, c.square().sum() - c.diagonal().square().sum(), rtol=1e-9, atol=1e-9)
    leaves = [x, y] if two else [x]
    off = c - torch.diag(c.diagonal())
    expected = torch.autograd.grad(off.square().sum() + c.diagonal().sum(), leaves)
    torch.testing.assert_close(torch.autograd.grad(rest + diagonal.sum(), leaves), expected, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("width", [4, 600])
def test_cross_terms_of_half_precision_are_float32_also_under_autocast(width: int) -> None:
    x = drawn(6, width, dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = utils.cross_terms(x)
    torch.testing.assert_close(found, utils.cross_terms(x.float()))


# ---- retrieval


def test_accuracy_is_the_share_of_rows_whose_best_is_their_target() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0], [9.0, 1.0, 1.0]], requires_grad=True)
    found = utils.retrieval_accuracy(logits, torch.tensor([0, 1, 2]), torch.tensor([2, 1, 0]))
    assert {key: value.item() for key, value in found.items()} == pytest.approx(
        {"v2t_accuracy": 2 / 3, "t2v_accuracy": 1.0, "accuracy": 5 / 6}
    )
    assert not any(value.requires_grad for value in found.values())


def test_group_accuracy_counts_any_positive() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 6.0], [9.0, 1.0, 1.0]])
    positives = torch.tensor([[True, False, False], [False, True, True], [False, True, True]])
    found = utils.group_accuracy(logits, positives)
    assert {key: value.item() for key, value in found.items()} == pytest.approx(
        {"v2t_accuracy": 2 / 3, "t2v_accuracy": 2 / 3, "accuracy": 2 / 3}
    )


@pytest.mark.parametrize("rows", [1, 4, 7, 12])
def test_recall_is_the_share_of_rows_whose_target_is_among_the_best(rows: int) -> None:
    logits = drawn(rows, rows)
    targets = torch.arange(rows).roll(1)
    found = utils.recall_at_k(logits, targets, None, ks=(1, 5, 10), names=("image", "caption"))
    expected: dict[str, float] = {}
    for k in (1, 5, 10):
        row, column = (
            sum(sum(other > s[i][t[i]] for other in s[i]) < k for i in range(rows)) / rows
            for s, t in ((logits.tolist(), targets.tolist()), (logits.t().tolist(), list(range(rows))))
        )
        expected |= {f"image_recall@{k}": row, f"caption_recall@{k}": column, f"avg_recall@{k}": (row + column) / 2}
    assert list(found) == list(expected)
    assert {key: value.item() for key, value in found.items()} == pytest.approx(expected)


def test_metrics_of_no_rows_are_zero() -> None:
    none, own = torch.zeros(0, 0), torch.arange(0)
    found = {**utils.retrieval_accuracy(none, own, own), **utils.recall_at_k(none), **utils.group_accuracy(none, none.bool())}
    assert {value.item() for value in found.values()} == {0.0}


def test_recall_of_a_matrix_that_is_not_square_is_refused() -> None:
    with pytest.raises(ValueError, match=r"logits: expected floats of shape \[2, 2\], found torch.float32 of shape \[2, 3\]"):
        utils.recall_at_k(torch.zeros(2, 3))


# ---- checks


@pytest.mark.parametrize("value", [1, 0.5, numpy.float32(0.5), 1e-9])
def test_positive_numbers_pass(value: float) -> None:
    assert utils.check_positive("x", value) is value


@pytest.mark.parametrize("value", [0, -1.0, NAN, math.inf, None, "1", 1j])
def test_other_values_are_named(value: Any) -> None:
    with pytest.raises(ValueError, match=r"x=.*: expected a finite number above 0"):
        utils.check_positive("x", value)


def test_weights_of_zero_or_more_pass_in_order() -> None:
    assert utils.check_not_negative(a=0, b=2.5) == (0, 2.5)


@pytest.mark.parametrize("value", [-1e-9, NAN, math.inf, None])
def test_a_weight_below_zero_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match=r"b=.*: expected a finite number, 0 or more"):
        utils.check_not_negative(a=1.0, b=value)


@pytest.mark.parametrize("value", [0, 1, 0.5])
def test_fractions_pass(value: float) -> None:
    assert utils.check_fraction("x", value) is value


@pytest.mark.parametrize("value", [-0.1, 1.1, NAN, None])
def test_what_is_no_fraction_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match=r"x=.*: expected a number from 0 to 1"):
        utils.check_fraction("x", value)


def test_features_may_differ_where_they_are_allowed_to() -> None:
    a, b = torch.zeros(2, 3), torch.zeros(2, 4)
    utils.check_features(a=a, b=b, same_width=False)
    utils.check_features(a=a, b=b.t()[:, :1].expand(4, 3), same_rows=False)
    utils.check_features(a=a, b=torch.zeros(2, 3, dtype=torch.bfloat16))
    with pytest.raises(
        ValueError, match=r"b: expected \[2, 3\] to go with a, torch.float32 of shape \[2, 3\]; found .* \[2, 4\]"
    ):
        utils.check_features(a=a, b=b)


@pytest.mark.parametrize(
    "wrong", [[[1.0]], torch.zeros(3), torch.zeros(2, 3, dtype=torch.int64)], ids=["list", "vector", "integers"]
)
def test_what_is_no_matrix_of_floats_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"a: expected floats of shape \[rows, width\], found (list|torch.* of shape)"):
        utils.check_features(a=wrong)


def test_the_mean_over_pairs_counts_pairs_not_rows() -> None:
    positives = torch.tensor([[True, True], [False, False]])
    v2t, t2v = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 1.0])
    loss, parts = utils.average_over_pairs(v2t, t2v, positives, "mean")
    assert (parts["v2t_loss"].item(), parts["t2v_loss"].item(), loss.item()) == (4.0, 1.0, 2.5)
    rows, _ = utils.average_over_pairs(v2t, t2v, positives, "none", more=1.0)
    assert rows.mean() == 3.5
    assert utils.average_over_pairs(v2t * 0, t2v * 0, ~positives & positives, "mean")[0] == 0


def test_a_head_is_two_linear_layers_drawn_in_order() -> None:
    torch.manual_seed(0)
    expected = [torch.nn.Linear(4, 4), torch.nn.Linear(4, 2)]
    torch.manual_seed(0)
    head = utils.projection_head(4, 2)
    x = drawn(3, 4, dtype=torch.float32)
    assert torch.equal(head(x), expected[1](expected[0](x).relu()))


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_features_go_through_a_head_in_its_precision(dtype: torch.dtype, normalize: bool) -> None:
    head, x = utils.projection_head(4, 2), drawn(3, 4, dtype=dtype)
    expected = head(x.float())
    torch.testing.assert_close(
        utils.project(x, head, normalize=normalize), utils.normalize_features(expected) if normalize else expected
    )
    torch.testing.assert_close(utils.project(x, None), utils.normalize_features(x))
    assert utils.project(x, None, normalize=False).dtype == torch.float32


def test_features_that_do_not_fit_a_head_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected width 4, found torch.float32 of shape \[3, 5\]"):
        utils.project(torch.zeros(3, 5), utils.projection_head(4, 2))
