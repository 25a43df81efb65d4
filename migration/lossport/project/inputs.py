"""Seeded inputs for parity cases: the same numbers on every device and in every dtype.

Everything is drawn in float64 on the CPU from a generator of its own, then cast and moved, so the global random streams stay
untouched. Float tensors are tracked leaves that require grad. This is not the harness: it neither runs nor compares anything.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

SHARED_PART = 0.5
"""How much of a text feature is its vision partner: enough that pairs are found more often than by chance, not always."""

IdKind = Literal["str", "int", "float", "tuple", "tensor"]


@dataclass(frozen=True)
class Variation:
    """How a run departs from the case as written. The default departs in nothing.

    `batch` and `dim` replace every batch size and width that the case asks for. `values` edits what was drawn, `scale` multiplies
    it, `layout` changes strides alone. The rest is for the harness that runs the case: under autocast, without grad or with calls
    in inference mode, in training or evaluation mode, carried through a copy after every step, repeated with a gradient step in
    between, with second derivatives, stopped after some steps, and without some of the options that losses are built with.
    """

    name: str = ""
    seed: int = 0
    batch: int | None = None
    dim: int | None = None
    dtype: str = "float32"
    values: Literal["drawn", "zero-row", "repeated-row", "nan", "inf", "whole", "tenths"] = "drawn"
    scale: float = 1.0
    layout: Literal["contiguous", "strided", "expanded"] = "contiguous"
    mode: Literal["plain", "autocast", "no-grad", "inference"] = "plain"
    training: bool = True
    carry: Literal["", "deepcopy", "state-dict"] = ""
    repeats: int = 1
    second: bool = False
    steps: int | None = None
    without: tuple[str, ...] = ()


PLAIN = Variation()


class Inputs:
    """What a case asks for its inputs. Methods that take a name use it in messages: `gradients[vision]`.

    >>> inputs = Inputs(seed=1)
    >>> vision, text = inputs.paired(batch=4, dim=8)
    >>> vision.shape, vision.requires_grad, inputs.ids(4, groups=2)
    (torch.Size([4, 8]), True, ['id0', 'id0', 'id1', 'id0'])
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        device: str = "cpu",
        variation: Variation = PLAIN,
        in_float64: bool = False,
        undisturbed: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """`in_float64` keeps the rounded values and computes in float64.

        `undisturbed` is entered around everything that draws or rounds, where a harness changes what operations do.
        """
        self.device = torch.device(device)
        self.variation = variation
        self.rounded_to: torch.dtype = getattr(torch, variation.dtype)
        self.dtype = torch.float64 if in_float64 else self.rounded_to
        self.leaves: dict[str, Tensor] = {}
        self.given: dict[str, tuple[Any, Any]] = {}
        self._undisturbed = undisturbed
        self._generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}:{variation.seed}".encode()))

    # ---- float tensors: tracked leaves that require grad

    def paired(self, batch: int, dim: int, *, shared: float = SHARED_PART) -> tuple[Tensor, Tensor]:
        """Vision and text features `[batch, dim]`; row i of one belongs to row i of the other."""
        shape = (self._batch(batch), self._dim(dim))
        vision = self._draw(shape)
        text = shared * vision + (1 - shared) * self._draw(shape)
        return self._leaf("vision", vision), self._leaf("text", text)

    def features(self, batch: int, dim: int, *, name: str = "features", grad: bool = True) -> Tensor:
        """Normally distributed features `[batch, dim]`."""
        return self._leaf(name, self._draw((self._batch(batch), self._dim(dim))), grad)

    def sequence(self, batch: int, length: int, dim: int, *, name: str = "sequence", grad: bool = True) -> Tensor:
        """Token features `[batch, length, dim]`."""
        return self._leaf(name, self._draw((self._batch(batch), length, self._dim(dim))), grad)

    def logits(self, batch: int, classes: int, *, name: str = "logits", grad: bool = True) -> Tensor:
        """Logits `[batch, classes]`; only the batch follows a variation, as labels must fit the classes."""
        return self._leaf(name, self._draw((self._batch(batch), classes)), grad)

    def similarity(self, rows: int, columns: int | None = None, *, name: str = "similarity", grad: bool = True) -> Tensor:
        """A similarity matrix `[rows, columns]`, square unless columns are given; both sizes are batch sizes."""
        shape = (self._batch(rows), self._batch(rows if columns is None else columns))
        return self._leaf(name, self._draw(shape), grad)

    def images(
        self, batch: int, channels: int = 3, height: int = 8, width: int = 8, *, name: str = "images", grad: bool = True
    ) -> Tensor:
        """Images `[batch, channels, height, width]`."""
        return self._leaf(name, self._draw((self._batch(batch), channels, height, width)), grad)

    def queue(self, dim: int, size: int, *, name: str = "queue") -> Tensor:
        """Unit columns `[dim, size]`, as a memory queue holds them; requires no grad."""
        drawn = self._draw((self._dim(dim), size))
        return self._leaf(name, drawn / drawn.norm(dim=0, keepdim=True).clamp_min(1e-12), grad=False)

    def weights(self, count: int, *, name: str = "weights", grad: bool = False) -> Tensor:
        """Positive weights `[count]` between 0.5 and 1.5, such as class weights; requires no grad unless asked."""
        drawn = torch.rand(count, generator=self._generator, dtype=torch.float64) + 0.5
        return self._leaf(name, drawn, grad)

    def normal(self, *shape: int, name: str = "normal", grad: bool = True) -> Tensor:
        """Any other float tensor: standard normal, of exactly this shape under every variation of sizes."""
        return self._leaf(name, self._draw(shape), grad)

    def linear(self, inputs: int, outputs: int, *, bias: bool = True, name: str = "linear") -> nn.Linear:
        """A linear layer with seeded, tracked weights, such as an encoder that a loss takes."""
        layer = nn.Linear(inputs, outputs, bias=bias, device="meta")  # `to_empty` would import sympy, for a second
        for part, parameter in list(layer.named_parameters()):
            weights = nn.Parameter(self._round(self._draw(tuple(parameter.shape)) / max(inputs, 1) ** 0.5))
            setattr(layer, part, weights)
            self.leaves[self._fresh(f"{name}.{part}")] = weights
        return layer

    # ---- whole numbers, masks, ids, plain numbers

    def labels(self, batch: int, classes: int, *, name: str = "labels") -> Tensor:
        """Class labels, int64 `[batch]`."""
        return self._whole(name, 0, classes, (self._batch(batch),))

    def indices(self, batch: int, size: int, *, name: str = "indices") -> Tensor:
        """Distinct positions in a set of `size`, int64 `[batch]` (repeating when the batch is larger than the set)."""
        batch = self._batch(batch)
        order = torch.randperm(max(size, 1), generator=self._generator)
        return self._other(name, order.repeat(batch // max(size, 1) + 1)[:batch])

    def integers(self, low: int, high: int, *shape: int, name: str = "integers") -> Tensor:
        """Whole numbers, low included, high not, int64, of exactly this shape."""
        return self._whole(name, low, high, shape)

    def mask(self, rows: int, columns: int, *, share: float = 0.5, name: str = "mask") -> Tensor:
        """A boolean mask `[rows, columns]`, true with probability `share`; both sizes are batch sizes."""
        drawn = torch.rand(self._batch(rows), self._batch(columns), generator=self._generator, dtype=torch.float64)
        return self._other(name, drawn < share)

    def ids(self, batch: int, groups: int | None = None, *, kind: IdKind = "str", name: str = "ids") -> Any:
        """Match ids, one a row: all distinct, or drawn from `groups` ids; a list, or an int64 tensor for kind "tensor"."""
        batch = self._batch(batch)
        if groups is None:
            drawn = torch.randperm(batch, generator=self._generator).tolist()
        else:
            drawn = torch.randint(0, max(groups, 1), (batch,), generator=self._generator).tolist()
        if kind == "tensor":
            return self._other(name, torch.tensor(drawn, dtype=torch.int64))
        make: dict[str, Callable[[int], Any]] = {
            "str": lambda n: f"id{n}",
            "int": int,
            "float": lambda n: n + 0.5,
            "tuple": lambda n: ("id", n),
        }
        return self.keep(name, [make[kind](n) for n in drawn])

    def number(self, low: float = 0.0, high: float = 1.0) -> float:
        """A plain Python number."""
        return low + (high - low) * torch.rand((), generator=self._generator, dtype=torch.float64).item()

    def choice(self, options: Sequence[Any]) -> Any:
        """One of the options."""
        return options[int(torch.randint(0, len(options), (), generator=self._generator))]

    def keep(self, name: str, value: Any) -> Any:
        """Track any other input, so that a loss which changes it in place is found out."""
        self.given[self._fresh(name)] = (value, deepcopy(value))
        return value

    # ---- how a variation changes what is drawn

    def _batch(self, asked: int) -> int:
        return asked if self.variation.batch is None else self.variation.batch

    def _dim(self, asked: int) -> int:
        return asked if self.variation.dim is None else self.variation.dim

    def _fresh(self, name: str) -> str:
        taken = self.leaves.keys() | self.given.keys()
        number = 2
        fresh = name
        while fresh in taken:
            fresh, number = f"{name}_{number}", number + 1
        return fresh

    def _draw(self, shape: tuple[int, ...]) -> Tensor:
        with self._undisturbed():
            return torch.randn(shape, generator=self._generator, dtype=torch.float64)

    def _edit(self, values: Tensor) -> Tensor:
        """Apply the variation's values and scale to what was drawn, in float64."""
        values = values * self.variation.scale
        if values.numel() == 0:
            return values
        match self.variation.values:
            case "zero-row":
                values[0] = 0.0
            case "repeated-row":
                values[-1] = values[0]
            case "nan":
                values.view(-1)[0] = float("nan")
            case "inf":
                values.view(-1)[0] = float("inf")
            case "whole":
                values = values.round() + 0.0
            case "tenths":
                values = (values * 10).round() / 10 + 0.0
        return values

    def _round(self, values: Tensor) -> Tensor:
        """To the dtype of the case, rounding once, then to the dtype and device to compute in."""
        with self._undisturbed():
            return values.to(self.rounded_to).to(self.dtype).to(self.device)

    def _leaf(self, name: str, values: Tensor, grad: bool = True) -> Tensor:
        made = self._round(self._edit(values.clone()))
        name = self._fresh(name)
        if self.variation.layout == "expanded" and made.dim() > 1 and made.shape[0] > 0:
            base = made[:1].clone().requires_grad_(grad)
            self._track(name, base, grad)
            return base.expand(made.shape)
        if self.variation.layout == "strided" and made.dim() > 1:
            made = made.transpose(0, -1).contiguous().transpose(0, -1)
        leaf = made.detach().requires_grad_(grad)
        self._track(name, leaf, grad)
        return leaf

    def _track(self, name: str, leaf: Tensor, grad: bool) -> None:
        if grad:
            self.leaves[name] = leaf
        self.given[name] = (leaf, leaf.detach().clone().requires_grad_(leaf.requires_grad))

    def _whole(self, name: str, low: int, high: int, shape: tuple[int, ...]) -> Tensor:
        return self._other(name, torch.randint(low, max(high, low + 1), shape, generator=self._generator))

    def _other(self, name: str, values: Tensor) -> Tensor:
        made = values.to(self.device)
        self.given[self._fresh(name)] = (made, made.clone())
        return made
