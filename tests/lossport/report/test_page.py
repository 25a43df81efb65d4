"""The page as text: complete, self-contained, small, and safe whatever the repository says."""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

from lossport.project.config import Project
from lossport.report import (
    Facts,
    LossFacts,
    OptionCell,
    OptionRow,
    OptionTable,
    ParityCell,
    Report,
    Waiting,
    build_report,
    render_report,
)
from lossport.report.past import LossStep, RetiredFile

TODAY = dt.date(2026, 11, 25)
EVIL = "</style><script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
LIMIT = 500_000
"""Bytes that a page may have."""

PAGES = r"metrics\.json|weeks\.html|\d{4}-W\d\d\.html|losses/\w+\.html"
"""What lies beside the page."""

VOID = {"meta", "br", "wbr", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """Tags with their attributes, and whether every element that was opened was closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)


def test_the_page_is_well_formed_and_its_headings_step_down_one_by_one(page: str) -> None:
    outline = Outline(page)
    assert (outline.open, outline.crossed) == ([], [])
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_points_nowhere_but_into_itself_its_folder_and_its_project(page: str) -> None:
    outline = Outline(page)
    ids = {attributes.get("id") for _, attributes in outline.tags}
    for tag, attributes in outline.tags:
        assert not {"src", "srcset", "background", "poster", "action"} & attributes.keys(), tag
        target = attributes.get("href")
        if target and target.startswith("#"):
            assert target[1:] in ids
        elif target:
            assert re.fullmatch(PAGES, target.partition("#")[0]) or target.startswith("../"), target
    assert {tag for tag, _ in outline.tags} & {"link", "iframe", "object", "embed", "base"} == set()
    assert not re.search(r"@import|url\((?!#)|https?://", page)
    assert "default-src 'none'" in page


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < LIMIT


def test_a_large_migration_still_fits_a_page(project: Project) -> None:
    reason = "the options come from a file that nobody can read before it is there"
    sites = tuple(Waiting(f"train/run_{n}.py", n, 4, f"criterion = make(**options_{n})", reason, "name them") for n in range(300))
    dtypes = ("all", "float32", "float64", "bfloat16", "float16", "autocast")
    cells = tuple(ParityCell(device, dtype, "passed", 130, 41, 28, 0, 1.0) for device in ("cpu", "cuda") for dtype in dtypes)
    losses = tuple(
        LossFacts(f"loss_{n}", "planned", (), (), (f"old_losses/l{n}.py",), (f"kit/l{n}.py",), waiting=sites, parity=cells)
        for n in range(200)
    )
    for number in range(200):
        (project.legacy / f"l{number}.py").write_text("".join(f"x{line} = {line}\n" for line in range(number)))
    report = build_report(project, Facts(losses), today=TODAY)
    page = render_report(report)["index.html"].decode()
    assert len(page.encode()) < LIMIT
    assert "299 more are in metrics.json" in page
    assert page.count('<th scope="row"><a href="losses/loss_') >= 60


def test_everything_that_comes_from_the_repository_is_escaped(project: Project, facts: Facts) -> None:
    (project.legacy / f"{EVIL.replace('/', '')}.py").write_text("def (")
    (project.root / "CODEOWNERS").write_text("* " + EVIL.replace(" ", "") + "\n")
    cell = ParityCell(EVIL, EVIL, "failed", 1, why=EVIL)
    site = Waiting(EVIL, 1, 1, EVIL, EVIL, EVIL)
    loss = LossFacts(
        EVIL, "planned", (EVIL,), (EVIL,), (EVIL,), (EVIL,), why=EVIL, sites_left={EVIL: 1}, parity=(cell,), waiting=(site,)
    )
    options = OptionTable(EVIL, (EVIL,), (EVIL,), (OptionRow(EVIL, EVIL, (OptionCell(EVIL, note=EVIL),)),), EVIL, EVIL)
    report = build_report(project, replace(facts, losses=(loss,), problems=(EVIL,), options=options), today=TODAY)
    claim = replace(report.claims[0], claim=replace(report.claims[0].claim, text=EVIL, source=EVIL))
    gone = (RetiredFile(EVIL, EVIL, report.gone[0].at, EVIL, 3, EVIL),)
    report = replace(report, project=EVIL, gone=gone, claims=(claim,), notes=(*report.notes, EVIL))
    step = LossStep(report.gone[0].at, "stale", EVIL, EVIL, EVIL, EVIL)
    week = replace(report.weeks[-1], steps=(step,), gone=gone, claims=(claim,), gates_lost=(EVIL,))
    report = replace(report, weeks=(week,))
    for name, content in render_report(report).items():
        if name.endswith(".html"):
            assert_nothing_runs(content.decode(), scripts=int(name == "index.html"))
    page = render_report(report)["index.html"].decode()
    assert page.count("alert(1)") >= 15


def assert_nothing_runs(page: str, scripts: int) -> None:
    """No tag and no handler of the repository's is on the page."""
    outline = Outline(page)
    assert [tag for tag, _ in outline.tags].count("script") == scripts
    assert "img" not in {tag for tag, _ in outline.tags}
    assert not any(name.startswith("on") for _, attributes in outline.tags for name in attributes)
    assert outline.crossed == []


def test_an_address_made_of_a_path_cannot_run_a_script(project: Project, facts: Facts) -> None:
    site = Waiting("javascript:alert(1)//x.py", 1, 1, "x", "y", "z")
    loss = replace(facts.losses[0], waiting=(site,))
    page = render_report(build_report(project, replace(facts, losses=(loss,)), today=TODAY))["index.html"].decode()
    assert all(not (attributes.get("href") or "").startswith("javascript") for _, attributes in Outline(page).tags)


def test_the_story_of_the_page(page: str) -> None:
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))
    for said in (
        "1 of 4 losses retired with a current proof",
        "1 more loss is retired without one: 1 failed parity (margin).",
        "2 losses were retired in the last 42 days; a forecast takes 3.",
        "Since 1 November 2026",
        "1 loss retired; 1 proven for the first time; 40 legacy lines (173 tokens) gone.",
        "A gate that was met is lost: Duplication in kit/ 84.2 % (it was under 5 %)",
        "16 of 19 source lines, in copies of at least 50 tokens over 6 lines; exact copies 73.7 %",
        "1 level",
        "Next: ranking , proven. 2 call sites left. lossport migrate ranking",
        "margin cpu ✓ 9 · 3 · 2",
        "2.2 s, 3 days ago 0.41 0.80",
        "cuda ✓ 4 · 0 · 0",
        "✗ failed: 1 of 4",
        "✗ failed: 1 of 8",
        "Lines 300 200 (best)",
        "B: in 3 files",
        "from-import attribute string In all",
        "the cases changed",
        "margin · old_losses/margin.py , 40 lines · 24 November 2026 · ",
        "Retire the margin loss",
        "focal: 1 call site",
        "Focal(**options) < 3",
        "<b>quarterly</b> slides",
    ):
        assert said in text, said


def test_files_that_are_there_are_linked_and_those_that_are_gone_are_not(page: str) -> None:
    assert 'href="../old_losses/focal.py"' in page
    assert 'href="../old_losses/triplet.py"' not in page


def test_this_week_and_the_one_before_are_linked_and_so_is_the_index_of_weeks(page: str) -> None:
    assert set(re.findall(r'href="(\d{4}-W\d\d)\.html"', page)) == {"2026-W48", "2026-W47"}
    assert 'href="weeks.html"' in page


def test_links_lead_to_the_project_from_a_reports_folder_of_any_depth(project: Project, facts: Facts) -> None:
    deep = replace(project, reports=project.root / "out" / "deep")
    page = render_report(build_report(deep, facts, today=TODAY))["index.html"].decode()
    assert 'href="../../old_losses/focal.py"' in page


def test_numbers_that_are_sorted_carry_their_value(report: Report) -> None:
    page: Any = render_report(report)["index.html"].decode()
    rows = re.search(r'id="losses".*?<tbody>(.*?)</tbody>', page, re.S)
    assert rows is not None
    cells = re.findall(r'<td class="n"([^>]*)>', rows[1])
    assert cells
    assert all("data-value=" in cell for cell in cells)
