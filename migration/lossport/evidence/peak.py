"""Time and peak memory of both losses, for people: told beside the verdicts, never judged.

On the CPU the peak is counted, not sampled: the bytes of all tensors that operations make, less those that are gone. It depends
on neither the machine nor its allocator. On CUDA the allocator's own count is taken.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from lossport.observe.observation import Observation
from lossport.observe.run import Run, observe
from lossport.observe.side import Side


@dataclass
class Peak:
    """The most bytes that were alive at once."""

    bytes: int = 0


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its subclass hook untyped
    """Follows the storages of tensors from the operation that makes them to their end."""

    def __init__(self, peak: Peak) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._peak, self._alive = peak, 0
        self._known: dict[int, Any] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: nothing is compiled here, and asking would cost more than the operation."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for item in result if isinstance(result, tuple | list) else (result,):
            if isinstance(item, Tensor):
                self._follow(item)
        return result

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known[key] = weakref.finalize(storage, self._gone, key, size)
        self._alive += size
        self._peak.bytes = max(self._peak.bytes, self._alive)

    def _gone(self, key: int, size: int) -> None:
        self._known.pop(key, None)
        self._alive -= size


@contextmanager
def peak_memory(device: str) -> Iterator[Peak]:
    """Count the peak of what runs within."""
    peak = Peak()
    if torch.device(device).type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        yield peak
        peak.bytes = torch.cuda.max_memory_allocated(device) - before
        return
    with _Counting(peak):
        yield peak


TURNS = 3
"""Times that each side runs, one after the other in turns: whatever slows the machine for a moment slows both."""


def costs_of(sides: Sequence[Side], case: str, device: str) -> dict[str, dict[str, float]]:
    """Seconds of a plain run by side, the least of its turns, and its peak in bytes; nothing of a side that raises.

    On the CPU the seconds are those of the processor, which other programs do not take part in.
    """
    turns = [{side.name: observe(side, case, Run(device=device)) for side in sides} for _ in range(TURNS)]
    return {side.name: _cost(side, case, device, [turn[side.name] for turn in turns]) for side in sides}


def _cost(side: Side, case: str, device: str, seen: Sequence[Observation]) -> dict[str, float]:
    if any(run.raised for run in seen):
        return {}
    with peak_memory(device) as peak:
        observe(side, case, Run(device=device))
    return {"seconds": min(run.seconds for run in seen), "peak_bytes": peak.bytes}
