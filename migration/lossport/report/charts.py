"""Charts as inline SVG, drawn by matplotlib: what a chart says is a frozen value, how it looks is decided here alone.

Colours become CSS variables, so that one drawing serves light, dark and paper; text stays text. Each chart is drawn twice, for
wide and for narrow screens. matplotlib is imported only when a chart was never drawn before: drawings are remembered by what they
say.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lossport.measure.cache import Memory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DRAWING = 3
"""Raised whenever charts look different, so that remembered drawings are not shown for new ones."""

WIDTHS: Mapping[str, int] = {"wide": 540, "narrow": 340}
"""Pixels at which letters have their true size: half of the page, and a phone."""
HEIGHT = 270
LETTERS = 11.5
"""Size of letters in pixels."""

LETTER_WIDTH = 0.6
"""Of the size of letters: what a letter of DejaVu Sans takes on average, with some to spare."""
LARGEST_SQUARE = 17.0
"""A square as high as a line of text."""
SHADES = 5
"""More shades cannot be told apart."""

_INK = {"ink": "#010101", "soft": "#020202", "line": "#030303", "ground": "#040404"}
_SERIES = {f"series-{number}": f"#05050{number}" for number in range(1, 5)}
_COLOURS = {**_INK, **_SERIES}
"""Stand-ins that matplotlib can take; each becomes the CSS variable of its name."""

_SETTINGS = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": LETTERS,
    "text.color": _INK["ink"],
    "text.parse_math": False,
    "axes.edgecolor": _INK["line"],
    "axes.labelcolor": _INK["soft"],
    "xtick.color": _INK["soft"],
    "ytick.color": _INK["soft"],
    "timezone": "UTC",
}
"""Text as text, in a font that matplotlib brings along, and a dollar sign in a file name is a dollar sign."""


@dataclass(frozen=True)
class ChartLine:
    """A row of values over time. Steps hold each value until the next; dashes are no measurements.

    Points stand alone, and without a label of their own: they have the colour of the line they belong to.
    """

    label: str
    points: tuple[tuple[dt.datetime, float], ...]
    colour: int = 1
    kind: str = "step"


@dataclass(frozen=True)
class TimeChart:
    """Values over time. `target` is a level to reach; `span` a time within which the last line may end."""

    name: str
    title: str
    summary: str
    lines: tuple[ChartLine, ...]
    unit: str = ""
    target: float | None = None
    span: tuple[dt.datetime, dt.datetime] | None = None


@dataclass(frozen=True)
class StairChart:
    """Names down a staircase, and squares where two of them meet that share lines; names in `gone` are shown paler."""

    name: str
    title: str
    summary: str
    names: tuple[str, ...]
    gone: tuple[str, ...]
    squares: tuple[tuple[int, int, int], ...]
    most: int


Chart = TimeChart | StairChart


def drawn(chart: Chart, memory: Memory) -> Markup:
    """The chart as SVG for every width, with its title and summary for those who cannot see it."""
    said = json.dumps([DRAWING, type(chart).__name__, asdict(chart)], default=str)
    key = f"chart {hashlib.sha256(said.encode()).hexdigest()}"
    drawings: Mapping[str, str] = memory.recall(key, lambda: {size: _svg(chart, size) for size in WIDTHS})
    return Markup("").join(
        Markup('<div class="{}">{}</div>').format(size, _described(chart, size, drawing)) for size, drawing in drawings.items()
    )


def _described(chart: Chart, size: str, drawing: str) -> Markup:
    """The drawing with its text alternative, which is escaped here: matplotlib escapes only what it draws."""
    name = f"{chart.name}-{size}"
    opening = Markup('<svg role="img" aria-labelledby="{0}-title {0}-summary" id="{0}"').format(name)
    words = Markup('<title id="{0}-title">{1}</title><desc id="{0}-summary">{2}</desc>').format(name, chart.title, chart.summary)
    head, _, rest = drawing.partition(">")
    return opening + Markup(head.removeprefix("<svg")) + Markup(">") + words + Markup(rest)


def _svg(chart: Chart, size: str) -> str:
    import matplotlib as mpl  # noqa: PLC0415 - half a second, and not needed where nothing changed
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    settings: Any = {**_SETTINGS, "svg.hashsalt": f"{chart.name}-{size}"}
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever the person's own matplotlibrc says
        mpl.rcParams.update(settings)
        if isinstance(chart, TimeChart):
            figure = Figure(figsize=(WIDTHS[size] / 72, HEIGHT / 72))
            _draw_time(figure, chart, WIDTHS[size])
        else:
            figure = Figure(figsize=(WIDTHS[size] / 72, _stair_height(chart, WIDTHS[size]) / 72))
            _draw_stair(figure, chart, WIDTHS[size])
        FigureCanvasSVG(figure)
        output = io.StringIO()
        figure.savefig(output, format="svg", transparent=True, metadata={"Date": None})
    return _inline(output.getvalue(), f"{chart.name}-{size}")


def _inline(text: str, prefix: str) -> str:
    """A drawing fit for a page: without prolog and metadata, ids that no other chart has, colours and fonts of the page."""
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'^<svg[^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1">', svg, count=1, flags=re.S)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\1{prefix}-", svg)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r"font: ?([0-9.]+px)[^;\"]*", r"font-size: \1; font-family: inherit", svg)
    svg = re.sub(r"(\.\d)\d+", r"\1", svg)
    for name, stand_in in _COLOURS.items():
        svg = svg.replace(stand_in, f"var(--{name})")
    return re.sub(r"\s*\n\s*", "\n", svg)


def _draw_time(figure: Figure, chart: TimeChart, width: int) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415

    axes = figure.add_axes((44 / width, 0.13, 1 - 62 / width, 0.74))
    _quiet(axes)
    for line in chart.lines:
        _draw_line(axes, line)
    if chart.span:
        axes.axvspan(*chart.span, color=_SERIES[f"series-{chart.lines[-1].colour}"], alpha=0.14, linewidth=0)  # type: ignore[arg-type]
    if chart.target is not None:
        axes.axhline(chart.target, color=_INK["soft"], linewidth=1, linestyle=(0, (1, 2.5)))
    values = [value for line in chart.lines for _, value in line.points] + [chart.target or 0]
    axes.set_ylim(0, (max(values) or 1) * 1.08)
    locator: Any = AutoDateLocator(minticks=2, maxticks=6 if width > 400 else 4)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}{' %' if chart.unit == '%' else ''}"))
    _legend(axes, chart)


def _draw_line(axes: Axes, line: ChartLine) -> None:
    times: Sequence[Any] = [at for at, _ in line.points]
    values = [value for _, value in line.points]
    colour = _SERIES[f"series-{line.colour}"]
    if line.kind == "points":
        axes.plot(times, values, color=colour, linestyle="none", marker="D", markersize=6.5)
    elif line.kind == "dashes":
        axes.plot(times, values, color=colour, linewidth=1.5, linestyle=(0, (4, 3)), label=line.label)
    else:
        axes.plot(times, values, color=colour, linewidth=2, drawstyle="steps-post", label=line.label)
        axes.plot(times[-1:], values[-1:], color=colour, marker="o", markersize=4.5)


def _legend(axes: Axes, chart: TimeChart) -> None:
    """Labels above the plot, in the order of the lines."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=3,
        frameon=False,
        handlelength=1.2,
        handletextpad=0.5,
        columnspacing=1.3,
        borderaxespad=0.1,
        labelcolor=_INK["ink"],
    )


