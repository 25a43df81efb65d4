"""A migration of eight weeks: every figure of every week's page against git, and the pages themselves."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lossport.project.config import find_project
from lossport.report import Facts, LossFacts, ParityCell, Report, build_report, render_report
from lossport.report.series import burndown

TODAY = dt.date(2026, 11, 27)
Workshop = Any
"""The class lies in conftest.py, which cannot be imported."""

LOSSES = ("focal", "margin", "ranking", "triplet")
LEDGER = "migration/ledger.jsonl"
PORTS = {f"migration/ports/{name}.py": f"# the port of {name}\n" for name in LOSSES}
SETTINGS = """\
[tool.lossport]
legacy = "old_losses"
new = "kit"

[[tool.lossport.claims]]
date = 2026-10-28
text = "35 % complete"
source = "the planning round"
metric = "complete"
value = 35
"""


def body(name: str, lines: int) -> str:
    return "".join(f"{name}_{number} = {number}\n" for number in range(lines))


class Migration:
    """Eight weeks of two authors, in a repository whose commits have days."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.ids: dict[str, str] = {}

    def commit(
        self,
        name: str,
        day: str,
        author: str,
        files: Mapping[str, str | None],
        events: Sequence[Mapping[str, object]] = (),
    ) -> None:
        for path, text in files.items():
            file: Path = self.shop.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        if events:
            ledger: Path = self.shop.folder / LEDGER
            before = ledger.read_text() if ledger.exists() else ""
            ledger.write_text(before + "".join(json.dumps(event) + "\n" for event in events))
        self.shop.git("add", "-A")
        self.shop.git("commit", "-q", "--allow-empty", "-m", name, f"--author={author} <{author}@example.org>", day=day)
        self.ids[name] = self.shop.git("rev-parse", "HEAD")


def event(day: str, kind: str, loss: str, **facts: object) -> dict[str, object]:
    return {"at": f"{day}T11:00:00Z", "event": kind, "loss": loss, **facts}


def proven(day: str, loss: str) -> dict[str, object]:
    return event(day, "proven", loss, device="cpu")


