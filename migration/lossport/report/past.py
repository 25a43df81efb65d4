"""What happened to each loss, step by step, also backwards, and where it stood at any time: from the ledger and git. Pure.

A line that a revert took out of the ledger happened all the same: it counts from its event to the commit that took it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from lossport.measure.history import History
from lossport.measure.versions import LedgerLine, Version, holding
from lossport.project import ledger
from lossport.project.errors import InputError
from lossport.report.facts import LossFacts, ProofState, proof_state

Kind = Literal["recorded", "proven", "retired", "undone", "reverted", "failed", "stale"]
BACKWARDS: tuple[Kind, ...] = ("undone", "reverted", "failed", "stale")
"""Steps that take a loss away from being done."""

_WORSE: tuple[ProofState, ...] = ("none", "current", "stale", "failed")


@dataclass(frozen=True)
class RetiredFile:
    """A legacy file that is gone, and the loss it belonged to if a port says so. `commit` is None before it is committed."""

    loss: str | None
    path: str
    at: dt.datetime
    commit: str | None
    lines: int | None
    subject: str = ""


@dataclass(frozen=True)
class LossStep:
    """Something that happened to a loss. `commit` and `author` are empty before it is committed."""

    at: dt.datetime
    kind: Kind
    loss: str
    commit: str = ""
    author: str = ""
    why: str = ""

    @property
    def back(self) -> bool:
        """Whether it is a step away from being done."""
        return self.kind in BACKWARDS


@dataclass(frozen=True)
class StandingThen:
    """Losses at a time: how many there were, which were retired, and in what state their proofs were."""

    losses: tuple[str, ...]
    retired: tuple[str, ...]
    proofs: Mapping[str, ProofState]

    def retired_with(self, state: ProofState) -> int:
        """How many of the retired losses have a proof in this state."""
        return sum(self.proofs[name] == state for name in self.retired)


@dataclass(frozen=True)
class _Event:
    """An event with the commit that brought it and the one that took it away; none for what is not committed."""

    event: ledger.Event
    brought: Version | None = None
    taken: Version | None = None
    again: bool = False

    @property
    def at(self) -> dt.datetime:
        """When it happened here: what a merge or the revert of a revert brought happened with that commit."""
        if self.brought is not None and (self.brought.merged or self.again):
            return max(self.event.at, self.brought.at)
        return self.event.at

    def holds(self, at: dt.datetime) -> bool:
        """Whether it had happened and was not taken back."""
        return self.at <= at and (self.taken is None or at < self.taken.at)


@dataclass(frozen=True)
class _Loss:
    facts: LossFacts
    port: str
    events: tuple[_Event, ...]
    sources: tuple[str, ...]


class Past:
    """The losses of a project through time."""

    def __init__(
        self,
        losses: Sequence[LossFacts],
        history: History,
        events: Sequence[ledger.Event],
        sources: Mapping[str, tuple[str, str]],
        now: dt.datetime,
    ) -> None:
        self._history = history
        self._now = now
        every = _all_events(history.ledger, events)
        self._losses = [
            _Loss(
                loss,
                sources[loss.name][0],
                _own_events(loss, every),
                tuple(path for path in (*loss.new_files, *sources[loss.name]) if path),
            )
            for loss in losses
        ]
        self.steps = tuple(sorted((step for loss in self._losses for step in self._steps(loss)), key=lambda step: step.at))

    @property
    def begins(self) -> dt.datetime | None:
        """The first event in the ledger, or the first commit of a port if that was earlier."""
        ports = (self._history.versions.get(loss.port, ())[:1] for loss in self._losses)
        times = [version.at for found in ports for version in found]
        times += [item.at for loss in self._losses for item in loss.events]
        return min(times, default=None)

    def at(self, time: dt.datetime) -> StandingThen:
        """Where the losses stood at a time."""
        there = [loss for loss in self._losses if time >= self._now or self._known(loss, time)]
        retired = [loss.facts.name for loss in there if self._retired(loss, time)]
        proofs = {loss.facts.name: self._proof(loss, time) for loss in there}
        return StandingThen(tuple(loss.facts.name for loss in there), tuple(retired), proofs)

    def _known(self, loss: _Loss, time: dt.datetime) -> bool:
        versions = self._history.versions.get(loss.port, ())
        ported = holding(versions, time) if versions else None
        return bool(ported and ported.blob) or any(item.at <= time for item in loss.events)

    def _retired(self, loss: _Loss, time: dt.datetime) -> bool:
        if time >= self._now:
            return loss.facts.stage == "retired"
        steps = [step for step in self.steps if step.loss == loss.facts.name and step.at <= time]
        last = next((step for step in reversed(steps) if step.kind in ("retired", "undone", "reverted")), None)
        return last is not None and last.kind == "retired"

    def _steps(self, loss: _Loss) -> Iterator[LossStep]:
        """Everything that happened to one loss; retiring what is retired and undoing what is not says nothing and is left out."""
        yield from self._turns(loss)
        name = loss.facts.name
        seen = {"proven": False, "recorded": False}
        for item in loss.events:
            kind = item.event.kind
            if kind == "failed":
                device = item.event.facts.get("device", "")
                yield _step(item, "failed", name, f"on {device}" if device else "")
            elif kind in seen and not seen[kind]:
                seen[kind] = True
                yield _step(item, "proven" if kind == "proven" else "recorded", name)
        yield from self._gone_stale(loss)

    def _turns(self, loss: _Loss) -> Iterator[LossStep]:
        name, retired = loss.facts.name, False
        turns = sorted(self._raw_turns(loss), key=lambda step: step.at)
        for step in turns:
            if (step.kind == "retired") is not retired:
                retired = not retired
                yield step
        if retired is not (loss.facts.stage == "retired"):
            yield LossStep(max([self._now, *(step.at for step in turns)]), "reverted" if retired else "retired", name)

    def _raw_turns(self, loss: _Loss) -> Iterator[LossStep]:
        name = loss.facts.name
        for item in loss.events:
            if item.event.kind == "undone":
                yield _step(item, "undone", name)
            elif item.event.kind == "retired":
                yield self._named(_step(item, "retired", name), item)
                if item.taken is not None:
                    yield LossStep(item.taken.at, "reverted", name, item.taken.commit, item.taken.author)
                yield from self._files_back(loss, item)

    def _named(self, step: LossStep, item: _Event) -> LossStep:
        """A retirement that a merge brought, with the commit on the other side that took the legacy file, and its author."""
        if item.brought is None or not item.brought.merged:
            return step
        files = {self._present(str(path)) for path in item.event.facts.get("files", ())}
        own = next((removal for removal in self._history.removals if removal.path in files), None)
        return replace(step, commit=own.commit, author=own.author) if own else step

    def _files_back(self, loss: _Loss, item: _Event) -> Iterator[LossStep]:
        """Legacy files that came back after the loss was retired, and went again."""
        named = [self._present(str(path)) for path in item.event.facts.get("files", ())]
        for path in named or loss.facts.legacy_files:
            versions = self._history.versions.get(path, ())
            for before, version in pairwise(versions):
                if version.at > item.at and before.blob is None and version.blob is not None:
                    yield LossStep(version.at, "reverted", loss.facts.name, version.commit, version.author)

    def _present(self, path: str) -> str:
        """A path under the present name of its folder."""
        for former, folder in self._history.formers.items():
            if path.startswith(f"{former}/"):
                return folder + path.removeprefix(former)
        return path

    def _proof(self, loss: _Loss, time: dt.datetime) -> ProofState:
        """The worst of the latest verdicts on each device."""
        if time >= self._now:
            return proof_state(loss.facts)
        latest: dict[str, _Event] = {}
        for item in loss.events:
            if item.event.kind in ("proven", "failed") and item.holds(time):
                latest[str(item.event.facts.get("device", ""))] = item
        return max((self._state(loss, item, time) for item in latest.values()), key=_WORSE.index, default="none")

    def _state(self, loss: _Loss, item: _Event, time: dt.datetime) -> ProofState:
        if item.event.kind == "failed":
            return "failed"
        return "stale" if self._changed(loss, item, time) else "current"

    def _changed(self, loss: _Loss, item: _Event, time: dt.datetime) -> str:
        """The first source that is not at `time` what it was in the commit that brought the proof; empty if all are."""
        if item.brought is None or time < item.brought.at or (item is _last_proof(loss) and proof_state(loss.facts) == "current"):
            return ""
        for path in loss.sources:
            versions = self._history.versions.get(path, ())
            proven, now = holding(versions, item.brought.at), holding(versions, time)
            if now is not None and now.blob is not None and (proven is None or proven.blob != now.blob):
                return path
        return ""

    def _gone_stale(self, loss: _Loss) -> Iterator[LossStep]:
        """The commits with which a proof that held held no longer."""
        versions = [version for path in loss.sources for version in self._history.versions.get(path, ())]
        instant = dt.timedelta(microseconds=1)
        told: set[str] = set()
        for version in sorted(versions, key=lambda version: version.at):
            if version.commit in told or self._proof_before(loss, version.at - instant) != "current":
                continue
            if self._proof_before(loss, version.at) == "stale":
                told.add(version.commit)
                path = next((path for path in loss.sources if version in self._history.versions.get(path, ())), "")
                yield LossStep(version.at, "stale", loss.facts.name, version.commit, version.author, f"{path} changed")
        if self._proof_before(loss, self._now - instant) == "current" and proof_state(loss.facts) == "stale":
            yield LossStep(self._now, "stale", loss.facts.name, why=loss.facts.why)

    def _proof_before(self, loss: _Loss, time: dt.datetime) -> ProofState:
        return self._proof(loss, min(time, self._now - dt.timedelta(microseconds=1)))


def _last_proof(loss: _Loss) -> _Event | None:
    return next((item for item in reversed(loss.events) if item.event.kind == "proven"), None)


def _step(item: _Event, kind: Kind, loss: str, why: str = "") -> LossStep:
    brought = item.brought
    return LossStep(item.at, kind, loss, brought.commit if brought else "", brought.author if brought else "", why)


def _all_events(lines: Iterable[LedgerLine], events: Sequence[ledger.Event]) -> list[_Event]:
    """The events of every version of the ledger, and those that are not committed yet."""
    found: list[_Event] = []
    committed: set[str] = set()
    seen: set[str] = set()
    for line in lines:
        try:
            parsed = ledger.read(line.text.encode(), where="")
        except InputError:  # half a line or a merge marker in some old commit is no event
            continue
        found += [_Event(event, line.brought, line.taken, line.text in seen) for event in parsed]
        seen.add(line.text)
        if line.taken is None:
            committed.update(event.line() for event in parsed)
    found += [_Event(event) for event in events if event.line() not in committed]
    return sorted(found, key=lambda item: item.at)


def _own_events(loss: LossFacts, every: Iterable[_Event]) -> tuple[_Event, ...]:
    """The events of one loss; what the report was told, where the ledger does not have it."""
    own = [item for item in every if item.event.loss == loss.name]
    told: list[tuple[ledger.Kind, dt.datetime | None]] = [("proven", loss.proven_at), ("retired", loss.retired_at)]
    kinds = {item.event.kind for item in own}
    own += [_Event(ledger.Event(at, kind, loss.name)) for kind, at in told if at is not None and kind not in kinds]
    return tuple(sorted(own, key=lambda item: item.at))
