"""Settings of the process that a loss could change behind its caller's back: read around a step, put back at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

_Setting = tuple[Callable[[], Any], Callable[[Any], object]]

SETTINGS: dict[str, _Setting] = {
    "grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "deterministic algorithms": (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "matmul precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "threads": (torch.get_num_threads, torch.set_num_threads),
}
"""How each is read and set. Settings that a loss has a reason to touch, or that change what others compute."""


def settings_now() -> dict[str, Any]:
    """What each setting is, numpy's treatment of errors among them. Not the filters of warnings: modules that are imported late
    add some, in the first run and not in the second."""
    found = {name: read() for name, (read, _) in SETTINGS.items()}
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        found["numpy errors"] = numpy.geterr()
    return found


def settings_changed(before: dict[str, Any]) -> dict[str, str]:
    """Those that are no longer what they were, and what they are now. What was not there before has not changed."""
    now = settings_now()
    return {name: str(now[name]) for name, value in before.items() if now[name] != value}


@contextmanager
def settings_kept() -> Iterator[None]:
    """Put back what was changed within, so that no other run starts from it."""
    before = settings_now()
    try:
        yield
    finally:
        now = settings_now()
        for name, (_, put) in SETTINGS.items():
            if now[name] != before[name]:
                put(before[name])
        if "numpy errors" in before and now["numpy errors"] != before["numpy errors"]:
            sys.modules["numpy"].seterr(**before["numpy errors"])
