"""One week of the migration: what moved, forwards and back, against the week before.

Pure, and from the past alone, so that a week can be told later, also one in which no report was made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lossport.measure.history import History, Moment
from lossport.project.plural import many
from lossport.report.claims import CheckedClaim
from lossport.report.gates import Gate
from lossport.report.past import LossStep, Past, RetiredFile, StandingThen
from lossport.report.trends import gate_then
from lossport.report.words import figure, listed


@dataclass(frozen=True)
class Week:
    """A week as it was at its end, or as it is so far. `before` and `after` are None where git has no state."""

    name: str
    monday: dt.date
    complete: bool
    standing: StandingThen
    standing_before: StandingThen
    before: Moment | None
    after: Moment | None
    steps: tuple[LossStep, ...]
    gone: tuple[RetiredFile, ...]
    gates: tuple[Gate, ...]
    gates_won: tuple[str, ...]
    gates_lost: tuple[str, ...]
    claims: tuple[CheckedClaim, ...]
    previous: str = ""

    @property
    def sunday(self) -> dt.date:
        """The last day."""
        return self.monday + dt.timedelta(days=6)

    @property
    def forwards(self) -> tuple[LossStep, ...]:
        """The steps towards being done."""
        return tuple(step for step in self.steps if not step.back)

    @property
    def backwards(self) -> tuple[LossStep, ...]:
        """The steps away from it."""
        return tuple(step for step in self.steps if step.back)

    @property
    def following(self) -> str:
        """The name of the week after."""
        return week_name(self.monday + dt.timedelta(days=7))

    def names(self, kind: str) -> list[str]:
        """The losses to which something of this kind happened, each once."""
        return list(dict.fromkeys(step.loss for step in self.steps if step.kind == kind))

    def change(self, measure: str) -> int | None:
        """How a measure of the legacy tree changed over the week; None where that is unknown."""
        if self.before is None or self.after is None:
            return None
        return int(getattr(self.after.legacy, measure) - getattr(self.before.legacy, measure))

    @property
    def people(self) -> tuple[str, ...]:
        """Who made the steps, as git names them."""
        return tuple(dict.fromkeys(step.author for step in self.steps if step.author))


def week_name(day: dt.date) -> str:
    """The ISO week of a day, such as 2026-W48."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def weeks(
    past: Past,
    history: History,
    work_tree: Moment,
    gates: Sequence[Gate],
    gone: Sequence[RetiredFile],
    claims: Sequence[CheckedClaim],
    since: dt.date,
    today: dt.date,
) -> tuple[Week, ...]:
    """Every week from `since` to `today`, the first one first."""
    mondays = list(_mondays(since, today))
    names = ["", *map(week_name, mondays)]
    made = (_week(monday, past, history, work_tree, gates, gone, claims, today) for monday in mondays)
    return tuple(replace(week, previous=names[n]) for n, week in enumerate(made))


def sentence_of(week: Week) -> str:
    """The week in one sentence, the steps back in it."""
    retired, proven = week.names("retired"), week.names("proven")
    said = [f"{many(len(retired), 'loss')} retired" if retired else "no loss retired"]
    if proven:
        said.append(f"{len(proven)} proven for the first time")
    lines, tokens = week.change("lines"), week.change("tokens")
    if lines is not None and tokens is not None and lines:
        said.append(f"{figure(abs(lines))} legacy lines ({figure(abs(tokens))} tokens) {'gone' if lines < 0 else 'more'}")
    for kind, words in (
        ("undone", "taken back"),
        ("reverted", "brought back by git"),
        ("stale", "with a proof gone stale"),
        ("failed", "failed parity"),
    ):
        if names := week.names(kind):
            said.append(f"{listed(names)} {words}")
    for gates, words in ((week.gates_won, "met"), (week.gates_lost, "lost")):
        if gates:
            said.append(f"{many(len(gates), 'gate')} {words}: {listed(gates)}")
    return "; ".join(said) + "."


def _week(
    monday: dt.date, past: Past, history: History, work_tree: Moment, gates: Sequence[Gate], gone: Sequence[RetiredFile],
    claims: Sequence[CheckedClaim], today: dt.date,
) -> Week:  # fmt: skip
    days = monday, monday + dt.timedelta(days=7)
    start, end = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in days)
    instant = dt.timedelta(microseconds=1)
    complete = today >= days[1]
    before = history.on(monday - dt.timedelta(days=1))
    after = history.on(days[1] - dt.timedelta(days=1)) if complete else None if history.problem else work_tree
    last = work_tree.at if not complete else end - instant
    standing, earlier = past.at(last), past.at(start - instant)
    then = tuple(_gate_at(gate, after, standing) for gate in gates) if complete else tuple(gates)
    was = {gate.name: _gate_at(gate, before, earlier) for gate in gates}
    grew = {"migrated", "parity"} if len(standing.losses) != len(earlier.losses) else set()  # a new port is no gate lost
    compared = [gate for gate in then if gate.name not in grew]
    return Week(
        name=week_name(monday),
        monday=monday,
        complete=complete,
        standing=standing,
        standing_before=earlier,
        before=before,
        after=after,
        steps=tuple(step for step in past.steps if start <= step.at < end),
        gone=tuple(item for item in gone if start <= item.at < end),
        gates=then,
        gates_won=tuple(gate.title for gate in compared if gate.met and was[gate.name].met is False),
        gates_lost=tuple(gate.title for gate in compared if gate.met is False and was[gate.name].met),
        claims=tuple(item for item in claims if monday <= item.claim.date < days[1]),
    )


def _gate_at(gate: Gate, moment: Moment | None, standing: StandingThen) -> Gate:
    """A gate as it was, by today's target; open where git cannot tell."""
    if gate.name == "migrated":
        total = len(standing.losses)
        return replace(gate, value=float(len(standing.retired)), target=total, unit=f"of {total}", note="")
    if gate.name == "parity":
        total = len(standing.losses)
        current = sum(state == "current" for state in standing.proofs.values())
        return replace(gate, value=float(current), target=total, unit=f"of {total}", note="")
    value = gate_then(gate.name, moment) if moment is not None else None
    return replace(gate, value=value, note="")


def _mondays(since: dt.date, today: dt.date) -> Iterator[dt.date]:
    since = min(since, today)
    monday = since - dt.timedelta(days=since.weekday())
    while monday <= today:
        yield monday
        monday += dt.timedelta(days=7)


def by_name(found: Sequence[Week]) -> Mapping[str, Week]:
    """The weeks by their names."""
    return {week.name: week for week in found}
