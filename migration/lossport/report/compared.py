"""A comparison of options as values: options, and rows with one cell for each; its JSON, and what the page shows of it.

`compare` measures and writes it; the report reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lossport.project.config import ConfigError, Option, Project
from lossport.project.errors import InputError
from lossport.report.facts import OptionCell, OptionRow, OptionTable
from lossport.source.fingerprint import file_digest

Better: TypeAlias = Literal["lower", "higher", "neither"]

FILE = "comparison.json"
"""Its name below the reports folder."""

COMPARE = "lossport compare"

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


def files_of(project: Project, option: Option) -> tuple[str, ...]:
    """The Python files of an option, relative to the project.

    Raises:
        ConfigError: there are none, or one that is named is missing.
    """
    found = [option.path] if option.path.is_file() else sorted(option.path.rglob("*.py"))
    if not found:
        raise ConfigError(
            f"option {option.name}: no Python files in {project.relative(option.path)}; see tool.lossport.options.path"
        )
    for path in option.second:
        if path not in found:
            raise ConfigError(
                f"option {option.name}: {project.relative(path)} is none of its files; see tool.lossport.options.second"
            )
    return tuple(project.relative(path) for path in found)


def sources_digest(project: Project) -> str:
    """What a comparison rests on: the files of every option, their tests and changes, the port and the cases of the loss."""
    digest = hashlib.sha256()
    for path in sorted({path for option in project.options for path in _sources(project, option)}):
        digest.update(f"{project.relative(path)}\0{file_digest(path)}\n".encode())
    return digest.hexdigest()


def _sources(project: Project, option: Option) -> Iterator[Path]:
    yield from (project.root / path for path in files_of(project, option))
    for path in (*option.tests, *([option.change] if option.change else [])):
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]
    yield from (folder / f"{option.loss}.py" for folder in (project.ports, project.cases))


def options_of(project: Project) -> OptionTable | None:
    """The comparison of options as it was last measured, or why there is none; None for a project that compares nothing."""
    if not project.options:
        return None
    first = project.options[0]
    bare = OptionTable(first.loss, tuple(o.name for o in project.options), tuple(o.title for o in project.options))
    path = project.reports / FILE
    if not path.is_file():
        return replace(bare, note=f"not measured yet: {COMPARE} measures them")
    try:
        found = read_comparison(json.loads(path.read_text(encoding="utf-8")))
    except (InputError, ValueError) as error:
        return replace(bare, note=f"{project.relative(path)} cannot be read: {error}")
    rows = tuple(
        OptionRow(row.title, row.how, tuple(OptionCell(c.text, n in row.best, c.note) for n, c in enumerate(row.cells)))
        for row in found.rows
    )
    environment = ", ".join(f"{name} {value}" for name, value in found.environment.items())
    return OptionTable(found.loss, found.names, found.titles, rows, environment, _stale(project, found))


def _stale(project: Project, found: Comparison) -> str:
    """What a reader of an older comparison needs to know; empty if nothing has changed."""
    try:
        unchanged = not found.sources or found.sources == sources_digest(project)
    except ConfigError as error:
        return str(error)
    return "" if unchanged else f"what was measured has changed since: {COMPARE} measures it anew"
