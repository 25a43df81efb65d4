"""The report as files: one page of HTML, its copy under the name of the week, and the same figures as JSON.

Turns values into bytes; whoever calls decides when and how they are written. Everything that comes from the repository is
escaped by Jinja, and the page forbids itself every request.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from lossport import __version__
from lossport.measure import MIN_LINES, MIN_TOKENS, Architecture, Corpus, FileMeasure, Part
from lossport.report.facts import STAGES, CellState, ParityCell
from lossport.report.forecast import PACE_DAYS, Forecast
from lossport.report.gates import Gate
from lossport.report.metrics import metrics_json
from lossport.report.model import LossRow, Report
from lossport.report.series import shared_pairs
from lossport.report.trends import Trend

TEMPLATES = Path(__file__).parent / "templates"

SECTIONS = (
    ("headline", "Headline"),
    ("losses", "Losses"),
    ("gates", "Gates"),
    ("progress", "Progress"),
    ("copies", "Copies"),
    ("parity", "Parity"),
    ("retired", "Retired"),
    ("waiting", "Waiting"),
    ("files", "Files"),
    ("method", "Method"),
)

MOST_FILES = 150
LONGEST_LIST = 40
"""Rows beyond these are in metrics.json: the page stays under 500 KB and can be read to its end."""

NOTHING = "\N{EN DASH}"
"""Stands where there is no value."""
SMALLEST = 0.1
"""What is less than this, and not nothing, is shown as such."""
TIMES = "\N{MULTIPLICATION SIGN}"

_VERDICTS: dict[CellState, tuple[str, str, str]] = {
    "passed": ("good", "✓", "passed"),
    "failed": ("bad", "✗", "failed"),
    "stale": ("open", "↻", "stale"),
    "missing": ("soft", NOTHING, "not run"),
}
"""Colour, sign and word of each state."""

_WORSE: tuple[CellState, ...] = ("passed", "missing", "stale", "failed")
"""In the order of what a reader must know about a device."""


def render_report(report: Report) -> dict[str, bytes]:
    """The files of a report by name, below the reports folder: `index.html`, `<ISO week>.html` and `metrics.json`."""
    page = _page(report).encode()
    return {"index.html": page, f"{report.week}.html": page, "metrics.json": metrics_json(report)}


def _page(report: Report) -> str:
    environment = _environment()
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    existing = {*report.legacy.files, *report.new.files}
    existing.update(path for row in report.losses for path in (row.port, row.cases) if path)
    return environment.get_template("page.html.j2").render(
        report=report,
        sections=SECTIONS,
        stages=STAGES,
        words={state: word for state, (_, _, word) in _VERDICTS.items()},
        style=Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=__version__,
        next_up=next_up(report),
        met=[gate for gate in report.gates if gate.met],
        columns=_columns(report),
        devices=_devices(report),
        cells={(row.facts.name, (cell.device, cell.dtype)): cell for row in report.losses for cell in row.facts.parity},
        waiting={row.facts.name: row.facts.waiting for row in report.losses if row.facts.waiting},
        shown={name: _longest(corpus) for name, corpus in ((report.legacy_name, report.legacy), (report.new_name, report.new))},
        limit=LONGEST_LIST,
        score_rows=_score_rows(report.legacy_architecture, report.new_architecture),
        pairs=(shared_pairs(report.legacy.duplication.shared), shared_pairs(report.history.peak_shared)),
        most_shared=max([*report.legacy.duplication.shared.values(), *report.history.peak_shared.values()], default=0),
        pace_days=PACE_DAYS,
        min_tokens=MIN_TOKENS,
        min_lines=MIN_LINES,
        links=(report.root_link, existing),
    )


def next_up(report: Report) -> LossRow | None:
    """The loss to take next: nothing that waits for a person, then the furthest stage, then the fewest call sites."""
    left = [row for row in report.losses if row.facts.stage != "retired"]
    return min(
        left,
        key=lambda row: (bool(row.facts.waiting), -STAGES.index(row.facts.stage), row.sites, row.facts.name),
        default=None,
    )


def _columns(report: Report) -> list[tuple[str, str]]:
    """Every device and dtype that some loss has a cell for: CPU first, single precision first."""
    known = {(cell.device, cell.dtype) for row in report.losses for cell in row.facts.parity}
    return sorted(known, key=lambda pair: (pair[0] != "cpu", pair[0], pair[1] != "float32", pair[1]))


def _devices(report: Report) -> dict[str, list[tuple[str, CellState]]]:
    """For each loss the worst state on each device."""
    return {
        row.facts.name: [
            (device, max((cell.state for cell in cells), key=_WORSE.index))
            for device, cells in groupby(sorted(row.facts.parity, key=_cpu_first), key=lambda cell: cell.device)
        ]
        for row in report.losses
    }


def _cpu_first(cell: ParityCell) -> tuple[bool, str]:
    return cell.device != "cpu", cell.device


def _longest(corpus: Corpus) -> list[tuple[str, FileMeasure]]:
    """The files that are listed, in order of path: all of them, unless they are too many."""
    by_length = sorted(corpus.files.items(), key=lambda item: (item[1].problem is None, -item[1].total))
    return sorted(by_length[:MOST_FILES])


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
        figure=figure,
        fraction=lambda value: f"{value:.2f}",
        link=_link,
        mark=_mark,
        mood=_mood,
        opening=lambda text: text[:1].upper() + text[1:],
        many=many,
        percent=lambda value: f"{value:.1f} %",
        ratios=_ratios,
        sentence=_sentence,
        span=_span,
        timing=_timing,
        trend=_trend,
        unit=lambda gate: "" if gate.unit.startswith("of") else gate.unit,
        value=gate_value,
        verdict=_verdict,
    )
    return environment


def day(date: dt.date) -> str:
    """A day as people write it: 5 May 2026."""
    return f"{date.day} {date:%B %Y}"


def figure(value: float | None) -> str:
    """A number with thousands apart and no digits that mean nothing; a dash for none."""
    if value is None:
        return NOTHING
    if 0 < abs(value) < SMALLEST:
        return f"< {SMALLEST}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def many(count: int, word: str) -> str:
    """A count with its word: 1 day, 2 days; loss and losses."""
    return f"{count} {word}" if count == 1 else f"{count} {word}{'es' if word.endswith('s') else 's'}"


def gate_value(gate: Gate) -> str:
    """A gate's value with its unit, or that it was not measured."""
    if gate.value is None:
        return "not measured"
    unit = gate.unit.removesuffix("s") if gate.value == 1 else gate.unit
    return f"{figure(gate.value)} {unit}".strip()


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


def _timing(cell: ParityCell, today: dt.date) -> str:
    took = f"{cell.seconds:.1f} s" if cell.seconds is not None else ""
    return ", ".join(filter(None, [took, age(cell.at, today) if cell.at else ""]))


def age(at: dt.datetime, today: dt.date) -> str:
    """How long ago, in days."""
    days = (today - at.date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def _ratios(cell: ParityCell) -> str:
    time = f"{cell.time_ratio:.2f} {TIMES} time" if cell.time_ratio is not None else ""
    memory = f"{cell.memory_ratio:.2f} {TIMES} memory" if cell.memory_ratio is not None else ""
    return ", ".join(filter(None, [time, memory]))


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


def _span(end: Forecast) -> str:
    """When the forecast expects the end, in words."""
    early, late = (day(date) if date else "" for date in (end.early, end.late))
    if not early:
        return "not within ten years"
    return f"between {early} and {late}" if late else f"not before {early}, with no end that can be named"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


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
