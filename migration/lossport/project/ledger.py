"""The append-only record of what happened: one JSON line an event, which git merges by keeping both sides.

Pure: turns bytes into events and events into bytes. Whoever writes the file does so in a transaction.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from lossport.project.errors import InputError

Kind = Literal["recorded", "proven", "failed", "switched", "retired", "undone", "gate"]
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True)
class Event:
    """Something that happened to a loss at a time (UTC, whole seconds), with the facts that make it checkable later.

    A `gate` that is met for the first time concerns the whole library: its loss is empty.
    """

    at: dt.datetime
    kind: Kind
    loss: str
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def line(self) -> str:
        """The event as its line in the ledger, with a fixed order of keys."""
        head = {"at": self.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "event": self.kind, "loss": self.loss}
        return json.dumps({**head, **dict(sorted(self.facts.items()))}, ensure_ascii=False)


def read(content: bytes | None, *, where: str) -> tuple[Event, ...]:
    """The events in order of time; a line that stands twice (both sides of a merge had it) counts once.

    Raises:
        InputError: a line is no event; the message has its number.
    """
    lines = dict.fromkeys((content or b"").decode("utf-8", errors="surrogateescape").splitlines())
    numbered = ((n, line) for n, line in enumerate(lines, 1) if line.strip())
    return tuple(sorted((_parse(line, f"{where}, line {n}") for n, line in numbered), key=lambda event: event.at))


def event(kind: Kind, loss: str, facts: Mapping[str, object]) -> Event:
    """An event of now."""
    return Event(dt.datetime.now(dt.UTC).replace(microsecond=0), kind, loss, facts)


def appended(content: bytes | None, events: Iterable[Event]) -> bytes:
    """The ledger's content with the events added at its end."""
    old = content or b""
    separator = b"" if not old or old.endswith(b"\n") else b"\n"
    return old + separator + "".join(event.line() + "\n" for event in events).encode()


TIMES = frozenset({"seconds", "cost"})
"""Facts that differ from run to run and change nothing."""


def repeats(events: Iterable[Event], event: Event) -> bool:
    """Whether a verdict or a recording says no more than the last one on the same loss and device did."""
    device = event.facts.get("device")
    alike = ("proven", "failed") if event.kind in ("proven", "failed") else (event.kind,)
    before = [e for e in events if e.loss == event.loss and e.kind in alike and e.facts.get("device") == device]
    last = max(before, key=lambda item: item.at, default=None)
    return last is not None and last.kind == event.kind and _lasting(last) == _lasting(event)


def _lasting(event: Event) -> dict[str, Any]:
    """The facts as they read in the ledger, without times."""
    facts: dict[str, Any] = json.loads(json.dumps(dict(event.facts)))
    return {name: value for name, value in facts.items() if name not in TIMES}


def latest(events: Iterable[Event], loss: str, kind: Kind, **facts: object) -> Event | None:
    """The last event of that kind for a loss whose facts include those given."""
    matching = (e for e in events if e.loss == loss and e.kind == kind and all(e.facts.get(k) == v for k, v in facts.items()))
    return max(matching, key=lambda event: event.at, default=None)


def _parse(line: str, where: str) -> Event:
    try:
        data = json.loads(line)
        at = dt.datetime.strptime(data.pop("at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        kind, loss = data.pop("event"), data.pop("loss")
        if kind not in KINDS or not isinstance(loss, str):
            raise ValueError(f"event {kind!r}, loss {loss!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{where}: not an event ({error}); expected one JSON object a line with at, event ({', '.join(KINDS)}) and loss. "
            "Merge markers and half lines can be deleted: evidence that is lost is made again by lossport migrate"
        ) from error
    return Event(at, kind, loss, MappingProxyType(data))
