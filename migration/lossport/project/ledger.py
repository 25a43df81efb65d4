"""The append-only record of what happened: one JSON line an event, which git merges by keeping both sides.

Pure: turns bytes into events and events into bytes. Whoever writes the file does so in a transaction.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
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
        """The event as its line in the ledger, with a fixed order of keys. What is no text, or ends a line, is escaped."""
        head = {"at": self.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "event": self.kind, "loss": self.loss}
        data = {**head, **dict(sorted(self.facts.items()))}
        text = json.dumps(data, ensure_ascii=False)
        return text if text.isprintable() else json.dumps(data)


class Events(tuple[Event, ...]):
    """Events in the order of the ledger: the last one is the latest, whatever the clocks of two machines said."""

    @cached_property
    def by_loss(self) -> Mapping[str, tuple[Event, ...]]:
        """The events of each loss."""
        found: dict[str, list[Event]] = {}
        for item in self:
            found.setdefault(item.loss, []).append(item)
        return {loss: tuple(events) for loss, events in found.items()}

    def of(self, loss: str) -> tuple[Event, ...]:
        """The events of one loss."""
        return self.by_loss.get(loss, ())


def of_loss(events: Iterable[Event], loss: str) -> tuple[Event, ...]:
    """The events of one loss, in their order."""
    return events.of(loss) if isinstance(events, Events) else tuple(item for item in events if item.loss == loss)


@lru_cache(maxsize=2)
def read(content: bytes | None, *, where: str) -> Events:
    """The events in their order; a line that stands twice (both sides of a merge had it) counts once.

    Raises:
        InputError: a line is no event; the message has its number.
    """
    lines = (content or b"").split(b"\n")
    first = {line.rstrip(b"\r"): number for number, line in reversed(list(enumerate(lines, 1)))}
    numbered = sorted((number, line) for line, number in first.items() if line.strip())
    return Events(_parse(line, f"{where}, line {number}") for number, line in numbered)


def event(kind: Kind, loss: str, facts: Mapping[str, object]) -> Event:
    """An event of now."""
    return Event(dt.datetime.now(dt.UTC).replace(microsecond=0), kind, loss, facts)


def appended(content: bytes | None, events: Iterable[Event]) -> bytes:
    """The ledger's content with the events added at its end; one that happens twice in a second is told apart from its copy."""
    old = content or b""
    known = set(old.split(b"\n"))
    added: list[bytes] = []
    for item in events:
        line, times = item.line().encode(), 1
        while line in known:
            times += 1
            line = replace(item, facts={**item.facts, "time": times}).line().encode()
        known.add(line)
        added.append(line + b"\n")
    separator = b"" if not old or old.endswith(b"\n") else b"\n"
    return old + separator + b"".join(added)


TIMES = frozenset({"seconds", "cost"})
"""Facts that differ from run to run and change nothing."""


def repeats(events: Iterable[Event], event: Event) -> bool:
    """Whether a verdict or a recording says no more than the last one on the same loss and device did."""
    device = event.facts.get("device")
    alike = ("proven", "failed") if event.kind in ("proven", "failed") else (event.kind,)
    before = (e for e in reversed(of_loss(events, event.loss)) if e.kind in alike and e.facts.get("device") == device)
    last = next(before, None)
    return last is not None and last.kind == event.kind and _lasting(last) == _lasting(event)


def _lasting(event: Event) -> dict[str, Any]:
    """The facts as they read in the ledger, without times."""
    facts: dict[str, Any] = json.loads(json.dumps(dict(event.facts)))
    return {name: value for name, value in facts.items() if name not in TIMES}


def latest(events: Iterable[Event], loss: str, *kinds: Kind, **facts: object) -> Event | None:
    """The last event of one of the kinds for a loss whose facts include those given."""
    own = reversed(of_loss(events, loss))
    return next((e for e in own if e.kind in kinds and all(e.facts.get(k) == v for k, v in facts.items())), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "fingerprint": lambda value: isinstance(value, dict) and all(isinstance(part, str) for part in value.values()),
    "files": lambda value: isinstance(value, list) and all(isinstance(path, str) for path in value),
    "counts": lambda value: isinstance(value, dict) and all(isinstance(count, int) for count in value.values()),
    "cost": lambda value: value is None or (isinstance(value, dict) and all(map(_is_number, value.values()))),
    "precisions": lambda value: value is None or (isinstance(value, dict) and all(isinstance(v, dict) for v in value.values())),
    "seconds": lambda value: value is None or _is_number(value),
    "device": lambda value: isinstance(value, str),
    "gate": lambda value: isinstance(value, str),
    "target": _is_number,
}
"""Facts that others read, and what they are."""


def _parse(line: bytes, where: str) -> Event:
    try:
        data = json.loads(line.decode("utf-8"))
        at = _moment(data.pop("at"))
        kind, loss = data.pop("event"), data.pop("loss")
        if kind not in KINDS or not isinstance(loss, str):
            raise ValueError(f"event {kind!r}, loss {loss!r}")
        wrong = [name for name, fits in _TYPES.items() if name in data and not fits(data[name])]
        if wrong:
            raise ValueError(f"{wrong[0]} is {data[wrong[0]]!r}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{where}: not an event ({error}); expected one JSON object a line with at, event ({', '.join(KINDS)}) and loss. "
            "Merge markers and half lines can be deleted: evidence that is lost is made again by lossport migrate"
        ) from error
    return Event(at, kind, loss, MappingProxyType(data))


@lru_cache(maxsize=4096)
def _moment(text: str) -> dt.datetime:
    """A time as events have it; remembered, as many events of one command share it."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
