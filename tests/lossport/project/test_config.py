"""The configuration is read as it is meant, or refused with the key, what was found and what was expected."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from lossport.project.config import ConfigError, find_project, parse_project

PORT = 'from lossport.port import Port\n\nPORTS = (Port("legacy.clip.Clip", "losses.Clip"),)\n'


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def test_an_empty_table_means_the_defaults(tmp_path: Path) -> None:
    project = parse_project(tmp_path, {})
    assert (project.legacy, project.new) == (tmp_path / "legacy", tmp_path / "losses")
    assert project.gates.lines == 2000
    assert project.shim_until is None


def test_the_project_is_found_from_a_folder_below(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool.lossport]\n")
    write(tmp_path, "examples/deep/pyproject.toml", "[project]\n")
    assert find_project(tmp_path / "examples" / "deep").root == tmp_path


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"legcy": "old"}, "unknown key legcy; known keys: cases"),
        ({"legacy": 3}, "tool.lossport.legacy: expected a string, found 3"),
        ({"legacy": "../old"}, "tool.lossport.legacy: '../old' leaves the project"),
        ({"legacy": "/old"}, "'/old' leaves the project"),
        ({"tests": "tests"}, "tool.lossport.tests: expected a list of strings"),
        ({"shim-until": "2027-03-01"}, "expected a date such as 2026-05-04, without quotes"),
        ({"gates": {"lines": "many"}}, "tool.lossport.gates.lines: expected a number, found 'many'"),
        ({"gates": {"lines": True}}, "expected a number, found True"),
        ({"gates": {"line": 3}}, "tool.lossport.gates: unknown key line"),
        ({"claims": [{"text": "done", "source": "a note"}]}, "tool.lossport.claims[0].date: missing"),
        ({"claims": {"text": "done"}}, "tool.lossport.claims: expected a list of tables"),
        ("legacy", "tool.lossport: expected a table"),
        ({"reports": ".git/hooks"}, "tool.lossport.reports: '.git/hooks' lies in a folder of another program"),
        ({"goldens": "losses"}, "tool.lossport.goldens: 'losses' and new 'losses' overlap"),
        ({"goldens": "legacy/goldens"}, "goldens: 'legacy/goldens' and legacy 'legacy' overlap"),
        ({"reports": "migration"}, "tool.lossport.goldens: 'migration/goldens' and reports 'migration' overlap"),
        ({"reports": "tests"}, "tool.lossport.reports: 'tests' and tests 'tests' overlap"),
        ({"new": "legacy/better"}, "tool.lossport.new: 'legacy/better' and legacy 'legacy' overlap"),
        ({"cases": "migration/ports"}, "tool.lossport.ports: 'migration/ports' and cases 'migration/ports' overlap"),
        ({"reports": "."}, "tool.lossport.reports: '.' is the project itself"),
        ({"test-command": []}, "tool.lossport.test-command: expected a list of at least one string"),
        ({"require-tests": "no"}, "tool.lossport.require-tests: expected true or false"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, table: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=r"tool\.lossport") as error:
        parse_project(tmp_path, table)
    assert told in str(error.value)


def test_a_link_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (tmp_path / "elsewhere").mkdir()
    root.mkdir()
    (root / "legacy").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="leads out of the project through a link"):
        parse_project(root, {})


def test_a_claim_has_a_day(tmp_path: Path) -> None:
    claim = {"date": dt.date(2026, 5, 4), "text": "35 % complete", "source": "a note", "metric": "lines", "value": 35.0}
    (found,) = parse_project(tmp_path, {"claims": [claim]}).claims
    assert (found.date, found.value) == (dt.date(2026, 5, 4), 35.0)


def test_without_ports_there_is_nothing_to_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no losses yet: a loss begins with its port, migration/ports/<loss>\.py"):
        parse_project(tmp_path, {}).names()


def test_losses_are_named_once_and_in_the_order_asked_for(tmp_path: Path) -> None:
    for name in ("clip", "basic", "vicreg"):
        write(tmp_path, f"migration/ports/{name}.py", PORT)
    project = parse_project(tmp_path, {})
    assert project.names() == ["basic", "clip", "vicreg"]
    assert project.names(["vicreg", "clip", "vicreg"]) == ["vicreg", "clip"]
    with pytest.raises(ConfigError, match=r"no loss is called 'clop': did you mean clip\? expected a port file"):
        project.names(["clop"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("PORTS = 3\n", "expected PORTS, a tuple of Port and Gone values; found int"),
        ("PORTS = (\n", "cannot be loaded: SyntaxError"),
        ("raise RuntimeError('no')\n", "cannot be loaded: RuntimeError: no"),
        (PORT + "PORTS = PORTS * 2\n", "two entries for legacy.clip.Clip"),
        (PORT.replace("losses.Clip", "Clip"), "expected a dotted path"),
    ],
)
def test_a_wrong_port_file_is_named_with_the_fault(tmp_path: Path, text: str, told: str) -> None:
    write(tmp_path, "migration/ports/clip.py", text)
    with pytest.raises(ConfigError, match=r"migration/ports/clip\.py") as error:
        parse_project(tmp_path, {}).loss("clip")
    assert told in str(error.value)
