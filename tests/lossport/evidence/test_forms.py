"""Losses as other teams write them: bare tensors, tuples, records, images, lazy parameters, numpy, prints, functions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lossport import evidence

OLD = '''\
import random
import sys
from collections import namedtuple
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn as nn

Parts = namedtuple("Parts", "loss distance")


@dataclass
class Report:
    loss: torch.Tensor
    rows: int


class OldBare(nn.Module):
    def forward(self, x, y):
        return ((x - y) ** 2).mean()


class OldPair(nn.Module):
    def forward(self, x, y):
        gap = (x - y).abs()
        return gap.mean(), gap.detach().max()


class OldNamed(nn.Module):
    def forward(self, x, y):
        gap = (x - y).abs()
        return Parts(gap.mean(), gap.detach())


class OldRecord(nn.Module):
    def forward(self, x, y):
        return Report((x * y).sum(), x.shape[0])


class OldImages(nn.Module):
    def forward(self, x, y):
        return ((x[..., 1:, :] - x[..., :-1, :]) - (y[..., 1:, :] - y[..., :-1, :])).abs().mean()


class OldLazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.LazyLinear(3)

    def forward(self, x):
        return self.project(x).pow(2).mean()


class OldNoisy(nn.Module):
    def forward(self, x):
        print("rows", x.shape[0])
        sys.stderr.write("computing\\n")
        keep = torch.from_numpy(np.random.rand(x.shape[0]) < 0.5)
        return (x * keep[:, None]).sum() * random.choice([1.0, 2.0])


class OldStrict(nn.Module):
    def forward(self, x):
        if x.shape[1] != 2:
            raise KeyError(f"expected two columns, found {x.shape[1]}")
        return x.sum()


class OldMeter:
    """No module at all."""

    def __init__(self, decay=0.9):
        self.decay = decay
        self.total = 0.0

    def __call__(self, x):
        self.total = self.decay * self.total + x.detach().sum().item()
        return x.sum() * self.decay


class OldChanging(nn.Module):
    def forward(self, x, seen):
        seen.append(x.shape[0])
        with torch.no_grad():
            x.mul_(0.5)
        return (x * x).sum()


def old_function(x, *, scale=2.0):
    return {"loss": x.sum() * scale, "scale": scale}
'''

CASES = """\
import torch
from old_forms import (OldBare, OldChanging, OldImages, OldLazy, OldMeter, OldNamed, OldNoisy, OldPair, OldRecord, OldStrict,
                       old_function)


def bare(inputs):
    return OldBare()(*inputs.paired(batch=4, dim=3))


def pair(inputs):
    return OldPair()(*inputs.paired(batch=4, dim=3))


def named(inputs):
    return OldNamed()(*inputs.paired(batch=4, dim=3))


def record(inputs):
    return OldRecord()(*inputs.paired(batch=4, dim=3))


def images(inputs):
    return OldImages()(inputs.images(2, name="x"), inputs.images(2, name="y"))


def lazy(inputs):
    torch.manual_seed(1)
    criterion = OldLazy()
    for _ in range(2):
        yield criterion(inputs.features(4, 5))


def noisy(inputs):
    return OldNoisy()(inputs.features(6, 3))


def strict(inputs):
    return OldStrict()(inputs.features(4, 3))


def strict_and_right(inputs):
    return OldStrict()(inputs.normal(4, 2))


def meter(inputs):
    criterion = OldMeter()
    for _ in range(3):
        yield criterion(inputs.features(4, 3))


def changing(inputs):
    return OldChanging()(inputs.features(4, 3), [])


def function(inputs):
    return old_function(inputs.features(4, 3), scale=3.0)
"""

FORMS = ("Bare", "Pair", "Named", "Record", "Images", "Lazy", "Noisy", "Strict", "Meter", "Changing")
PORT = "from lossport.port import Port\nPORTS = ({ports})\n"

FAULTS = [
    ("bare", "return ((x - y) ** 2).mean()", "return ((x - y) ** 2).mean().reshape(1)"),
    ("bare", "return ((x - y) ** 2).mean()", "return ((x - y) ** 2).mean().double()"),
    ("pair", "return gap.mean(), gap.detach().max()", "return gap.mean(), gap.max()"),
    ("pair", "return gap.mean(), gap.detach().max()", "return [gap.mean(), gap.detach().max()]"),
    ("named", 'namedtuple("Parts", "loss distance")', 'namedtuple("Parts", "loss gap")'),
    ("record", "Report((x * y).sum(), x.shape[0])", "Report((x * y).sum(), x.shape[1])"),
    ("images", ".abs().mean()", ".abs().sum()"),
    ("lazy", ".pow(2).mean()", ".pow(2).mean() + self.project.bias.sum() * 0 + 1e-3"),
    ("noisy", "random.choice([1.0, 2.0])", "(1.0 if random.random() < 0.5 else 2.0)"),
    ("noisy", "        return (x * keep", "        np.random.rand()\n        return (x * keep"),
    (
        "named",
        'Parts = namedtuple("Parts", "loss distance")',
        "@dataclass\nclass Parts:\n    loss: object\n    distance: object\n",
    ),
    ("strict", "raise KeyError(f", "raise ValueError(f"),
    ("strict", 'KeyError(f"expected two columns, found {x.shape[1]}")', "KeyError()"),
    ("meter", "self.decay * self.total +", "self.total +"),
    ("changing", "            x.mul_(0.5)", "            x = x * 0.5"),
    ("changing", "        seen.append(x.shape[0])\n", ""),
    ("function", '"scale": scale}', '"scale": torch.tensor(scale)}'),
    ("function", "def new_function(x, *, scale=2.0):", "def new_function(x, *, scale=2.0):\n    scale = 2.0"),
    ("function", '{"loss": x.sum() * scale, "scale": scale}', '{"scale": scale, "loss": x.sum() * scale}'),
]


def renamed(text: str) -> str:
    return re.sub(r"\bold_function\b", "new_function", re.sub(r"\bOld(?=[A-Z])", "New", text)).replace("old_forms", "new_forms")


@pytest.fixture
def forms(made: Any) -> Any:
    made.write("old_forms.py", OLD)
    made.write("new_forms.py", renamed(OLD))
    ports = "".join(f'Port(legacy="old_forms.Old{name}", new="new_forms.New{name}"), ' for name in FORMS)
    ports += 'Port(legacy="old_forms.old_function", new="new_forms.new_function"),'
    made.write("migration/ports/forms.py", PORT.format(ports=ports))
    made.write("migration/cases/forms.py", CASES)
    return made


def prove(made: Any, **options: Any) -> Any:
    loss = made.project.loss("forms")
    options = {"extent": "none", **options}
    return evidence.prove(made.project, loss, evidence.record(made.project, loss), renamed(CASES), "cpu", **options)


@pytest.mark.slow
def test_losses_of_every_form_are_proven_with_their_variants(forms: Any, capfd: pytest.CaptureFixture[str]) -> None:
    proof = prove(forms, extent="all")
    assert proof.passed, proof.explanation()
    assert proof.counts["equal"] == len(proof.verdicts) > 150
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("case", "right", "wrong"), FAULTS)
def test_a_fault_in_a_loss_of_any_form_is_seen(forms: Any, case: str, right: str, wrong: str) -> None:
    forms.edit("new_forms.py", right, wrong)
    proof = prove(forms, only=[case])
    assert [item.kind for item in proof.verdicts] == ["different"], proof.headline
