"""A small project with legacy losses, new losses and ports, and three checks: transformed, untouched, refused.

Each check of a rewrite also checks that the result parses, that a second run changes nothing, that every comment is kept, and
that line ends, a BOM, a missing final newline and an encoding other than UTF-8 make no difference.
"""

from __future__ import annotations

import ast
import io
import subprocess
import textwrap
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lossport.project.config import Project, find_project
from lossport.rewrite import RewritePlan, plan_rewrite

PYPROJECT = """\
[tool.lossport]
legacy = "old_losses"
new = "new_losses"
ports = "ports"
cases = "cases"
goldens = "goldens"
"""

OLD = {
    "old_losses/__init__.py": "",
    # Parameters, attributes, methods and results change.
    "old_losses/triplet.py": '''
        import torch.nn as nn

        LIMIT = 3


        class TripletLoss(nn.Module):
            """Legacy."""

            def __init__(self, margin=0.2, use_hard=False, weight=0.5, reduction="mean", T=1.0):
                super().__init__()
                self.margin = margin
                self.T = T
                self.cache = {}

            def forward(self, a, b, ids=None, **kwargs):
                return {"loss": a, "accuracy": 0.5, "recalls": {"r@1": 0.25, "r@5": 0.5}, "note": "x"}

            def set_epoch(self, number, total=1):
                self.number = number

            def _hits(self, a, b):
                return 1


        def describe(path="x"):
            return {}
        ''',
    # Only the name changes.
    "old_losses/plain.py": """
        import torch.nn as nn


        class PlainLoss(nn.Module):
            def __init__(self, scale=1.0):
                super().__init__()
                self.scale = scale

            def forward(self, x):
                return x
        """,
    # A tuple becomes a dictionary.
    "old_losses/pair.py": """
        import torch.nn as nn


        class PairLoss(nn.Module):
            def __init__(self, weight=1.0):
                super().__init__()

            def forward(self, a, b):
                return a, {"diagonal": 0.5, "rest": 0.25}
        """,
    # Functions: one returns a tensor that becomes an entry of a dictionary, one only moves.
    "old_losses/functional.py": """
        def soft_margin(x, y, reduction="mean", eps=1e-6):
            return x


        def hinge(x, y):
            return x
        """,
}

NEW = {
    "new_losses/__init__.py": """
        from .functional import hinge, soft_margin_loss
        from .losses import Pair, Plain, Triplet

        __all__ = ["Pair", "Plain", "Triplet", "hinge", "soft_margin_loss"]
        """,
    "new_losses/losses.py": """
        import torch.nn as nn


        class Triplet(nn.Module):
            def __init__(self, margin=0.3, reduction="mean", temperature=1.0):
                super().__init__()
                self.margin = margin
                self.temperature = temperature

            def forward(self, a, b, ids=None):
                return {}

            def start_epoch(self, number, *, of=1):
                self.number = number


        class Plain(nn.Module):
            def __init__(self, scale=1.0):
                super().__init__()
                self.scale = scale

            def forward(self, x):
                return x


        class Pair(nn.Module):
            def __init__(self, weight=1.0):
                super().__init__()

            def forward(self, a, b):
                return {}
        """,
    "new_losses/functional.py": """
        def soft_margin_loss(x, y, *, eps=1e-6):
            return {}


        def hinge(x, y):
            return x
        """,
}

PORTS = {
    "ports/triplet.py": """
        from lossport.port import Gone, Method, Port, drop, gone_key, number, rename, tensor

        PORTS = (
            Port(
                legacy="old_losses.triplet.TripletLoss",
                new="new_losses.Triplet",
                parameters=(
                    drop("use_hard", reason="t-1: stored, never read"),
                    drop("weight", reason="t-2: one weight is left", only=(0.5, 1.0)),
                    rename("T", "temperature"),
                ),
                methods={"set_epoch": Method("start_epoch", (rename("total", "of"),))},
                attributes=(rename("T", "temperature"), drop("cache", reason="t-3: it went stale")),
                returns=(
                    tensor("loss"),
                    number("accuracy"),
                    number("recalls.r@1", "r@1"),
                    number("recalls.r@5", "r@5"),
                    gone_key("note", reason="nobody reads it"),
                ),
            ),
            Gone("old_losses.triplet.describe", reason="prose about the file"),
        )
        """,
    "ports/plain.py": """
        from lossport.port import Port

        PORTS = (Port(legacy="old_losses.plain.PlainLoss", new="new_losses.Plain"),)
        """,
    "ports/pair.py": """
        from lossport.port import Port, number, tensor

        PORTS = (
            Port(
                legacy="old_losses.pair.PairLoss",
                new="new_losses.Pair",
                returns=(tensor("0", "loss"), number("1.diagonal", "diagonal"), number("1.rest", "rest")),
            ),
        )
        """,
    "ports/functional.py": """
        from lossport.port import Port, drop, tensor

        PORTS = (
            Port(
                legacy="old_losses.functional.soft_margin",
                new="new_losses.soft_margin_loss",
                parameters=(drop("reduction", reason="f-1: always the mean", only=("mean",)),),
                returns=(tensor("", "loss"),),
            ),
            Port(legacy="old_losses.functional.hinge", new="new_losses.hinge"),
        )
        """,
}


