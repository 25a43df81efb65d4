"""What the page shows at a glance: the key figures below its headline, and the call sites left by form. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lossport.project.plural import many
from lossport.report.facts import STAGES, LossFacts
from lossport.report.model import LossRow, Report
from lossport.report.words import figure


@dataclass(frozen=True)
class Figure:
    """One key figure, what it is measured against, and the section that has the rest."""

    label: str
    value: str
    detail: str
    anchor: str


@dataclass(frozen=True)
class Forms:
    """The forms of call sites that are left, the most frequent first, with their totals."""

    names: tuple[str, ...]
    totals: Mapping[str, int]

    @property
    def all(self) -> int:
        """Call sites of every form."""
        return sum(self.totals.values())


@dataclass(frozen=True)
class NextStep:
    """The loss to take next, and the command that does it."""

    loss: LossFacts
    command: str


def next_step(losses: Sequence[LossFacts]) -> NextStep | None:
    """Nothing that waits for a person, then the furthest stage, then the fewest call sites; None once all is done.

    A loss that is retired may still have something to do: its evidence no longer fits, or its shims are not asked for any more.
    """
    left = [loss for loss in losses if loss.stage != "retired"]
    if not left:
        stale = next((loss for loss in losses if loss.why), None)
        return NextStep(stale, stale.next_command or f"lossport parity {stale.name}") if stale else None
    first = min(left, key=lambda loss: (bool(loss.waiting), -STAGES.index(loss.stage), sum(loss.sites_left.values()), loss.name))
    return NextStep(first, f"lossport migrate {first.name}")


def figures(report: Report) -> list[Figure]:
    """Gates, what is left of the old, how large and how clean the new is, and what waits for a person."""
    met = sum(gate.met is True for gate in report.gates)
    open_ones = sum(gate.met is None for gate in report.gates)
    missed = len(report.gates) - met - open_ones
    parts = [f"{missed} missed" if missed else "", f"{open_ones} not measured" if open_ones else ""]
    found = [
        Figure("Gates met", f"{met} of {len(report.gates)}", ", ".join(filter(None, parts)) or "every one", "gates"),
        _legacy_lines(report),
        *(
            Figure(gate.title, gate.value_words.removesuffix(" lines"), gate.target_words(), "gates")
            for gate in report.gates
            if gate.name in ("lines", "duplication") and gate.value is not None
        ),
    ]
    if report.moments:
        tokens, peak = report.moments[-1].new.tokens, max(moment.legacy.tokens for moment in report.moments)
        found.append(Figure(f"Tokens in {report.new_name}/", figure(tokens), _against(report, peak), "progress"))
    forms = sites_by_form(report.losses)
    with_sites = sum(row.sites > 0 for row in report.losses)
    found.append(
        Figure("Call sites left", figure(forms.all), f"of {many(with_sites, 'loss')}" if forms.all else "none", "losses")
    )
    waiting = sum(len(row.facts.waiting) for row in report.losses)
    found.append(Figure("Waiting for a person", figure(waiting), "refused by the codemod" if waiting else "nothing", "waiting"))
    return found


def _against(report: Report, peak: int) -> str:
    """What the legacy tree had at its most: the size that no layout changes."""
    return "what it replaces is unknown" if report.git_problem else f"{report.legacy_name}/ had {figure(peak)} at its most"


def sites_by_form(losses: Sequence[LossRow]) -> Forms:
    """How many call sites of each form are left, over all losses."""
    totals: Counter[str] = Counter()
    for row in losses:
        totals.update({form: count for form, count in row.facts.sites_left.items() if count})
    ranked = dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))
    return Forms(tuple(ranked), ranked)


def _legacy_lines(report: Report) -> Figure:
    title = f"Lines in {report.legacy_name}/"
    if report.git_problem:
        return Figure(title, figure(report.legacy.total), "how many are gone is unknown", "progress")
    now, peak = report.legacy.total, max((moment.legacy.lines for moment in report.moments), default=0)
    gone = f"{figure(peak - now)} of {figure(peak)} gone" if now < peak else "the most there have been"
    return Figure(title, figure(now), gone if peak else "none", "progress")
