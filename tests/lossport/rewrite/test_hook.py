"""The pre-commit hook: a commit that uses a retired name is stopped, by git itself and by the tool `pre-commit`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lossport.project import ledger
from tests import warm

ROOT = Path(__file__).resolve().parents[3]
HOOK = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[0]
AGAIN = "from old_losses.plain import PlainLoss\n\ncriterion = PlainLoss()\n"

pytestmark = pytest.mark.slow


def git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})


@pytest.fixture
def retired(bench: Any) -> Path:
    """The small project with one loss retired, committed."""
    (bench.root / "old_losses" / "plain.py").unlink()
    (bench.root / "migration").mkdir()
    (bench.root / "migration" / "ledger.jsonl").write_bytes(
        ledger.appended(None, [ledger.event("retired", "plain", {"files": []})])
    )
    bench.write({"train.py": "from old_losses.triplet import TripletLoss\n\ncriterion = TripletLoss()\n"})
    git(bench.root, "add", "-A")
    assert git(bench.root, "commit", "-qm", "one is retired").returncode == 0
    return Path(bench.root)


def test_a_commit_with_a_retired_name_is_stopped_by_a_hook_of_git(retired: Path) -> None:
    hook = retired / ".git" / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\ngit diff --cached --name-only -z --diff-filter=d | xargs -0 {HOOK['entry']}\n")
    hook.chmod(0o755)
    (retired / "again.py").write_text(AGAIN)
    git(retired, "add", "again.py")
    stopped = git(retired, "commit", "-qm", "again")
    assert stopped.returncode == 1
    assert "again.py:1:30" in stopped.stdout + stopped.stderr
    (retired / "again.py").write_text("from new_losses import Plain\n\ncriterion = Plain()\n")
    git(retired, "add", "again.py")
    assert git(retired, "commit", "-qm", "mended").returncode == 0


def test_uses_of_losses_that_are_not_retired_and_files_that_are_not_staged_pass(retired: Path) -> None:
    (retired / "not_staged.py").write_text(AGAIN)
    assert warm.run("-m", "lossport", *HOOK["entry"].split()[1:], "train.py", cwd=retired).returncode == 0


def test_the_hook_says_what_it_found_as_json(retired: Path) -> None:
    (retired / "conf.yaml").write_text("loss:\n  _target_: old_losses.plain.PlainLoss\n")
    done = warm.run("-m", "lossport", *HOOK["entry"].split()[1:], "conf.yaml", "--json", cwd=retired)
    assert done.returncode == 1
    sites = json.loads(done.stdout)["sites"]
    assert [(site["path"], site["line"], site["symbol"]) for site in sites] == [("conf.yaml", 2, "old_losses.plain.PlainLoss")]


@pytest.mark.skipif(
    shutil.which("pre-commit", path=str(Path(sys.executable).parent)) is None, reason="pre-commit is not installed"
)
def test_the_tool_runs_the_hook_as_the_repository_defines_it(retired: Path) -> None:
    local = {"repo": "local", "hooks": [{**HOOK, "language": "system"}]}
    (retired / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [local]}))
    assert git(retired, "add", "-A").returncode == 0
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PRE_COMMIT_HOME": str(retired / ".git" / "pre-commit")}
    tool = [str(Path(sys.executable).parent / "pre-commit"), "run", "--all-files"]
    assert subprocess.run(tool, cwd=retired, capture_output=True, check=False, env=environment).returncode == 0
    (retired / "again.py").write_text(AGAIN)
    git(retired, "add", "again.py")
    stopped = subprocess.run(tool, cwd=retired, capture_output=True, text=True, check=False, env=environment)
    assert stopped.returncode == 1
    assert "again.py:1:30" in stopped.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a loss"),
        (["plain", "--retired"], "either LOSS or --retired"),
        (["--retired", "--files", "/etc/passwd"], "outside"),
    ],
)
def test_wrong_use_says_what_to_write(retired: Path, arguments: list[str], message: str) -> None:
    done = warm.run("-m", "lossport", "sites", *arguments, cwd=retired)
    assert done.returncode == 2
    assert message in done.stderr


def test_an_acknowledged_computed_name_stands(retired: Path) -> None:
    port = retired / "ports" / "plain.py"
    allowed = "acknowledged=(acknowledge('plugins.py', 'getattr(module, name)', reason='a list without losses'),)"
    port.write_text(
        port.read_text()
        .replace("import Port", "import Port, acknowledge")
        .replace('new="new_losses.Plain"', f'new="new_losses.Plain", {allowed}')
    )
    text = "import importlib\n\nmodule = importlib.import_module('old_losses.plain')\nfound = getattr(module, name)\n"
    (retired / "plugins.py").write_text(text)
    command = ["-m", "lossport", "sites", "--retired", "--check"]
    assert warm.run(*command, cwd=retired).returncode == 0
    (retired / "plugins.py").write_text(text.replace("name", "other"))
    assert warm.run(*command, cwd=retired).returncode == 1


def test_a_misspelt_port_is_not_retired(retired: Path) -> None:
    (retired / "migration" / "ledger.jsonl").unlink()
    (retired / "again.py").write_text(AGAIN)
    assert warm.run("-m", "lossport", "sites", "--retired", "--check", cwd=retired).returncode == 0
    status = json.loads(warm.run("-m", "lossport", "status", "--json", cwd=retired).stdout)
    (loss,) = (loss for loss in status["losses"] if loss["name"] == "plain")
    assert loss["stage"] == "planned"
    assert "check the port" in loss["why"]
