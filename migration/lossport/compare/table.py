"""What a comparison is: options, and rows with one cell for each. Values only; measuring and rendering are done elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from lossport.project.errors import InputError

Better: TypeAlias = Literal["lower", "higher", "neither"]

FORMAT = 1
"""Of the JSON; rises when a reader of the older one would misunderstand it."""


@dataclass(frozen=True)
class Cell:
    """One figure of one option: as it is shown, as a number to compare, and what has to be said with it.

    A cell without a value was not measured, and its text says why.
    """

    text: str
    value: float | None = None
    note: str = ""


def not_measured(reason: str) -> Cell:
    """The cell of a figure that there is none of."""
    return Cell(f"not measured: {reason}")


@dataclass(frozen=True)
class Row:
    """One measure of all options, in the order of the options.

    `how` says how it is measured. Figures that differ by less than the share `noise` are equal.
    """

    key: str
    title: str
    better: Better
    how: str
    cells: tuple[Cell, ...]
    noise: float = 0.0

    @property
    def best(self) -> frozenset[int]:
        """Which options lead; none if all are equal, some were not measured, or nothing is better than anything else."""
        values = [cell.value for cell in self.cells]
        known = [value for value in values if value is not None]
        if self.better == "neither" or not known or len(known) < len(values):
            return frozenset()
        top = min(known) if self.better == "lower" else max(known)
        leading = frozenset(index for index, value in enumerate(known) if abs(value - top) <= self.noise * abs(top))
        return leading if len(leading) < len(known) else frozenset()


@dataclass(frozen=True)
class Comparison:
    """All measures of all options. `titles` are what the options are called, `names` how the configuration names them.

    `sources` is the digest of what was measured, empty in one that was written before it was kept.
    """

    loss: str
    names: tuple[str, ...]
    titles: tuple[str, ...]
    rows: tuple[Row, ...]
    environment: Mapping[str, str]
    sources: str = ""

    def row(self, key: str) -> Row:
        """The row of that key."""
        return next(row for row in self.rows if row.key == key)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            "format": FORMAT,
            "loss": self.loss,
            "options": [{"name": name, "title": title} for name, title in zip(self.names, self.titles, strict=True)],
            "environment": dict(self.environment),
            "sources": self.sources,
            "rows": [
                {**asdict(row), "cells": [asdict(cell) for cell in row.cells], "best": sorted(row.best)} for row in self.rows
            ],
        }


def read_comparison(data: Any) -> Comparison:
    """The comparison that `to_json` wrote.

    Raises:
        InputError: it is not one.
    """
    try:
        if data["format"] != FORMAT:
            raise InputError(f"a comparison of format {data['format']!r}, expected {FORMAT}; make it anew: lossport compare")
        options = data["options"]
        return Comparison(
            str(data["loss"]),
            tuple(str(item["name"]) for item in options),
            tuple(str(item["title"]) for item in options),
            tuple(_row(item, len(options)) for item in data["rows"]),
            {str(name): str(value) for name, value in data["environment"].items()},
            str(data.get("sources", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"not a comparison: {type(error).__name__}: {error}; make it anew: lossport compare") from error


def _row(item: Mapping[str, Any], options: int) -> Row:
    cells = tuple(Cell(str(cell["text"]), _number(cell["value"]), str(cell["note"])) for cell in item["cells"])
    if len(cells) != options or item["better"] not in ("lower", "higher", "neither"):
        raise TypeError(f"row {item['key']!r} does not fit {options} options")
    return Row(str(item["key"]), str(item["title"]), item["better"], str(item["how"]), cells, _number(item["noise"]) or 0.0)


def _number(value: object) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TypeError(f"{value!r} is no number")
    return value