def dedent(text: str) -> str:
    """A text from a test body: without its indentation, and without the line break after the opening quotes."""
    return textwrap.dedent(text).removeprefix("\n")


@dataclass
class Workbench:
    """A project in a folder of its own, under git."""

    root: Path

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files, texts without their indentation."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else dedent(content).encode())

    def read(self, name: str) -> str:
        """The text of a file, line ends as they stand."""
        return (self.root / name).read_bytes().decode()

    @property
    def project(self) -> Project:
        """The project, read anew."""
        return find_project(self.root)

    def plan(self, *losses: str) -> RewritePlan:
        """The plan for some losses, or for all."""
        project = self.project
        return plan_rewrite(project, [project.loss(name) for name in losses or project.loss_names])

    def apply(self, plan: RewritePlan) -> None:
        """Write what a plan says."""
        for file in plan.files:
            assert file.path.read_bytes() == file.before
            file.path.write_bytes(file.after)

    def transform(self, files: Mapping[str, str | bytes], *losses: str) -> dict[str, bytes]:
        """The files after a rewrite that refuses nothing."""
        self.write(files)
        plan = self.plan(*losses)
        assert [f"{r.path}:{r.line}: {r.reason}" for r in plan.refusals] == []
        self.apply(plan)
        return {name: (self.root / name).read_bytes() for name in files}

    def check_transformed(self, before: str, after: str, *losses: str, path: str = "train.py") -> None:
        """`before` becomes `after`, however its bytes are written."""
        source, expected = dedent(before), dedent(after)
        assert source != expected, "use check_noop"
        ast.parse(expected)
        for variant in (_as_it_is, _crlf, _bom, _no_final_newline, _latin):
            assert self.transform({path: variant(source)}, *losses)[path] == variant(expected)
            again = self.plan(*losses)
            assert again.files == ()
            assert again.refusals == ()
        assert comments(source) == comments(expected)

    def check_text(self, name: str, before: str, after: str, *losses: str) -> None:
        """A text that is no module becomes another, with either line end; a second run changes nothing."""
        for newline in ("\n", "\r\n"):
            source, expected = (dedent(text).replace("\n", newline).encode() for text in (before, after))
            assert self.transform({name: source}, *losses)[name] == expected
            assert self.plan(*losses).files == ()

    def check_noop(self, text: str, *losses: str, path: str = "train.py") -> None:
        """Nothing is changed, and nothing is refused."""
        self.write({path: text})
        plan = self.plan(*losses)
        assert plan.diff() == ""
        assert [f"{r.path}:{r.line}: {r.reason}" for r in plan.refusals] == []

    def check_refused(self, text: str, line: int, reason: str, *losses: str, path: str = "train.py") -> None:
        """The file is left alone, and the line is refused for that reason."""
        self.write({path: text})
        plan = self.plan(*losses)
        assert [f for f in plan.files if f.path == self.root / path] == []
        found = [(r.line, r.reason) for r in plan.refusals if r.path == path]
        assert any(at == line and reason in why for at, why in found), found
        refusal = next(r for r in plan.refusals if r.path == path and r.line == line)
        assert refusal.code == dedent(text).split("\n")[line - 1].strip()
        assert refusal.todo
        assert refusal.column > 0


def comments(text: str) -> list[str]:
    """The comments of a source, sorted: an edit may move one to a line of its own, not lose it."""
    return sorted(t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT)


def _as_it_is(text: str) -> bytes:
    return text.encode()


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def _bom(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.encode()


def _no_final_newline(text: str) -> bytes:
    return text.rstrip("\n").encode()


def _latin(text: str) -> bytes:
    return ("# -*- coding: latin-1 -*-\n# Größe\n" + text).encode("latin-1")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """The small project."""
    made = Workbench(tmp_path.resolve())
    made.write({"pyproject.toml": PYPROJECT, **OLD, **NEW, **PORTS})
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return made


@pytest.fixture
def check_transformed(bench: Workbench) -> Callable[..., None]:
    """`check_transformed(before, after)`."""
    return bench.check_transformed


@pytest.fixture
def check_noop(bench: Workbench) -> Callable[..., None]:
    """`check_noop(text)`."""
    return bench.check_noop


@pytest.fixture
def check_refused(bench: Workbench) -> Callable[..., None]:
    """`check_refused(text, line, reason)`."""
    return bench.check_refused
