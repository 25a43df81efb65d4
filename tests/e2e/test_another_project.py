"""Somebody else's repository: another layout, other names, a loss of their own. The harness knows no loss in particular."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import warm

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

BEGUN_AFTER = 2
"""Seconds until Python has certainly begun to listen to signals; before that it just dies, as any program does."""

FILES = {
    "pyproject.toml": """
        [tool.lossport]
        legacy = "src/rank/old"
        new = "src/rank/losses"
        ports = "port/ports"
        cases = "port/cases"
        goldens = "port/goldens"
        ledger = "port/ledger.jsonl"
        import-roots = ["src"]
        tests = ["checks"]
        test-command = ["python", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    """,
    "src/rank/__init__.py": "",
    "src/rank/old/__init__.py": "",
    "src/rank/old/margin.py": '''
        """Margin ranking, as it grew."""
        import torch
        from torch import nn


        class MarginRank(nn.Module):
            def __init__(self, alpha=0.2, verbose=False):
                super().__init__()
                self.alpha = alpha
                self.verbose = verbose

            def forward(self, anchor, positive, negative):
                near = ((anchor - positive) ** 2).sum(dim=1)
                far = ((anchor - negative) ** 2).sum(dim=1)
                loss = torch.relu(near - far + self.alpha).mean()
                return {"total": loss, "active": ((near - far + self.alpha) > 0).float().mean().item()}
    ''',
    "src/rank/losses/__init__.py": "from rank.losses.triplet import TripletLoss\n\n__all__ = ['TripletLoss']\n",
    "src/rank/losses/triplet.py": '''
        """Triplet loss (Schroff et al. 2015, eq. 3)."""
        import torch
        from torch import Tensor, nn


        class TripletLoss(nn.Module):
            def __init__(self, margin: float = 0.2) -> None:
                super().__init__()
                self.margin = margin

            def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> dict[str, Tensor]:
                gap = ((anchor - positive) ** 2).sum(dim=1) - ((anchor - negative) ** 2).sum(dim=1) + self.margin
                return {"loss": torch.relu(gap).mean(), "active": (gap > 0).float().mean().detach()}
    ''',
    "src/rank/train.py": """
        import torch

        from rank.old.margin import MarginRank


        def step(seed):
            torch.manual_seed(seed)
            criterion = MarginRank(0.5, True)  # a wide margin
            a, p, n = (torch.randn(4, 3, requires_grad=True) for _ in range(3))
            out = criterion(a, p, n)
            out["total"].backward()
            return float(out["total"]), out["active"]
    """,
    "checks/test_train.py": """
        from rank.train import step


        def test_step():
            total, active = step(0)
            assert total > 0 and isinstance(active, float)
    """,
    "port/ports/margin.py": """
        from lossport.port import Port, drop, number, rename, tensor

        PORTS = (
            Port(
                legacy="rank.old.margin.MarginRank",
                new="rank.losses.TripletLoss",
                parameters=(rename("alpha", "margin"), drop("verbose", reason="never printed anything")),
                attributes=(rename("alpha", "margin"), drop("verbose", reason="never printed anything")),
                returns=(tensor("total", "loss"), number("active")),
            ),
        )
    """,
    "port/cases/margin.py": """
        from rank.old.margin import MarginRank


        def some_margin(inputs):
            criterion = MarginRank(alpha=0.3)
            a, p = inputs.paired(batch=5, dim=4)
            n, _ = inputs.paired(batch=5, dim=4)
            yield criterion(a, p, n)


        def read_by_key(inputs):
            criterion = MarginRank(verbose=False)
            a, p = inputs.paired(batch=5, dim=4)
            n, _ = inputs.paired(batch=5, dim=4)
            out = criterion(a, p, negative=n)
            yield out["total"]
            yield out["active"]
    """,
}


def git(folder: Path, *args: str) -> str:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "rank-project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").split("\n")
        indent = len(lines[0]) - len(lines[0].lstrip())
        (root / name).write_text("\n".join(line[indent:] if line[:indent].isspace() else line for line in lines).rstrip() + "\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "start")
    return root


Run = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "migration")}


@pytest.fixture
def lossport(project: Path) -> Run:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return warm.run("-m", "lossport", *args, cwd=project, env=environment())

    return run


def test_the_whole_way_and_back(project: Path, lossport: Run) -> None:
    done = lossport("migrate", "margin")
    assert done.returncode == 0, done.stdout + done.stderr
    train = (project / "src/rank/train.py").read_text()
    assert "from rank.losses import TripletLoss" in train
    assert "criterion = TripletLoss(0.5)  # a wide margin" in train or "TripletLoss(margin=0.5)" in train
    assert 'out["loss"].backward()' in train
    assert 'out["active"].item()' in train
    assert list((project / "src/rank/old").glob("*.py")) == []  # the package went with its last module
    assert "retired" in lossport("status").stdout
    assert (project / "reports/index.html").is_file()
    assert lossport("migrate", "margin").returncode == 0
    undone = lossport("undo", "margin")
    assert undone.returncode == 0, undone.stderr
    assert git(project, "diff", "--stat", "--", "src", "checks") == ""


HOLDS_ON = """

def test_name():
    import inspect

    import rank.train

    assert "Margin" + "Rank" in inspect.getsource(rank.train)
"""


def test_a_failing_test_of_theirs_stops_it(project: Path, lossport: Run) -> None:
    check = project / "checks/test_train.py"
    check.write_text(check.read_text() + HOLDS_ON)
    git(project, "commit", "-qam", "a test that holds on to the old name")
    done = lossport("migrate", "margin")
    assert done.returncode == 1
    assert "they pass without the migration" in done.stdout
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.full(reason="rehearses three times, in processes of their own")
def test_tests_that_fail_anyway_are_not_blamed_on_it(project: Path, lossport: Run) -> None:
    check = project / "checks/test_train.py"
    check.write_text(check.read_text() + "\n\ndef test_broken():\n    assert False\n")
    git(project, "commit", "-qam", "broken already")
    done = lossport("migrate", "margin")
    assert done.returncode == 0
    assert "the tests that touch them fail as before" in done.stdout
    assert "checks.test_train::test_broken" in done.stdout


@pytest.mark.full(reason="kills a migration six times")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("delay", [0.5, 3.0])
def test_a_migration_that_is_stopped_leaves_the_tree_as_before_or_as_after(
    project: Path, lossport: Run, number: signal.Signals, delay: float
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lossport", "migrate", "margin"],
        cwd=project, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    time.sleep(delay)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert "Traceback" not in err or delay < BEGUN_AFTER
    assert lossport("status").returncode == 0
    changed = {line[3:] for line in git(project, "status", "--porcelain", "--", "src", "checks").splitlines()}
    assert changed in (set(), {"src/rank/old/__init__.py", "src/rank/old/margin.py", "src/rank/train.py"})


def test_a_machine_without_the_sources_of_the_loss_says_what_is_missing(project: Path, lossport: Run) -> None:
    (project / "port/cases/margin.py").unlink()
    done = lossport("migrate", "margin")
    assert done.returncode == 2
    assert "port/cases/margin.py: missing" in done.stderr


def test_parity_writes_its_verdict_into_the_ledger(project: Path, lossport: Run) -> None:
    done = lossport("parity", "margin", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["proofs"][0]["passed"]
    events = [json.loads(line) for line in (project / "port/ledger.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["recorded", "proven"]


def test_a_folder_below_the_project_will_do(project: Path) -> None:
    done = warm.run("-m", "lossport", "status", cwd=project / "src", env=environment())
    assert done.returncode == 0, done.stderr
    assert "margin" in done.stdout


def test_every_command_has_json(lossport: Run) -> None:
    for command in (["status"], ["sites", "margin"], ["rewrite", "margin", "--dry-run"]):
        done = lossport(*command, "--json")
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)


OUTSIDE = """
import torch
from rank.old.margin import MarginRank

criterion = MarginRank(0.5, True)
out = criterion(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2, 3))
print(float(out["total"]), out["active"], criterion.alpha)
"""


def ask_for_shims(project: Path, until: str) -> None:
    table = project / "pyproject.toml"
    kept = [line for line in table.read_text().splitlines() if "shim-until" not in line]
    table.write_text("\n".join([*kept, f"shim-until = {until}"]) + "\n")


@pytest.mark.full(reason="a whole migration and a second one")
def test_a_shim_serves_code_outside_until_its_day_and_then_goes(project: Path, lossport: Run) -> None:
    ask_for_shims(project, "2999-01-01")
    done = lossport("migrate", "margin")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "src/rank/old/margin.py is a shim until 2999-01-01" in done.stdout
    ran = warm.run("-W", "always", "-c", OUTSIDE, env={**os.environ, "PYTHONPATH": str(project / "src")}, check=True)
    assert ran.stdout == "0.5 1.0 0.5\n"
    assert "rank.old.margin.MarginRank is retired: use rank.losses.TripletLoss" in ran.stderr
    assert json.loads(lossport("status", "--json").stdout)["losses"][0]["stage"] == "retired"
    assert "nothing to do" in lossport("migrate", "margin").stdout

    ask_for_shims(project, "2020-01-01")
    status = " ".join(lossport("status").stdout.split())
    assert "src/rank/old/margin.py can go" in status
    assert "next lossport migrate margin" in status
    done = lossport("migrate", "margin")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (project / "src/rank/old/margin.py").exists()


def test_a_loss_that_can_have_no_shim_stays_as_it_was(project: Path, lossport: Run) -> None:
    ask_for_shims(project, "2999-01-01")
    old = project / "src/rank/old/margin.py"
    old.write_text(old.read_text().replace("verbose=False):", "verbose=False, *extra):"))
    git(project, "commit", "-qam", "takes more")
    before = git(project, "status", "--porcelain")
    done = lossport("migrate", "margin")
    assert done.returncode == 1
    assert "rank.old.margin.MarginRank can have none" in done.stdout
    assert "it takes any number of arguments, *extra" in done.stdout
    assert git(project, "status", "--porcelain") == before
