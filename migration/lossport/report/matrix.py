"""The parity matrix: a row for each loss and device, a column for each dtype. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lossport.report.facts import CellState, ParityCell
from lossport.report.model import LossRow

WHOLE = "all"
"""The dtype of a cell that speaks of every dtype of its device."""

_FIRST = ("float32", "float64", "bfloat16", "float16", "autocast")
"""Columns that come first, in this order: the precision of the cases as written, then the others."""

_WORSE: tuple[CellState, ...] = ("passed", "missing", "stale", "failed")
"""In the order of what a reader must know about a device."""


NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class ParityRow:
    """One loss on one device. `cells` has the dtypes that the verdict tells apart; an older one may have none."""

    loss: LossRow
    whole: ParityCell
    cells: Mapping[str, ParityCell]


@dataclass(frozen=True)
class ParityMatrix:
    """Each loss with its rows, the dtypes that any of them has, and the devices that nothing ran on."""

    losses: tuple[tuple[LossRow, tuple[ParityRow, ...]], ...]
    dtypes: tuple[str, ...]
    not_run: tuple[str, ...]


def parity_matrix(losses: Sequence[LossRow]) -> ParityMatrix:
    """The matrix of all losses. A device that no loss ran on has no rows; where some did, the others say that they did not."""
    every = [cell for row in losses for cell in row.facts.parity]
    ran = {cell.device for cell in every if cell.state != "missing"}
    devices = sorted(ran, key=lambda device: (device != "cpu", device))
    dtypes = {cell.dtype for cell in every if cell.dtype != WHOLE}
    return ParityMatrix(
        tuple((row, tuple(_row(row, device) for device in devices)) for row in losses) if devices else (),
        tuple(sorted(dtypes, key=lambda dtype: (_FIRST.index(dtype) if dtype in _FIRST else len(_FIRST), dtype))),
        tuple(sorted({cell.device for cell in every} - ran)),
    )


def worst_states(loss: LossRow) -> list[tuple[str, CellState]]:
    """The worst state on each device, CPU first."""
    devices = sorted({cell.device for cell in loss.facts.parity}, key=lambda device: (device != "cpu", device))
    return [(device, _worst(cell for cell in loss.facts.parity if cell.device == device)) for device in devices]


def _worst(cells: Iterable[ParityCell]) -> CellState:
    return max((cell.state for cell in cells), key=_WORSE.index)


def _row(loss: LossRow, device: str) -> ParityRow:
    cells = [cell for cell in loss.facts.parity if cell.device == device]
    whole = next((cell for cell in cells if cell.dtype == WHOLE), None)
    return ParityRow(loss, whole or _together(device, cells), {cell.dtype: cell for cell in cells if cell.dtype != WHOLE})


def _together(device: str, cells: Sequence[ParityCell]) -> ParityCell:
    """What a device shows as a whole, where only its dtypes were told."""
    if not cells:
        return ParityCell(device, WHOLE, "missing")
    last = max(cells, key=lambda cell: cell.at or NEVER)
    return ParityCell(
        device,
        WHOLE,
        _worst(cells),
        equal=sum(cell.equal for cell in cells),
        close=sum(cell.close for cell in cells),
        intended=sum(cell.intended for cell in cells),
        different=sum(cell.different for cell in cells),
        seconds=sum(cell.seconds for cell in cells if cell.seconds is not None),
        at=last.at,
        time_ratio=last.time_ratio,
        memory_ratio=last.memory_ratio,
        why=next((cell.why for cell in cells if cell.why), ""),
    )