def _quiet(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", length=3)
    axes.grid(axis="y", color=_INK["line"], linewidth=0.8)
    axes.set_axisbelow(True)


def _stair(chart: StairChart, width: int) -> tuple[float, float]:
    """The side of a square and the size of letters, such that the last and longest names still fit."""
    letters = LETTERS if width > 400 else LETTERS - 2
    count = max(1, len(chart.names))
    room = min((width - 12 - len(name) * letters * LETTER_WIDTH for name in chart.names), default=0.0)
    return max(5.0, min(LARGEST_SQUARE, room / count)), letters


def _stair_height(chart: StairChart, width: int) -> float:
    square, letters = _stair(chart, width)
    return max(square, letters + 2) * len(chart.names) + 8


def _draw_stair(figure: Figure, chart: StairChart, width: int) -> None:
    from matplotlib.patches import PathPatch  # noqa: PLC0415
    from matplotlib.path import Path  # noqa: PLC0415

    square, letters = _stair(chart, width)
    step = max(square, letters + 2)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(_stair_height(chart, width), 0)
    shades: dict[int, list[Path]] = {}
    for row, column, lines in chart.squares:
        corner = (4 + column * square, 4 + row * step)
        outline = [corner, (corner[0] + square - 1, corner[1]), (corner[0] + square - 1, corner[1] + step - 1)]
        outline += [(corner[0], corner[1] + step - 1), corner]
        shades.setdefault(shade(lines, chart.most), []).append(Path(outline, closed=True))
    for level, paths in sorted(shades.items()):
        together = Path.make_compound_path(*paths)
        axes.add_patch(PathPatch(together, facecolor=_SERIES["series-2"], edgecolor="none", alpha=level / SHADES))
    for row, name in enumerate(chart.names):
        colour = _INK["soft"] if name in chart.gone else _INK["ink"]
        axes.text(4 + row * square + 4, 4 + row * step + step / 2, name, va="center", fontsize=letters, color=colour)


def shade(lines: int, most: int) -> int:
    """How dark a number of shared lines is, from 1 to `SHADES`."""
    return max(1, min(SHADES, -(-SHADES * lines // max(1, most))))
