"""The page in a real browser: silent, self-contained, sortable, legible in light, dark and on a phone, accessible."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from lossport.migrate.tell import facts_of
from lossport.project.config import find_project
from lossport.report import Report, build_report

Tab = Any
"""The class lies in conftest.py, which cannot be imported."""

ROOT = Path(__file__).resolve().parents[3]
SHOTS = ROOT / "build" / "screenshots"
pytestmark = pytest.mark.slow

NOT_BELOW_AA = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


@pytest.fixture(scope="module")
def own_report() -> Report:
    """The report on the project that this test is a part of."""
    project = find_project(ROOT)
    return build_report(project, facts_of(project), today=dt.date.today())


THIS_PROJECT = pytest.param("this project", marks=pytest.mark.full(reason="measures this project as it stands, history and all"))


@pytest.fixture(params=["a project with a past", THIS_PROJECT])
def html(request: pytest.FixtureRequest, tmp_path: Path, write_page: Any) -> Path:
    name = "report" if request.param == "a project with a past" else "own_report"
    page: Path = write_page(request.getfixturevalue(name), tmp_path / "reports")
    return page


@pytest.fixture
def written(report: Report, tmp_path: Path, write_page: Any) -> Path:
    page: Path = write_page(report, tmp_path / "written")
    return page


A4 = 703
"""CSS pixels between the margins of a sheet of A4."""

LOOKS = [(1200, False), (1200, True), (380, False), (380, True)]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{'dark' if look[1] else 'light'}")
def test_the_page_is_silent_accessible_and_asks_for_nothing(
    tab: Tab, axe: str, html: Path, look: tuple[int, bool], request: pytest.FixtureRequest
) -> None:
    width, dark = look
    tab.open(html, width=width, dark=dark)
    tab.screenshot(SHOTS / f"{request.node.callspec.id.replace(' ', '-')}.png")
    assert tab.requests() == []
    assert tab.complaints() == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    tab.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    tab.run(axe)
    found = tab.run(f"axe.run(document, {NOT_BELOW_AA})")
    assert len(found["passes"]) > 20
    told = [(rule["id"], rule["help"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in found["violations"]]
    assert told == []


@pytest.mark.parametrize("name", ["2026-W48", "2026-W45", "weeks", "losses/margin", "losses/focal"])
@pytest.mark.parametrize("look", [(1200, False), (380, True)], ids=lambda look: str(look[0]))
def test_the_pages_of_weeks_and_losses_are_silent_accessible_and_narrow_enough(
    tab: Tab, axe: str, written: Path, name: str, look: tuple[int, bool]
) -> None:
    width, dark = look
    tab.open(written.parent / f"{name}.html", width=width, dark=dark)
    assert tab.requests() == []
    assert tab.complaints() == []
    assert tab.run("document.documentElement.scrollWidth") <= width
    tab.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    tab.run(axe)
    found = tab.run(f"axe.run(document, {NOT_BELOW_AA})")
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in found["violations"]] == []


def column(tab: Tab, number: int) -> list[str]:
    rows = f"[...document.querySelectorAll('#losses > .scroll tbody tr')].map((r) => r.cells[{number}].textContent.trim())"
    found: list[str] = tab.run(rows)
    return found


def test_a_click_sorts_by_a_column_and_another_turns_it_round(tab: Tab, written: Path) -> None:
    tab.open(written)
    assert column(tab, 0) == ["focal", "margin", "ranking", "triplet"]
    sites = "document.querySelectorAll('#losses > .scroll thead th')[3]"
    tab.run(f"{sites}.querySelector('button').click()")
    assert column(tab, 3) == ["0", "0", "2", "4"]
    assert tab.run(f"{sites}.getAttribute('aria-sort')") == "ascending"
    tab.run(f"{sites}.querySelector('button').click()")
    assert column(tab, 3) == ["4", "2", "0", "0"]
    assert tab.run(f"{sites}.getAttribute('aria-sort')") == "descending"
    tab.run("document.querySelector('#losses > .scroll thead th button').click()")
    assert column(tab, 0) == ["focal", "margin", "ranking", "triplet"]
    assert tab.run(f"{sites}.hasAttribute('aria-sort')") is False


def test_stages_sort_in_their_own_order_and_missing_numbers_stay_last(tab: Tab, written: Path) -> None:
    tab.open(written)
    tab.run("document.querySelectorAll('#losses > .scroll thead th button')[1].click()")
    assert column(tab, 1) == ["planned", "proven", "retired", "retired"]
    heads = tab.run("[...document.querySelectorAll('#losses > .scroll thead th')].map((h) => h.innerText)")
    hours = next(index for index, text in enumerate(heads) if text.startswith("Proven"))
    for _ in range(2):
        tab.run(f"document.querySelectorAll('#losses > .scroll thead th button')[{hours}].click()")
        assert column(tab, hours)[2:] == ["\N{EN DASH}"] * 2


def test_the_keyboard_reaches_the_skip_link_first_and_can_sort(tab: Tab, written: Path) -> None:
    tab.open(written)
    tab.press("Tab")
    assert tab.run("document.activeElement.className") == "skip"
    tab.press("Enter")
    assert tab.run("location.hash") == "#main"
    tab.run("document.querySelectorAll('#losses > .scroll thead th button')[3].focus()")
    tab.press("Enter")
    assert column(tab, 3) == ["0", "0", "2", "4"]


def test_the_page_reads_without_any_script(tab: Tab, written: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(written)
        tab.screenshot(SHOTS / "without-script.png")
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)
    assert column(tab, 0) == ["focal", "margin", "ranking", "triplet"]
    assert tab.run("document.querySelectorAll('#losses button').length") == 0


def test_charts_have_the_size_that_fits_and_colours_of_the_scheme(tab: Tab, written: Path) -> None:
    shown = "[...document.querySelectorAll('figure svg')].filter((s) => s.getBoundingClientRect().width > 0)"
    letters = f"Math.min(...{shown}.flatMap((s) => [...s.querySelectorAll('text')].map((t) => t.getBoundingClientRect().height)))"
    colour = "getComputedStyle(document.querySelector('#burndown-wide text')).fill"
    seen = {}
    for width, dark in ((1200, False), (380, True)):
        tab.open(written, width=width, dark=dark)
        names = tab.run(f"{shown}.map((s) => s.id)")
        assert names
        assert all(name.endswith("wide" if width > 500 else "narrow") for name in names)
        assert tab.run(letters) >= 9
        assert tab.run(f"{shown}.every((s) => s.getBoundingClientRect().right <= innerWidth)")
        seen[dark] = tab.run(colour)
    assert seen[False] != seen[True]


def test_the_page_prints_on_paper(tab: Tab, written: Path) -> None:
    tab.open(written, dark=True, width=A4)
    tab.call("Emulation.setEmulatedMedia", media="print")
    assert tab.run("document.documentElement.scrollWidth") <= A4
    assert tab.run("getComputedStyle(document.querySelector('header nav')).display") == "none"
    assert tab.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = tab.call("Page.printToPDF", printBackground=True)["data"]
    assert len(pdf) > 20_000
