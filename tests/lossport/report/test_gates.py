"""Gates and the ratchet over them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from lossport.measure import architecture, measure_corpus
from lossport.project.config import Gates
from lossport.report import Gate, LossFacts, ParityCell
from lossport.report.criteria import gates
from lossport.report.gates import Measured, lost, newly_met

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
NEW = {"kit/triplet.py": "class Base: ...\nclass Triplet(Base):\n    def f(self, x):\n        return x if x else 1\n"}
GOD = "def f(x):\n" + "".join(f"    if x == {n}: x += 1\n" for n in range(12))


def facts(
    name: str, stage: str = "retired", cells: tuple[ParityCell, ...] = (ParityCell("cpu", "float32", "passed"),)
) -> LossFacts:
    return LossFacts(name, stage, ("old.A",), ("kit.A",), (), (), parity=cells)  # type: ignore[arg-type]


def measured(**changes: object) -> Measured:
    new = measure_corpus(NEW)
    usual = Measured((facts("a"), facts("b")), new, measure_corpus({}), 91.5, 97.0, "", architecture(new, 2000))
    return replace(usual, **changes)  # type: ignore[arg-type]


def by_name(found: Measured, wanted: Gates | None = None) -> dict[str, Gate]:
    return {gate.name: gate for gate in gates(wanted or Gates(), found, "kit", "old")}


def test_a_finished_migration_meets_every_gate() -> None:
    cells = (ParityCell("cpu", "float32", "passed"), ParityCell("cuda", "float32", "missing"))
    quick = replace(facts("a", cells=cells), started_at=NOON, proven_at=NOON + dt.timedelta(minutes=90))
    found = by_name(measured(losses=(quick,)))
    assert {name: gate.met for name, gate in found.items()} == dict.fromkeys(found, True)
    assert found["hours-to-add-a-loss"].value == 1.5


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("migrated", {"losses": (facts("a"), facts("b", "proven"))}),
        ("parity", {"losses": (facts("a", cells=(ParityCell("cpu", "float32", "stale"),)),)}),
        ("parity", {"losses": (facts("a", cells=(ParityCell("cpu", "float32", "failed"),)),)}),
        ("parity", {"losses": (facts("a", cells=()),)}),
        ("legacy-files", {"legacy": measure_corpus({"old/a.py": "x = 1\n"})}),
        ("lines", {"new": measure_corpus({"kit/a.py": "x = 1\n" * 2000})}),
        ("duplication", {"new": measure_corpus({"kit/a.py": GOD * 9, "kit/b.py": GOD * 9})}),
        ("coverage", {"coverage": 79.99}),
        ("utils-coverage", {"utils_coverage": 94.9}),
        ("inheritance", {"new": measure_corpus({"a.py": "class A: ...\nclass B(A): ...\nclass C(B): ...\nclass D(C): ...\n"})}),
        ("complexity", {"new": measure_corpus({"kit/a.py": GOD})}),
        ("architecture", {"architecture": architecture(measure_corpus({"a.py": GOD * 20, "b.py": GOD * 20}), 100)}),
        ("hours-to-add-a-loss", {"losses": (replace(facts("a"), started_at=NOON, proven_at=NOON + dt.timedelta(hours=2)),)}),
    ],
)
def test_each_gate_can_fail(name: str, changes: dict[str, object]) -> None:
    gate = by_name(measured(**changes))[name]
    assert gate.met is False
    assert gate.command


def test_what_cannot_be_measured_is_open_and_neither_met_nor_lost() -> None:
    found = by_name(measured(new=measure_corpus({}), coverage=None, utils_coverage=None, architecture=None))
    open_gates = {name for name, gate in found.items() if gate.met is None}
    assert open_gates == {
        *("lines", "duplication", "coverage", "utils-coverage", "inheritance"),
        *("complexity", "architecture", "hours-to-add-a-loss"),
    }
    assert lost(found.values(), dict.fromkeys(found, 0.0)) == ()
    assert not open_gates & newly_met(found.values(), {}).keys()


def test_targets_come_from_the_configuration() -> None:
    found = by_name(measured(), Gates(lines=3, coverage=95.0))
    assert (found["lines"].target, found["lines"].met, found["coverage"].met) == (3, False, False)


def gate(value: float | None, target: float = 80.0) -> Gate:
    return Gate("coverage", "Coverage", value, "at least", target, "%", "coverage report")


def test_the_ratchet_remembers_what_was_met_and_fails_when_it_is_lost() -> None:
    remembered = newly_met([gate(85)], {})
    assert remembered == {"coverage": 80.0}
    assert newly_met([gate(85)], remembered) == {}
    assert lost([gate(79)], remembered) == (gate(79),)
    assert lost([gate(79)], {}) == ()
    assert lost([gate(80)], remembered) == ()


def test_raising_a_target_loses_nothing_until_the_value_falls_below_what_it_once_met() -> None:
    assert lost([gate(85, target=90)], {"coverage": 80.0}) == ()
    assert lost([gate(79, target=90)], {"coverage": 80.0}) == (gate(79, target=90),)
    assert newly_met([gate(95, target=90)], {"coverage": 80.0}) == {"coverage": 90}


def test_a_target_that_is_lowered_in_the_open_counts() -> None:
    assert lost([gate(75, target=70)], {"coverage": 80.0}) == ()


def test_a_gate_that_was_not_measured_this_time_is_not_lost() -> None:
    assert lost([gate(None)], {"coverage": 80.0}) == ()