@pytest.fixture(scope="module")
def migration(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Migration:
    shop = request.getfixturevalue("shop_class")(tmp_path_factory.mktemp("eight") / "shop")
    run = Migration(shop)
    old = {f"older/{name}.py": body(name, 10 * number) for number, name in enumerate(LOSSES, 1)}
    run.commit("begin", "2025-10-06", "ann", {"pyproject.toml": SETTINGS, **old})
    run.commit("ports", "2026-10-05", "ann", PORTS)  # W41
    run.commit(
        "retire triplet",
        "2026-10-13",  # W42
        "ann",
        {"older/triplet.py": None, "kit/triplet.py": body("new", 5)},
        [proven("2026-10-13", "triplet"), event("2026-10-13", "retired", "triplet", files=["older/triplet.py"])],
    )
    shop.git("mv", "older", "old_losses")  # W43 has no commit
    run.commit("rename", "2026-10-26", "bob", {})  # W44
    run.commit(
        "retire margin",
        "2026-10-29",
        "bob",
        {"old_losses/margin.py": None, "kit/margin.py": body("new", 6)},
        [proven("2026-10-29", "margin"), event("2026-10-29", "retired", "margin", files=["old_losses/margin.py"])],
    )
    run.commit(
        "undo margin",
        "2026-11-03",  # W45
        "ann",
        {"old_losses/margin.py": body("margin", 20)},
        [event("2026-11-03", "undone", "margin", files=["old_losses/margin.py"])],
    )
    shop.git("checkout", "-q", "-b", "side")
    run.commit(
        "retire focal",
        "2026-11-06",  # W45, but merged in W46
        "bob",
        {"old_losses/focal.py": None, "kit/focal.py": body("new", 7)},
        [proven("2026-11-06", "focal"), event("2026-11-06", "retired", "focal", files=["old_losses/focal.py"])],
    )
    shop.git("checkout", "-q", "main")
    shop.git("merge", "-q", "--no-ff", "-m", "merge focal", "side", day="2026-11-10")  # W46
    run.ids["merge"] = shop.git("rev-parse", "HEAD")
    folder: Path = shop.folder
    lines = [line for line in (folder / LEDGER).read_text().splitlines() if '"triplet"' not in line]
    run.commit(
        "revert triplet",
        "2026-11-17",  # W47: what `git revert` does to a migration
        "bob",
        {"old_losses/triplet.py": body("triplet", 40), LEDGER: "".join(f"{line}\n" for line in lines)},
    )
    run.commit("change focal", "2026-11-24", "ann", {"kit/focal.py": body("newer", 7)})  # W48: a proof goes stale
    run.commit(
        "force margin",
        "2026-11-25",
        "ann",
        {"old_losses/margin.py": None},
        [
            event("2026-11-25", "failed", "margin", device="cpu"),
            event("2026-11-25", "retired", "margin", files=["old_losses/margin.py"]),
        ],
    )
    return run


@pytest.fixture(scope="module")
def told(migration: Migration) -> Report:
    def loss(name: str, stage: Any, state: Any = "missing", **more: Any) -> LossFacts:
        cell = ParityCell("cpu", "all", state, 9)
        legacy = () if stage == "retired" else (f"old_losses/{name}.py",)
        new = (f"kit/{name}.py",) if name != "ranking" else ()
        return LossFacts(name, stage, (), (), legacy or (f"old_losses/{name}.py",), new, parity=(cell,), **more)

    at = {name: dt.datetime(2026, 11, day, 11, tzinfo=dt.UTC) for name, day in (("focal", 6), ("margin", 25))}
    facts = Facts(
        (
            loss("focal", "retired", "stale", retired_at=at["focal"]),
            loss("margin", "retired", "failed", retired_at=at["margin"]),
            loss("ranking", "planned"),
            loss("triplet", "planned"),
        )
    )
    return build_report(find_project(migration.shop.folder), facts, today=TODAY)


RETIRED = {
    "2026-W41": [],
    "2026-W42": ["triplet"],
    "2026-W43": ["triplet"],
    "2026-W44": ["margin", "triplet"],
    "2026-W45": ["triplet"],
    "2026-W46": ["focal", "triplet"],
    "2026-W47": ["focal"],
    "2026-W48": ["focal", "margin"],
}


def test_history_begins_with_the_first_port_and_not_with_the_folder(told: Report) -> None:
    assert told.since == dt.date(2026, 10, 5)
    assert [week.name for week in told.weeks] == list(RETIRED)


def test_each_week_has_the_losses_that_were_retired_at_its_end(told: Report) -> None:
    assert {week.name: sorted(week.standing.retired) for week in told.weeks} == RETIRED
    assert all(len(week.standing.losses) == 4 for week in told.weeks)


def test_each_week_has_the_legacy_files_and_lines_that_git_has_at_its_end(told: Report, migration: Migration) -> None:
    git = migration.shop.git
    for week in told.weeks:
        end = week.monday + dt.timedelta(days=7)
        commit = git("rev-list", "-1", "--first-parent", f"--before={end}T00:00:00Z", "HEAD")
        names = git("ls-tree", "-r", "--name-only", commit).splitlines()
        old = [name for name in names if name.startswith(("older/", "old_losses/"))]
        lines = sum(len(git("show", f"{commit}:{name}").splitlines()) for name in old)
        assert week.after is not None
        assert (week.name, week.after.legacy.files, week.after.legacy.lines) == (week.name, len(old), lines)


def test_steps_back_stand_in_their_week_with_commit_and_author(told: Report, migration: Migration) -> None:
    back = {week.name: [(s.kind, s.loss, s.commit, s.author) for s in week.backwards] for week in told.weeks if week.backwards}
    ids = migration.ids
    assert back == {
        "2026-W45": [("undone", "margin", ids["undo margin"], "ann")],
        "2026-W47": [("reverted", "triplet", ids["revert triplet"], "bob")],
        "2026-W48": [
            ("stale", "focal", ids["change focal"], "ann"),
            ("failed", "margin", ids["force margin"], "ann"),
        ],
    }


def test_a_new_port_loses_no_gate(told: Report) -> None:
    assert {week.name: week.gates_lost for week in told.weeks if week.gates_lost} == {}
    assert told.weeks[0].gates_won == ()


def test_what_a_merge_brought_counts_from_the_merge_and_names_its_own_commit(told: Report, migration: Migration) -> None:
    week = next(week for week in told.weeks if week.name == "2026-W46")
    step = next(step for step in week.steps if step.kind == "retired")
    assert (step.loss, step.commit, step.author) == ("focal", migration.ids["retire focal"], "bob")
    assert [item.commit for item in week.gone] == [migration.ids["retire focal"]]


def test_the_claim_stands_in_its_week_and_the_rename_does_not_change_its_measure(told: Report) -> None:
    (claim,) = next(week for week in told.weeks if week.name == "2026-W44").claims
    assert (claim.measured, claim.holds) == (25.0, False)


def test_the_burndown_rises_with_every_step_back(told: Report) -> None:
    steps = [step for week in told.weeks for step in week.steps if step.kind in ("retired", "undone", "reverted")]
    turns = [(step.at, -1 if step.kind == "retired" else 1) for step in steps]
    chart = burndown(4, turns, steps[0].at, told.moments[-1].at, None)
    assert [value for _, value in chart.lines[0].points] == [4, 3, 2, 3, 2, 3, 2, 2]
    assert "2 of 4 losses were left on 2026-11-27" in told.charts["burndown"]


def test_the_headline_counts_retired_losses_with_a_current_proof_and_says_the_rest(told: Report) -> None:
    page = text(render_report(told)["index.html"])
    assert "0 of 4 losses retired with a current proof" in page
    assert "2 more losses are retired without one: 1 failed parity (margin); 1 with a stale proof (focal)." in page


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<style.*?</style>", "", page.decode(), flags=re.S)))


def test_every_week_has_a_page_and_the_pages_lead_to_each_other(told: Report) -> None:
    files = render_report(told)
    assert {name for name in files if re.match(r"\d{4}-W", name)} == {f"{name}.html" for name in RETIRED}
    links = set(re.findall(r'href="([^"#]+)"', files["2026-W43.html"].decode()))
    assert links == {"2026-W42.html", "2026-W44.html", "weeks.html", "index.html"}
    assert set(re.findall(r'href="(\d{4}-W\d\d)\.html"', files["weeks.html"].decode())) == set(RETIRED)
    assert "Nothing happened in this week." in text(files["2026-W43.html"])
    week = text(files["2026-W44.html"])
    assert "2 of 4 losses retired with a current proof" in week
    assert "1 loss retired; 1 proven for the first time; 20 legacy lines (60 tokens) gone" in week
    assert "By bob." in week


def test_a_final_page_is_not_written_again_and_the_page_of_this_week_is(told: Report, migration: Migration) -> None:
    reports: Path = migration.shop.folder / "reports"
    reports.mkdir()
    try:
        pages = {name: content for name, content in render_report(told).items() if re.match(r"\d{4}-W", name)}
        for name, content in pages.items():
            (reports / name).write_bytes(content)
        again = build_report(find_project(migration.shop.folder), told.facts, today=TODAY + dt.timedelta(days=7))
        written = {name for name in render_report(again) if re.match(r"\d{4}-W", name)}
        assert written == {"2026-W48.html", "2026-W49.html"}
    finally:
        for path in reports.iterdir():
            path.unlink()
        reports.rmdir()


def test_a_proof_that_is_current_now_was_not_stale_before(told: Report, migration: Migration) -> None:
    """A change that the fingerprint does not count, such as a comment, is no step back."""
    focal, *rest = told.facts.losses
    current = replace(focal, parity=(replace(focal.parity[0], state="passed"),))
    report = build_report(find_project(migration.shop.folder), Facts((current, *rest)), today=TODAY)
    assert [step.loss for week in report.weeks for step in week.steps if step.kind == "stale"] == []
