"""How the tests run an example: as a person does, in a process of its own, from the project's folder."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import warm

ROOT = Path(__file__).resolve().parents[2]

TIME_LIMIT = 120
"""Seconds. An example takes three to five; a busy machine may take ten times that."""

NUMBER = r"[-+]?(?:\d+\.\d+|nan|inf)"


@dataclass(frozen=True)
class Run:
    """What an example printed."""

    output: str

    @property
    def numbers(self) -> list[float]:
        """All decimal fractions in the output, in order."""
        return [float(text) for text in re.findall(rf"(?<![\w.]){NUMBER}(?![\w.])", self.output)]

    def fell(self, *names: str) -> bool:
        """Whether the figures printed as `<name> A -> B` all went down, and there is at least one of each name."""
        for name in names:
            pairs = re.findall(rf"{re.escape(name)} ({NUMBER}) -> ({NUMBER})", self.output)
            if not pairs or not all(float(last) < float(first) for first, last in pairs):
                return False
        return True


def environment() -> dict[str, str]:
    """One thread: the examples are too small for more."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def finished(command: list[str], **options: str) -> Run:
    """Run the command to its end; it must succeed and print finite numbers."""
    result = warm.run(*command, cwd=ROOT, env={**environment(), **options}, timeout=TIME_LIMIT)
    assert result.returncode == 0, f"python {' '.join(command)}\n{result.stdout}\n{result.stderr}"
    run = Run(result.stdout)
    assert run.numbers, f"no figures in: {result.stdout!r}"
    assert all(math.isfinite(number) for number in run.numbers), result.stdout
    return run


@pytest.fixture
def run_example() -> Callable[..., Run]:
    """Runs a script (`folder/name.py`) or a package (`folder/name`) of the project and gives back what it printed."""

    def run(path: str, *arguments: str) -> Run:
        start = [path] if path.endswith(".py") else ["-m", path.replace("/", ".")]
        return finished([*start, *arguments])

    return run


@pytest.fixture
def run_code_blocks() -> Callable[[str], Run]:
    """Runs the Python code blocks of a Markdown page, one after another in one process."""

    def run(path: str) -> Run:
        text = (ROOT / path).read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
        assert blocks, f"{path} has no Python code block"
        path_of_root = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return finished(["-c", "\n".join(blocks)], PYTHONPATH=path_of_root)

    return run
