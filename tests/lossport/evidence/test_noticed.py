"""What training code could notice beyond values: how a loss is made, what it leaves behind, and what it keeps."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from lossport import evidence

OLD = """\
import random
import warnings
from collections import deque

import numpy as np
import torch
from torch import nn


class Line(nn.Module):
    def __init__(self, width):
        super().__init__()
        made = nn.Linear(width, width)
        self.weight, self.bias = made.weight, made.bias

    def forward(self, rows):
        return nn.functional.linear(rows, self.weight, self.bias)


class OldHeads(nn.Module):
    limit = 5

    def __init__(self, width=4):
        super().__init__()
        self.head = nn.Sequential(nn.Linear(width, width), nn.Dropout(0.0))
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))
        self.frozen = nn.Parameter(torch.ones(width), requires_grad=False)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)
        self.recent = deque(maxlen=3)
        self.seen = [0]
        self.table = {"rows": 0}
        self.chance = torch.Generator().manual_seed(3)
        self.dice = random.Random(3)
        self.numbers = np.random.default_rng(3)
        self.count = 0
        self._last = None

    def get_extra_state(self):
        return {"count": self.count}

    def set_extra_state(self, state):
        self.count = state["count"]

    def forward(self, rows, ids, generator=None):
        if self.count == 0:
            warnings.warn("rows are few", UserWarning)
        torch.rand(1, generator=generator)
        torch.rand(1, generator=self.chance)
        self.dice.random()
        self.numbers.random()
        with torch.no_grad():
            self.mean.mul_(0.9).add_(0.1 * rows.mean(0))
        self.count += 1
        self.recent.append(self.count)
        self.seen.append(rows.shape[0])
        self.table["rows"] += 1
        ids[0] = "first"
        loss = ((self.head(rows) * self.scale + self.shift) ** 2).mean()
        self._last = loss.detach()
        parts = {f"part_{number}": (rows * (number + 1)).pow(2).mean() for number in range(12)}
        sims, near, far = (rows @ rows.t()).detach().contiguous(), loss.detach() * 2, loss.detach() * 2
        own = {"sims": sims, "near": near, "far": far, "rows": rows.detach().clone()}
        found = {"loss": loss, "mean": self.mean.clone(), "scale": self.scale.detach()[0].item(), **own, **parts}
        return found
"""

CASES = """\
import torch
from old_heads import OldHeads


def two_steps(inputs):
    torch.manual_seed(0)
    criterion = OldHeads()
    generator = inputs.keep("generator", torch.Generator().manual_seed(1))
    for _ in range(2):
        yield criterion(inputs.features(4, 4), inputs.ids(4), generator)
"""

PORT = """\
from lossport.port import Port
PORTS = (Port(legacy="old_heads.OldHeads", new="new_heads.NewHeads"),)
"""

PARAMETERS = """\
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))
"""
EXTRA_STATE = """\
    def get_extra_state(self):
        return {"count": self.count}

    def set_extra_state(self, state):
        self.count = state["count"]
