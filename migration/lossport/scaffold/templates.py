"""The texts of a new loss: its module, its battery entry, its tests and its line in the documentation. `string.Template`s.

They are written for a library of the project's shape: a base, a registry, shared functions, a battery of tests.
"""

from __future__ import annotations

from string import Template

MODULE = Template('''\
"""$title: what it is, in one line."""

from __future__ import annotations

import torch
from torch import Tensor

from $library import utils
from $library.base import ContrastiveLoss
from $library.registry import register


@register("$name")
class $cls(ContrastiveLoss):
    """PAPER (authors, year, equation): loss = FORMULA.

    What counts as a positive, as a negative, and what is excluded.

    Shape: vision_features, text_features [N, D]; `"none"` gives [N].
    Metrics: none.

    >>> $cls()(torch.eye(2), torch.eye(2))["loss"]
    tensor(NUMBER)
    """

    def forward(self, vision_features: Tensor, text_features: Tensor) -> dict[str, Tensor]:
        """The loss and its metrics; see the class."""
        utils.check_features(vision_features=vision_features, text_features=text_features)
        cosines = utils.compute_similarity(vision_features, text_features, normalize=self.normalize)
        per_row = torch.full_like(cosines.diagonal(), torch.nan)  # The formula goes here: one loss a row, without a loop.
        return self.results(utils.reduce(per_row, self.reduction), {})
''')

ENTRY = Template('''\
"""$title for the battery, row by row."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from $library import $cls
from tests.$library.battery import Entry, Inputs, two_modalities


def reference(loss: Any, inputs: Inputs) -> dict[str, Tensor | float]:
    """What a call must return, key by key, in plain float64 from the paper's formula; loops are welcome."""
    raise NotImplementedError("the formula of $cls")


OPTIONS: tuple[dict[str, Any], ...] = ({}, {"temperature": 0.5}, {"reduction": "sum"}, {"reduction": "none"})
WRONG: tuple[dict[str, Any], ...] = tuple({"temperature": wrong} for wrong in (0, -0.1, float("nan")))
FEATURES = ("vision_features", "text_features")

ENTRIES = (Entry("$name", $cls, two_modalities, reference, OPTIONS, features=FEATURES, wrong_options=WRONG),)
''')

TESTS = Template('''\
"""What is special to $cls; what holds for every loss is in the battery."""

from __future__ import annotations

from pathlib import Path

import torch

from $library import $cls, create


def test_it_is_known_by_its_name() -> None:
    assert isinstance(create("$name"), $cls)


def test_pairs_that_agree_cost_less_than_pairs_that_do_not() -> None:
    own = torch.eye(4)
    assert $cls()(own, own)["loss"] < $cls()(own, own.roll(1, dims=0))["loss"]


def test_the_documentation_says_what_it_computes() -> None:
    line = next(line for line in Path("$page").read_text(encoding="utf-8").splitlines() if line.startswith("| `$cls`"))
    assert "$unwritten" not in line
''')

UNWRITTEN = "to be written"

PAGE = """\
# The losses

| here | formula | the same elsewhere | not the same |
| --- | --- | --- | --- |
"""

ROW = Template("| `$cls` | $unwritten | $unwritten | $unwritten |\n")
