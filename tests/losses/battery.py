"""What a loss tells the shared battery about itself, and how the battery feeds it.

To put a loss through the battery, add a file `tests/losses/entries/<family>.py` with a tuple `ENTRIES`; it is found by itself:

    ENTRIES = (
        Entry(
            name="clip",
            build=CLIPLoss,
            inputs=two_modalities,
            reference=reference,
            options=({}, {"label_smoothing": 0.1}),
            wrong_options=({"temperature": 0.0},),
            features=("vision_features", "text_features"),
            ids="match_ids",
        ),
    )

`inputs` draws the keywords of one call in float64 on the CPU; `reference` computes from the loss (before the call, for its
options, parameters and state) and these keywords what the call must return, key by key, in plain float64 written from the paper's
formula: loops are welcome there. Everything else has a default that fits a stateless loss. The battery itself is in
`test_battery.py`; what is special to a loss belongs into its own `test_<family>.py`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Inputs = dict[str, Any]
"""The keywords of one call of `forward`."""

ROWS, DIM = 7, 5
"""Odd and different, so that swapped axes show."""


@dataclass(frozen=True)
class Entry:
    """One loss, as the battery sees it.

    Args:
        name: for test ids.
        build: makes the loss from keyword options.
        inputs: draws one call's keywords: rows, width and a generator in, float64 tensors on the CPU (and ids, labels ...) out.
        reference: the expected result of a call, all keys, float64, differentiable in `"loss"`; it may draw random numbers as the
            loss does, from the same seed.
        options: sets of options that are all compared with the reference; the first is the one that the other tests use.
        reductions: what `reduction` may be; empty if the loss has no such option.
        per_sample: shape of the loss under `"none"` for so many rows.
        adds_up: whether the mean and the sum of the `"none"` loss are the other two.
        features: names of the float features [rows, width]; all of one row count, and of one width if `same_width`.
        ids: name of the keyword that takes ids, if any.
        wrong_options, wrong_inputs: what must raise ValueError: option sets, and functions that spoil one call's keywords.
        stateful: a call in training mode changes the state.
        random: a call draws random numbers; on CUDA these differ from the reference's.
        compiles: `torch.compile(fullgraph=True)` must work.
        cold: options for the lowest temperature that must stay finite; None if the loss has no temperature.
        smallest: fewest rows above 0 for which the loss is defined; fewer must raise ValueError.
        half_tolerance, autocast_tolerance: relative and absolute error allowed there; larger only for losses with heads, whose
            layers run in half precision.
    """

    name: str
    build: Callable[..., nn.Module]
    inputs: Callable[[int, int, torch.Generator], Inputs]
    reference: Callable[[Any, Inputs], Mapping[str, Tensor | float]]
    options: tuple[dict[str, Any], ...] = ({},)
    reductions: tuple[str, ...] = ("mean", "sum", "none")
    per_sample: Callable[[int], tuple[int, ...]] = lambda rows: (rows,)
    adds_up: bool = True
    features: tuple[str, ...] = ()
    same_width: bool = True
    ids: str | None = None
    wrong_options: tuple[dict[str, Any], ...] = ()
    wrong_inputs: tuple[Callable[[Inputs], Inputs], ...] = ()
    stateful: bool = False
    random: bool = False
    compiles: bool = True
    cold: dict[str, Any] | None = field(default_factory=lambda: {"temperature": 0.01})
    smallest: int = 0
    half_tolerance: float = 2e-5
    autocast_tolerance: float = 2e-5

    def make(self, **changes: Any) -> nn.Module:
        """The loss with its first options and these, its parameters drawn from a fixed seed."""
        torch.manual_seed(0)
        return self.build(**{**self.options[0], **changes})

    def draw(self, rows: int = ROWS, dim: int = DIM, *, seed: int = 1, dtype: torch.dtype = torch.float64) -> Inputs:
        """One call's keywords, its float tensors cast and requiring a gradient."""
        return cast(self.inputs(rows, dim, torch.Generator().manual_seed(seed)), dtype)


def cast(inputs: Inputs, dtype: torch.dtype, device: str = "cpu") -> Inputs:
    """The same keywords with float tensors rounded to `dtype`, as leaves that require a gradient."""

    def one(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if not value.is_floating_point():
            return value.to(device)
        return value.detach().to(device, dtype, copy=True).requires_grad_()

    return {name: one(value) for name, value in inputs.items()}


def floats(inputs: Inputs) -> dict[str, Tensor]:
    """The float tensors among one call's keywords."""
    return {name: value for name, value in inputs.items() if isinstance(value, Tensor) and value.is_floating_point()}


def run(loss: Callable[..., dict[str, Tensor]], inputs: Inputs, seed: int = 3) -> dict[str, Tensor]:
    """One call, from a fixed seed."""
    torch.manual_seed(seed)
    return loss(**inputs)


def gradients(loss: nn.Module, inputs: Inputs, total: Tensor) -> dict[str, Tensor | None]:
    """The gradient of the sum of `total` in every float input and every trained parameter, by name; None where there is none."""
    leaves = {**floats(inputs), **{name: p for name, p in loss.named_parameters() if p.requires_grad}}
    found = torch.autograd.grad(total.sum(), list(leaves.values()), allow_unused=True)
    return dict(zip(leaves, found, strict=True))


def two_modalities(rows: int, dim: int, generator: torch.Generator) -> Inputs:
    """Vision and text features that share half of their content."""
    vision, text = torch.randn(2, rows, dim, generator=generator, dtype=torch.float64)
    return {"vision_features": vision, "text_features": (vision + text) / 2}


def grouped(rows: int, generator: torch.Generator, groups: int = 3) -> list[str]:
    """String ids, several rows to a group."""
    return [f"id{n}" for n in torch.randint(0, groups, (rows,), generator=generator).tolist()]


def entries() -> tuple[Entry, ...]:
    """All entries of all files in `entries/`."""
    found: list[Entry] = []
    for path in sorted((Path(__file__).parent / "entries").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"loss_entries_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found.extend(module.ENTRIES)
    names = [entry.name for entry in found]
    assert len(set(names)) == len(names), f"two entries share a name: {sorted(names)}"
    return tuple(found)
