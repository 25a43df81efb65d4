"""The main job, end to end: `lossport migrate clip` in a clone of this repository."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Lossport, git, is_left

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_left("clip_style_loss"), reason="clip is retired in this tree: there is nothing left to migrate"),
]


def status(clone: Path) -> list[str]:
    return git(clone, "status", "--porcelain").splitlines()


def stage_of(lossport: Lossport, name: str) -> str:
    rows = json.loads(lossport("status", "--json").stdout)["losses"]
    return str(next(row["stage"] for row in rows if row["name"] == name))


@pytest.mark.full(reason="the whole way on this project, twice, and back: a minute; a small project goes it in each run")
def test_a_newcomer_migrates_clip_and_takes_it_back(clone: Path, lossport: Lossport) -> None:
    done = lossport("migrate", "clip")
    assert done.returncode == 0, done.stdout + done.stderr
    for stage in ("plan", "record", "prove", "switch", "retire", "tell"):
        assert f"\n  {stage}" in done.stdout
    assert "take it back: lossport undo clip" in done.stdout
    assert not (clone / "legacy" / "clip_style_loss.py").exists()
    assert (clone / "migration" / "goldens" / "clip.safetensors").is_file()
    events = [json.loads(line)["event"] for line in (clone / "migration" / "ledger.jsonl").read_text().splitlines()]
    assert {"recorded", "proven", "switched", "retired"} <= set(events)
    assert "retired" in (clone / "reports" / "index.html").read_text()
    assert stage_of(lossport, "clip") == "retired"

    for script in ("examples/train_pairs.py", "examples/train_views.py"):
        assert "CLIPLoss" in (clone / script).read_text()
        subprocess.run([sys.executable, script], cwd=clone, check=True, capture_output=True)

    again = lossport("migrate", "clip")
    assert again.returncode == 0
    assert "nothing to do" in again.stdout

    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "clip is migrated")
    undone = lossport("undo", "clip")
    assert undone.returncode == 0, undone.stderr
    assert (clone / "legacy" / "clip_style_loss.py").is_file()
    git(clone, "add", "-A")
    assert git(clone, "diff", "--cached", "HEAD~1", "--stat", "--", "examples", "legacy", "losses") == ""
    assert stage_of(lossport, "clip") == "proven"


@pytest.mark.full(reason="goes the whole way to the end of the rehearsal; a small project does that in each run")
def test_a_dry_run_writes_nothing(clone: Path, lossport: Lossport) -> None:
    done = lossport("migrate", "clip", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+from losses import CLIPLoss" in done.stdout
    assert status(clone) == []


FAULTS = {
    "the temperature multiplies": ("losses/utils.py", ") / temperature", ") * temperature"),
    "one direction is left out": ("losses/clip.py", "(v2t + t2v) / 2", "v2t"),
    "a detach too many": ("losses/clip.py", "(v2t + t2v) / 2", "(v2t + t2v.detach()) / 2"),
    "smoothing mass is off": ("losses/clip.py", "=self.label_smoothing)", "=self.label_smoothing / 2)"),
}


SAME_WAY = pytest.mark.full(reason="records and proves clip once more; another fault does it in each run")


@pytest.mark.parametrize("fault", [pytest.param(name, marks=[SAME_WAY] if n else []) for n, name in enumerate(FAULTS)])
def test_a_wrong_new_loss_does_not_get_through(clone: Path, lossport: Lossport, fault: str) -> None:
    name, right, wrong = FAULTS[fault]
    text = (clone / name).read_text()
    assert right in text
    (clone / name).write_text(text.replace(right, wrong))
    git(clone, "commit", "-qam", fault)
    done = lossport("migrate", "clip")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert "legacy" in done.stdout
    assert "returns[" in done.stdout or "gradients[" in done.stdout
    assert "clip stays as it was: nothing was changed." in done.stdout
    assert status(clone) == []


def test_a_call_site_that_needs_a_person_stops_before_anything_is_touched(clone: Path, lossport: Lossport) -> None:
    site = clone / "examples" / "by_computed_name.py"
    site.write_text(
        "import legacy.clip_style_loss\n\n\ndef build(kind, **options):\n"
        "    return legacy.clip_style_loss.CLIPStyleLoss(**options)\n"
    )
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "a site that needs a person")
    done = lossport("migrate", "clip")
    assert done.returncode == 1
    assert "examples/by_computed_name.py:5" in done.stdout
    assert status(clone) == []


def test_stale_evidence_sends_the_loss_back_and_says_why(clone: Path, lossport: Lossport) -> None:
    assert lossport("record", "clip").returncode == 0
    assert lossport("parity", "clip", "--device", "cpu").returncode == 0
    assert stage_of(lossport, "clip") == "proven"
    cases = clone / "migration" / "cases" / "clip.py"
    cases.write_text(cases.read_text() + "\n# edited\n")
    rows = json.loads(lossport("status", "--json").stdout)["losses"]
    row = next(row for row in rows if row["name"] == "clip")
    assert row["stage"] == "planned"
    assert "the cases changed since the golden was recorded" in row["why"]