"""

NOTICED = {
    "a part left in evaluation mode": ("self.count += 1", "self.count += 1; self.head[1].eval()", "attributes[head.1.training]"),
    "a frozen parameter that became a buffer": (
        "self.frozen = nn.Parameter(torch.ones(width), requires_grad=False)",
        'self.register_buffer("frozen", torch.ones(width))',
        "state[frozen]",
    ),
    "parameters in another order": (PARAMETERS, "".join(reversed(PARAMETERS.splitlines(keepends=True))), "parameters"),
    "a buffer that state_dict leaves out": (
        '("mean", torch.zeros(width))',
        '("mean", torch.zeros(width), persistent=False)',
        "state_dict[mean]",
    ),
    "a buffer that state_dict keeps": ("torch.zeros(1), persistent=False", "torch.zeros(1)", "state_dict[scratch]"),
    "extra state that is gone": (EXTRA_STATE, "", "state[_extra_state]"),
    "extra state that says something else": (
        '"count": self.count}',
        '"count": self.count + 1}',
        'state[_extra_state]["count"]',
    ),
    "gradients switched off for good": (
        "self.count += 1",
        "self.count += 1; torch.set_grad_enabled(False)",
        "settings[grad mode]",
    ),
    "another default dtype": (
        "self.count += 1",
        "self.count += 1; torch.set_default_dtype(torch.float64)",
        "settings[default dtype]",
    ),
    "errors of numpy ignored for good": (
        "self.count += 1",
        'self.count += 1; np.seterr(all="ignore")',
        "settings[numpy errors]",
    ),
    "a result that is a view of a buffer": ("self.mean.clone()", "self.mean.detach()", 'memory of returns["mean"]'),
    "a deque with other entries": ("self.recent.append(self.count)", "self.recent.append(0)", "attributes[recent][0]"),
    "a list with other entries": ("seen.append(rows.shape[0])", "seen.append(rows.shape[0] + 1)", "attributes[seen][1]"),
    "a dictionary with other values": ('["rows"] += 1', '["rows"] += 2', 'attributes[table]["rows"]'),
    "a list input changed otherwise": ('ids[0] = "first"', 'ids[0] = "1st"', "inputs[ids][0]"),
    "an own generator drawn from otherwise": (
        "torch.rand(1, generator=self.chance)",
        "torch.rand(2, generator=self.chance)",
        'attributes[chance]["state"]',
    ),
    "an own generator of Python": ("self.dice.random()", "pass", 'attributes[dice]["state"]'),
    "an own generator of numpy": ("self.numbers.random()", "pass", 'attributes[numbers]["state"]'),
    "a given generator drawn from otherwise": (
        "torch.rand(1, generator=generator)",
        "torch.rand(9, generator=generator)",
        'inputs[generator]["state"]',
    ),
    "a constant of the class": ("limit = 5", "limit = 6", "attributes[limit]"),
    "a constant of the class that is gone": ("limit = 5", "_limit = 5", "attributes[limit]"),
    "another category of warning": ("UserWarning", "FutureWarning", "warnings"),
    "a warning without words": ('"rows are few"', '""', "warnings"),
    "a graph that is kept": ("loss.detach()", "loss", "graph"),
    "a result that is not contiguous": (
        "@ rows.t()).detach().contiguous()",
        "@ rows.t()).detach().t()",
        'memory of returns["sims"]',
    ),
    "a result that is an input": ("rows.detach().clone()", "rows.detach()", 'memory of returns["rows"]'),
    "two results in one memory": ("loss.detach() * 2, loss.detach() * 2", "*[loss.detach() * 2] * 2", 'memory of returns["far"]'),
    "one dictionary for all results": (
        "return found",
        "vars(self).setdefault('_all', {}).update(found); return self._all",
        "memory of returns",
    ),
    "an environment variable": (
        "self.count += 1",
        "self.count += 1; import os; os.environ['HEADS'] = '1'",
        "settings[environment variables]",
    ),
    "another default device": (
        "self.count += 1",
        "self.count += 1; torch.set_default_device('meta')",
        "settings[default device]",
    ),
    "another working directory": ("self.count += 1", "self.count += 1; import os; os.chdir('/')", "settings[working directory]"),
    "a layer of another class": ("nn.Sequential(nn.Linear(width, width)", "nn.Sequential(Line(width)", "layers[head.0]"),
    "what cannot be saved whole": ("self.count = 0", "self.count = 0; self._key = lambda rows: rows", "saved"),
    "a gradient of the eleventh entry": (
        "(rows * (number + 1)).pow(2).mean()",
        "((rows * (number + 1)).pow(2) if number != 10 else (rows * 11) * (rows * 11).detach()).mean()",
        'gradients[features of returns["part_10"]]',
    ),
}


def renamed(text: str) -> str:
    return re.sub(r"\bOld(?=[A-Z])", "New", text).replace("old_heads", "new_heads")


@pytest.fixture
def heads(made: Any) -> Any:
    made.write("old_heads.py", OLD)
    made.write("new_heads.py", renamed(OLD))
    made.write("migration/ports/heads.py", PORT)
    made.write("migration/cases/heads.py", CASES)
    return made


def prove(made: Any, **options: Any) -> Any:
    loss = made.project.loss("heads")
    golden = evidence.record(made.project, loss)
    return evidence.prove(made.project, loss, golden, renamed(golden.header.cases), **{"extent": "none", **options})


@pytest.mark.slow
def test_a_copy_is_equal_in_every_variant(heads: Any) -> None:
    proof = prove(heads, extent="all")
    assert proof.counts["equal"] == len(proof.verdicts) > 20, proof.explanation()


@pytest.mark.parametrize("fault", NOTICED)
def test_what_training_code_could_notice_is_found_at_its_place(heads: Any, fault: str) -> None:
    right, wrong, place = NOTICED[fault]
    heads.edit("new_heads.py", right, wrong)
    proof = prove(heads)
    assert place in {finding.place for verdict in proof.failures for finding in verdict.findings}, proof.explanation()


def test_tensors_of_inference_mode_that_are_kept_are_found_in_that_mode(heads: Any) -> None:
    heads.edit("new_heads.py", "self.mean.mul_(0.9).add_(0.1 * rows.mean(0))", "self.mean = self.mean * 0.9 + 0.1 * rows.mean(0)")
    places = {(item.case, found.place) for item in prove(heads, extent="all").failures for found in item.findings}
    assert ("two_steps@inference", "inference") in places
    assert {case for case, place in places if place == "inference"} == {"two_steps@inference"}


def test_a_module_that_is_imported_late_does_not_make_a_loss_unsteady(heads: Any, monkeypatch: Any) -> None:
    """It adds a filter for warnings, once a process."""
    heads.write("elsewhere/late.py", "import warnings\n\nwarnings.filterwarnings('ignore', message='late')\n")
    monkeypatch.syspath_prepend(heads.root / "elsewhere")
    heads.edit("old_heads.py", "self.count += 1", "self.count += 1; import late")
    assert evidence.record(heads.project, heads.project.loss("heads")).unsteady == ()


def test_settings_that_a_loss_changes_do_not_reach_other_runs(heads: Any) -> None:
    heads.edit("new_heads.py", "self.count += 1", "self.count += 1; torch.set_grad_enabled(False)")
    prove(heads)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("new_heads.py", '"rows are few"', '"few rows: 4"'),
        ("new_heads.py", "self.mean.clone()", "self.mean * 1"),
        ("new_heads.py", "        self._last = loss.detach()\n", ""),
        ("new_heads.py", "    limit = 5\n", "    limit = 5\n    other = 6\n"),
        # What the legacy loss is tied to, and the new one is free of.
        ("old_heads.py", "rows.detach().clone()", "rows.detach()"),
        ("old_heads.py", "self.mean.clone()", "self.mean.detach()"),
        ("old_heads.py", "@ rows.t()).detach().contiguous()", "@ rows.t()).detach().t()"),
        ("old_heads.py", "self.count = 0", "self.count = 0; self._key = lambda rows: rows"),
        ("old_heads.py", "self._last = loss.detach()", "self._last = loss"),
    ],
)
def test_what_nobody_depends_on_is_no_difference(heads: Any, file: str, before: str, after: str) -> None:
    heads.edit(file, before, after)
    proof = prove(heads)
    assert proof.passed, proof.explanation()


OLD_MAKER = """\
import torch
from torch import nn


