"""Taking a migration back: content, permissions, order, and the ways that are left without the record."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from lossport.migrate import pipeline

from .conftest import Small

ROOT = Path(__file__).resolve().parents[3]


def test_undo_gives_back_the_permissions_too(small: Small) -> None:
    (small.root / "old/gap.py").chmod(0o755)
    small.commit()
    assert small.migrate().result == "migrated"
    pipeline.undo(small.project, "gap")
    assert stat.S_IMODE((small.root / "old/gap.py").stat().st_mode) == 0o755
    assert {name for name in small.changed() if not name.startswith("migration/")} == set()


def test_without_the_record_git_takes_a_migration_back(small: Small) -> None:
    assert small.migrate().result == "migrated"
    shutil.rmtree(small.root / ".lossport")  # as make clean does
    small.git("restore", "--", ".")
    assert {name for name in small.changed() if not name.startswith("migration/")} == set()
    assert small.run("status") == 0
    assert small.migrate().result == "migrated"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_clean_spares_a_journal_that_somebody_needs(tmp_path: Path) -> None:
    shutil.copy2(ROOT / "Makefile", tmp_path / "Makefile")
    (tmp_path / ".lossport").mkdir()
    (tmp_path / ".lossport/journal.json").write_text("{}")
    done = subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run make status first" in done.stderr
    assert (tmp_path / ".lossport/journal.json").exists()
    (tmp_path / ".lossport/journal.json").unlink()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True)
    assert not (tmp_path / ".lossport").exists()
