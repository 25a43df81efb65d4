"""A small project in git, with one legacy loss, that migrates in a second: `small`.

Its tests are only compiled, as importing torch once more takes seconds; a test that needs more sets `test-command`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lossport.cli.main import main
from lossport.migrate import pipeline
from lossport.migrate.pipeline import Outcome, StageStep
from lossport.project.config import Project, find_project
from lossport.project.progress import Progress, no_progress

FILES = {
    "pyproject.toml": """
        [tool.lossport]
        legacy = "old"
        new = "fresh"
        test-command = ["python", "-m", "py_compile"]
    """,
    "old/__init__.py": "",
    "old/gap.py": """
        import torch
        from torch import nn


        class Gap(nn.Module):
            def __init__(self, t=2.0):
                super().__init__()
                self.t = t

            def forward(self, left, right):
                return torch.relu(left - right + self.t).mean()
    """,
    "fresh/__init__.py": "",
    "fresh/gap.py": """
        import torch
        from torch import nn


        class NewGap(nn.Module):
            def __init__(self, margin=2.0):
                super().__init__()
                self.margin = margin

            def forward(self, left, right):
                return torch.relu(left - right + self.margin).mean()
    """,
    "app.py": """
        import torch

        from old.gap import Gap


        def run():
            return float(Gap(t=0.5)(torch.ones(3), torch.zeros(3)))
    """,
    "tests/test_app.py": """
        from app import run


        def test_run():
            assert run() == 1.5
    """,
    "migration/ports/gap.py": """
        from lossport.port import Port, rename

        PORTS = (
            Port(
                legacy="old.gap.Gap",
                new="fresh.gap.NewGap",
                parameters=(rename("t", "margin"),),
                attributes=(rename("t", "margin"),),
            ),
        )
    """,
    "migration/cases/gap.py": """
        from old.gap import Gap


        def defaults(inputs):
            yield Gap()(*inputs.paired(batch=4, dim=3))


        def narrow(inputs):
            yield Gap(t=0.1)(*inputs.paired(batch=4, dim=3))
    """,
}


class Silent:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[StageStep] = []

    def step(self, step: StageStep) -> None:
        self.steps.append(step)

    @contextmanager
    def busy(self, text: str) -> Iterator[Progress]:
        yield no_progress


@dataclass
class Small:
    """The project, with shortcuts to change, migrate and look at it."""

    root: Path
    observer: Silent = field(default_factory=Silent)

    @property
    def project(self) -> Project:
        return find_project(self.root)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def git(self, *args: str) -> str:
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *identity, *args], cwd=self.root, check=True, capture_output=True, text=True).stdout

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "more", "--allow-empty")

    def changed(self) -> set[str]:
        """What differs from the last commit."""
        return {line[3:] for line in self.git("status", "--porcelain", "-uall").splitlines()}

    def migrate(self, name: str = "gap", **options: Any) -> Outcome:
        """A migration in this process, without the report."""
        return pipeline.migrate(self.project, name, self.observer, with_report=False, **options)

    def run(self, command: str, *args: str) -> int:
        """The command line, in this process."""
        return main([command, "--project", str(self.root), *args])


def told(outcome: Outcome) -> str:
    """All that the steps of a migration say."""
    return "\n".join(line for step in outcome.steps for line in (f"{step.stage}: {step.text}", *step.details))


@pytest.fixture
def small(tmp_path: Path) -> Small:
    made = Small(tmp_path / "small")
    for name, text in FILES.items():
        made.write(name, text)
    made.git("init", "-q", "-b", "main")
    made.commit()
    return made