class Counting(nn.Module):
    def __init__(self, rows):
        super().__init__()
        self.register_buffer("seen", torch.zeros(rows))

    def forward(self, rows):
        self.seen += 1
        return (rows * self.seen[0]).sum()


def old_make(rows):
    return Counting(rows)
"""

CASE_OF_MAKER = """\
from old_maker import old_make


def two_steps(inputs):
    criterion = old_make(3)
    for _ in range(2):
        yield criterion(inputs.features(4, 4))
"""


def test_what_a_function_built_is_built_again_by_it_for_a_round_trip_of_its_state(made: Any) -> None:
    def new(text: str) -> str:
        return text.replace("old_make", "new_make").replace("Counting", "Counted")

    forgets = "    def load_state_dict(self, *state):\n        return None\n\n    def forward"
    made.write("old_maker.py", OLD_MAKER)
    made.write("new_maker.py", new(OLD_MAKER).replace("    def forward", forgets))
    made.write(
        "migration/ports/maker.py",
        PORT.replace("old_heads.OldHeads", "old_maker.old_make").replace("new_heads.NewHeads", "new_maker.new_make"),
    )
    made.write("migration/cases/maker.py", CASE_OF_MAKER)
    loss = made.project.loss("maker")
    golden = evidence.record(made.project, loss)
    proof = evidence.prove(made.project, loss, golden, new(CASE_OF_MAKER), extent="all")
    assert [item.case for item in proof.failures] == ["two_steps@state-dict"]


def test_a_loss_whose_every_case_raises_is_not_provable(made: Any) -> None:
    made.cases(
        "from old_losses.pairs import PairLoss, pick\n\n\n"
        "def wrong(inputs):\n    PairLoss()(inputs.features(4, 3), inputs.features(3, 3))\n\n\n"
        "def rows(inputs):\n    return pick(inputs.features(6, 3), 2)\n",
        "from fresh import Pairs, draw_rows\n\n\n"
        "def wrong(inputs):\n    Pairs()(inputs.features(4, 3), inputs.features(3, 3))\n\n\n"
        "def rows(inputs):\n    return draw_rows(inputs.features(6, 3), 2)\n",
    )
    proof = made.prove()
    assert not proof.passed
    assert proof.headline == "1 of 3 cases is not provable"
    (told,) = proof.explanation()
    assert told.startswith("old_losses.pairs.PairLoss · not provable: no case saw it return anything")


def test_a_symbol_that_no_case_uses_is_not_provable(made: Any) -> None:
    made.edit("migration/cases/pairs.py", "return pick(inputs.features(6, 3), 2)", "return inputs.features(6, 3)")
    made.rewritten = made.rewritten.replace("return draw_rows(inputs.features(6, 3), 2)", "return inputs.features(6, 3)")
    assert [item.case for item in made.prove().failures] == ["old_losses.pairs.pick"]
