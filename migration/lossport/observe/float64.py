"""Running code written for lower precision in float64, with the same random numbers: the reference that decides who is right.

Every request for float32 or a half type becomes one for float64, `.float()` included. Random numbers are drawn in the dtype that
the code asked for, as another dtype would draw other numbers, and widened afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from lossport.observe.rounding import Rounding

LOWER = frozenset({torch.float32, torch.float16, torch.bfloat16})

DRAWS_IN_PLACE = frozenset(
    f"aten::{name}_" for name in ("normal", "uniform", "exponential", "log_normal", "cauchy", "geometric", "bernoulli")
)
DRAWS_BY_SHAPE = frozenset({"aten::rand", "aten::randn", "aten::rand_like", "aten::randn_like"})
DRAWS_FROM_TENSORS = frozenset({"aten::normal", "aten::bernoulli", "aten::multinomial", "aten::poisson", "aten::binomial"})
LIFTS = "aten::lift_fresh"


@cache
def _asks_for_nothing(func: Any) -> bool:
    """Whether the operation takes its dtype from its arguments, as nearly all do. A loss calls thousands of them."""
    return func._schema.name not in {*DRAWS_IN_PLACE, *DRAWS_BY_SHAPE, *DRAWS_FROM_TENSORS, LIFTS}


class _Widening(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its subclass hook untyped
    """Sees every operation below autograd and replaces dtypes. `asked` is the dtype that the code would have computed in.

    `rounding` moves what is computed: one mode for both, as a second would see each operation that the first one needs.
    """

    def __init__(self, asked: torch.dtype, rounding: Rounding | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._asked = asked
        self._rounding = rounding

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: nothing is compiled here, and asking would cost more than the operation."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args) if not kwargs and _asks_for_nothing(func) else self._computed(func, args, dict(kwargs or {}))
        return result if self._rounding is None else self._rounding.moved(func, result)

    def _computed(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        name = func._schema.name
        if name in DRAWS_IN_PLACE and args[0].dtype == torch.float64:
            drawn = func(torch.empty_like(args[0], dtype=self._asked), *map(self._narrowed, args[1:]), **kwargs)
            return args[0].copy_(drawn)
        if name in DRAWS_BY_SHAPE and kwargs.get("dtype") != torch.float64:
            kwargs["dtype"] = kwargs.get("dtype") or self._asked
            return _widened(func(*args, **kwargs))
        if name in DRAWS_FROM_TENSORS:
            if name == "aten::normal" and not any(isinstance(item, Tensor) for item in args):
                kwargs.setdefault("dtype", self._asked)
            return _widened(func(*map(self._narrowed, args), **kwargs))
        if kwargs.get("dtype") in LOWER:
            kwargs["dtype"] = torch.float64
        result = func(*args, **kwargs)
        return _widened(result) if name == LIFTS else result

    def _narrowed(self, value: Any) -> Any:
        return value.to(self._asked) if isinstance(value, Tensor) and value.dtype == torch.float64 else value


def _widened(value: Any) -> Any:
    return value.to(torch.float64) if isinstance(value, Tensor) and value.dtype in LOWER else value


def paused() -> AbstractContextManager[None]:
    """Within, dtypes are as the code asks for: inputs have to be rounded before they are widened."""
    return _disable_current_modes()


@contextmanager
def computed_in_float64(asked: torch.dtype, rounding: Rounding | None = None) -> Iterator[None]:
    """Within, what asks for `asked` or another lower precision computes in float64, with its rounding moved if that is given."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with _Widening(torch.float32 if asked == torch.float64 else asked, rounding):
            yield
    finally:
        torch.set_default_dtype(before)
