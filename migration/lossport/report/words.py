"""How values are said on the page and in the terminal: numbers, days and counts as words. Pure text, no markup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from lossport.report.forecast import Forecast

NOTHING = "\N{EN DASH}"
"""Stands where there is no value."""
SMALLEST = 0.1
"""What is less than this, and not nothing, is shown as such."""


def day(date: dt.date) -> str:
    """A day as people write it: 5 May 2026."""
    return f"{date.day} {date:%B %Y}"


def figure(value: float | None) -> str:
    """A number with thousands apart and no digits that mean nothing; a dash for none."""
    if value is None:
        return NOTHING
    if 0 < abs(value) < SMALLEST:
        return f"< {SMALLEST}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in a sentence: a, b and c; more than fit are counted.

    >>> listed(["clip", "focal", "triplet"]), listed(list("abcdefg"))
    ('clip, focal and triplet', 'a, b, c, d, e and 2 more')
    """
    shown = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def duration(hours: float | None) -> str:
    """A time as people say it: 41 s, 12 min, 3.5 h, 4.2 days."""
    if hours is None:
        return NOTHING
    seconds = hours * 3600
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def age(at: dt.datetime, today: dt.date) -> str:
    """How long ago, in days."""
    days = (today - at.date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def span(end: Forecast) -> str:
    """When the forecast expects the end, in words."""
    early, late = (day(date) if date else "" for date in (end.early, end.late))
    if not early:
        return "not within ten years"
    return f"between {early} and {late}" if late else f"not before {early}, with no end that can be named"


def sentence(text: str) -> str:
    """The text with a full stop, if it has no end yet."""
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
