"""Settings of the process that a loss could change behind its caller's back: read around a step, put back at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

DEVICE = "default device"

_Setting = tuple[Callable[[], Any], Callable[[Any], object]]


def _put_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)  # none: a device that is given costs every operation


def _put_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


SETTINGS: dict[str, _Setting] = {
    "grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    DEVICE: (torch.get_default_device, _put_device),
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


def settings_now() -> dict[str, Any]:
    """What each setting is."""
    return {name: read() for name, (read, _) in SETTINGS.items()}


def settings_changed(before: dict[str, Any]) -> dict[str, str]:
    """Those that are no longer what they were, and what became of them. What was not there before has not changed.

    They are left as they are, as a later step may rest on them; but for the default device, which would take hold of the tensors
    of whoever looks at the results.
    """
    now = settings_now()
    changed = {name: _told(now[name], then) for name, then in before.items() if now[name] != then and then is not None}
    if DEVICE in changed:
        _put_device(before[DEVICE])
    return changed


@contextmanager
def settings_kept() -> Iterator[None]:
    """Put back what was changed within, so that no other run starts from it."""
    before = settings_now()
    try:
        yield
    finally:
        now = settings_now()
        for name, then in before.items():
            if now[name] != then and then is not None:
                SETTINGS[name][1](then)


def _told(now: Any, then: Any) -> str:
    """What a setting is now; of many in one, those that are new or other, as nobody asked for the rest."""
    if not isinstance(now, dict):
        return str(now)
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    return ", ".join(f"{name}={now[name]}" if name in now else f"no {name}" for name in names)
