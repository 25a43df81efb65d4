"""What a port claims, held against what the cases showed: symbols that none saw work, divergences that none shows, wide ones."""

from __future__ import annotations

from collections.abc import Sequence

from lossport.config import Loss
from lossport.evidence.judging import matches
from lossport.evidence.verdict import Finding, Verdict
from lossport.port import Divergence

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


def wider_than_needed(loss: Loss, device: str, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """What to tell of divergences that allow more than is seen: a pattern that nothing shows, or one for every place.

    Told, not judged: a place may show in variants alone that this run left out. Patterns of variants are not looked at,
    therefore.
    """
    findings = [item for verdict in verdicts for item in verdict.findings]
    return tuple(
        note
        for divergence in _declared(loss, device)
        for note in _idle(divergence, [item for item in findings if item.divergence == divergence.id])
    )


def _idle(divergence: Divergence, shown: Sequence[Finding]) -> list[str]:
    if not shown:
        return []
    cases = {name for item in shown for name in (item.case, item.case.partition("@")[0])}
    places = list(dict.fromkeys(item.place for item in shown))
    of_cases = [pattern for pattern in divergence.cases if "@" not in pattern]
    idle = [pattern for pattern in of_cases if not any(matches(pattern, name) for name in cases)]
    idle += [pattern for pattern in divergence.places if not any(matches(pattern, place) for place in places)]
    notes = [f"divergence {divergence.id}: nothing shows it for {pattern}" for pattern in idle]
    if "*" in divergence.places:
        named = ", ".join(places[:MOST_PLACES_TOLD]) + (" ..." if len(places) > MOST_PLACES_TOLD else "")
        notes.append(f"divergence {divergence.id} speaks for every place and hides whatever else differs; it shows at {named}")
    return notes


def _declared(loss: Loss, device: str) -> list[Divergence]:
    """The divergences that speak of this device."""
    declared = [item for port in loss.ports for item in port.divergences]
    return [item for item in declared if any(matches(pattern, device) for pattern in item.devices)]
