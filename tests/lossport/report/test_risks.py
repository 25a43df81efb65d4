"""What is at risk comes second on the page: the worst first, each with what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from lossport.report import Gate, LossFacts, LossRow, ParityCell, Report, Waiting, metrics, render_report
from lossport.report.risks import risks


def row(name: str = "clip", stage: Any = "proven", cell: ParityCell | None = None, tests: int = 1, **more: Any) -> LossRow:
    facts = LossFacts(name, stage, (), (), (), (), parity=(cell,) if cell else (), **more)
    return LossRow(facts, (), None, None, None, tests)


def cell(state: Any = "passed", **more: Any) -> ParityCell:
    return ParityCell("cpu", "all", state, **{"equal": 9, **more})


@pytest.mark.parametrize(
    ("found", "words", "todo"),
    [
        (row(cell=cell("failed", different=1)), "fails parity on cpu: 1 of 10 cases differ", "lossport parity clip"),
        (row(cell=cell("stale", why="the port changed")), "its proof on cpu is stale: the port changed", "lossport parity clip"),
        (row(stage="retired"), "is retired without any proof", "lossport parity clip"),
        (row(cell=cell(equal=0, close=7)), "passes on cpu without a single equal case: 7 close", "add a case"),
        (row(cell=cell(equal=2, intended=7)), "7 of 9 cases on cpu are different on purpose", "narrow its divergences"),
        (row(cell=cell(time_ratio=4.6)), "takes 4.6 times as long on cpu as the legacy loss", "time it at a real size"),
        (row(cell=cell(memory_ratio=2.0)), "needs 2.0 times the memory on cpu as the legacy loss", "time it at a real size"),
        (row(waiting=(Waiting("a.py", 1, 1, "x", "y", "z"),)), "1 call site cannot be rewritten", "as the list says"),
        (row(cell=cell("missing", equal=0)), "1 loss never ran there: clip", "lossport parity"),
        (row(stage="switched", cell=cell(), tests=0), "1 loss in use without a test of its own: clip", "write one"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_risk_is_found_and_says_what_to_do(found: LossRow, words: str, todo: str) -> None:
    (risk,) = risks([found], [], [])
    assert words in risk.found
    assert todo in risk.todo


def test_a_sound_loss_is_no_risk() -> None:
    assert risks([row(stage="retired", cell=cell(close=3, intended=2, time_ratio=0.9, memory_ratio=1.2))], [], []) == ()


def test_gates_are_at_risk_when_they_are_lost_or_within_two_per_cent_of_their_limit() -> None:
    def gate(value: float, sense: Any = "under", target: float = 1000) -> Gate:
        return Gate("lines", "Lines in kit/", value, sense, target, "lines", "wc")

    assert [risk.found for risk in risks([], [gate(981)], [])] == ["981 lines, and the target is under 1,000 lines"]
    assert risks([], [gate(979)], []) == ()
    assert [risk.subject for risk in risks([], [gate(80.9, "at least", 80)], [])] == ["Lines in kit/"]
    assert risks([], [gate(2, "at most", 2), gate(5, "exactly", 5), replace(gate(1), value=None)], []) == ()
    (lost,) = risks([], [], [gate(1200)])
    assert (lost.rank, lost.todo) == (1, "see it: wc")


def test_the_worst_comes_first() -> None:
    rows = [row("slow", cell=cell(time_ratio=3.0)), row("old", cell=cell("stale")), row("red", cell=cell("failed", different=2))]
    assert [risk.subject for risk in risks(rows, [], [])] == ["red", "old", "slow"]


def test_risk_stands_before_the_losses_on_the_page_and_in_the_data(report: Report) -> None:
    page = render_report(report)["index.html"].decode()
    assert re.findall(r'<section[^>]* id="(\w+)"', page)[:4] == ["headline", "week", "risk", "losses"]
    section = page[page.index('id="risk"') : page.index('id="losses"')]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", section))
    assert "margin fails parity on cuda: 1 of 8 cases differs." in text
    assert "Do: lossport parity margin shows where." in text
    assert metrics(report)["risks"][0]["subject"] == "margin"
