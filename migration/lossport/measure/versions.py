"""What each file held from which commit on, and which lines the ledger had for how long. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Version:
    """What a path held from a commit on: a blob, or None once it was gone. `merged`: a merge brought it to this line."""

    at: dt.datetime
    blob: str | None
    commit: str
    author: str
    merged: bool = False


@dataclass(frozen=True)
class LedgerLine:
    """A line of the ledger, the commit that brought it, and the one that took it away again, such as a revert."""

    text: str
    brought: Version
    taken: Version | None = None


def holding(versions: Sequence[Version], at: dt.datetime) -> Version | None:
    """The version that a path had at a time, None before its first."""
    return next((version for version in reversed(versions) if version.at <= at), None)


def ledger_lines(versions: Sequence[Version], read: Callable[[str], bytes | None]) -> tuple[LedgerLine, ...]:
    """Every line that the ledger ever had, in the order in which they came. A line that came back counts again."""
    done: list[LedgerLine] = []
    alive: dict[str, LedgerLine] = {}
    for version in versions:
        content = (read(version.blob) if version.blob else None) or b""
        now = dict.fromkeys(line for line in content.decode("utf-8", "replace").splitlines() if line.strip())
        for text in [text for text in alive if text not in now]:
            done.append(replace(alive.pop(text), taken=version))
        for text in now:
            alive.setdefault(text, LedgerLine(text, version))
    return tuple(sorted([*done, *alive.values()], key=lambda line: line.brought.at))
