"""The process's global random streams: set before a step, read after it, and left as they were at the end."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch

from lossport.observe.value import raw_bytes

SEEDS_KEPT = 512
"""Those of the steps of one loss, which meet again in every variant; each takes 30 KB."""


def _numpy() -> Any:
    return sys.modules.get("numpy")


def seed_all(seed: int, device: torch.device) -> Mapping[str, object]:
    """Put every stream at the same place for both sides, and say where each stands."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed_all(seed)
    random.seed(seed)
    numpy = _numpy()
    if numpy is not None:
        numpy.random.seed(seed)
    return _just_seeded(seed, device, numpy is not None)


@lru_cache(maxsize=SEEDS_KEPT)
def _just_seeded(seed: int, device: torch.device, with_numpy: bool) -> Mapping[str, object]:
    """Where each stream stands right after seeding. Read once for each seed, as reading costs more than seeding."""
    return stream_states(device)


def stream_states(device: torch.device) -> dict[str, object]:
    """Where each stream stands, by name."""
    found: dict[str, object] = {"torch": raw_bytes(torch.get_rng_state()), "python": random.getstate()}
    if device.type == "cuda":
        found["cuda"] = raw_bytes(torch.cuda.get_rng_state(device))
    numpy = _numpy()
    if numpy is not None:
        _, keys, position, has_gauss, gauss = numpy.random.get_state()
        found["numpy"] = keys.tobytes() + repr((int(position), int(has_gauss), float(gauss))).encode()
    return found


def drawn_from(before: Mapping[str, object], device: torch.device) -> dict[str, str]:
    """The streams that stand elsewhere than before, each with a digest of where that is. Most steps draw nothing."""
    return {name: _digest(state) for name, state in stream_states(device).items() if before.get(name) != state}


def _digest(state: Any) -> str:
    if isinstance(state, bytes):
        return hashlib.blake2b(state, digest_size=8).hexdigest()
    _, words, gauss = state
    return f"{hash((words, -1.0 if gauss is None else gauss)) & 0xFFFFFFFFFFFFFFFF:016x}"


@contextmanager
def streams_kept() -> Iterator[None]:
    """Leave the global streams of torch, Python and numpy as they were."""
    numpy = _numpy()
    before = torch.get_rng_state(), random.getstate(), None if numpy is None else numpy.random.get_state()
    on_cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        random.setstate(before[1])
        if before[2] is not None:
            numpy.random.set_state(before[2])
        if on_cuda is not None:
            torch.cuda.set_rng_state_all(on_cuda)
