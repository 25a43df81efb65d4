"""Counts with their words, for messages everywhere."""

from __future__ import annotations


def many(count: int, word: str) -> str:
    """A count with its word in the singular or plural.

    >>> many(1, "file"), many(2, "file"), many(0, "loss")
    ('1 file', '2 files', '0 losses')
    """
    return f"{count} {word}" if count == 1 else f"{count} {word}{'es' if word.endswith('s') else 's'}"
