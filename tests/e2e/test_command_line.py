"""Words, exit statuses and costs of the command line, for right and wrong use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT, Lossport


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["status"],
        ["sites", "clip"],
        ["rewrite", "clip", "--dry-run"],
        pytest.param(["status", "--json"], marks=pytest.mark.full(reason="reads the whole tree, as `status` does in each run")),
    ],
    ids=" ".join,
)
def test_commands_that_need_no_tensors_never_import_torch(command: list[str]) -> None:
    program = (
        "import sys\nfrom lossport.cli.main import main\n"
        "try:\n    code = main(sys.argv[1:])\nexcept SystemExit as end:\n    code = end.code\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["migrate", "clipp"], "no loss is called 'clipp'"),
        (["sites", "nothing"], "known losses: "),
        (["parity", "clip", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        ([], "the following arguments are required: COMMAND"),
        (["undo", "clip"], "clip: there is no migration to take back"),
        (["status", "--project", "nowhere"], "no such folder"),
    ],
)
def test_wrong_use_is_one_clear_message_and_exit_status_2(clone: Path, lossport: Lossport, args: list[str], message: str) -> None:
    done = lossport(*args)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_configuration_names_the_key(clone: Path, lossport: Lossport) -> None:
    file = clone / "pyproject.toml"
    file.write_text(file.read_text().replace("[tool.lossport]\n", '[tool.lossport]\nlegacyy = "x"\n'))
    done = lossport("status")
    assert done.returncode == 2
    assert "tool.lossport: unknown key legacyy" in done.stderr


@pytest.mark.full(reason="builds a wheel")
def test_the_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"
    subprocess.run(
        ["git", "-c", "safe.directory=*", "checkout-index", "-a", f"--prefix={source}{os.sep}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, source], check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("lossport-*.whl")
    listing = subprocess.run([sys.executable, "-m", "zipfile", "-l", wheel], check=True, capture_output=True, text=True).stdout
    names = [line.split()[0] for line in listing.splitlines()[1:]]
    assert all(name.startswith(("lossport/", "lossport-")) for name in names), names
    assert "lossport/py.typed" in names
