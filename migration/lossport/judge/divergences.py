"""What a port claims, held against what the cases showed: symbols that none saw work, divergences that none shows, wide ones."""

from __future__ import annotations

from collections.abc import Sequence

from lossport.judge.comparison import matches
from lossport.judge.verdict import Finding, Verdict
from lossport.project.config import Loss
from lossport.project.port import Divergence

UNSEEN = "no case saw it return anything: either none uses it, or all that do end in an exception; write one that ends well"

MOST_PLACES_TOLD = 4
"""Of those that could stand in place of a pattern for everything."""


def not_seen(loss: Loss, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """A verdict on each legacy symbol that no case saw come to a result: that both sides raise says nothing about the rest.

    Cases that are not provable tell as much by themselves.
    """
    if any(item.kind == "not provable" for item in verdicts):
        return []
    seen = {symbol for item in verdicts for symbol in item.used}
    unseen = [port.legacy for port in loss.ports if port.legacy not in seen]
    return [Verdict(symbol, "not provable", reason=UNSEEN) for symbol in unseen]


def not_shown(loss: Loss, device: str, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """The divergences declared for this device that no case shows."""
    shown = {name for verdict in verdicts for name in verdict.divergences}
    return tuple(item.id for item in _declared(loss, device) if item.id not in shown)


def too_wide(loss: Loss, device: str, verdicts: Sequence[Verdict], *, complete: bool) -> tuple[str, ...]:
    """What to tell of divergences that allow more than is seen: one for every place and, after a `complete` run, idle patterns.

    A run that leaves variants out cannot tell idle ones: they may speak of those.
    """
    findings = [item for verdict in verdicts for item in verdict.findings]
    notes: list[str] = []
    for divergence in _declared(loss, device):
        shown = [item for item in findings if item.divergence == divergence.id]
        notes += _for_every_place(divergence, shown) + (_idle(divergence, shown) if complete else [])
    return tuple(notes)


def _for_every_place(divergence: Divergence, shown: Sequence[Finding]) -> list[str]:
    places = list(dict.fromkeys(item.place for item in shown))
    if "*" not in divergence.places or not places:
        return []
    named = ", ".join(places[:MOST_PLACES_TOLD]) + (" ..." if len(places) > MOST_PLACES_TOLD else "")
    return [f"divergence {divergence.id} speaks for every place and hides whatever else differs; it shows at {named}"]


def _idle(divergence: Divergence, shown: Sequence[Finding]) -> list[str]:
    cases = {name for item in shown for name in (item.case, item.case.partition("@")[0])}
    places = {item.place for item in shown}
    idle = [pattern for pattern in divergence.cases if not any(matches(pattern, name) for name in cases)]
    idle += [pattern for pattern in divergence.places if not any(matches(pattern, place) for place in places)]
    return [f"divergence {divergence.id}: nothing shows it for {pattern}" for pattern in idle] if shown else []


def _declared(loss: Loss, device: str) -> list[Divergence]:
    """The divergences that speak of this device."""
    declared = [item for port in loss.ports for item in port.divergences]
    return [item for item in declared if any(matches(pattern, device) for pattern in item.devices)]
