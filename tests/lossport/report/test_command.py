"""`lossport report` and its ratchet, from the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lossport.cli.main import main
from lossport.project.config import Project

Workshop = Any
"""The class lies in conftest.py, which cannot be imported."""

MET = '{"at": "2026-11-01T09:00:00Z", "event": "gate", "loss": "", "gate": "duplication", "target": 5.0}\n'


def run(project: Project, *arguments: str) -> int:
    return main([*arguments, "--project", str(project.root)])


def test_check_fails_when_a_gate_that_was_met_is_lost_and_writes_nothing(
    project: Project, workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    project.ledger.parent.mkdir(parents=True)
    project.ledger.write_text(MET)
    workshop.git("add", "-A")
    assert run(project, "report", "--check") == 1
    told = capsys.readouterr().out
    assert "lost       Duplication in kit/: 84.2 %, and it was under 5 %; see it: lossport report --json" in told
    assert not project.reports.exists()
    assert project.ledger.read_text() == MET


def test_check_passes_while_no_gate_was_ever_met(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, "report", "--check") == 0
    assert "no gate that was met is lost" in capsys.readouterr().out
    assert not project.reports.exists()


def test_the_report_is_written_and_remembers_the_gates_that_are_met(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(project, "report", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [name for name in told["written"] if name.endswith(("index.html", "metrics.json"))] == [
        "reports/index.html",
        "reports/metrics.json",
    ]
    met = [json.loads(line)["gate"] for line in project.ledger.read_text().splitlines()]
    assert "lines" in met
    assert "duplication" not in met
    assert run(project, "report", "--check") == 0
    (project.new / "long.py").write_text("x = 1\n" * 500)
    assert run(project, "report", "--check") == 1
