"""Charts: what they say, and drawings that fit a page in any light."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from lossport.measure.cache import Memory
from lossport.measure.history import Moment, TreeFigures
from lossport.project.config import Gates
from lossport.report.charts import SHADES, WIDTHS, ChartLine, StairChart, TimeChart, drawn, shade
from lossport.report.forecast import Forecast
from lossport.report.series import STAIR_FILES, burndown, copies, lines_over_time, shared_pairs

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


def at(days: int) -> dt.datetime:
    return NOW + dt.timedelta(days=days)


TIME = TimeChart(
    "odd",
    "A <b>title</b>",
    'He said "5 < 6 & 7"',
    (
        ChartLine("$x_1$ & <i>name</i>", ((at(-9), 4.0), (at(-3), 2.0), (NOW, 1.0))),
        ChartLine("said", ((at(-4), 3.0),), 2, "points"),
    ),
    unit="%",
    target=2.0,
    span=(at(3), at(9)),
)
STAIR = StairChart("stair", "Copies", "Two pairs.", ("one_file", "two", "<three>"), ("two",), ((1, 0, 40), (2, 0, 3)), 40)


def drawings(markup: str) -> list[ET.Element]:
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", markup, re.S)]


def test_a_drawing_is_well_formed_comes_in_every_width_and_says_what_it_shows() -> None:
    for chart in (TIME, STAIR):
        found = drawings(drawn(chart, Memory()))
        assert [svg.get("id") for svg in found] == [f"{chart.name}-{size}" for size in WIDTHS]
        for svg, width in zip(found, WIDTHS.values(), strict=True):
            assert svg.get("role") == "img"
            title, summary = svg[0], svg[1]
            assert (title.text, summary.text) == (chart.title, chart.summary)
            assert svg.get("aria-labelledby") == f"{title.get('id')} {summary.get('id')}"
            assert float((svg.get("viewBox") or "").split()[2]) == width


def test_ids_are_unique_on_a_page_and_every_reference_finds_its_own() -> None:
    page = drawn(TIME, Memory()) + drawn(STAIR, Memory())
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_colours_are_those_of_the_page_and_text_is_text() -> None:
    page = drawn(TIME, Memory()) + drawn(STAIR, Memory())
    assert set(re.findall(r"#[0-9a-fA-F]{6}\b", page)) <= {"#ffffff", "#000000"}
    assert "var(--series-1)" in page
    assert "var(--ink)" in page
    texts = [text for svg in drawings(page) for element in svg.iter() for text in [element.text] if text]
    assert {"one_file", "<three>", "$x_1$ & <i>name</i>"} <= {text.strip() for text in texts}


def test_a_drawing_brings_no_style_script_date_or_address_of_its_own() -> None:
    page = drawn(TIME, Memory()) + drawn(STAIR, Memory())
    assert not re.search(r"<style|<script|<metadata|<!DOCTYPE|<\?xml|https?:", page)


def test_the_same_chart_gives_the_same_drawing() -> None:
    assert drawn(TIME, Memory()) == drawn(TIME, Memory())


def test_a_chart_that_was_drawn_before_needs_no_plotting_library(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    drawn(STAIR, memory)
    memory.save()
    script = (
        "import sys, pathlib\n"
        "from lossport.measure.cache import Memory\n"
        "from lossport.report.charts import StairChart, drawn\n"
        f"assert drawn({STAIR!r}, Memory(pathlib.Path({str(tmp_path)!r})))\n"
        "assert 'matplotlib' not in sys.modules and 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_burndown_steps_down_with_each_loss_and_points_at_the_end() -> None:
    end = Forecast(at(5).date(), at(9).date(), at(20).date(), 2, 30)
    chart = burndown(4, [(at(-3), -1), (at(-8), -1)], at(-30), NOW, end)
    left, pace = chart.lines
    assert left.points == ((at(-30), 4.0), (at(-8), 3.0), (at(-3), 2.0), (NOW, 2.0))
    assert (pace.kind, pace.points) == ("dashes", ((NOW, 2.0), (at(9), 0.0)))
    assert chart.span == (at(5), at(20))
    assert "2 of 4 losses were left on 2026-11-23" in chart.summary
    assert "between 2026-11-28 and 2026-12-13" in chart.summary


def test_a_long_history_is_drawn_with_what_can_be_seen_and_its_last_value() -> None:
    def tree(lines: int) -> TreeFigures:
        return TreeFigures(1, lines, lines, 0, 1, 0, 9.0)

    moments = [Moment("", at(number), tree(5000 - number), tree(number // 100)) for number in range(3000)]
    chart = lines_over_time(moments, ("old", "kit"), Gates())
    legacy, new = chart.lines
    assert len(legacy.points) < 300
    assert len(new.points) <= 32
    assert (legacy.points[-1][1], new.points[-1][1]) == (2001.0, 29.0)


def test_each_pair_of_files_stands_once_with_its_larger_side() -> None:
    shared = {("b.py", "a.py"): 9, ("a.py", "b.py"): 7, ("c.py", "a.py"): 8}
    assert shared_pairs(shared) == [("a.py", "b.py", 9), ("a.py", "c.py", 8)]


def test_the_stairs_keep_their_order_so_that_now_compares_with_the_peak() -> None:
    peak = {("old/a.py", "old/b.py"): 50, ("old/b.py", "old/c.py"): 5, ("old/c.py", "old/d.py"): 30}
    then = copies("peak", "Peak", peak, peak, {"old/a.py", "old/b.py", "old/c.py", "old/d.py"})
    now = copies("now", "Now", {("old/c.py", "old/d.py"): 30}, peak, {"old/c.py", "old/d.py"})
    assert then is not None
    assert now is not None
    assert then.names == now.names
    assert (set(now.gone), then.gone) == ({"a", "b"}, ())
    assert (len(then.squares), len(now.squares)) == (3, 1)
    assert all(row > column for row, column, _ in then.squares)
    assert copies("none", "None", {}, peak, ()) is None


def test_too_many_files_are_cut_to_those_that_share_the_most() -> None:
    shared = {(f"old/f{n:02}.py", f"old/f{n + 1:02}.py"): n for n in range(1, 60)}
    chart = copies("many", "Many", shared, shared, ())
    assert chart is not None
    assert len(chart.names) == STAIR_FILES
    assert "f59" in chart.names
    assert "f01" not in chart.names


def test_shades_go_from_the_palest_to_the_darkest() -> None:
    assert [shade(lines, 100) for lines in (1, 20, 21, 99, 100)] == [1, 1, 2, SHADES, SHADES]
