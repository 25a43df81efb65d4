"""Test coverage as coverage.py wrote it to `coverage.json`: statements and branches, file by file.

Reads the JSON report, never coverage.py's internals, and runs no test.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass


class CoverageError(ValueError):
    """The text is no coverage.py JSON report; the message says what is missing."""


@dataclass(frozen=True)
class FileCoverage:
    """Statements and branches of a file, and how many of them ran."""

    statements: int
    statements_run: int
    branches: int
    branches_run: int

    @property
    def percent(self) -> float:
        """Statements and branches that ran, per hundred; a file with neither is covered."""
        whole = self.statements + self.branches
        return 100 * (self.statements_run + self.branches_run) / whole if whole else 100.0

    def __add__(self, other: FileCoverage) -> FileCoverage:
        return FileCoverage(
            self.statements + other.statements,
            self.statements_run + other.statements_run,
            self.branches + other.branches,
            self.branches_run + other.branches_run,
        )


NOTHING = FileCoverage(0, 0, 0, 0)
"""The start of a sum."""


@dataclass(frozen=True)
class Coverage:
    """A coverage report: by file, whether branches were measured, and when."""

    files: Mapping[str, FileCoverage]
    with_branches: bool
    at: dt.datetime | None

    def of(self, paths: list[str]) -> FileCoverage | None:
        """Several files as one, or None if the report knows none of them."""
        known = [self.files[path] for path in paths if path in self.files]
        return sum(known, NOTHING) if known else None


def read_coverage(text: str) -> Coverage:
    """Read the text of a `coverage.json`.

    Raises:
        CoverageError: it is not one.
    """
    try:
        data = json.loads(text)
        meta = data["meta"]
        files = {path.replace("\\", "/"): _file(entry["summary"]) for path, entry in data["files"].items()}
        stamp = meta.get("timestamp")
        return Coverage(files, bool(meta.get("branch_coverage")), dt.datetime.fromisoformat(stamp) if stamp else None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CoverageError(f"not a coverage.py JSON report: {type(error).__name__}: {error}") from error


def _file(summary: Mapping[str, int]) -> FileCoverage:
    return FileCoverage(
        int(summary["num_statements"]),
        int(summary["covered_lines"]),
        int(summary.get("num_branches", 0)),
        int(summary.get("covered_branches", 0)),
    )
