"""Settings of the process that a loss could change behind its caller's back: read around a step and put back after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

_Setting = tuple[Callable[[], Any], Callable[[Any], object]]


def _put_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)  # none: a device that is given costs every operation


def _put_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


SETTINGS: dict[str, _Setting] = {
    "grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "default device": (torch.get_default_device, _put_device),
    "anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "deterministic algorithms": (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "matmul precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "threads": (torch.get_num_threads, torch.set_num_threads),
    "environment variables": (lambda: dict(os.environ), _put_environment),
    "working directory": (os.getcwd, os.chdir),
    "numpy errors": (lambda: _numpy().geterr() if _numpy() else None, lambda errors: _numpy().seterr(**errors)),
}
"""How each is read and set. Settings that a loss has a reason to touch, or that change what others compute. Not the filters of
warnings: modules that are imported late add some, in the first run and not in the second."""


def _numpy() -> Any:
    return sys.modules.get("numpy")


@contextmanager
def settings_kept() -> Iterator[dict[str, str]]:
    """Put back what was changed within, so that nothing else starts from it. When it ends, what was changed is in the dictionary:
    what became of each. What was not there before has not changed."""
    before = {name: read() for name, (read, _) in SETTINGS.items()}
    changed: dict[str, str] = {}
    try:
        yield changed
    finally:
        for name, (read, put) in SETTINGS.items():
            now, then = read(), before[name]
            if now != then and then is not None:
                changed[name] = _told(now, then)
                put(then)


def _told(now: Any, then: Any) -> str:
    """What a setting is now; of many in one, those that are new or other, as nobody asked for the rest."""
    if not isinstance(now, dict):
        return str(now)
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    return ", ".join(f"{name}={now[name]}" if name in now else f"no {name}" for name in names)
