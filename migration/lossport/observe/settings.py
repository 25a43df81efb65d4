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


def _environment() -> dict[Any, Any]:
    """The variables as the mapping holds them: to decode each, twice a step, would take longer than many a loss."""
    return dict(getattr(os.environ, "_data", os.environ))


def _put_environment(variables: dict[Any, Any]) -> None:
    os.environ.clear()
    os.environ.update({os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()})


SETTINGS: dict[str, _Setting] = {
    "grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    DEVICE: (torch.get_default_device, _put_device),
    "anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "deterministic algorithms": (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "matmul precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "threads": (torch.get_num_threads, torch.set_num_threads),
    "environment variables": (_environment, _put_environment),
    "working directory": (os.getcwd, os.chdir),
    "numpy errors": (lambda: _numpy().geterr() if _numpy() else None, lambda errors: _numpy().seterr(**errors)),
}
"""How each is read and set. Settings that a loss has a reason to touch, or that change what others compute. Not the filters of
warnings: modules that are imported late add some, in the first run and not in the second."""


def _numpy() -> Any:
    return sys.modules.get("numpy")


class Settings:
    """The settings as they are before a run, and as they were when last asked: read once a step, as there are many of them."""

    def __init__(self) -> None:
        self._first = self._last = _read()

    def changed(self) -> dict[str, str]:
        """Those that are no longer what they were when last asked, and what became of them. What was not there has not changed.

        They are left as they are, as a later step may rest on them; but for the default device, which would take hold of the
        tensors of whoever looks at the results.
        """
        before, self._last = self._last, _read()
        changed = {name: _told(now, then) for name, now, then in _differing(self._last, before)}
        if DEVICE in changed:
            _put_device(before[DEVICE])
            self._last[DEVICE] = before[DEVICE]
        return changed

    def put_back(self) -> None:
        """Make them what they were before the run."""
        for name, _, then in _differing(_read(), self._first):
            SETTINGS[name][1](then)


@contextmanager
def settings_kept() -> Iterator[Settings]:
    """Put back what was changed within, so that no other run starts from it."""
    settings = Settings()
    try:
        yield settings
    finally:
        settings.put_back()


def _read() -> dict[str, Any]:
    return {name: read() for name, (read, _) in SETTINGS.items()}


def _differing(now: dict[str, Any], before: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(name, now[name], then) for name, then in before.items() if now[name] != then and then is not None]


def _told(now: Any, then: Any) -> str:
    """What a setting is now; of many in one, those that are new or other, as nobody asked for the rest."""
    if not isinstance(now, dict):
        return str(now)
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    told = (f"{os.fsdecode(name)}={os.fsdecode(now[name])}" if name in now else f"no {os.fsdecode(name)}" for name in names)
    return ", ".join(told)
