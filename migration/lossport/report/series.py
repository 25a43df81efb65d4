"""What the charts of the page say: rows of values over time and who copies from whom. Pure; drawing is elsewhere."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import fmean

from lossport.measure.history import Moment, TreeFigures
from lossport.project.config import Gates
from lossport.report.charts import ChartLine, StairChart, TimeChart
from lossport.report.claims import METRICS, CheckedClaim, metric_name, metric_series
from lossport.report.forecast import Forecast

STAIR_FILES = 24
"""More names than this do not fit a phone; those that share the most lines are shown, the rest is in the table."""
POINTS = 240
"""A chart half a page wide cannot show more steps than this."""

Point = tuple[dt.datetime, float]
Shared = Mapping[tuple[str, str], int]
"""Lines of the first file that occur in the second."""


def burndown(
    total: int, turns: Sequence[tuple[dt.datetime, int]], since: dt.datetime, now: dt.datetime, end: Forecast | None
) -> TimeChart:
    """Losses left over time, with the span in which the forecast expects the end.

    `turns` are the times at which a loss was retired (-1 left), or came back (+1 left).
    """
    done = sorted(turn for turn in turns if turn[0] <= now)
    left = total
    points = [(min([since, *(at for at, _ in done)]), float(total))]
    for at, change in done:
        left += change
        points.append((at, float(left)))
    lines = [ChartLine("losses left", (*points, (now, float(left))), 1)]
    span = None
    if end and end.early and end.middle and end.late:
        lines.append(ChartLine("at the present pace", ((now, float(left)), (_midnight(end.middle), 0.0)), 2, "dashes"))
        span = (_midnight(end.early), _midnight(end.late))
    summary = f"{left} of {total} losses were left on {now.date()}; the first state shown is of {points[0][0].date()}."
    if span:
        summary += f" The last may be retired between {span[0].date()} and {span[1].date()}."
    return TimeChart("burndown", "Losses left", summary, tuple(lines), span=span)


def claimed(claims: Sequence[CheckedClaim], moments: Sequence[Moment], unit: str) -> TimeChart | None:
    """Claims of one unit over what was measured; None if there is nothing to draw."""
    names = list(dict.fromkeys(metric_name(c.claim) for c in claims if c.metric and c.metric.unit == unit))
    lines: list[ChartLine] = []
    for number, name in enumerate(names[:4], 1):
        title = METRICS[name].title
        said = [c.claim for c in claims if metric_name(c.claim) == name and c.claim.value is not None]
        if moments:
            lines.append(ChartLine(title, _thin(metric_series(name, moments)), number))
        points = tuple((_midnight(claim.date), float(claim.value or 0)) for claim in said)
        if points:
            lines.append(ChartLine(f"claimed: {title.lower()}", points, number, "points"))
    if not lines:
        return None
    checked = (
        f"{c.claim.text} ({c.claim.date}): {'not measured' if c.measured is None else f'measured {c.measured:.0f} {unit}'}"
        for c in claims
        if c.metric and c.metric.unit == unit
    )
    name = "claims" if unit == "%" else "claims-lines"
    return TimeChart(name, "Claimed against measured", "; ".join(checked) + ".", tuple(lines), unit)


def lines_over_time(moments: Sequence[Moment], names: tuple[str, str], gates: Gates) -> TimeChart:
    """Lines of both trees."""
    rows = _rows(moments, names, lambda tree: float(tree.lines))
    summary = _summary(rows, "lines", f"the target for {names[1]}/ is {gates.lines:,} lines")
    return TimeChart("lines", "Lines over time", summary, rows, "lines", float(gates.lines))


def duplication_over_time(moments: Sequence[Moment], names: tuple[str, str], gates: Gates) -> TimeChart:
    """Duplication of both trees in per cent of their source lines."""
    rows = _rows(moments, names, lambda tree: tree.duplication)
    summary = _summary(rows, "%", f"the target for {names[1]}/ is {gates.duplication:g} %")
    return TimeChart("duplication", "Duplication over time", summary, rows, "%", gates.duplication)


def copies(name: str, title: str, shared: Shared, peak: Shared, there: Collection[str]) -> StairChart | None:
    """Who shares how many lines with whom; None if nobody does.

    The files, their order and the shades are those of `peak`, so that two charts can be compared; files that are not `there`
    any more stand paler.
    """
    pairs = shared_pairs(shared)
    before = shared_pairs(peak) or pairs
    if not pairs:
        return None
    weight: Counter[str] = Counter()
    for one, other, lines in [*before, *pairs]:
        weight.update({one: lines, other: lines})
    kept = [path for path, _ in weight.most_common(STAIR_FILES)]
    order = _neighbours(kept, before)
    index = {path: number for number, path in enumerate(order)}
    known = [(index[one], index[other], lines) for one, other, lines in pairs if one in index and other in index]
    squares = tuple((max(a, b), min(a, b), lines) for a, b, lines in known)
    most = max(lines for _, _, lines in [*before, *pairs])
    said = "; ".join(f"{_stem(one)} and {_stem(other)} share {lines} lines" for one, other, lines in pairs[:3])
    gone = tuple(_stem(path) for path in order if path not in there)
    return StairChart(
        name, title, f"{len(pairs)} pairs of files share lines; {said}.", tuple(map(_stem, order)), gone, squares, most
    )


def shared_pairs(shared: Shared) -> list[tuple[str, str, int]]:
    """Each pair of files once, with the lines that the larger side shares, the most first."""
    pairs: dict[tuple[str, str], int] = {}
    for (one, other), lines in shared.items():
        key = (min(one, other), max(one, other))
        pairs[key] = max(lines, pairs.get(key, 0))
    return sorted(((one, other, lines) for (one, other), lines in pairs.items()), key=lambda pair: (-pair[2], pair[:2]))


def _rows(moments: Sequence[Moment], names: tuple[str, str], value: Callable[[TreeFigures], float]) -> tuple[ChartLine, ...]:
    """One line for each of the two trees."""
    rows = [[(moment.at, value(tree(moment))) for moment in moments] for tree in (_legacy, _new)]
    return tuple(ChartLine(f"{name}/", _thin(row), colour) for name, row, colour in zip(names, rows, (2, 1), strict=True) if row)


def _summary(lines: Sequence[ChartLine], unit: str, target: str) -> str:
    said = [f"{line.label} from {line.points[0][1]:,.0f} to {line.points[-1][1]:,.0f} {unit}" for line in lines]
    return "; ".join([*said, target]) + "."


def _legacy(moment: Moment) -> TreeFigures:
    return moment.legacy


def _new(moment: Moment) -> TreeFigures:
    return moment.new


def _thin(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points where the value moved, and the last one; evenly fewer where there are more than can be seen."""
    moved = [point for index, point in enumerate(points) if not index or point[1] != points[index - 1][1]]
    step = -(-len(moved) // POINTS) if moved else 1
    kept = moved[::step]
    for last in (moved[-1:], list(points[-1:])):
        if last and kept[-1] != last[0]:
            kept += last
    return tuple(kept)


def _neighbours(paths: Sequence[str], pairs: Sequence[tuple[str, str, int]]) -> list[str]:
    """An order in which files that share much lie close: each moves to the middle of its partners, a few times."""
    place = {path: float(number) for number, path in enumerate(sorted(paths))}
    partners: dict[str, list[tuple[str, int]]] = {path: [] for path in paths}
    for one, other, lines in pairs:
        if one in partners and other in partners:
            partners[one].append((other, lines))
            partners[other].append((one, lines))
    for _ in range(8):
        middle = {
            path: fmean([place[path], *(place[other] for other, lines in partners[path] for _ in range(1 + lines // 10))])
            for path in place
        }
        place = {path: float(number) for number, path in enumerate(sorted(middle, key=lambda path: (middle[path], path)))}
    return sorted(place, key=lambda path: place[path])


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py")


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
