"""The smallest run that still differs: batch, width, steps, departures from plain, then values. Order and limits are fixed.

A smaller run counts only if it differs at the same place as the first one did, and no divergence declares it there, so that
shrinking never slips into another difference.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lossport.judge.pair import Pair
from lossport.judge.verdict import Finding, Verdict
from lossport.observe.isolation import resolve
from lossport.observe.run import Run, Trace, observe
from lossport.project.inputs import PLAIN, Variation
from lossport.project.plural import many

MOST_TRIES = 60
"""Smaller runs that are tried, more than there are unless a loss has dozens of options. They are not timed, so that a busy
machine finds the same counterexample."""

SMALL = (1, 2, 3, 4)
"""Batches and widths to try, smallest first: with four rows every difference seen so far shows."""

PLAINER = ("repeats", "carry", "mode", "training", "dtype", "layout", "second", "scale", "seed")
"""Departures that may turn out to be beside the point, the most far-reaching first."""

VALUES = ("whole", "tenths")
"""Values that are easier to read than nine digits, the easiest first."""


@dataclass(frozen=True)
class Smallest:
    """The smallest run found, and what it shows."""

    case: str
    variation: Variation
    finding: Finding

    @property
    def words(self) -> str:
        """`batch 2, dim 1, 1 step`."""
        told = []
        if self.variation.batch is not None:
            told.append(f"batch {self.variation.batch}")
        if self.variation.dim is not None:
            told.append(f"dim {self.variation.dim}")
        if self.variation.steps is not None:
            told.append(many(self.variation.steps, "step"))
        departures = [f"{name} {getattr(self.variation, name)}" for name in PLAINER if _departs(self.variation, name)]
        return ", ".join([*told, *departures]) or "the case as it is written"


def shrink(pair: Pair, verdict: Verdict, variation: Variation) -> Smallest | None:
    """Make the first undeclared difference of a verdict as small as it gets in `MOST_TRIES`."""
    case = verdict.case.partition("@")[0]
    target = next((item for item in verdict.findings if item.divergence is None), None)
    if target is None:
        return None
    smallest = Smallest(case, variation, target)
    tries = 0
    for stage in (*_STAGES, partial(_fewer_options, _options(pair, case, variation)), _readable):
        for smaller in stage(smallest):
            tries += 1
            if tries > MOST_TRIES:
                return smallest
            found = _differs(pair, case, smaller, verdict.case, target.place)
            if found is not None:
                smallest = Smallest(case, smaller, found)
                break
    return smallest


def _differs(pair: Pair, case: str, variation: Variation, name: str, place: str) -> Finding | None:
    """The finding at the place, if this run still shows it and nothing declares it."""
    verdict = pair.undeclared(case, variation, name)
    found = verdict.findings if verdict is not None else ()
    return next((item for item in found if item.place == place and item.divergence is None), None)


def _departs(variation: Variation, name: str) -> bool:
    return bool(getattr(variation, name) != getattr(PLAIN, name))


def _with(variation: Variation, name: str, value: Any) -> Variation:
    changed: dict[str, Any] = {name: value}
    return replace(variation, **changed)


def _smaller_sizes(field: str) -> Any:
    def sizes(smallest: Smallest) -> Iterator[Variation]:
        now = getattr(smallest.variation, field)
        for size in SMALL:
            if now is None or size < now:
                yield _with(smallest.variation, field, size)

    return sizes


def _fewer_steps(smallest: Smallest) -> Iterator[Variation]:
    """Stop right after the step that differs."""
    number = int("".join(character for character in smallest.finding.moment if character.isdigit()) or 1)
    if smallest.variation.repeats == 1:
        yield _with(smallest.variation, "steps", number)


def _plainer(name: str) -> Any:
    def departures(smallest: Smallest) -> Iterator[Variation]:
        if _departs(smallest.variation, name):
            yield _with(smallest.variation, name, getattr(PLAIN, name))

    return departures


def _options(pair: Pair, case: str, variation: Variation) -> tuple[str, ...]:
    """The options that the case gives and that mean the same on both sides when left out: their defaults are equal."""
    trace = Trace()
    observe(pair.legacy, case, Run(variation, pair.device), trace)
    found: dict[str, None] = {}
    for built in trace.built:
        port = pair.ports.get(built.symbol)
        if port is None or not hasattr(built.instance, "__init__"):
            continue
        old = _defaults(type(built.instance))
        with pair.new.scope.active():
            new = _defaults(resolve(port.new))
        given = list(old)[: len(built.args)] + list(built.kwargs)
        found.update({name: None for name in given if _same_default(old, new, name, pair.new.options.get(name, name))})
    return tuple(found)


def _same_default(old: Mapping[str, object], new: Mapping[str, object], name: str, renamed: str) -> bool:
    default = old.get(name, inspect.Parameter.empty)
    other = new.get(renamed, default)
    return default is not inspect.Parameter.empty and type(default) is type(other) and default == other


def _defaults(target: Callable[..., object]) -> dict[str, object]:
    """The constructor's parameters with their defaults, in order."""
    try:
        return {name: item.default for name, item in inspect.signature(target).parameters.items()}
    except (TypeError, ValueError):
        return {}


def _fewer_options(options: Sequence[str], smallest: Smallest) -> Iterator[Variation]:
    """All options left out, then all but one, then each one."""
    for kept in (None, *options):
        yield _with(smallest.variation, "without", tuple(name for name in options if name != kept))
    for name in options:
        yield _with(smallest.variation, "without", (name,))


def _readable(smallest: Smallest) -> Iterator[Variation]:
    if smallest.variation.values == "drawn":
        for values in VALUES:
            yield _with(smallest.variation, "values", values)


_STAGES = (
    *(_plainer(name) for name in PLAINER[:3]),
    _smaller_sizes("batch"),
    _smaller_sizes("dim"),
    _fewer_steps,
    *(_plainer(name) for name in PLAINER[3:]),
)
