"""The report as files: the page of today, one page a week with an index of them, and the same figures as JSON.

Turns values into bytes; whoever calls decides when and how they are written. Everything that comes from the repository is
escaped by Jinja, and the page forbids itself every request.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from lossport import __version__
from lossport.measure import MIN_LINES, MIN_TOKENS, Architecture, Corpus, FileMeasure, Part
from lossport.project.plural import many
from lossport.report.facts import STAGES, CellState, ParityCell
from lossport.report.forecast import LEAST_EVENTS, PACE_DAYS
from lossport.report.gates import Gate
from lossport.report.glance import figures, next_step, sites_by_form
from lossport.report.matrix import parity_matrix, worst_states
from lossport.report.metrics import metrics_json
from lossport.report.model import LossRow, Report
from lossport.report.risks import risks
from lossport.report.series import shared_pairs
from lossport.report.sidebyside import side_by_side
from lossport.report.trends import Trend
from lossport.report.weeks import Week, sentence_of
from lossport.report.words import NOTHING, age, day, duration, figure, listed, sentence, span

TEMPLATES = Path(__file__).parent / "templates"

SECTIONS = (
    ("headline", "Headline"),
    ("week", "This week"),
    ("risk", "At risk"),
    ("losses", "Losses"),
    ("gates", "Gates"),
    ("waiting", "Waiting"),
    ("progress", "Progress"),
    ("parity", "Parity"),
    ("copies", "Copies"),
    ("options", "Options"),
    ("files", "Files"),
    ("method", "Method"),
)

SHOWN_RISKS = 8
"""What fits beside the headline on one screen; the rest is folded."""

LARGEST = 480_000
"""Bytes that a page may have: it stays under 500 KB."""


@dataclass(frozen=True)
class Limits:
    """How many rows of each kind are listed; those beyond are in metrics.json."""

    losses: int
    files: int
    items: int
    waiting: int


LIMITS = (Limits(1000, 150, 40, 40), Limits(400, 60, 30, 10), Limits(200, 30, 15, 3), Limits(100, 20, 10, 1))
"""The first that makes a page small enough is taken, so that a small project hides nothing."""


_VERDICTS: dict[CellState, tuple[str, str, str]] = {
    "passed": ("good", "✓", "passed"),
    "failed": ("bad", "✗", "failed"),
    "stale": ("open", "↻", "stale"),
    "missing": ("soft", NOTHING, "not run"),
}
"""Colour, sign and word of each state."""


def render_report(report: Report) -> dict[str, bytes]:
    """The files of a report by name, below the reports folder.

    `index.html`, `<ISO week>.html` for each week without a final page, `weeks.html`, `losses/<loss>.html` and `metrics.json`.
    """
    losses = {f"losses/{row.facts.name}.html": loss_page(report, row) for row in report.losses}
    pages = {f"{week.name}.html": week_page(report, week) for week in report.weeks if week.name not in report.kept}
    return {
        "index.html": _page(report).encode(),
        **pages,
        **losses,
        "weeks.html": weeks_page(report),
        "metrics.json": metrics_json(report),
    }


def week_page(report: Report, week: Week) -> bytes:
    """The page of one week: from git and the ledger alone, so that it can be made later as well."""
    return _environment().get_template("week.html.j2").render(**_common(report), week=week).encode()


def loss_page(report: Report, row: LossRow) -> bytes:
    """Everything about one loss."""
    common = _common(report)
    root, existing = common["links"]
    existing |= {path for path in (row.port, row.cases) if path}
    return (
        _environment()
        .get_template("loss.html.j2")
        .render(
            **{**common, "links": (f"../{root}", existing)},
            row=row,
            facts=row.facts,
            steps=[step for step in report.steps if step.loss == row.facts.name],
            pairs=side_by_side(*row.sources),
        )
        .encode()
    )


def weeks_page(report: Report) -> bytes:
    """The index of weeks, the latest first."""
    return _environment().get_template("weeks.html.j2").render(**_common(report)).encode()


def _common(report: Report) -> dict[str, Any]:
    """What every page needs."""
    return {
        "report": report,
        "style": Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        "version": __version__,
        "limits": LIMITS[0],
        "links": (report.root_link, {*report.legacy.files, *report.new.files}),
    }


def _page(report: Report) -> str:
    pages = (_rendered(report, limits) for limits in LIMITS)
    text = next(pages)
    while len(text.encode()) > LARGEST and (shorter := next(pages, None)):
        text = shorter
    return text


def _rendered(report: Report, limits: Limits) -> str:
    environment = _environment()
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    existing = {*report.legacy.files, *report.new.files}
    existing.update(path for row in report.losses for path in (row.port, row.cases) if path)
    return environment.get_template("page.html.j2").render(
        report=report,
        week=report.weeks[-1],
        sections=[(anchor, title) for anchor, title in SECTIONS if anchor != "options" or report.facts.options],
        stages=STAGES,
        words={state: word for state, (_, _, word) in _VERDICTS.items()},
        style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=__version__,
        next_step=next_step([row.facts for row in report.losses]),
        risks=risks(report.losses, report.gates, report.gates_lost),
        shown_risks=SHOWN_RISKS,
        titles=dict(SECTIONS),
        met=[gate for gate in report.gates if gate.met],
        matrix=parity_matrix(report.losses),
        devices={row.facts.name: worst_states(row) for row in report.losses},
        waiting=[(row.facts.name, row.facts.waiting) for row in report.losses if row.facts.waiting],
        figures=figures(report),
        owned=any(row.owners for row in report.losses),
        forms=sites_by_form(report.losses),
        depths=_depths(report.legacy, report.new),
        shown={
            name: _longest(corpus, limits.files)
            for name, corpus in ((report.legacy_name, report.legacy), (report.new_name, report.new))
        },
        limits=limits,
        score_rows=_score_rows(report.legacy_architecture, report.new_architecture),
        pairs=(shared_pairs(report.legacy.duplication.shared), shared_pairs(report.history.peak_shared)),
        most_shared=max([*report.legacy.duplication.shared.values(), *report.history.peak_shared.values()], default=0),
        pace_days=PACE_DAYS,
        least_events=LEAST_EVENTS,
        min_tokens=MIN_TOKENS,
        min_lines=MIN_LINES,
        links=(report.root_link, existing),
    )


def _depths(*corpora: Corpus) -> dict[str, int]:
    """The deepest class of each file."""
    depths: dict[str, int] = {}
    for corpus in corpora:
        for item in corpus.classes:
            depths[item.path] = max(item.depth, depths.get(item.path, 0))
    return depths


def _longest(corpus: Corpus, most: int) -> list[tuple[str, FileMeasure]]:
    """The files that are listed, in order of path: all of them, unless they are too many."""
    by_length = sorted(corpus.files.items(), key=lambda item: (item[1].problem is None, -item[1].total))
    return sorted(by_length[:most])


def _score_rows(*scores: Architecture | None) -> list[tuple[str, int, list[Part | None]]]:
    """The parts of each score side by side; None for a tree without a score."""
    first = next((score for score in scores if score), None)
    return [
        (part.name, part.weight, [score.parts[index] if score else None for score in scores])
        for index, part in enumerate(first.parts if first else ())
    ]


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters.update(
        counts=_counts,
        data=lambda value: "" if value is None else f"{value:g}",
        day=day,
        duration=duration,
        figure=figure,
        fraction=lambda value: f"{value:.2f}",
        link=_link,
        loss_link=_loss_link,
        mark=_mark,
        mood=_mood,
        opening=lambda text: text[:1].upper() + text[1:],
        listed=listed,
        many=many,
        percent=lambda value: f"{value:.1f} %",
        ratio=lambda value: NOTHING if value is None else f"{value:.2f}",
        result=_result,
        sentence=sentence,
        sentence_of=sentence_of,
        span=span,
        timing=_timing,
        trend=_trend,
        verdict=_verdict,
    )
    return environment


def _mark(gate: Gate) -> Markup:
    mood, sign, word = {True: ("good", "✓", "met"), False: ("bad", "✗", "not met"), None: ("soft", NOTHING, "open")}[gate.met]
    return Markup('<span class="mark {}" aria-hidden="true">{}</span><span class="hidden">{}: </span>').format(mood, sign, word)


def _mood(gate: Gate) -> str:
    return {True: "good", False: "bad", None: "soft"}[gate.met]


def _verdict(state: CellState) -> Markup:
    mood, sign, word = _VERDICTS[state]
    return Markup('<span class="{}" aria-hidden="true">{}</span><span class="hidden">{}</span>').format(mood, sign, word)


def _counts(cell: ParityCell) -> str:
    parts = ((cell.equal, "equal"), (cell.close, "close"), (cell.intended, "intended"), (cell.different, "different"))
    return " · ".join(f"{count} {word}" for count, word in parts if count)


def _result(cell: ParityCell) -> Markup:
    """A verdict as a sign and the counts that the section explains, or how many of all cases differ; a voice hears the word."""
    mood, sign, word = _VERDICTS[cell.state]
    if cell.different:
        digits = Markup('<strong class="bad">{} of {}</strong>').format(cell.different, cell.cases)
    else:
        digits = Markup(" · ".join(map(str, (cell.equal, cell.close, cell.intended))) if cell.cases else word)
    said = Markup('<span class="hidden">{}: </span>').format(word) if cell.state != "passed" and cell.cases else ""
    return Markup('<b class="{}">{}</b> {}{}').format(mood, sign, said, digits)


def _timing(cell: ParityCell, today: dt.date) -> str:
    took = f"{cell.seconds:.1f} s" if cell.seconds is not None else ""
    return ", ".join(filter(None, [took, age(cell.at, today) if cell.at else ""]))


def _trend(trend: Trend | None) -> Markup:
    """An arrow with the change and since when, coloured by whether it is for the better."""
    if trend is None:
        return Markup('<span class="soft">{}</span>').format(NOTHING)
    arrow = "\N{UPWARDS ARROW}" if trend.change > 0 else "\N{DOWNWARDS ARROW}" if trend.change < 0 else ""
    if not arrow or round(abs(trend.change), 1) == 0:
        return Markup('<span class="soft">steady</span>')
    mood, word = ("good", "better") if trend.better else ("bad", "worse")
    return Markup(
        '<span class="{}">{} {}</span><span class="hidden"> {}</span><br><span class="soft small">since {}</span>'
    ).format(mood, arrow, figure(round(abs(trend.change), 1)), word, f"{trend.since.day} {trend.since:%b}")


def _loss_link(name: str) -> Markup:
    """A loss's name as a link to its page."""
    return Markup('<a href="losses/{}.html">{}</a>').format(quote(name, safe=""), Markup("_<wbr>").join(name.split("_")))


@jinja2.pass_context
def _link(context: jinja2.runtime.Context, path: str, line: int | None = None, shown: str = "") -> Markup:
    """A path as a link if the file is there, relative to the page; plain text otherwise."""
    links: tuple[str, set[str]] = context["links"]
    root, existing = links
    shown = shown or (f"{path}:{line}" if line else path)
    words = Markup("_<wbr>").join(shown.split("_"))  # long names may break there
    if path not in existing and not line:
        return Markup('<span class="soft">{}</span>').format(words)
    return Markup('<a href="{}">{}</a>').format(quote(f"{root}/{path}"), words)
