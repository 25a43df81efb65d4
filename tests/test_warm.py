"""A program that is forked from the warm process is a process like any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import warm


def test_it_has_its_arguments_folder_environment_and_path(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("word = 'found'\n")
    program = "import os, sys, beside; print(sys.argv, os.getcwd(), os.environ['ONLY'], len(os.environ), beside.word, __name__)"
    done = warm.run("-c", program, "a b", "--c", cwd=tmp_path, env={"ONLY": "this"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"['-c', 'a b', '--c'] {tmp_path.resolve()} this 1 found __main__\n"


def test_a_script_and_a_module_are_started_as_python_starts_them(tmp_path: Path) -> None:
    for name in ("script.py", "package/__init__.py", "package/__main__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("import sys\nprint(__name__, sys.argv[1:], bool(__file__))\n")
    script = str(tmp_path / "script.py")
    for command in ([script, "x"], ["-m", "package", "x"]):
        cold = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert warm.run(*command, cwd=tmp_path).stdout == cold.stdout


@pytest.mark.parametrize(
    ("program", "status", "told"),
    [
        ("pass", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('why')", 1, "why\n"),
        ("import atexit, sys; atexit.register(print, 'last', file=sys.stderr)", 0, "last\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
    ],
)
def test_it_ends_as_a_program_ends(program: str, status: int, told: str) -> None:
    done = warm.run("-c", program)
    assert (done.returncode, done.stderr) == (status, told)


def test_an_exception_shows_the_frames_of_the_program_alone() -> None:
    done = warm.run("-c", "def f():\n    return 1 / 0\n\nf()")
    assert done.returncode == 1
    assert done.stderr.count("File ") == 2
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_a_signal_reaches_it(tmp_path: Path) -> None:
    process = warm.start("-c", "import time; open('up', 'w').close(); time.sleep(60)", cwd=tmp_path, group=True)
    while not (tmp_path / "up").exists():
        time.sleep(0.02)
    assert os.getpgid(process.pid) == process.pid
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.1)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert told.endswith("KeyboardInterrupt\n")


def test_what_one_program_changes_another_does_not_see() -> None:
    assert warm.run("-c", "import os, torch; os.environ['X'] = '1'; torch.manual_seed(1); torch.changed = True").returncode == 0
    assert warm.run("-c", "import os, torch; print(os.environ.get('X'), hasattr(torch, 'changed'))").stdout == "None False\n"


def test_the_modules_of_this_project_are_not_loaded_before_it() -> None:
    program = "import sys; print([n for n in sys.modules if n.partition('.')[0] in ('losses', 'legacy', 'tests', 'examples')])"
    assert warm.run("-c", program).stdout == "[]\n"
