"""The error for bad input that is not configuration: a damaged file, a wrong argument, a tree in the wrong state."""

from __future__ import annotations

import traceback
from pathlib import Path


class InputError(ValueError):
    """Bad input. The message says what was found, where, what was expected, and what to do next."""


def failure_in_words(error: BaseException) -> str:
    """Type, message and the place that raised, in one line: `KeyError: 'loss' (mapping.py:41)`.

    >>> try:
    ...     {}["loss"]
    ... except KeyError as error:
    ...     failure_in_words(error).partition(" (")[0]
    "KeyError: 'loss'"
    """
    said = f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
    frames = traceback.extract_tb(error.__traceback__)
    return f"{said} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else said


class ProgramEnded(BaseException):
    """Code of the project called `os._exit`, which no `except Exception` must take for a result of that code."""
