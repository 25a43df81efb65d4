"""The parity command: many losses in processes side by side, what it keeps, and what it says to people and machines."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lossport.project.ledger import read
from tests import warm

pytestmark = pytest.mark.slow

OLD_GAP = """\
import torch.nn as nn


class GapLoss(nn.Module):
    def __init__(self, width=1.0):
        super().__init__()
        self.width = width

    def forward(self, left, right):
        return ((left - right).abs() - self.width).clamp(min=0).mean()
"""

PORT = """\
from lossport.port import Port

PORTS = (Port(legacy="old_losses.gap.GapLoss", new="fresh.gap.GapLoss"),)
"""

CASES = """\
from old_losses.gap import GapLoss


def wide(inputs):
    return GapLoss(0.5)(*inputs.paired(batch=4, dim=3))
"""

# Jinja2 comes with torch.
BARE = """\
import importlib.abc, runpy, sys


class Bare(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"libcst", "rich", "matplotlib", "pathspec", "radon", "hypothesis", "numpy"}:
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)


sys.meta_path.insert(0, Bare())
sys.argv = ["lossport", *sys.argv[1:]]
runpy.run_module("lossport", run_name="__main__")
"""


@pytest.fixture
def two(made: Any) -> Any:
    """The invented project with a second loss."""
    made.write("pyproject.toml", '[tool.lossport]\nlegacy = "old_losses"\nnew = "fresh"\n')
    made.write("old_losses/gap.py", OLD_GAP)
    made.write("fresh/gap.py", OLD_GAP)
    made.write("migration/ports/gap.py", PORT)
    made.write("migration/cases/gap.py", CASES)
    return made


def run(made: Any, *args: str) -> subprocess.CompletedProcess[str]:
    return warm.run("-m", "lossport", *args, cwd=made.root, env={**os.environ, "NO_COLOR": "1"})


def run_bare(made: Any, *args: str) -> subprocess.CompletedProcess[str]:
    """Where little is installed: in an interpreter of its own, which has imported nothing yet."""
    return subprocess.run([sys.executable, "-c", BARE, *args], cwd=made.root, capture_output=True, text=True, check=False)


def events(made: Any) -> list[tuple[str, str]]:
    return [(event.kind, event.loss) for event in read(made.project.ledger.read_bytes(), where="ledger")]


def test_losses_side_by_side_come_in_order_with_a_matrix_and_a_report_for_ci(two: Any, tmp_path: Path) -> None:
    two.edit("fresh/gap.py", "clamp(min=0)", "clamp(min=0.1)")
    done = run(two, "parity", "--jobs", "2", "--device", "cpu", "--junit", "ci/parity.xml")
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("  gap      cpu   FAILED") or "differ" in lines[0]
    assert "1 of 2 losses differs." in lines
    matrix = lines[next(n for n, line in enumerate(lines) if line.startswith("agree")) :]
    assert matrix[0].split()[:3] == ["agree", "cpu", "float32"]
    assert matrix[1].split()[0] == "gap"
    assert " of " in matrix[1]
    assert matrix[2].split()[0] == "pairs"
    assert len({len(line.rstrip()) for line in matrix[:3]}) == 1
    suites = ElementTree.parse(two.root / "ci/parity.xml").getroot().findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["gap on cpu", "pairs on cpu"]
    assert sorted(events(two)) == [("failed", "gap"), ("proven", "pairs"), ("recorded", "gap"), ("recorded", "pairs")]


def test_a_loss_that_costs_much_more_is_told_and_not_judged(two: Any) -> None:
    two.edit(
        "fresh/gap.py",
        "        return",
        "        import time\n"
        "        end = time.process_time() + 0.05\n"
        "        while time.process_time() < end:\n            pass\n"
        "        (left.detach().repeat(9, 99) * 2).sum()\n        return",
    )
    done = run(two, "parity", "gap", "--device", "cpu")
    assert done.returncode == 0, done.stdout
    assert "times the time of the legacy loss (told, not judged)" in done.stdout
    assert "times the memory of the legacy loss (told, not judged)" in done.stdout
    found = json.loads(run(two, "parity", "gap", "--device", "cpu", "--json").stdout)["proofs"][0]["cost"]
    assert found["time"] > 3
    assert found["memory"] > 2


def ends(group: int, seconds: float) -> bool:
    """Whether the processes of a group end by themselves; those that only served others do when they notice."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_run_says_so_once_and_leaves_nothing(two: Any, jobs: str) -> None:
    """A terminal sends Ctrl-C to every process of the group."""
    for name in ("pairs", "gap"):
        path = f"migration/cases/{name}.py"
        text = (two.root / path).read_text(encoding="utf-8")
        two.write(path, text + "\n\ndef slow(inputs):\n    import time\n    open('started', 'w').close()\n    time.sleep(60)\n")
    before = {path for path in two.root.rglob("*") if ".lossport" not in path.parts}
    done = warm.start("-m", "lossport", "parity", "--device", "cpu", "--jobs", jobs, cwd=two.root, group=True)
    until = time.monotonic() + 120
    while not (two.root / "started").exists() and time.monotonic() < until:
        time.sleep(0.2)
    os.killpg(done.pid, signal.SIGINT)
    said, told = done.communicate(timeout=60)
    assert done.returncode == 130
    assert told == "lossport: interrupted: nothing is half done\n"
    assert "Traceback" not in said
    assert {path for path in two.root.rglob("*") if ".lossport" not in path.parts} - before == {two.root / "started"}
    assert ends(done.pid, seconds=30)


