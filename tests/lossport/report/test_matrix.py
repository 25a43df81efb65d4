"""The parity matrix: what the ledger says of each loss, device and dtype, old events and new ones alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

from lossport.migrate.tell import parity_cells
from lossport.project.ledger import Event
from lossport.report import LossFacts, LossRow, ParityCell
from lossport.report.matrix import parity_matrix, worst_states
from lossport.source.fingerprint import Fingerprint

AT = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
NOW = Fingerprint(new="n", cases="c")


def event(kind: Any = "proven", device: str = "cpu", at: dt.datetime = AT, **facts: Any) -> Event:
    counts = {"equal": 5, "close": 2, "intended": 1, "not provable": 0, "different": 0}
    fingerprint = Fingerprint(new="n", cases="c").as_dict()
    return Event(at, kind, "clip", {"device": device, "counts": counts, "seconds": 1.5, "fingerprint": fingerprint, **facts})


def counts(**found: int) -> dict[str, int]:
    return {"equal": 0, "close": 0, "intended": 0, "not provable": 0, "different": 0, **found}


def states(cells: tuple[ParityCell, ...]) -> dict[tuple[str, str], str]:
    return {(cell.device, cell.dtype): cell.state for cell in cells}


def test_each_precision_of_a_verdict_has_a_cell_beside_the_whole() -> None:
    precisions = {"float32": counts(equal=4, close=1), "float16": counts(close=1, intended=1)}
    cells = parity_cells([event(precisions=precisions, cost={"time": 0.5, "memory": 0.25})], NOW)
    assert [(cell.device, cell.dtype, cell.cases) for cell in cells] == [
        ("cpu", "all", 8),
        ("cpu", "float32", 5),
        ("cpu", "float16", 2),
        ("cuda", "all", 0),
    ]
    whole = cells[0]
    assert (whole.seconds, whole.at, whole.time_ratio, whole.memory_ratio) == (1.5, AT, 0.5, 0.25)


def test_an_older_event_knows_no_precisions_and_no_cost() -> None:
    whole, cuda = parity_cells([event()], NOW)
    assert (whole.state, whole.equal, whole.close, whole.intended) == ("passed", 5, 2, 1)
    assert (whole.time_ratio, whole.memory_ratio, cuda.state) == (None, None, "missing")


def test_a_failure_marks_the_precision_that_differs_and_says_why() -> None:
    precisions = {"float32": counts(equal=4), "float16": counts(equal=1, different=1), "autocast": counts(**{"not provable": 1})}
    cells = parity_cells([event(), event("failed", precisions=precisions, headline="1 of 6 cases differs")], NOW)
    assert states(cells) == {
        ("cpu", "all"): "failed",
        ("cpu", "float32"): "passed",
        ("cpu", "float16"): "failed",
        ("cpu", "autocast"): "failed",
        ("cuda", "all"): "missing",
    }
    assert cells[0].why == "1 of 6 cases differs"


def test_a_verdict_on_other_sources_is_stale_in_every_precision() -> None:
    cells = parity_cells([event(precisions={"float32": counts(equal=1)})], Fingerprint(new="another", cases="c"))
    assert [cell.state for cell in cells if cell.device == "cpu"] == ["stale", "stale"]
    assert cells[0].why == "the new source changed"


def row(name: str, *cells: ParityCell) -> LossRow:
    return LossRow(LossFacts(name, "proven", (), (), (), (), parity=cells), (), None, None, None, 0)


def test_dtypes_stand_in_one_order_and_a_device_that_nothing_ran_on_has_no_rows() -> None:
    one = row("a", *(ParityCell("cpu", dtype, "passed", 1) for dtype in ("all", "int8", "float16", "float32")))
    matrix = parity_matrix([one, row("b", ParityCell("cpu", "all", "missing"), ParityCell("cuda", "all", "missing"))])
    assert matrix.dtypes == ("float32", "float16", "int8")
    assert matrix.not_run == ("cuda",)
    assert [[line.whole.state for line in lines] for _, lines in matrix.losses] == [["passed"], ["missing"]]


def test_a_device_that_some_loss_ran_on_has_a_row_for_each_loss() -> None:
    both = row("a", ParityCell("cuda", "all", "stale", 1), ParityCell("cpu", "all", "passed", 1))
    matrix = parity_matrix([both, row("b", ParityCell("cpu", "all", "passed", 1))])
    assert [[(line.whole.device, line.whole.state) for line in lines] for _, lines in matrix.losses] == [
        [("cpu", "passed"), ("cuda", "stale")],
        [("cpu", "passed"), ("cuda", "missing")],
    ]
    assert worst_states(both) == [("cpu", "passed"), ("cuda", "stale")]


def test_dtypes_without_a_whole_are_taken_together() -> None:
    (_, (line,)), *_ = parity_matrix(
        [row("a", ParityCell("cpu", "float32", "passed", 3, seconds=1.0), ParityCell("cpu", "float16", "failed", 1, different=2))]
    ).losses
    assert (line.whole.state, line.whole.equal, line.whole.different, line.whole.seconds) == ("failed", 4, 2, 1.0)


def test_nothing_run_anywhere_is_no_matrix() -> None:
    assert parity_matrix([row("a", ParityCell("cpu", "all", "missing"))]).losses == ()
