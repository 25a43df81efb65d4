"""The essential part in one screen: how far, what holds each loss up, which gates are missed, what is next. Pure text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lossport.project.plural import many
from lossport.report import STAGES, Facts, Gate, LossFacts, next_step

WIDTH = 80
"""Columns of a terminal that nobody made wider."""
LEFT = 13
"""Where what is said of a stage begins: the longest stage, its count, and spaces."""
MOST_LINES = 6
"""Of names in one group: with more losses than fit, one screen stays one screen."""
MOST_GROUPS = 4
"""Of reasons at one stage, those that hold up the most losses first."""
TITLE, VALUE = 30, 16
"""Columns of a gate's title and of its value."""


@dataclass(frozen=True)
class StyledLine:
    """A line with the style that a terminal may give it."""

    text: str = ""
    style: str = ""


def overview(facts: Facts, gates: Sequence[Gate]) -> tuple[StyledLine, ...]:
    """All of it, in the order in which it is asked for."""
    return tuple(
        [
            StyledLine(_headline(facts.losses), "bold"),
            StyledLine(),
            *_stages(facts.losses),
            StyledLine(),
            *_gates(gates),
            StyledLine(),
            *_next(facts),
        ]
    )


def _headline(losses: Sequence[LossFacts]) -> str:
    retired = sum(loss.stage == "retired" for loss in losses)
    sites = sum(sum(loss.sites_left.values()) for loss in losses)
    waiting = sum(len(loss.waiting) for loss in losses)
    said = [f"{retired} of {many(len(losses), 'loss')} retired"]
    said += [f"{many(sites, 'call site')} left"] if sites else []
    said += [f"{waiting} wait{'s' if waiting == 1 else ''} for a person"] if waiting else []
    return " · ".join(said)


def _stages(losses: Sequence[LossFacts]) -> Iterator[StyledLine]:
    """The losses of each stage by what holds them up, each with its call sites; the furthest stage last."""
    for stage in STAGES:
        groups: dict[str, list[LossFacts]] = {}
        for loss in losses:
            if loss.stage == stage:
                groups.setdefault(_reason(loss), []).append(loss)
        label = f"{stage:<8} {sum(map(len, groups.values())):>3}"
        ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
        shown = [text for reason, group in ranked[:MOST_GROUPS] for text in _group(reason, group)]
        if rest := sum(len(group) for _, group in ranked[MOST_GROUPS:]):
            shown.append(f"... and {rest} more: lossport status --json")
        for text in shown:
            yield StyledLine(f"{label:<{LEFT}} {text}")
            label = ""


def _group(reason: str, group: Sequence[LossFacts]) -> Iterator[str]:
    """A reason and the losses that it holds up; of a single loss in one go."""
    if len(group) == 1 and group[0].stage != "proven":
        yield from _wrapped(f"{_name(group[0])}: {reason}" if reason else _name(group[0]))
    else:
        yield from _wrapped(f"{reason}:" if reason else "")
        yield from _names(group)


def _reason(loss: LossFacts) -> str:
    """Why not further; the number of call sites stands beside the name."""
    return "call sites left" if loss.stage == "proven" else loss.why


def _names(group: Sequence[LossFacts]) -> Iterator[str]:
    lines = _wrapped("\N{NO-BREAK SPACE}· ".join(map(_name, group)))
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"... in all {len(group)}: lossport status --json"


def _name(loss: LossFacts) -> str:
    sites = sum(loss.sites_left.values())
    return f"{loss.name}\N{NO-BREAK SPACE}{sites}" if sites else loss.name


def _wrapped(text: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - LEFT - 1, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def _gates(gates: Sequence[Gate]) -> Iterator[StyledLine]:
    """How many are met, and those that are not: missed ones with value and target, unmeasured ones with the reason."""
    met = sum(gate.met is True for gate in gates)
    yield StyledLine(f"{'gates':<{LEFT}} {met} of {len(gates)} met")
    for word, state in (("missed", False), ("open", None)):
        label = word
        for gate in gates:
            if gate.met is state:
                yield StyledLine(f"{label:<{LEFT}} {_gate(gate)}", "red" if state is False else "")
                label = ""


def _gate(gate: Gate) -> str:
    title = gate.title if len(gate.title) <= TITLE else f"{gate.title[: TITLE - 3]}..."
    said = f"{title:<{TITLE}} {gate.value_words:>{VALUE}}   {gate.target_words()}"
    return said[: WIDTH - LEFT - 1].rstrip()


def _next(facts: Facts) -> Iterator[StyledLine]:
    step = next_step(facts.losses)
    yield StyledLine(f"{'next':<{LEFT}} {step.command if step else 'nothing: every loss is retired'}", "bold")
