"""What is measured ahead is what the report would have measured, and a process that is given up leaves nothing running."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from lossport.project.config import Project
from lossport.report import Facts, build_report
from lossport.report.ahead import main, measured_ahead
from lossport.report.build import measure_ahead

from .conftest import TODAY, Workshop


@pytest.fixture
def fresh(workshop: Workshop, project: Project) -> Project:
    """The project with nothing remembered."""
    for path in (project.state / "cache").glob("*.jsonl"):
        path.unlink()
    return project


def measured(project: Project) -> list[str]:
    """What is remembered: keys that name contents."""
    (path,) = (project.state / "cache").glob("*.jsonl")
    return [json.loads(line)[0] for line in path.read_text().splitlines()]


def test_a_report_without_the_files_that_are_gone_measures_nothing_more(fresh: Project, facts: Facts) -> None:
    leaving = fresh.legacy / "focal.py"
    measure_ahead(fresh, frozenset({leaving}), today=TODAY)
    before = measured(fresh)
    leaving.unlink()
    report = build_report(fresh, facts, today=TODAY)
    assert "old_losses/focal.py" not in report.legacy.files
    more = measured(fresh)[len(before) :]
    assert all(key.startswith("chart ") for key in more), "all but what depends on facts was there"
    assert len(more) < len(report.charts)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="nothing is measured ahead on one processor")
def test_a_process_of_its_own_measures_the_same(fresh: Project) -> None:
    with measured_ahead(fresh, [fresh.legacy / "focal.py"]) as wait:
        assert wait() == 0
    in_a_process = measured(fresh)
    for path in (fresh.state / "cache").glob("*.jsonl"):
        path.unlink()
    main(str(fresh.root), str(fresh.legacy / "focal.py"))
    assert sorted(measured(fresh)) == sorted(in_a_process)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="nothing is measured ahead on one processor")
def test_it_ends_with_what_it_ran_beside(fresh: Project, tmp_path: Path, monkeypatch: Any) -> None:
    slow = tmp_path / "python"
    slow.write_text('#!/bin/sh\necho $$ >"$0.pid"\nexec sleep 60\n')
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    told = tmp_path / "python.pid"
    with measured_ahead(fresh, []):
        while not told.is_file() or not told.read_text().strip():
            pass
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
