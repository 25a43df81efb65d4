"""The report of a project with a past: every figure from the place that knows it."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lossport.project.config import Project, find_project
from lossport.report import Facts, LossFacts, ParityCell, Report, build_report, metrics, render_report

TODAY = dt.date(2026, 11, 25)
Workshop = Any
"""The class lies in conftest.py, which cannot be imported."""


def test_rows_join_facts_with_files_tests_owners_and_times(report: Report) -> None:
    rows = {row.facts.name: row for row in report.losses}
    assert (rows["triplet"].lines_before, rows["triplet"].lines_after) == (40, 10)
    assert (rows["focal"].lines_before, rows["focal"].lines_after) == (40, None)
    assert (rows["triplet"].tests, rows["focal"].tests) == (2, 0)
    assert (rows["triplet"].owners, rows["focal"].owners) == (("@vision",), ("@focus",))
    assert (rows["margin"].hours_to_proof, rows["focal"].hours_to_proof) == (3.0, None)
    assert rows["focal"].sites == 4


def test_retired_this_week_are_the_files_that_went_away_in_it_with_their_commit(report: Report, workshop: Workshop) -> None:
    (item,) = report.gone_this_week
    assert (item.loss, item.path, item.lines) == ("margin", "old_losses/margin.py", 40)
    assert item.commit == workshop.git("log", "--format=%H", "--diff-filter=D", "--", "old_losses/margin.py")
    assert [gone.loss for gone in report.gone] == ["margin", "triplet"]


def test_a_removal_that_is_not_committed_is_shown_as_such(project: Project, facts: Facts, workshop: Workshop) -> None:
    (workshop.folder / "old_losses" / "ranking.py").unlink()
    done = tuple(replace(loss, stage="retired") if loss.name == "ranking" else loss for loss in facts.losses)
    report = build_report(project, replace(facts, losses=done), today=TODAY)
    item = next(item for item in report.gone if item.loss == "ranking")
    assert (item.commit, item.lines) == (None, 40)
    assert "not committed yet" in render_report(report)["index.html"].decode()


def test_a_file_that_came_back_is_not_gone(project: Project, facts: Facts, workshop: Workshop) -> None:
    workshop.git("checkout", "HEAD~1", "--", "old_losses/margin.py")
    assert [item.loss for item in build_report(project, facts, today=TODAY).gone] == ["triplet"]


def test_claims_are_checked_for_their_day(report: Report) -> None:
    complete, reduced = report.claims
    assert (complete.measured, complete.holds) == (25.0, False)
    assert (reduced.measured, reduced.holds) == (100 * (4 * 27 - (3 * 27 + 16)) / (4 * 27), False)


def test_gates_have_values_trends_and_a_lost_one(report: Report) -> None:
    gates = {gate.name: gate for gate in report.gates}
    assert (gates["migrated"].value, gates["legacy-files"].value, gates["lines"].value) == (2, 2, 23)
    assert gates["coverage"].value is None
    trend = report.trends["legacy-files"]
    assert (trend.before, trend.change, trend.better, trend.since) == (3, -1, True, dt.date(2026, 11, 18))
    assert (report.trends["migrated"].before, report.trends["migrated"].better) == (1, True)
    assert [gate.name for gate in report.gates_lost] == ["duplication"]
    assert gates["duplication"].value == 100 * 16 / 19
    assert report.gates_newly_met["lines"] == 500


def test_coverage_is_read_from_the_file_that_coverage_writes(project: Project, facts: Facts) -> None:
    summary = {"num_statements": 8, "covered_lines": 6, "num_branches": 2, "covered_branches": 2}
    files = {"kit/triplet.py": {"summary": summary}, "kit/utils.py": {"summary": summary}}
    (project.root / "coverage.json").write_text(json.dumps({"meta": {"branch_coverage": True}, "files": files}))
    report = build_report(project, facts, today=TODAY)
    gates = {gate.name: gate for gate in report.gates}
    assert (gates["coverage"].value, gates["utils-coverage"].value, gates["utils-coverage"].met) == (80.0, 80.0, False)
    assert next(row for row in report.losses if row.facts.name == "triplet").coverage is not None
    (project.root / "coverage.json").write_text("not json")
    broken = {gate.name: gate for gate in build_report(project, facts, today=TODAY).gates}
    assert broken["coverage"].met is None
    assert "not a coverage.py JSON report" in broken["coverage"].note


def test_a_file_that_cannot_be_read_is_a_red_row_and_no_crash(project: Project, facts: Facts) -> None:
    (project.legacy / "odd.py").write_bytes(b"\xff\xfe\x00")
    (project.new / "half.py").write_text("def (:\n")
    page = render_report(build_report(project, facts, today=TODAY))["index.html"].decode()
    assert page.count('<tr class="broken">') == 2
    assert "1 not readable" in page


def test_the_peak_of_copying_stays_visible_as_it_thins_out(report: Report) -> None:
    assert len(report.history.peak_shared) == 12
    assert len(report.legacy.duplication.shared) == 2
    assert {"burndown", "claims", "lines", "duplication", "copies-peak", "copies-now"} == report.charts.keys()


def test_the_forecast_follows_the_retirements_of_the_last_weeks_and_takes_three(
    report: Report, project: Project, facts: Facts
) -> None:
    assert report.since == dt.date(2026, 11, 1)
    assert (report.forecast, report.recent) == (None, 2)
    third = tuple(
        replace(loss, stage="retired", retired_at=report.moments[-1].at) if loss.name == "ranking" else loss
        for loss in facts.losses
    )
    end = build_report(project, replace(facts, losses=third), today=TODAY).forecast
    assert end is not None
    assert (end.events, end.days) == (3, 24)
    assert end.middle is not None
    assert end.middle > TODAY


def test_a_second_report_is_equal_and_measures_nothing_again(
    project: Project, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = render_report(build_report(project, facts, today=TODAY))

    def again(*_: object) -> None:
        raise AssertionError("measured or drawn twice")

    for name in ("lossport.measure.cache.measure_bytes", "lossport.report.charts._svg"):
        monkeypatch.setattr(name, again)
    assert render_report(build_report(project, facts, today=TODAY)) == first


def test_nothing_is_written_but_the_cache(project: Project, facts: Facts, workshop: Workshop) -> None:
    render_report(build_report(project, facts, today=TODAY))
    assert workshop.git("status", "--porcelain") == ""
    assert [path.name for path in project.state.iterdir()] == ["cache"]


def test_an_empty_project_has_a_report_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lossport]\n")
    report = build_report(find_project(tmp_path), Facts(()), today=TODAY)
    page = render_report(report)["index.html"].decode()
    assert "0 <span>losses yet" in page
    assert "No history" in page


@pytest.mark.parametrize("commits", [None, 0, 1], ids=["no repository", "no commit", "one commit"])
def test_a_young_project_has_a_report_without_a_warning(tmp_path: Path, commits: int | None) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lossport]\n")
    (tmp_path / "legacy").mkdir()
    (tmp_path / "legacy" / "one.py").write_text("def f(a):\n    return a\n")
    if commits is not None:
        git = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b"]
        subprocess.run([*git, "init", "-q"], check=True)
        for _ in range(commits):
            subprocess.run([*git, "add", "-A"], check=True)
            subprocess.run([*git, "commit", "-qm", "first"], check=True)
    script = (
        "import datetime, pathlib\n"
        "from lossport.project.config import find_project\n"
        "from lossport.report import Facts, LossFacts, build_report, render_report\n"
        f"project = find_project(pathlib.Path({str(tmp_path)!r}))\n"
        "loss = LossFacts('one', 'planned', ('legacy.one.f',), ('losses.f',), ('legacy/one.py',), ())\n"
        "report = build_report(project, Facts((loss,)), today=datetime.datetime.now(datetime.UTC).date())\n"
        "assert b'0 <span>of 1 loss retired' in render_report(report)['index.html']\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_whose_name_is_no_text_is_shown_all_the_same(project: Project, facts: Facts, workshop: Workshop) -> None:
    odd = os.fsdecode(b"bad\xff $name$.py")
    (project.legacy / odd).write_text((project.legacy / "focal.py").read_text())
    files = render_report(build_report(project, facts, today=TODAY))
    assert "bad\\xff $name$" in files["index.html"].decode()
    workshop.commit("2026-11-25", {})
    again = build_report(project, facts, today=TODAY)
    assert again.legacy.files.keys() <= again.history.last_lines.keys()


def test_every_loss_retired_is_said_to_be_done(project: Project, facts: Facts) -> None:
    last = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    done = tuple(replace(loss, stage="retired", retired_at=last, why="", sites_left={}, waiting=()) for loss in facts.losses)
    unproven = render_report(build_report(project, replace(facts, losses=done), today=TODAY))["index.html"].decode()
    assert "Every loss is retired, but not every proof is current." in unproven
    cell = ParityCell("cpu", "all", "passed", 9)
    done = tuple(replace(loss, parity=(cell,)) for loss in done)
    report = build_report(project, replace(facts, losses=done), today=TODAY)
    page = render_report(report)["index.html"].decode()
    assert report.forecast is None
    assert "Done: every loss is retired." in page
    assert "Next:" not in page


def test_the_figures_of_the_page_are_there_as_data(report: Report) -> None:
    data = json.loads(render_report(report)["metrics.json"])
    assert data == json.loads(json.dumps(metrics(report)))
    assert (data["week"], data["retired"], data["gates_lost"]) == ("2026-W48", 2, ["duplication"])
    assert data["losses"]["focal"]["sites_left"] == {"from-import": 3, "string": 1}
    assert data["legacy"]["files"]["old_losses/focal.py"]["duplicated"] == 27
    assert data["history"][0]["legacy"][0] == 4
    assert len(data["history"][0]["legacy"]) == len(data["history_columns"])
    assert [claim["measured"] for claim in data["claims"]] == [25.0, 10.185]


@pytest.mark.parametrize(("day", "week"), [((2026, 1, 1), "2026-W01"), ((2027, 1, 1), "2026-W53"), ((2026, 11, 23), "2026-W48")])
def test_the_page_is_kept_under_its_iso_week(project: Project, facts: Facts, day: tuple[int, int, int], week: str) -> None:
    files = render_report(build_report(project, facts, today=dt.date(*day)))
    weeks = sorted(name for name in files if re.fullmatch(r"\d{4}-W\d\d\.html", name))
    assert weeks[-1] == f"{week}.html"
    losses = {f"losses/{loss.name}.html" for loss in facts.losses}
    assert files.keys() - weeks == {"index.html", "weeks.html", "metrics.json", *losses}


def test_the_next_loss_is_the_furthest_that_waits_for_nobody(report: Report) -> None:
    page = render_report(report)["index.html"].decode()
    assert "<strong>Next: ranking</strong>, proven. 2 call sites left." in page


def test_a_report_never_loads_torch(project: Project) -> None:
    script = (
        "import datetime, pathlib, sys\n"
        "from lossport.project.config import find_project\n"
        "from lossport.report import Facts, build_report, render_report\n"
        f"project = find_project(pathlib.Path({str(project.root)!r}))\n"
        "render_report(build_report(project, Facts(()), today=datetime.date(2026, 11, 25)))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_loss_whose_files_nobody_knows_is_a_row_like_any_other(project: Project) -> None:
    lonely = LossFacts("lonely", "planned", (), (), ("old_losses/never.py",), ())
    report = build_report(project, Facts((lonely,)), today=TODAY)
    (row,) = report.losses
    assert (row.lines_before, row.lines_after, row.coverage, row.owners) == (None, None, None, ())
    assert "old_losses/never" in metrics(report)["losses"]["lonely"]["legacy_files"][0]


def test_what_was_retired_after_the_last_commit_counts_on_the_burndown_too(project: Project, facts: Facts) -> None:
    later = dt.datetime(2026, 11, 25, 18, tzinfo=dt.UTC)
    done = tuple(replace(loss, stage="retired", retired_at=later) if loss.name == "ranking" else loss for loss in facts.losses)
    report = build_report(project, replace(facts, losses=done), today=TODAY)
    assert report.retired == 3
    assert "1 of 4 losses were left on 2026-11-25" in report.charts["burndown"]


COVERED = {
    "meta": {"branch_coverage": True, "timestamp": "2026-11-25T10:00:00"},
    "files": {
        "kit/margin.py": {"summary": {"num_statements": 8, "covered_lines": 6, "num_branches": 4, "covered_branches": 3}},
    },
}


def coverage_gate(report: Report) -> Any:
    return next(gate for gate in report.gates if gate.name == "coverage")


def test_without_a_coverage_report_the_command_that_makes_it_is_named(project: Project, facts: Facts) -> None:
    gate = coverage_gate(build_report(project, facts, today=TODAY))
    assert (gate.value, gate.note) == (
        None,
        "no coverage.json yet: pytest --cov=kit --cov-branch --cov-report=json writes it",
    )
    (project.root / "Makefile").write_text("test:\n\tpytest\ncoverage: test\n\tcoverage json\n")
    assert coverage_gate(build_report(project, facts, today=TODAY)).note == "no coverage.json yet: make coverage writes it"


def test_coverage_is_told_with_its_branches_and_how_old_it_is(project: Project, facts: Facts) -> None:
    (project.root / "coverage.json").write_text(json.dumps(COVERED))
    noon = dt.datetime(2026, 11, 25, 12).timestamp()
    for path in project.new.rglob("*.py"):
        os.utime(path, (noon - 86400, noon - 86400))
    assert coverage_gate(build_report(project, facts, today=TODAY)).note == "statements and branches, 2026-11-25 10:00"
    os.utime(project.new / "margin.py", (noon, noon))
    report = build_report(project, facts, today=TODAY)
    gate = coverage_gate(report)
    assert gate.value == 75.0
    assert gate.note == "statements and branches, 2026-11-25 10:00, before 1 of its files changed"
    told = metrics(report)
    assert (told["losses"]["margin"]["coverage"], told["losses"]["margin"]["branches"]) == (75.0, [3, 4])
    assert told["new"]["files"]["kit/margin.py"]["branches"] == [3, 4]
    assert told["new"]["files"]["kit/base.py"]["branches"] is None


def test_what_git_says_in_bytes_that_are_no_text_is_shown_and_escaped(project: Project, facts: Facts, workshop: Workshop) -> None:
    odd = os.fsdecode(b"caf\xe9<b>\x01.py")
    (workshop.folder / "old_losses" / odd).write_text("x = 1\n")
    workshop.git("add", "-A")
    workshop.git("commit", "-qm", "odd", day="2026-11-24")
    (workshop.folder / "old_losses" / odd).unlink()
    workshop.git("commit", "-qam", os.fsdecode(b"Retire caf\xe9 </style><script>alert(3)</script>"), day="2026-11-25")
    page = render_report(build_report(project, facts, today=TODAY))["index.html"].decode()
    assert "<code>old_losses/caf\\xe9&lt;b&gt;\x01.py</code>" in page
    assert "Retire caf\N{LATIN SMALL LETTER E WITH ACUTE} &lt;/style&gt;&lt;script&gt;alert(3)&lt;/script&gt;" in page
    assert page.count("</style>") == page.count("</script>") == 1
