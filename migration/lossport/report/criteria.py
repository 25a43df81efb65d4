"""Every gate of the report: one function a gate, and the list of them.

To add a gate, write its function and put it into `GATES`; its target is a field of `project.config.Gates`, or a number that the
project itself sets (all losses, no file).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeAlias

from lossport.measure import MIN_LINES, MIN_TOKENS
from lossport.project.config import Gates
from lossport.report.facts import LossFacts
from lossport.report.gates import Gate, Measured
from lossport.report.words import duration

JSON = "lossport report --json"


def migrated(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """How many losses are retired."""
    total = len(found.losses)
    retired = sum(loss.stage == "retired" for loss in found.losses)
    return Gate("migrated", "Losses retired", retired, "exactly", total, f"of {total}", "lossport status")


def legacy_files(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """How many legacy files are left; an empty file, such as a package's, does not count."""
    left = [path for path, file in found.legacy.files.items() if file.source]
    shims = {path for loss in found.losses for path in loss.shims}.intersection(left)
    note = f"{len(shims)} of them are shims" if shims else ""
    return Gate("legacy-files", "Legacy files left", len(left), "exactly", 0, "files", f"git ls-files '{legacy}/*.py'", note)


def parity(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """How many losses have a current proof."""
    red = [loss.name for loss in found.losses if not _green(loss)]
    total = len(found.losses)
    shown = ", ".join(red[:5]) + (f" and {len(red) - 5} more" if len(red) > 5 else "")
    note = f"open: {shown}" if red else ""
    return Gate(
        "parity", "Losses proven, and still so", total - len(red), "exactly", total, f"of {total}", "lossport parity", note
    )


def lines(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """Lines of the new losses."""
    value = found.new.total if found.new.source else None
    command = f"git ls-files -z '{new}/*.py' | xargs -0 cat | wc -l"
    return Gate("lines", f"Lines in {new}/", value, "under", wanted.lines, "lines", command)


def duplication(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """Duplicated lines of the new losses, in per cent."""
    copies = found.new.duplication
    note = (
        f"{copies.count} of {found.new.source} source lines, in copies of at least {MIN_TOKENS} tokens over "
        f"{MIN_LINES} lines; exact copies {found.new.exact.percent:.1f} %"
    )
    value = copies.percent if found.new.source else None
    return Gate("duplication", f"Duplication in {new}/", value, "under", wanted.duplication, "%", JSON, note)


def coverage(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """How much of the new losses the tests run."""
    command = f"coverage report --include='{new}/*'"
    title = f"Coverage of {new}/"
    return Gate("coverage", title, found.coverage, "at least", wanted.coverage, "%", command, found.coverage_note)


def utils_coverage(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """How much of the shared functions the tests run."""
    command = f"coverage report --include='{new}/utils.py'"
    title, target = f"Coverage of {new}/utils.py", wanted.utils_coverage
    return Gate("utils-coverage", title, found.utils_coverage, "at least", target, "%", command, found.coverage_note)


def inheritance(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """How many levels of classes stand above the deepest one."""
    deepest = max(found.new.classes, key=lambda item: item.depth, default=None)
    value = found.new.depth if found.new.source else None
    note = f"deepest: {deepest.name}" if deepest else ""
    return Gate("inheritance", "Levels of inheritance", value, "at most", wanted.inheritance, "levels", JSON, note)


def complexity(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """The cyclomatic complexity of the most complex function."""
    worst = found.new.worst
    value = (worst[1].complexity if worst else 0) if found.new.source else None
    note = f"{worst[1].name} in {worst[0]}:{worst[1].line}" if worst else ""
    command = f"radon cc -s -n C {shlex.quote(new)}"
    return Gate("complexity", "Most complex function", value, "at most", wanted.complexity, "", command, note)


def architecture(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """The architecture score."""
    value = found.architecture.score if found.architecture else None
    return Gate("architecture", "Architecture score", value, "at least", wanted.architecture, "of 10", JSON)


def hours_to_add_a_loss(wanted: Gates, found: Measured, new: str, legacy: str) -> Gate:
    """The median time from the first event of a loss to its first proof."""
    hours, note = _hours(found.losses)
    title, target = "Time to prove a loss, median", wanted.hours_to_add_a_loss
    return Gate("hours-to-add-a-loss", title, hours, "under", target, "hours", "lossport status", note)


def _green(loss: LossFacts) -> bool:
    ran = [cell for cell in loss.parity if cell.state != "missing"]
    return bool(ran) and all(cell.state == "passed" for cell in ran)


def _hours(losses: Sequence[LossFacts]) -> tuple[float | None, str]:
    """The median time from the first event of a loss to its first proof."""
    took = {
        loss.name: (loss.proven_at - loss.started_at).total_seconds() / 3600
        for loss in losses
        if loss.started_at and loss.proven_at
    }
    if not took:
        return None, "no loss has been proven yet"
    slowest = max(took, key=lambda name: took[name])
    return median(took.values()), f"slowest of {len(took)}: {slowest}, {duration(took[slowest])}"


Criterion: TypeAlias = Callable[[Gates, Measured, str, str], Gate]

GATES: tuple[Criterion, ...] = (
    migrated,
    legacy_files,
    parity,
    lines,
    duplication,
    coverage,
    utils_coverage,
    inheritance,
    complexity,
    architecture,
    hours_to_add_a_loss,
)
"""In the order in which a reader asks for them."""


def gates(wanted: Gates, found: Measured, new: str, legacy: str) -> tuple[Gate, ...]:
    """Every gate. `new` and `legacy` are the folders as commands name them."""
    return tuple(criterion(wanted, found, new, legacy) for criterion in GATES)
