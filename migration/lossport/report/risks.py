"""What is at risk, the worst first, each with what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lossport.project.plural import many
from lossport.report.facts import LossFacts, ParityCell, proof_state
from lossport.report.gates import Gate
from lossport.report.matrix import WHOLE
from lossport.report.model import LossRow
from lossport.report.words import listed

CLOSE_TO_LIMIT = 0.02
"""A gate this near to its target, as a share of it, is lost by an ordinary commit."""
SLOW = 1.5
"""Times that a new loss may take of what the legacy one took. Cases are small and timed twice, so less than this is noise."""
LARGE = 1.5
"""The same for the peak of memory."""
MOSTLY = 0.5
"""A verdict of which more than this share is different on purpose rests on the declarations, not on the comparison."""

FAILED, LOST, UNPROVEN, WAITING, WEAK, COSTLY, UNTESTED, NARROW = range(8)
"""From the worst to the least: what is wrong, what may be wrong, what slows the work down, what may soon be wrong."""


@dataclass(frozen=True)
class Risk:
    """One thing that may go wrong: how bad, about what, what was found, and what to do."""

    rank: int
    subject: str
    found: str
    todo: str
    anchor: str


def risks(rows: Sequence[LossRow], gates: Sequence[Gate], gates_lost: Sequence[Gate]) -> tuple[Risk, ...]:
    """Everything that is at risk, the worst first."""
    found = [
        *(risk for row in rows for risk in _of_loss(row.facts)),
        *_never_run(rows),
        *_untested(rows),
        *_of_gates(gates, gates_lost),
    ]
    return tuple(sorted(found, key=lambda risk: (risk.rank, risk.subject)))


def _of_loss(loss: LossFacts) -> Iterator[Risk]:
    prove = f"lossport parity {loss.name}"
    for cell in loss.parity:
        if cell.state == "failed" and cell.dtype == WHOLE:
            why = cell.why or f"{cell.different} of {cell.cases} cases differ"
            yield Risk(FAILED, loss.name, f"fails parity on {cell.device}: {why}", f"{prove} shows where", "parity")
        if cell.state == "stale" and cell.dtype == WHOLE:
            yield Risk(
                UNPROVEN, loss.name, f"its proof on {cell.device} is stale: {cell.why or 'its sources changed'}", prove, "parity"
            )
        if cell.state == "passed" and cell.dtype == WHOLE:
            yield from _of_verdict(loss, cell)
    if loss.stage == "retired" and proof_state(loss) == "none":
        yield Risk(UNPROVEN, loss.name, "is retired without any proof", f"{prove}, from its golden", "parity")
    if loss.waiting:
        sites = many(len(loss.waiting), "call site")
        yield Risk(WAITING, loss.name, f"{sites} cannot be rewritten by the machine", "change them as the list says", "waiting")


def _of_verdict(loss: LossFacts, cell: ParityCell) -> Iterator[Risk]:
    """What a verdict that passed still does not show."""
    if cell.cases and not cell.equal:
        found = f"passes on {cell.device} without a single equal case: {cell.close} close, {cell.intended} different on purpose"
        yield Risk(WEAK, loss.name, found, "read its divergences, and add a case that both losses answer alike", "parity")
    elif cell.intended > MOSTLY * cell.cases:
        found = f"{cell.intended} of {cell.cases} cases on {cell.device} are different on purpose"
        yield Risk(WEAK, loss.name, found, "narrow its divergences to the results that they are about", "parity")
    for ratio, limit, words in (
        (cell.time_ratio, SLOW, "takes {:.1f} times as long"),
        (cell.memory_ratio, LARGE, "needs {:.1f} times the memory"),
    ):
        if ratio is not None and ratio > limit:
            found = f"{words.format(ratio)} on {cell.device} as the legacy loss"
            yield Risk(COSTLY, loss.name, found, "time it at a real size before it is switched on everywhere", "parity")


def _never_run(rows: Sequence[LossRow]) -> Iterator[Risk]:
    """Devices that some losses have no verdict on at all."""
    for device in sorted({cell.device for row in rows for cell in row.facts.parity}):
        missing = [row.facts.name for row in rows if any(c.device == device and c.state == "missing" for c in row.facts.parity)]
        if missing:
            found = f"{many(len(missing), 'loss')} never ran there: {listed(missing)}"
            where = "" if device == "cpu" else f" on a machine that has {device}"
            yield Risk(WEAK, device, found, f"lossport parity{where}", "parity")


def _untested(rows: Sequence[LossRow]) -> Iterator[Risk]:
    names = [row.facts.name for row in rows if not row.tests and row.facts.stage in ("switched", "retired")]
    if names:
        found = f"{many(len(names), 'loss')} in use without a test of its own: {listed(names)}"
        yield Risk(UNTESTED, "tests", found, "write one that names the loss, or a test_<loss>.py", "losses")


def _of_gates(gates: Sequence[Gate], gates_lost: Sequence[Gate]) -> Iterator[Risk]:
    for gate in gates_lost:
        yield Risk(LOST, gate.title, f"{gate.value_words} now: a gate that was met is lost", f"see it: {gate.command}", "gates")
    for gate in gates:
        if gate.met and gate.value is not None and gate.sense != "exactly" and _near(gate.value, gate.target):
            found = f"{gate.value_words}, and the target is {gate.target_words()}"
            yield Risk(NARROW, gate.title, found, "look at it before the next loss is added", "gates")


def _near(value: float, target: float) -> bool:
    return value != target and abs(value - target) <= CLOSE_TO_LIMIT * abs(target)
