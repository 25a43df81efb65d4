"""A comparison as values, as JSON and as a block of a document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lossport.compare import Cell, Comparison, Row, read_comparison, render_markdown, update_document
from lossport.compare.document import BEGIN, END
from lossport.project.errors import InputError


def comparison(*rows: Row) -> Comparison:
    return Comparison("triplet", ("A", "B"), ("mixins", "simply"), rows, {"python": "3.11"})


def row(*values: float | None, better: Any = "lower", text: str = "", note: str = "", noise: float = 0.0) -> Row:
    cells = tuple(Cell(text or str(value), value, note) for value in values)
    return Row("lines", "lines", better, "counted", cells, noise)


@pytest.mark.parametrize(
    ("found", "best"),
    [
        (row(3, 2), {1}),
        (row(3, 2, better="higher"), {0}),
        (row(3, 2, better="neither"), set()),
        (row(2, 2), set()),
        (row(3, None), set()),
        (row(1, 1, 2), {0, 1}),
        (row(1.0, 1.1, 2.0, noise=0.15), {0, 1}),
        (row(1.0, 1.1, noise=0.15), set()),
        (row(0, 1, noise=0.15), {0}),
    ],
    ids=["lower", "higher", "neither", "equal", "one missing", "two lead", "two within noise", "all within noise", "zero"],
)
def test_who_leads_a_row(found: Row, best: set[int]) -> None:
    assert found.best == best


def test_a_comparison_comes_back_from_its_json() -> None:
    found = comparison(row(3, 2.5, note="see there"), row(None, 1))
    assert read_comparison(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("rows"),
        lambda data: data.update(format=0),
        lambda data: data["rows"][0]["cells"].pop(),
        lambda data: data["rows"][0].update(better="nicer"),
        lambda data: data["rows"][0]["cells"][0].update(value="3"),
        lambda data: data.update(rows=None),
    ],
    ids=["no rows", "another format", "a cell missing", "an unknown direction", "a word for a number", "no list"],
)
def test_damaged_json_is_an_error_that_says_what_to_do(damage: Any) -> None:
    data = comparison(row(3, 2)).to_json()
    damage(data)
    with pytest.raises(InputError, match="lossport compare"):
        read_comparison(data)


def test_a_list_is_no_comparison() -> None:
    with pytest.raises(InputError, match="not a comparison"):
        read_comparison([])


def test_the_best_of_a_row_is_bold_and_a_missing_figure_is_not_hidden() -> None:
    text = render_markdown(
        comparison(row(3, 2), Row("time", "time", "lower", "timed", (Cell("0.5", 0.5), Cell("not measured: no"))))
    )
    assert "| lines | 3 | **2** |" in text
    assert "| time | 0.5 | not measured: no |" in text


def test_what_comes_from_the_project_cannot_break_the_table() -> None:
    text = render_markdown(comparison(row(1, 2, text="a|b\n<!-- x -->*_")))
    line = next(line for line in text.splitlines() if line.startswith("| lines"))
    assert line.replace("\\|", "").count("|") == 4
    assert "\\<!-- x" in line


def test_only_the_block_of_the_document_is_written() -> None:
    document = f"# Words\n\n{BEGIN}\nthe last one\n{END}\n\nMore words.\n"
    once = update_document(document, comparison(row(3, 2)))
    assert once.startswith(f"# Words\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nMore words.\n")
    assert "the last one" not in once
    assert update_document(once, comparison(row(3, 2))) == once


@pytest.mark.parametrize(
    "document", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"], ids=["none", "no end", "turned round", "two"]
)
def test_a_document_without_exactly_one_block_is_refused(document: str) -> None:
    with pytest.raises(InputError, match=r"docs/x\.md: expected one block"):
        update_document(document, comparison(row(3, 2)), "docs/x.md")
