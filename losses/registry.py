"""Losses by name, for configuration files and command lines: `register` a class, `create` it again
by its name."""

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

from losses.base import BaseLoss

Loss = TypeVar("Loss", bound=type[BaseLoss])
_CLASSES: dict[str, type[BaseLoss]] = {}


def register(name: str) -> Callable[[Loss], Loss]:
    """Make a class known under `name`. ValueError if another class has that name already."""

    def remember(cls: Loss) -> Loss:
        known = _CLASSES.setdefault(name, cls)
        if known is not cls:
            raise ValueError(
                f"the name {name!r} is taken by {known.__module__}.{known.__qualname__}; "
                "choose another one"
            )
        return cls

    return remember


def names() -> tuple[str, ...]:
    """The registered names, in alphabetical order."""
    return tuple(sorted(_CLASSES))


def find(name: str) -> type[BaseLoss]:
    """The class registered under `name`.

    ValueError if there is none; the message lists the known names and the nearest.
    """
    if name not in _CLASSES:
        near = difflib.get_close_matches(str(name).lower(), names(), n=1, cutoff=0.0)
        hint = f"; the nearest is {near[0]!r}" if near else ""
        raise ValueError(
            f"no loss is called {name!r}{hint} (known: {', '.join(names()) or 'none'})"
        )
    return _CLASSES[name]


def create(name: str, **options: Any) -> BaseLoss:
    """Build the loss registered under `name`.

    Args:
        name: one of `names()`.
        options: what the class takes.

    Raises:
        ValueError: no loss of that name; the message lists the known names and the nearest.

    Example:
        >>> create("clip", temperature=0.1).temperature
        0.1
    """
    return find(name)(**options)
