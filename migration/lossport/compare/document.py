"""A comparison as a Markdown table, and the marked block of a document that holds it. The words around it are a person's."""

from __future__ import annotations

from collections.abc import Sequence

from lossport.project.errors import InputError
from lossport.report.compared import Comparison, Row

BEGIN = "<!-- lossport compare: begin. Generated; what stands between these two lines is written anew each time. -->"
END = "<!-- lossport compare: end -->"


def render_markdown(comparison: Comparison) -> str:
    """The matrix, the best figure of each row in bold, then what has to be said with the figures and how they are made."""
    titles = [
        f"{name}: {title}" if name != title else title for name, title in zip(comparison.names, comparison.titles, strict=True)
    ]
    lines = [
        f"| {comparison.loss} | {' | '.join(map(_plain, titles))} |",
        f"| --- | {' | '.join(['---:'] * len(titles))} |",
        *(f"| {_plain(row.title)} | {' | '.join(_cells(row))} |" for row in comparison.rows),
        "",
        "Bold: the best of a row, where one is better than another.",
        "",
        *(f"- *{_plain(row.title)}*: {_plain(row.how)}{_notes(row, comparison.names)}" for row in comparison.rows),
        "",
        f"Measured with {', '.join(f'{name} {value}' for name, value in comparison.environment.items())}.",
    ]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> list[str]:
    return [f"**{_plain(cell.text)}**" if index in row.best else _plain(cell.text) for index, cell in enumerate(row.cells)]


def _notes(row: Row, names: Sequence[str]) -> str:
    notes = [f"{name}: {_plain(cell.note)}" for name, cell in zip(names, row.cells, strict=True) if cell.note]
    return f" ({' · '.join(notes)})" if notes else ""


def _plain(text: str) -> str:
    """Text that stays text in a cell: no markup, no column, no line of its own."""
    kept = " ".join(text.split())
    for mark in ("\\", "|", "*", "_", "`", "[", "<"):
        kept = kept.replace(mark, f"\\{mark}")
    return kept


def update_document(text: str, comparison: Comparison, shown: str = "the document") -> str:
    """The document with its block made anew; every other character stays.

    Raises:
        InputError: it does not have exactly one block.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise InputError(f"{shown}: expected one block to write the comparison into:\n{BEGIN}\n{END}")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render_markdown(comparison)}\n{END}{after}"
