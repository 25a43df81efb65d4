"""How much work a run is, counted instead of timed: the same on every machine, however busy it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

EACH_OPERATION = 5000
"""Units of any operation: on a common processor it takes some microseconds before it computes the first number."""


@dataclass
class Work:
    """Numbers computed, with `EACH_OPERATION` for every operation; a unit is about a nanosecond."""

    units: int = 0


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its subclass hook untyped
    """Sees every operation below autograd."""

    def __init__(self, work: Work) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._work = work

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: nothing is compiled here, and asking would cost more than the operation."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        parts = result if isinstance(result, tuple | list) else (result,)
        computed = 0 if func.is_view else sum(item.numel() for item in parts if isinstance(item, Tensor))
        self._work.units += EACH_OPERATION + computed
        return result


@contextmanager
def work_counted() -> Iterator[Work]:
    """Count the work of what runs within.

    >>> import torch
    >>> with work_counted() as work:
    ...     _ = torch.zeros(10) + 1
    >>> work.units
    10020
    """
    work = Work()
    with _Counting(work):
        yield work
