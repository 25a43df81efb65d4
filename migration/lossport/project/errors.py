"""The error for bad input that is not configuration: a damaged file, a wrong argument, a tree in the wrong state."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input. The message says what was found, where, what was expected, and what to do next."""


class ProgramEnded(BaseException):
    """Code of the project called `os._exit`, which no `except Exception` must take for a result of that code."""
