"""Rewritten imports stay in the order that ruff keeps, if the file was in order before."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lossport.project.config import find_project
from lossport.rewrite import plan_rewrite
from lossport.rewrite.import_order import in_kept_order

ROOT = Path(__file__).resolve().parents[3]
PROJECT = find_project(ROOT)
LOSSES = [loss.name for loss in PROJECT.losses()]


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        pytest.param(
            "from a import A\nfrom legacy import B\nfrom legacy.c import C\n",
            "from a import A\nfrom losses import B\nfrom legacy.c import C\n",
            "from a import A\nfrom legacy.c import C\nfrom losses import B\n",
            id="another module",
        ),
        pytest.param(
            "from legacy.a import A\nfrom legacy.b import B\n",
            "from losses import Z\nfrom losses import B, a, C as D\n",
            "from losses import B, Z, a\nfrom losses import C as D\n",
            id="one module in two statements",
        ),
        pytest.param(
            "import os\n\nfrom .x import X\nfrom .y import Y\n",
            "import os\n\nfrom .x import X\nfrom losses import Y\n",
            "import os\n\nfrom losses import Y\n\nfrom .x import X\n",
            id="no longer relative",
        ),
        pytest.param(
            "from z import Z\nfrom legacy import B\n",
            "from z import Z\nfrom losses import B\n",
            "from z import Z\nfrom losses import B\n",
            id="was in no order",
        ),
        pytest.param(
            "from a import A\nfrom legacy import *\nfrom legacy.z import Z\n",
            "from a import A\nfrom legacy import *\nfrom aaa import Z\n",
            "from a import A\nfrom legacy import *\nfrom aaa import Z\n",
            id="a star decides what a name means",
        ),
        pytest.param(
            "from legacy import B  # why\nfrom legacy.c import C\n",
            "from losses import B  # why\nfrom legacy.c import C\n",
            "from legacy.c import C\nfrom losses import B  # why\n",
            id="a comment goes along",
        ),
    ],
)
def test_changed_imports_are_sorted_where_all_were(before: str, after: str, kept: str) -> None:
    assert in_kept_order(before, after, lambda module: module in ("losses", "legacy")) == kept
    assert in_kept_order(before, kept, lambda module: module in ("losses", "legacy")) == kept


@pytest.mark.slow
@pytest.mark.parametrize("names", [*([name] for name in LOSSES), LOSSES], ids=[*LOSSES, "all"])
def test_the_linter_finds_nothing_after_a_migration(names: list[str], tmp_path: Path) -> None:
    plan = plan_rewrite(PROJECT, [PROJECT.loss(name) for name in names])
    shutil.copy2(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for folder in ("legacy", "losses", "examples"):  # ruff tells our modules from others by their files
        shutil.copytree(ROOT / folder, tmp_path / folder)
    changed = []
    for rewritten in plan.files:
        shown = rewritten.path.relative_to(ROOT)
        if shown.suffix in (".py", ".ipynb") and shown.parts[0] != "legacy":
            (tmp_path / shown).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / shown).write_bytes(rewritten.after)
            changed.append(str(shown))
    for command in (["check"], ["format", "--check"]) if changed else ():
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *changed],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
