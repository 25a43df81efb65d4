"""The player of recordings can fail: whatever is altered in a recording is reported, with its place.

The loss it plays here is made up, so that these tests outlive the legacy modules.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.legacy.playing import play
from tests.legacy.recording import parse_case, stands

MODULE = '''
import torch
from torch import nn


class Pull(nn.Module):
    """Squared distance, scaled by a parameter."""

    def __init__(self, scale=2.0):
        super().__init__()
        if scale < 0:
            raise ArithmeticError("negative")
        self.scale = nn.Parameter(torch.tensor([scale]))
        self.unused = nn.Parameter(torch.zeros(1))
        self.register_buffer("calls", torch.zeros(1, dtype=torch.int64))
        self.last = None

    def forward(self, first, second):
        if first.shape != second.shape:
            raise ValueError("shapes")
        if self.training:
            torch.rand(1)
        self.calls += 1
        loss = (self.scale * (first - second) ** 2).sum()
        self.last = loss.item()
        return {"loss": loss, "rows": len(first), "parts": {"mean": loss.item() / 2, "all": (1, "x")}}


def double(first):
    return 2 * first
'''


def tensor(*data: float, dtype: str = "float32", **more: object) -> dict[str, Any]:
    return {"$tensor": {"dtype": dtype, "shape": [len(data)], "data": list(data), **more}}


def scalar(value: float) -> dict[str, Any]:
    return {"$tensor": {"dtype": "float32", "shape": [], "data": [value]}}


STATE = {"scale": tensor(2.0), "unused": tensor(0.0)}
RECORDED: dict[str, Any] = {
    "name": "two-rows",
    "why": "worked out by hand: 2 * (1 + 4) = 10",
    "symbol": "Pull",
    "construct": {"seed": 0, "args": [], "kwargs": {"scale": 2.0}},
    "state_before": {**STATE, "calls": tensor(0, dtype="int64")},
    "steps": [
        {
            "op": "call",
            "seed": 0,
            "args": [tensor(1.0, 2.0, requires_grad=True)],
            "kwargs": {"second": tensor(0.0, 0.0)},
            "backward": "loss",
            "returns": {"loss": scalar(10.0), "rows": 2, "parts": {"mean": 5.0, "all": {"$tuple": [1, "x"]}}},
            "rng_consumed": True,
            "input_grads": {"args.0": tensor(4.0, 8.0)},
            "param_grads": {"scale": tensor(5.0), "unused": None},
        },
        {"op": "eval", "seed": 0, "args": [], "kwargs": {}, "backward": None, "returns": {"$self": True}, "rng_consumed": False},
        {
            "op": "call",
            "seed": 0,
            "args": [tensor(1.0), tensor(1.0, 2.0)],
            "kwargs": {},
            "backward": "loss",
            "raises": {"type": "ValueError", "message": ""},
        },
    ],
    "state_after": {**STATE, "calls": tensor(1, dtype="int64")},
    "attrs_after": {"last": 10.0},
}

MISSING = object()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of one module, importable for as long as the test runs."""
    folder = tmp_path / "old_losses"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "pull.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder.name
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


def altered(path: str, value: object) -> dict[str, Any]:
    """The recording with one entry replaced, or taken out if `value` is `MISSING`."""
    recording = copy.deepcopy(RECORDED)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place: Any = recording
    for part in parents:
        place = place[part]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return recording


def test_a_true_recording_has_no_differences(package: str) -> None:
    assert play(parse_case("pull", RECORDED), package) == []


