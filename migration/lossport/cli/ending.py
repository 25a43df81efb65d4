"""How a command ends that does not end by itself: signals, and exits that a port or a case asks for."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from lossport.project.errors import ProgramEnded

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name))
"""They take the way of Ctrl-C: whatever is half done is rolled back."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """Let the signals interrupt; one that is ignored, as under nohup, stays so."""
    former = {number: handler for number in SIGNALS if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in former:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextlib.contextmanager
def exits_refused() -> Iterator[None]:
    """`os._exit` in this process would end a command with any status and nothing said; it raises `ProgramEnded` instead.

    A process that a port or a case has forked does not go on as if it were the command.
    """
    owner, real = os.getpid(), os._exit

    def refused(code: int) -> None:
        if os.getpid() != owner:
            real(code)
        raise ProgramEnded(f"os._exit({code})")

    os._exit = refused  # type: ignore[assignment]  # it returns nothing, and never without an exception
    try:
        yield
    finally:
        os._exit = real
        if os.getpid() != owner:
            real(1)


def silence_output() -> None:
    """Nobody reads standard output any more: what is left in its buffer must not fail again at the very end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
