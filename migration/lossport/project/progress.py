"""Being told how far something is, for all that runs long."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias


class Progress(Protocol):
    """Told what is being done now, and how far it is: done of total."""

    def __call__(self, text: str, done: int = 0, total: int = 0) -> None: ...


Busy: TypeAlias = Callable[[str], AbstractContextManager[Progress]]
"""Shows that something long runs, by its name, and how far it is."""


def no_progress(text: str, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""
