"""A retired module's place is taken by a shim that behaves as the module did, or by a reason why there can be none."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from lossport.project.config import Project, parse_project
from lossport.rewrite.shim import NoShim, is_shim, shims
from tests import warm

NEW = """
    class Tracker:
        def __init__(self, rate=0.1, mode="mean", *, scale=1.0):
            self.rate, self.mode, self.scale = rate, mode, scale

        def forward(self, first, second=0.0):
            return {"loss": Number(first * self.rate), "hits": Number(second), "kept": self.mode, "scale": self.scale}

        def clear(self, hard=True):
            return ("cleared", hard)


    class Number(float):
        def item(self):
            return float(self)


    def penalty(value, weight=2.0):
        return {"weight": Number(weight), "added_since": 0, "loss": value * weight}
"""

OLD = """
    DEFAULT = 0.5

    class OldTracker:
        def __init__(self, lr=0.3, use_mean=True, verbose=False, legacy_mode=None):
            self.lr = lr

        def forward(self, x, y=1.0):
            ...

        def reset(self, fully=False):
            ...


    def old_penalty(v, w=3.0):
        ...


    def odd(*values):
        ...


    def computed(v, w=DEFAULT):
        ...
"""

PORT = """
    from lossport.port import *

    PORTS = (
        Port(
            legacy="old.tracking.OldTracker", new="fresh.Tracker",
            parameters=(
                rename("lr", "rate"), compute("mode", "'mean' if use_mean else 'sum'"), drop("verbose", reason="printed"),
                refuse("legacy_mode", reason="track-2: nothing is like it"), constant("scale", 4.0),
            ),
            forward=(rename("x", "first"), rename("y", "second")),
            methods={"reset": Method("clear", (rename("fully", "hard"),))},
            attributes=(rename("lr", "rate"),),
            returns=(tensor("loss"), number("stats.hits", "hits")),
        ),
        Port(
            legacy="old.tracking.old_penalty", new="fresh.penalty", parameters=(rename("v", "value"), rename("w", "weight")),
            returns=(tensor("0", "loss"), number("1.weight", "weight")),
        ),
        Gone("old.tracking.describe", reason="track-9: prose"),
    )
"""

UNTIL = dt.date(2027, 3, 1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {
        "fresh/__init__.py": NEW, "old/__init__.py": "", "old/tracking.py": OLD, "ports/tracking.py": PORT, "tests/none": "",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    return parse_project(tmp_path, {"legacy": "old", "new": "fresh", "ports": "ports", "shim-until": UNTIL})


def written(project: Project) -> Path:
    found = shims(project, project.loss("tracking"), UNTIL)
    assert not isinstance(found, NoShim), found
    ((path, text),) = found.items()
    path.write_text(text)
    return path


def run(project: Project, program: str) -> Any:
    """What a script outside the project sees, as JSON, with every warning shown."""
    setup = "import json\nfrom old.tracking import *\nimport old.tracking\nshow = lambda x: print(json.dumps(x))\n"
    done = warm.run("-W", "always", "-c", setup + textwrap.dedent(program), cwd=project.root, check=True)
    return json.loads(done.stdout), done.stderr


def test_the_shim_takes_the_old_arguments_and_gives_the_old_results(project: Project) -> None:
    assert is_shim(written(project))
    out, _ = run(project, "t = OldTracker(0.2, use_mean=False)\nshow([t.forward(10.0, y=3.0), t.mode, t.scale, t.rate])")
    assert out == [{"loss": 2.0, "stats": {"hits": 3.0}, "kept": "sum", "scale": 4.0}, "sum", 4.0, 0.2]


def test_old_defaults_stay(project: Project) -> None:
    written(project)
    out, _ = run(project, "show([OldTracker().forward(10.0)['loss'], OldTracker().forward(1.0)['stats'], OldTracker().reset()])")
    assert out == [3.0, {"hits": 1.0}, ["cleared", False]]


def test_attributes_keep_their_names(project: Project) -> None:
    written(project)
    out, _ = run(project, "t = OldTracker()\nt.lr = 0.7\nshow([t.lr, t.rate])")
    assert out == [0.7, 0.7]


def test_a_function_that_returned_a_tuple_still_does(project: Project) -> None:
    written(project)
    out, _ = run(project, "r = old_penalty(2.0)\nshow([type(r).__name__, r])")
    assert out == ["tuple", [6.0, {"weight": 3.0}]]


def test_use_warns_at_the_caller_and_says_what_to_use_and_until_when(project: Project) -> None:
    written(project)
    _, err = run(project, "show(1)\n\n\nOldTracker()")
    assert "<string>:8: DeprecationWarning: old.tracking.OldTracker is retired: use fresh.Tracker" in err
    assert "2027-03-01" in err


def test_importing_alone_does_not_warn(project: Project) -> None:
    written(project)
    assert run(project, "show(1)")[1] == ""


def test_what_has_no_successor_says_why(project: Project) -> None:
    written(project)
    out, _ = run(project, "try:\n    OldTracker(legacy_mode=1)\nexcept ValueError as error:\n    show(str(error))")
    assert "track-2: nothing is like it" in out
    out, _ = run(project, "try:\n    old.tracking.describe\nexcept AttributeError as error:\n    show(str(error))")
    assert "track-9: prose" in out


@pytest.mark.parametrize(
    ("name", "reason"),
    [("odd", "*values"), ("computed", "the default of w, DEFAULT, is no literal"), ("missing", "is not there")],
)
def test_what_cannot_be_mapped_is_refused_with_the_reason(project: Project, name: str, reason: str) -> None:
    port = f'from lossport.port import *\nPORTS = (Port(legacy="old.tracking.{name}", new="fresh.penalty"),)\n'
    (project.root / "ports/other.py").write_text(port)
    fresh = parse_project(project.root, {"legacy": "old", "new": "fresh", "ports": "ports"})
    found = shims(fresh, fresh.loss("other"), UNTIL)
    assert isinstance(found, NoShim)
    assert found.symbol == f"old.tracking.{name}"
    assert reason in found.reason


def test_a_module_like_any_other_is_no_shim(project: Project) -> None:
    assert not is_shim(project.root / "old/tracking.py")
    assert not is_shim(project.root / "old/gone.py")