@pytest.mark.parametrize(
    ("path", "value", "reported"),
    [
        pytest.param("steps/0/returns/loss", scalar(10.001), "step 0, returns['loss']: 10 instead of", id="a value"),
        pytest.param("steps/0/returns/loss", scalar("nan"), "step 0, returns['loss']: 10 instead of", id="a NaN"),  # type: ignore[arg-type]  # NaN is recorded as text
        pytest.param("steps/0/returns/loss", tensor(10.0), "shape [] instead of [1]", id="a shape"),
        pytest.param("steps/0/returns/loss/$tensor/dtype", "float64", "torch.float32 instead of torch.float64", id="a dtype"),
        pytest.param("steps/0/returns/loss", 10.0, "a Tensor instead of the float 10.0", id="a number for a tensor"),
        pytest.param("steps/0/returns/rows", scalar(2.0), "a int instead of a tensor", id="a tensor for a number"),
        pytest.param("steps/0/returns/rows", 2.0, "a int instead of the float 2.0", id="a float for an int"),
        pytest.param("steps/0/returns/parts/mean", 5.1, "returns['parts']['mean']: 5 instead of 5.1", id="a nested number"),
        pytest.param("steps/0/returns/parts/all", [1, "x"], "(1, 'x') instead of a list of 2", id="a list for a tuple"),
        pytest.param("steps/0/returns/parts/all/$tuple/1", "y", "'x' instead of 'y'", id="a string"),
        pytest.param("steps/0/returns/parts", MISSING, "keys ['loss', 'rows', 'parts'] instead of ['loss', 'rows']", id="a key"),
        pytest.param(
            "steps/0/returns",
            dict(reversed(RECORDED["steps"][0]["returns"].items())),
            "keys ['loss', 'rows', 'parts'] instead of ['parts', 'rows', 'loss']",
            id="the order of keys",
        ),
        pytest.param("steps/0/input_grads/args.0", tensor(4.0, 8.1), "gradient of args.0, element 1", id="a gradient"),
        pytest.param("steps/0/input_grads/args.0", None, "gradient of args.0: there is one", id="a gradient too many"),
        pytest.param(
            "steps/0/input_grads/kwargs.second", tensor(0, 0), "kwargs.second: there is none", id="no gradient for zero"
        ),
        pytest.param("steps/0/param_grads/scale", tensor(5.1), "parameter scale, element 0", id="a parameter's gradient"),
        pytest.param("steps/0/param_grads/unused", tensor(0.0), "unused: there is none", id="no parameter gradient for zero"),
        pytest.param("steps/0/backward", "rows", "step 0: the loss has no graph", id="a loss without a graph"),
        pytest.param("steps/0/rng_consumed", False, "step 0: random numbers were drawn", id="random numbers drawn"),
        pytest.param("steps/1/rng_consumed", True, "step 1: random numbers were not drawn", id="random numbers not drawn"),
        pytest.param("steps/1/returns", None, "step 1, returns: Pull", id="the object itself"),
        pytest.param("steps/0/raises", {"type": "KeyError"}, "step 0: raised nothing instead of KeyError", id="no exception"),
        pytest.param(
            "steps/2/raises/type", "TypeError", "step 2: raised ValueError (shapes) instead of TypeError", id="the type"
        ),
        pytest.param("steps/2/raises", MISSING, "step 2: raised ValueError (shapes) instead of nothing", id="an exception"),
        pytest.param("construct/raises", {"type": "TypeError"}, "construction: raised nothing instead of TypeError", id="built"),
        pytest.param("construct/kwargs/scale", -1.0, "construction: raised ArithmeticError (negative)", id="not built"),
        pytest.param("state_before/calls/$tensor/data", [1], "state before['calls'], element 0: 0", id="state before"),
        pytest.param("state_after/calls/$tensor/data", [2], "state after['calls'], element 0: 1", id="state after"),
        pytest.param("state_after/calls", MISSING, "state after: keys", id="an entry of the state"),
        pytest.param("attrs_after/last", 10.1, "attributes after.last: 10 instead of 10.1", id="an attribute"),
        pytest.param("attrs_after/first", 1, "attributes after.first: missing", id="a missing attribute"),
    ],
)
def test_an_altered_recording_is_reported(package: str, path: str, value: object, reported: str) -> None:
    differences = play(parse_case("pull", altered(path, value)), package)
    assert len(differences) == 1, differences
    assert reported in differences[0]


def test_functions_and_shared_objects_are_played_too(package: str) -> None:
    linear = {"symbol": "torch.nn:Linear", "seed": 1, "args": [1, 1], "kwargs": {"bias": False}}
    step = {"op": "call", "seed": 0, "kwargs": {}, "backward": "", "rng_consumed": False}
    recording = {
        "name": "doubles",
        "why": "a bare tensor",
        "symbol": "double",
        "shared": {"model": {"$new": linear}},
        "shared_state": {"model": {"weight": {"$tensor": {"dtype": "float32", "shape": [1, 1], "data": [0.0]}}}},
        "construct": {"seed": 0, "args": [], "kwargs": {}},
        "steps": [
            {**step, "args": [tensor(3.0, requires_grad=True)], "returns": tensor(6.0), "input_grads": {"args.0": tensor(2.0)}}
        ],
    }
    differences = play(parse_case("pull", recording), package)
    assert [line.partition(",")[0] for line in differences] == ["shared model['weight']"], "zeros are not what seed 1 draws"


def test_the_modules_that_a_case_needs_are_its_own_and_those_of_its_parts() -> None:
    part = {"$new": {"symbol": "push:Push", "seed": 0, "args": [], "kwargs": {}}}
    own = {"$new": {"symbol": "fixture:DictLinear", "seed": 0, "args": [], "kwargs": {}}}
    recording = altered("construct/kwargs/parts", [part, own, {"$new": {"symbol": "torch.nn:ReLU", "args": [], "kwargs": {}}}])
    assert parse_case("pull", recording).modules == {"pull", "push"}


@pytest.mark.parametrize(
    ("source", "standing"),
    [
        pytest.param("from .pull import Pull\nfrom old_losses.pull import double\nimport torch\n", True, id="imports its own"),
        pytest.param("from new_losses import Pull\n", False, id="imports new code"),
        pytest.param("def late():\n    import new_losses.pull as pull\n    return pull\n", False, id="imports new code late"),
        pytest.param("import importlib\nimportlib.import_module('new_losses')\n", False, id="imports new code by name"),
        pytest.param("from ..new_losses import Pull as _\nimport other\n", True, id="imports what is not the project's"),
    ],
)
def test_a_module_stands_until_it_imports_another_package_of_the_project(tmp_path: Path, source: str, standing: bool) -> None:
    for name in ("old_losses", "new_losses"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "old_losses" / "push.py").write_text(source)
    assert stands(tmp_path, "old_losses", "push") is standing


def test_a_module_without_a_file_does_not_stand(tmp_path: Path) -> None:
    assert not stands(tmp_path, "old_losses", "push")
