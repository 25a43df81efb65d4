"""Words on a terminal: aligned where people read, plain where they do not, silent where a machine reads."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from lossport.cli.terminal import Terminal


def test_a_step_has_its_seconds_in_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.step("plan", "7 call sites", 0.14)
    terminal.step("record", "14 cases; golden made", 11.9)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("  plan     7 call sites")
    assert first.endswith("   0.1 s")
    assert len(first) == len(second)


def test_what_is_too_long_goes_on_below(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().step("prove", "cpu   " + " · ".join(["12 intended (rank-1, rank-2)"] * 4), 1.0)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith("1.0 s")
    assert rest
    assert all(line.startswith("                 ") for line in rest)


def test_columns_are_as_wide_as_their_widest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table(("loss", "sites"), [("clip", "7"), ("barlow_twins", "12")], right=frozenset({1}))
    assert capsys.readouterr().out.splitlines() == ["loss          sites", "clip              7", "barlow_twins     12"]


def test_json_is_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(as_json=True)
    terminal.line("words")
    terminal.document({"stage": "proven"})
    assert json.loads(capsys.readouterr().out) == {"stage": "proven"}


def test_square_brackets_of_code_are_not_markup_on_a_real_terminal() -> None:
    program = """
from lossport.cli.terminal import Terminal
terminal = Terminal()
terminal.line('returns["loss"] [bold]x[/bold]')
with terminal.busy("proving"):
    pass
"""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", program], stdout=theirs, stderr=theirs, env=env, check=True)
    os.close(theirs)
    assert b'returns["loss"] [bold]x[/bold]' in os.read(ours, 100_000)
