"""The bands of exponentials give what plain operations over the whole matrix give."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from losses import CLIPLoss, InfoNCELoss, MixedContrastiveLoss, kernel, nt_xent_loss, supervised_contrastive_loss, utils

Targets = tuple[Tensor, Tensor]
BANDS = [2**20, 300, 1]
"""Pairs at once: all, several rows, and a row."""


def unit(rows: int, dim: int = 5, *, dtype: torch.dtype = torch.float64, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64)
    a, b = (torch.nn.functional.normalize(x) for x in (a, (a + b) / 2))
    return a.to(dtype).requires_grad_(), b.to(dtype).requires_grad_()


def drawn(rows: int) -> Targets:
    row, column = torch.randint(0, rows, (2, rows), generator=torch.Generator().manual_seed(1))
    return row, column


def plain(a: Tensor, b: Tensor, targets: Targets, temperature: float, smoothing: float = 0.0) -> tuple[Any, ...]:
    logits = a @ b.t() / temperature
    sides = (logits, logits.t())
    losses = [
        utils.info_nce_loss(side, target, reduction="none", label_smoothing=smoothing)
        for side, target in zip(sides, targets, strict=True)
    ]
    places = tuple(utils.target_places(side, target) for side, target in zip(sides, targets, strict=True))
    return *losses, places, logits.gather(1, targets[0][:, None]).squeeze(1).detach()


@pytest.mark.parametrize("tile", BANDS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_losses_places_and_gradients_are_those_of_the_whole_matrix(
    monkeypatch: pytest.MonkeyPatch, tile: int, smoothing: float
) -> None:
    monkeypatch.setattr(kernel, "TILE", tile)
    a, b = unit(40)
    targets, weights = drawn(40), torch.rand(2, 40, dtype=torch.float64)
    found = kernel.symmetric_info_nce(a, b, targets, 0.1, smoothing)
    expected = plain(a, b, targets, 0.1, smoothing)
    torch.testing.assert_close(found[0], expected[0])
    torch.testing.assert_close(found[1], expected[1])
    assert all(torch.equal(one, other) for one, other in zip(found[2], expected[2], strict=True))
    torch.testing.assert_close(found[3], expected[3])
    one, other = (torch.autograd.grad((x[0] * weights[0] + x[1] * weights[1]).sum(), (a, b)) for x in (found, expected))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("tile", BANDS)
def test_first_and_second_derivatives_are_right(monkeypatch: pytest.MonkeyPatch, tile: int) -> None:
    monkeypatch.setattr(kernel, "TILE", tile)
    a, b = unit(5, 3)

    def both(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return kernel.symmetric_info_nce(a, b, drawn(5), 0.5)[:2]

    assert torch.autograd.gradcheck(both, (a, b))
    assert torch.autograd.gradgradcheck(both, (a, b))


def test_a_small_loss_keeps_its_digits() -> None:
    """At the largest scale, of pairs that agree to six digits: as exact as a log-softmax of the same logits."""
    temperature = 1 / kernel.LARGEST_SCALE
    a, b = unit(64, 128, dtype=torch.float32)
    b = torch.nn.functional.normalize(a + 1e-6 * b)
    own = torch.arange(64)
    exact = plain(a.double(), b.double(), (own, own), temperature)[0]
    worst = (kernel.symmetric_info_nce(a, b, (own, own), temperature)[0] - exact).abs().max()
    of_logits = (plain(a, b, (own, own), temperature)[0] - exact).abs().max()
    # Its sums are rounded in another order: each may be off by eps, of a number near 1.
    assert worst <= of_logits + 8 * torch.finfo(torch.float32).eps


@pytest.mark.parametrize("opposite", [False, True])
def test_pairs_that_agree_or_are_opposite_stay_finite_at_the_largest_scale(opposite: bool) -> None:
    a = torch.nn.functional.normalize(torch.ones(64, 8)).requires_grad_()
    b = (-a if opposite else a).detach().clone().requires_grad_()
    own = torch.arange(64)
    loss = sum(x.sum() for x in kernel.symmetric_info_nce(a, b, (own, own), 1 / kernel.LARGEST_SCALE)[:2])
    assert isinstance(loss, Tensor)
    for gradient in torch.autograd.grad(loss * 2**16, (a, b)):  # as scaled for half precision
        assert gradient.isfinite().all()


def test_the_operations_keep_what_the_compiler_expects_of_them() -> None:
    a, b = unit(6, 3)
    torch.library.opcheck(kernel.pair_sums, (a, b, *drawn(6), 2.0))
    with torch.no_grad():
        kept = kernel.exponentials(a, b, 2.0)
        torch.library.opcheck(kernel.pair_sums_backward, (a.detach(), b.detach(), kept, a[:, 0], b[:, 0], 2.0))


def losses_of_batches() -> list[Any]:
    torch.manual_seed(0)
    mixed = MixedContrastiveLoss(small_batch_noise=False)
    return [CLIPLoss(label_smoothing=0.1), CLIPLoss(reduction="none"), InfoNCELoss(small_batch_noise=False), mixed]


@pytest.mark.parametrize("loss", losses_of_batches(), ids=lambda loss: f"{type(loss).__name__}-{loss.reduction}")
@pytest.mark.parametrize("ids", [None, torch.arange(24) // 3], ids=["pairs", "groups"])
def test_a_loss_is_the_same_by_either_path(monkeypatch: pytest.MonkeyPatch, loss: Any, ids: Tensor | None) -> None:
    results = []
    for fewest, tile in ((10**6, 2**20), (1, 2**20), (1, 100)):
        monkeypatch.setattr(kernel, "FEWEST", fewest)
        monkeypatch.setattr(kernel, "TILE", tile)
        vision, text = unit(24)
        torch.manual_seed(3)
        found = loss.double()(vision, text, match_ids=ids)
        gradients = torch.autograd.grad(found["loss"].sum(), (vision, text))
        results.append(({key: value.detach() for key, value in found.items()}, gradients))
    for other in results[1:]:
        assert list(other[0]) == list(results[0][0])
        torch.testing.assert_close(other, results[0])


def test_a_large_batch_compiles_to_one_graph() -> None:
    torch.compiler.reset()
    a, b = unit(kernel.FEWEST, 8, dtype=torch.float32)
    loss = CLIPLoss()
    compiled = torch.compile(copy.deepcopy(loss), fullgraph=True, backend="aot_eager")
    found, expected = compiled(a, b), loss(a, b)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)
    one, other = (torch.autograd.grad(x["loss"], (a, b)) for x in (found, expected))
    torch.testing.assert_close(one, other)


def test_autocast_and_half_precision_change_no_number() -> None:
    a, b = unit(kernel.FEWEST, 8, dtype=torch.bfloat16)
    loss = CLIPLoss()
    plain = loss(a, b)["loss"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(a, b)["loss"]
    assert torch.equal(found, plain)
    torch.testing.assert_close(found.double(), loss(a.double(), b.double())["loss"], rtol=2e-5, atol=2e-5)
    assert torch.autograd.grad(found, a)[0].dtype == torch.bfloat16


def test_no_matrix_of_all_pairs_is_kept_for_the_backward_pass() -> None:
    a, b = unit(48)
    saved: list[Tensor] = []

    def pack(x: Tensor) -> Tensor:
        saved.append(x)
        return x

    with pytest.MonkeyPatch.context() as patch, torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        patch.setattr(kernel, "TILE", 100)
        patch.setattr(kernel, "FEWEST", 1)
        CLIPLoss()(a, b)
    assert max(x.numel() for x in saved) < 48 * 48


def test_low_temperatures_few_rows_and_vmap_take_plain_operations() -> None:
    many = torch.ones(kernel.FEWEST, 2)
    assert kernel.suits(many, 1 / kernel.LARGEST_SCALE)
    assert not kernel.suits(many, 0.99 / kernel.LARGEST_SCALE)
    assert not kernel.suits(many[1:], 1.0)
    inside: list[bool] = []

    def asked(x: Tensor) -> Tensor:
        inside.append(kernel.suits(x, 1.0))
        return x.sum()

    torch.func.vmap(asked)(many[None])
    assert inside == [False]


LABELS = [torch.arange(20) // 3, torch.tensor([float("nan")] * 5 + [1.0] * 10 + [2.0, 3.0, 4.0, 5.0, 6.0])]


@pytest.mark.parametrize("labels", [None, *LABELS], ids=["nt_xent", "supcon", "supcon-lonely"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_losses_of_two_views_are_the_same_by_either_path(
    monkeypatch: pytest.MonkeyPatch, labels: Tensor | None, reduction: str
) -> None:
    results = []
    for fewest, tile in ((10**6, 2**20), (1, 2**20), (1, 100)):
        monkeypatch.setattr(kernel, "FEWEST", fewest)
        monkeypatch.setattr(kernel, "TILE", tile)
        a, b = (3 * x for x in unit(20))  # of any length
        loss = of_views(a, b, labels, reduction)
        weights = torch.linspace(0.5, 1, loss.numel(), dtype=torch.float64).view(loss.shape)
        results.append((loss.detach(), *torch.autograd.grad((loss * weights).sum(), (a, b))))
    for other in results[1:]:
        torch.testing.assert_close(other, results[0])


def of_views(a: Tensor, b: Tensor, labels: Any, reduction: str = "mean") -> Tensor:
    if labels is None:
        return nt_xent_loss(a, b, 0.3, reduction)
    return supervised_contrastive_loss(a, b, labels, 0.3, reduction)


@pytest.mark.parametrize("tile", [2**20, 7])
@pytest.mark.parametrize("labels", [None, [0, 1, 1]], ids=["nt_xent", "supcon"])
def test_derivatives_of_losses_of_two_views_are_right(
    monkeypatch: pytest.MonkeyPatch, tile: int, labels: list[int] | None
) -> None:
    monkeypatch.setattr(kernel, "FEWEST", 1)
    monkeypatch.setattr(kernel, "TILE", tile)
    views = unit(3, 2)
    assert torch.autograd.gradcheck(lambda a, b: of_views(a, b, labels), views)
    assert torch.autograd.gradgradcheck(lambda a, b: of_views(a, b, labels), views)


@pytest.mark.parametrize("labels", [None, torch.arange(kernel.FEWEST) // 2], ids=["nt_xent", "supcon"])
def test_large_losses_of_two_views_compile_and_do_not_overflow(labels: Tensor | None) -> None:
    torch.compiler.reset()
    views = unit(kernel.FEWEST, 8, dtype=torch.float32)
    compiled: Any = torch.compile(of_views, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*views, labels), of_views(*views, labels))
    one, other = (torch.autograd.grad(f(*views, labels), views) for f in (compiled, of_views))
    torch.testing.assert_close(one, other)
    assert of_views(100 * views[0], 100 * views[1], labels).isfinite()


def test_the_operation_within_one_batch_keeps_what_the_compiler_expects_of_it() -> None:
    z, _ = unit(6, 3)
    targets = torch.arange(6).roll(3)
    torch.library.opcheck(kernel.self_sums, (z, targets, 2.0))
    rest, top, _, kept = (x.detach() for x in kernel.self_sums(z, targets, 2.0))
    torch.library.opcheck(kernel.self_sums_backward, (z.detach(), kept, top, rest, rest, 2.0))
