"""When git cannot be read, the page and `report --check` say so: what is unknown is never shown as nothing."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Any

import pytest

from lossport.cli.main import main
from lossport.project.config import Project
from lossport.report import Facts, build_report, metrics, render_report

TODAY = dt.date(2026, 11, 25)
Workshop = Any
"""The class lies in conftest.py, which cannot be imported."""


@pytest.fixture(params=["another owner", "no git", "no repository"])
def unreadable(request: pytest.FixtureRequest, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Break git in a way that people meet; what the message must tell them to do."""
    if request.param == "another owner":
        monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own switch for its own tests
        return "safe.directory"
    if request.param == "no git":
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
        return "install git"
    os.rename(project.root / ".git", project.root / "git-is-elsewhere")
    return "git init"


def page_of(project: Project, facts: Facts) -> str:
    return render_report(build_report(project, facts, today=TODAY))["index.html"].decode()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_the_headline_says_in_red_that_git_cannot_be_read_and_what_to_do(project: Project, facts: Facts, unreadable: str) -> None:
    page = page_of(project, facts)
    headline = page[page.index('id="headline"') :]
    alarm = re.search(r'<p class="alarm bad" role="alert">(.*?)</p>', headline)
    assert alarm is not None
    assert "Git cannot be read, so the past is unknown." in alarm[1]
    assert unreadable in alarm[1]


def test_figures_that_need_history_are_unknown(project: Project, facts: Facts, unreadable: str) -> None:
    report = build_report(project, facts, today=TODAY)
    page = text_of(render_report(report)["index.html"].decode())
    for claimed in ("Nothing this week", "not committed yet", "the most there have been", "none did before", "Since "):
        assert claimed not in page, claimed
    assert "how many are gone is unknown" in page
    assert all(claim.measured is None and claim.note == "cannot be checked: git cannot be read" for claim in report.claims)
    assert report.trends.keys() <= {"migrated"}
    assert report.charts.keys() <= {"burndown", "copies-now"}
    assert metrics(report)["git_problem"] == report.git_problem != ""


def test_check_exits_1_and_says_why(project: Project, capsys: pytest.CaptureFixture[str], unreadable: str) -> None:
    assert main(["report", "--check", "--project", str(project.root)]) == 1
    out = capsys.readouterr().out
    assert "cannot be read" in out
    assert "no gate that was met is lost" not in out


def test_where_git_can_be_read_there_is_no_alarm(project: Project, facts: Facts) -> None:
    assert "Git cannot be read" not in page_of(project, facts)