def test_a_second_run_that_finds_the_same_writes_nothing(two: Any) -> None:
    assert run(two, "parity", "gap", "--device", "cpu").returncode == 0
    kept = {path: path.read_bytes() for path in (two.project.ledger, two.project.goldens / "gap.safetensors")}
    done = run(two, "parity", "gap", "--device", "cpu", "--json")
    proof = json.loads(done.stdout)["proofs"][0]
    assert proof["passed"]
    assert {path: path.read_bytes() for path in kept} == kept
    two.edit("fresh/gap.py", "clamp(min=0)", "clamp(min=0.1)")
    assert run(two, "parity", "gap", "--device", "cpu").returncode == 1
    two.edit("fresh/gap.py", "clamp(min=0.1)", "clamp(min=0)")
    assert run(two, "parity", "gap", "--device", "cpu").returncode == 0
    assert [kind for kind, _ in events(two)] == ["recorded", "proven", "failed", "proven"]


def test_constructions_of_the_tree_become_cases_and_what_cannot_is_named(two: Any) -> None:
    two.write("train.py", "from old_losses.gap import GapLoss\n\nused = GapLoss(width=0.25)\nother = GapLoss(float(input()))\n")
    done = run(two, "parity", "gap", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stdout
    proof = json.loads(done.stdout)["proofs"][0]
    assert proof["notes"] == ["no case for train.py:4: arguments that are no literals: other = GapLoss(float(input()))"]
    two.edit("fresh/gap.py", "self.width = width", "self.width = width or 1.0")
    assert run(two, "parity", "gap", "--device", "cpu").returncode == 0
    two.edit("fresh/gap.py", "width or 1.0", "1.0 if width == 0.25 else width")
    done = run(two, "parity", "gap", "--device", "cpu")
    assert done.returncode == 1
    assert "configuration_1" in done.stdout


def test_a_search_goes_beyond_the_variants_and_says_what_it_found(two: Any) -> None:
    two.edit("fresh/gap.py", "        return", "        left = left * 2 if left.shape[0] == 5 else left\n        return")
    done = run(two, "parity", "gap", "--device", "cpu", "--search", "20", "--save", "found")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "searched:" in done.stdout
    assert "smallest input that still differs: batch 5" in done.stdout
    assert list((two.root / "found").glob("test_*.py"))


@pytest.mark.parametrize("option", [["--search", "0"], ["--search", "soon"], ["--jobs", "0"]])
def test_wrong_numbers_are_refused(two: Any, option: list[str]) -> None:
    done = run(two, "parity", *option)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_machine_with_torch_and_safetensors_alone_proves_a_capsule_without_the_legacy_file(two: Any) -> None:
    assert run(two, "parity", "--device", "cpu").returncode == 0
    shutil.rmtree(two.root / "old_losses")
    shutil.rmtree(two.root / ".lossport")
    for losses in (["gap"], ["gap", "pairs", "--jobs", "2"]):
        done = run_bare(two, "parity", *losses, "--device", "cpu")
        assert done.returncode == 0, done.stderr
        assert "equal" in done.stdout


def test_a_search_without_hypothesis_says_what_to_install(two: Any) -> None:
    assert run(two, "record", "gap").returncode == 0
    done = run_bare(two, "parity", "gap", "--device", "cpu", "--search", "1")
    assert done.returncode == 2
    assert "pip install 'lossport[search]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_evidence_of_two_machines_is_merged_by_git(two: Any) -> None:
    def git(*args: str) -> None:
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *args], cwd=two.root, check=True, capture_output=True)

    two.write(".gitattributes", (Path(__file__).parents[3] / ".gitattributes").read_text(encoding="utf-8"))
    two.write(".gitignore", ".lossport/\n__pycache__/\n")
    git("init", "-q", "-b", "main")
    assert run(two, "record", "gap").returncode == 0
    git("add", "-A")
    git("commit", "-qm", "start")
    git("checkout", "-qb", "other")
    assert run(two, "parity", "gap", "--device", "cpu").returncode == 0
    git("add", "-A")
    git("commit", "-qm", "gap proven there")
    git("checkout", "-q", "main")
    assert run(two, "parity", "pairs", "--device", "cpu").returncode == 0
    git("add", "-A")
    git("commit", "-qm", "pairs proven here")
    git("merge", "-q", "other", "-m", "both")
    assert sorted(events(two)) == [("proven", "gap"), ("proven", "pairs"), ("recorded", "gap"), ("recorded", "pairs")]
