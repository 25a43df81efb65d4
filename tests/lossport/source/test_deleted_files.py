"""A file that is deleted in the work tree and not yet in git is no part of the project."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lossport.project.config import parse_project
from lossport.source.walk import walk


def test_a_deletion_that_is_not_committed_counts(tmp_path: Path) -> None:
    for name in ("kept.py", "gone.py"):
        (tmp_path / name).write_text("x = 1\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    (tmp_path / "gone.py").unlink()
    assert [Path(found).name for found in walk(parse_project(tmp_path, {})).files] == ["kept.py"]
