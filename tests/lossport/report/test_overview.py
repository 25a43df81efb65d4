"""`lossport status`: one screen of 80 columns that says how far, what is missed and what is next."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from lossport.cli.overview import WIDTH, overview
from lossport.project.config import Project
from lossport.report import Facts, Gate, LossFacts, Report, build_report, measure_gates, next_step

GATES = (
    Gate("migrated", "Losses retired", 2, "exactly", 4, "of 4", "lossport status"),
    Gate("lines", "Lines in a_tree_with_quite_a_long_name/", 1980, "under", 2000, "lines", "wc"),
    Gate("legacy-files", "Legacy files left", 2, "exactly", 0, "files", "ls"),
    Gate("coverage", "Coverage of a_tree_with_quite_a_long_name/", None, "at least", 80, "%", "coverage"),
)


def text(facts: Facts, gates: tuple[Gate, ...] = GATES) -> list[str]:
    return [line.text for line in overview(facts, gates)]


def test_the_screen_reads_from_how_far_to_what_is_next(facts: Facts) -> None:
    assert text(facts) == [
        "2 of 4 losses retired · 6 call sites left · 1 waits for a person",
        "",
        "planned    1  focal 4: no golden yet",
        "proven     1  call sites left:",
        "              ranking 2",
        "retired    2  margin · triplet",
        "",
        "gates         1 of 4 met",
        "missed        Losses retired                           2 of 4   all 4",
        "              Legacy files left                       2 files   none",
        "open          Coverage of a_tree_with_qui...     not measured   at least 80 %",
        "",
        "next          lossport migrate ranking",
    ]


def test_two_hundred_losses_still_fit_one_screen(facts: Facts) -> None:
    many = tuple(replace(facts.losses[0], name=f"a_loss_with_a_long_name_{n}", why="no golden yet") for n in range(200))
    lines = text(replace(facts, losses=many))
    assert len(lines) <= 24
    assert max(map(len, lines)) <= WIDTH
    assert "              ... in all 200: lossport status --json" in lines
    assert not any(line.strip().startswith("·") for line in lines)


def test_losses_that_are_held_up_each_in_its_own_way_still_fit_one_screen(facts: Facts) -> None:
    many = tuple(
        replace(facts.losses[0], name=f"loss_{n}", why=f"legacy.a_long_module_name_{n}: no such file") for n in range(30)
    )
    lines = text(replace(facts, losses=many))
    assert lines[2:4] == [
        "planned   30  loss_0 4: legacy.a_long_module_name_0: no such file",
        "              loss_1 4: legacy.a_long_module_name_1: no such file",
    ]
    assert "              ... and 26 more: lossport status --json" in lines
    assert len(lines) <= 24


def test_when_all_is_done_nothing_is_next_unless_a_proof_has_gone_stale() -> None:
    done = LossFacts("a", "retired", (), (), (), ())
    assert text(Facts((done,)), ())[-1] == "next          nothing: every loss is retired"
    stale = replace(done, name="b", why="the new source changed since the proof")
    assert text(Facts((done, stale)), ())[-1] == "next          lossport parity b"


def test_what_waits_for_a_person_comes_after_what_the_machine_can_do(facts: Facts) -> None:
    ranking = next(loss for loss in facts.losses if loss.name == "ranking")
    waiting = replace(ranking, name="a", waiting=facts.losses[0].waiting)
    step = next_step((waiting, ranking))
    assert step is not None
    assert step.command == "lossport migrate ranking"


def test_status_and_report_know_the_same_gates(project: Project, facts: Facts, report: Report) -> None:
    assert measure_gates(project, facts) == report.gates


def test_a_look_leaves_no_trace_in_git(project: Project, facts: Facts) -> None:
    (project.root / ".gitignore").unlink()
    build_report(project, facts, today=dt.date(2026, 11, 25))
    assert (project.state / "cache" / ".gitignore").read_text() == "*\n"
