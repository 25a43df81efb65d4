"""Each loss has a page: stage, evidence, port, differences, call sites, history, and both sources side by side."""

from __future__ import annotations

import datetime as dt
import html
import re
from dataclasses import replace
from typing import Any

import pytest

from lossport.migrate.mapping_rows import declared, mapping_rows
from lossport.port import Gone, Port, compute, constant, default, divergence, drop, gone_key, number, refuse, rename
from lossport.project.config import Project
from lossport.report import Declared, Facts, MappingRow, PlaceLeft, Report, build_report, render_report
from lossport.report.sidebyside import side_by_side

PORT = Port(
    legacy="old.clip.CLIPOld",
    new="kit.CLIP",
    parameters=(
        rename("T", "temperature"),
        drop("cache", reason="there is no cache"),
        drop("mode", reason="one mode is left", only=("fast",)),
        refuse("hook", reason="nobody knows what it did"),
        default("margin", 0.5),
        constant("symmetric", True),
        compute("scale", "1 / T"),
    ),
    returns=(number("accuracy"), gone_key("debug", reason="it was a print")),
    random="distribution",
    random_reason="the draws are vectorised",
    divergences=(divergence("clip-1", "smoothing sees the targets", cases="smooth*", places='returns["loss"]'),),
)


def test_a_port_reads_as_a_table() -> None:
    assert mapping_rows((PORT,), (Gone("old.clip.helper", "nothing calls it"),)) == (
        MappingRow("symbol", "old.clip.CLIPOld", "kit.CLIP"),
        MappingRow("argument", "T", "temperature"),
        MappingRow("argument", "cache", "gone", "there is no cache"),
        MappingRow("argument", "mode", "gone (only for 'fast')", "one mode is left"),
        MappingRow("argument", "hook", "stops the migration", "nobody knows what it did"),
        MappingRow("argument", "margin", "margin=0.5 where a call left it out"),
        MappingRow("argument", "", "symmetric=True in every call"),
        MappingRow("argument", "", "scale=1 / T"),
        MappingRow("result", "accuracy", "accuracy", "was a Python number, is a 0-d tensor: reading it gains .item()"),
        MappingRow("result", "debug", "gone", "it was a print"),
        MappingRow("random numbers", "its stream", "the same distribution", "the draws are vectorised"),
        MappingRow("symbol", "old.clip.helper", "gone", "nothing calls it"),
    )
    assert declared((PORT,)) == (Declared("clip-1", "smoothing sees the targets", ("smooth*",), ('returns["loss"]',), ("*",)),)


@pytest.fixture
def full(project: Project, facts: Facts) -> Report:
    site = PlaceLeft("train.py", 7, "from-import", "from old_losses.focal import FocalOld")
    focal, *rest = facts.losses
    focal = replace(focal, mapping=mapping_rows((PORT,), ()), divergences=declared((PORT,)), sites=(site,))
    return build_report(project, replace(facts, losses=(focal, *rest)), today=dt.date(2026, 11, 25))


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<style.*?</style>", "", page, flags=re.S))))


def test_the_page_of_a_loss_has_its_port_differences_and_sites_with_links(full: Report) -> None:
    page = render_report(full)["losses/focal.html"].decode()
    said = text(page)
    assert "focal is planned" in said
    assert "argument T temperature" in said
    assert 'clip-1 Smoothing sees the targets. Shown by smooth*, at returns["loss"].' in said
    assert 'href="../../train.py"' in page
    assert "Focal(**options) < 3" in said
    assert 'href="../../old_losses/focal.py"' in page


def test_the_page_of_a_retired_loss_shows_evidence_history_and_the_source_that_is_gone(report: Report, workshop: Any) -> None:
    page = render_report(report)["losses/margin.html"].decode()
    said = text(page)
    commit = workshop.git("log", "--format=%H", "--diff-filter=D", "--", "old_losses/margin.py")
    assert "cuda all ✗ failed failed: 1 of 8 cases differs 7 0 0 1" in said
    assert "24 November 2026: retired" in said
    assert "class MarginOld" in said  # from git: the file is not there any more
    assert "class Margin(Base)" in said
    assert len(commit) == 40


def test_every_name_in_the_tables_leads_to_the_page_of_its_loss(report: Report) -> None:
    files = render_report(report)
    index = files["index.html"].decode()
    for name in ("focal", "margin", "ranking", "triplet"):
        assert f'href="losses/{name}.html"' in index
        assert f"losses/{name}.html" in files


def test_lines_that_are_equal_stand_next_to_each_other() -> None:
    rows = side_by_side("a\nb\nc\n", "a\nc\nd\n")
    assert [(row.old, row.new, row.same) for row in rows] == [
        ("a", "a", True),
        ("b", None, False),
        ("c", "c", True),
        (None, "d", False),
    ]
    assert side_by_side("x\n" * 2000, "x\n") == ()
