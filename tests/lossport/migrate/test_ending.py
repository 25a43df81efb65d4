"""What a command says and returns that does not end by itself: the message is true, and the exit status is not 0."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lossport.migrate import pipeline
from lossport.project import transaction
from lossport.project.transaction import Change

from .conftest import Small


def failing(error: BaseException) -> object:
    def fail(*args: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status"), [(OSError(28, "No space left"), 1), (RuntimeError("odd"), 1), (KeyboardInterrupt(), 130)]
)
def test_a_migration_without_its_report_is_done_and_says_so_first(
    small: Small, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    monkeypatch.setattr(pipeline, "refresh_report", failing(error))
    assert small.run("migrate", "gap") == status
    out = capsys.readouterr().out
    assert out.index("gap is migrated.") < out.index("the report could not be written")
    assert "lossport report writes it" in out
    assert not (small.root / "old/gap.py").exists()
    assert small.run("status", "--json") == 0
    assert '"stage": "retired"' in capsys.readouterr().out


def test_a_migration_that_is_taken_back_without_its_report_says_so_first(
    small: Small, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert small.migrate().result == "migrated"
    monkeypatch.setattr(pipeline, "refresh_report", failing(OSError(28, "No space left")))
    assert small.run("undo", "gap") == 1
    out = capsys.readouterr().out
    assert out.index("the migration of gap is taken back") < out.index("the report could not be written")
    assert (small.root / "old/gap.py").exists()


@pytest.mark.parametrize("command", [["status"], ["sites", "gap"], ["report"], ["rewrite", "gap", "--dry-run"]], ids=" ".join)
def test_every_command_puts_right_what_was_cut_short_before_it_reads(
    small: Small, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    app = small.root / "app.py"
    before = app.read_bytes()
    state = small.project.state
    transaction._write_journal(small.root, state, [Change(app, before, b"half done\n")])
    app.write_bytes(b"half done\n")
    assert small.run(*command) == 0
    assert "a lossport command was cut short here; put back as they were: app.py" in capsys.readouterr().err
    assert app.read_bytes() == before
    assert small.run(*command) == 0
    assert "cut short" not in capsys.readouterr().err


@pytest.mark.parametrize("body", ["import sys\nsys.exit(0)\n", "raise SystemExit\n", "import os\nos._exit(0)\n"])
def test_a_port_that_ends_the_program_is_an_error(small: Small, capsys: pytest.CaptureFixture[str], body: str) -> None:
    small.write("migration/ports/gap.py", body)
    for command in (["status"], ["sites", "--retired", "--check"], ["migrate", "gap"]):
        assert small.run(*command) == 2
        assert "migration/ports/gap.py: cannot be loaded: " in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["import os; os._exit(0)", "import os; os.fork() or os._exit(0)"])
def test_a_case_that_ends_the_program_is_an_error(small: Small, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    text = small.read("migration/cases/gap.py").replace("    yield Gap()", f"    {ending}\n    yield Gap()")
    small.write("migration/cases/gap.py", text)
    small.commit()
    if "fork" in ending:
        assert small.run("record", "gap") == 0  # the child ends by itself, and the parent goes on
        return
    for command in ("record", "parity", "migrate"):
        assert small.run(command, "gap") == 2
        assert "ended the program" in capsys.readouterr().err
    assert small.changed() == set()


def test_output_that_nobody_reads_is_no_success(small: Small) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lossport", "sites", "gap"], cwd=small.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "PYTHONPATH": str(Path(transaction.__file__).parents[2])},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 141


def test_a_read_only_folder_is_one_message(
    small: Small, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Path.mkdir

    def mkdir(path: Path, *args: object, **options: object) -> None:
        if path.name == ".lossport":
            raise OSError(30, "Read-only file system", str(path))
        real(path, *args, **options)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Path, "mkdir", mkdir)
    for command in (["migrate", "gap", "--dry-run"], ["report"], ["rewrite", "gap"], ["record", "gap"]):
        assert small.run(*command) == 2
        assert "Read-only file system" in capsys.readouterr().err
