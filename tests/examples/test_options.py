"""The CLIP loss in three styles: the same tests for each, on figures recorded from the legacy modules.

`lossport compare` runs this file to see how much of each option it reaches.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from examples.options import mixins, restart, shared_functions
from tests.legacy.recording import Case, read_recording

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "tests/legacy/recordings"

CLIP: dict[str, type[nn.Module]] = {
    "mixins": mixins.CLIPLoss,
    "restart": restart.CLIPLoss,
    "shared_functions": shared_functions.CLIPStyleLoss,
}
DECOUPLED: dict[str, type[nn.Module]] = {
    "mixins": mixins.DecoupledLoss,
    "restart": restart.DecoupledLoss,
    "shared_functions": shared_functions.DecoupledContrastiveLoss,
}
STYLES = pytest.mark.parametrize("style", sorted(CLIP))

CLIP_OPTIONS = ("temperature", "use_hard_negatives", "hard_negative_weight", "reduction", "label_smoothing", "cache_labels")

CHANGED = {
    "reduction-none-raises": "a loss without reduction is returned instead",
    "smoothing-cache-stale": "labels are smoothed anew on every call",
    "empty-batch": "a batch without images but with texts is an error",
    "low-temperature-overflow": "exponentials do not overflow",
}
"""Recorded cases whose behaviour is not kept: an option may mend it, and then other tests say what it does instead."""

TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-6}
"""The recorded sums run in another order; smoothed targets were in float32 for every precision."""


def kept(module: str) -> list[Case]:
    return [case for case in read_recording(RECORDINGS / f"{module}.json") if case.name not in CHANGED]


def live(value: Any) -> Any:
    if not isinstance(value, dict) or "$tensor" not in value:
        return value
    record = value["$tensor"]
    tensor = torch.tensor([float(x) for x in record["data"]], dtype=torch.float64).to(getattr(torch, record["dtype"]))
    return tensor.reshape(record["shape"]).requires_grad_(record.get("requires_grad", False))


def figures(result: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """A result as plain figures: nested dictionaries laid flat, tensors read."""
    for name, value in result.items():
        if isinstance(value, Mapping) and "$tensor" not in value:
            yield from figures(value)
        else:
            found = live(value)
            yield name, found.item() if isinstance(found, Tensor) else float(found)


def build(option: type[nn.Module], given: Mapping[str, Any]) -> nn.Module:
    """The loss with the options that it still has."""
    known = inspect.signature(option).parameters
    return option(**{name: value for name, value in given.items() if name in known})


def check(case: Case, criterion: nn.Module) -> None:
    """Every step of a recorded case: figures, gradients, and what was raised."""
    for step in case.steps:
        if step.op != "call":
            continue
        torch.manual_seed(step.seed)
        given = {name: live(value) for name, value in step.kwargs.items()}
        positional = [live(value) for value in step.args]
        if step.raises is not None:
            with pytest.raises(ValueError, match=r"differ|go together"):
                criterion(*positional, **given)
            continue
        out = criterion(*positional, **given)
        close = max((TOLERANCE[x.dtype] for x in given.values() if isinstance(x, Tensor) and x.is_floating_point()), default=2e-5)
        seen, expected = dict(figures(out)), dict(figures(step.seen["returns"]))
        assert {name: seen[name] for name in expected} == pytest.approx(expected, rel=close, abs=close)
        if step.backward is not None and "input_grads" in step.seen:
            out["loss"].backward()
            check_gradients(step.seen["input_grads"], given, positional, close)


def check_gradients(recorded: Mapping[str, Any], given: Mapping[str, Any], positional: list[Any], close: float) -> None:
    for place, gradient in recorded.items():
        kind, _, name = place.partition(".")
        found = (given[name] if kind == "kwargs" else positional[int(name)]).grad
        if gradient is None:
            assert found is None
        else:
            expected = live(gradient)
            size = expected.abs().max().item() if expected.numel() else 0.0
            torch.testing.assert_close(found, expected, rtol=10 * close, atol=10 * close * max(size, 1.0))


@STYLES
@pytest.mark.parametrize("case", kept("clip_style_loss"), ids=lambda case: case.name)
def test_clip_computes_what_was_recorded(style: str, case: Case) -> None:
    given = {**dict(zip(CLIP_OPTIONS, case.build.args, strict=False)), **case.build.kwargs}
    check(case, build(CLIP[style], given))


@STYLES
@pytest.mark.parametrize("case", kept("decoupled_contrastive_loss"), ids=lambda case: case.name)
def test_the_second_loss_computes_what_was_recorded(style: str, case: Case) -> None:
    check(case, build(DECOUPLED[style], case.build.kwargs))


@STYLES
def test_ids_in_a_tensor_are_drawn_like_ids_in_a_list(style: str) -> None:
    vision, text = torch.randn(2, 6, 4)
    criterion, ids = CLIP[style](), torch.tensor([1, 2, 1, 3, 2, 1])
    torch.manual_seed(0)
    from_tensor = criterion(vision, text, ids)["loss"]
    torch.manual_seed(0)
    assert criterion(vision, text, ids.tolist())["loss"] == from_tensor


@STYLES
def test_an_id_that_is_not_equal_to_itself_gets_its_own_row(style: str) -> None:
    own = torch.eye(3)
    out = CLIP[style](temperature=0.01)(own, own, ["a", math.nan, "b"])
    assert out["loss"].item() == pytest.approx(0, abs=1e-6)


@STYLES
def test_the_second_loss_without_any_pair_is_zero(style: str) -> None:
    vision, text = torch.randn(2, 2, 4)
    assert DECOUPLED[style]()(vision, text, [math.nan, math.nan])["loss"] == 0


@STYLES
def test_a_batch_without_rows_costs_nothing(style: str) -> None:
    nothing = torch.zeros(0, 4)
    assert CLIP[style]()(nothing, nothing)["loss"] == 0
    assert CLIP[style](reduction="sum")(nothing, nothing)["loss"] == 0
    assert DECOUPLED[style]()(nothing, nothing, [])["loss"] == 0


@STYLES
def test_too_few_ids_are_an_error(style: str) -> None:
    vision, text = torch.randn(2, 4, 4)
    with pytest.raises((ValueError, IndexError)):
        CLIP[style]()(vision, text, ["a", "b"])


@STYLES
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_reductions_differ_by_the_number_of_rows(style: str, smoothing: float, reduction: str) -> None:
    vision, text = torch.randn(2, 5, 4)
    rows = {"mean": 5.0, "sum": 1.0}[reduction]
    total = CLIP[style](label_smoothing=smoothing, reduction="sum")(vision, text)["loss"].item()
    found = CLIP[style](label_smoothing=smoothing, reduction=reduction)(vision, text)["loss"].item()
    assert found * rows == pytest.approx(total, rel=1e-5)


@STYLES
def test_an_unknown_reduction_is_an_error_at_the_latest_when_the_loss_is_computed(style: str) -> None:
    with pytest.raises(ValueError, match="average"):
        CLIP[style](reduction="average")(*torch.randn(2, 4, 4))


@STYLES
def test_a_matrix_of_another_size_is_an_error(style: str) -> None:
    with pytest.raises(ValueError, match=r"5|batch"):
        CLIP[style]()(*torch.randn(2, 4, 4), similarity_matrix=torch.randn(5, 5))
