"""Every loss, one after the other, until nothing of the legacy package is left but its `__init__`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Lossport

pytestmark = pytest.mark.slow


def test_every_loss_goes_and_the_tests_stay_green(clone: Path, lossport: Lossport) -> None:
    done = lossport("migrate", "all", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    results = {outcome["loss"]: outcome["result"] for outcome in json.loads(done.stdout)["migrations"]}
    assert set(results.values()) == {"migrated"}
    assert [path.name for path in (clone / "legacy").glob("*.py")] == ["__init__.py"]
    rows = json.loads(lossport("status", "--json").stdout)["losses"]
    assert {row["stage"] for row in rows} == {"retired"}
    assert results.keys() == {row["name"] for row in rows}

    suite = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/losses", "tests/examples", "tests/legacy"],
        cwd=clone, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert suite.returncode == 0, suite.stdout[-5000:]
