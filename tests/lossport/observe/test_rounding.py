"""Rounding that is moved: which values move, and that one alone moves as it does among others."""

import math

import pytest
import torch

from lossport.observe.rounding import Rounding, rounding_moved

VALUES = {0.3: True, -2.5: True, 3.0: False, -0.0: False, 1e10: True, math.inf: False, math.nan: False}
"""Values, and whether they move: whole numbers stay, as masks and counts are exact, unless they are too large to be exact."""


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_value_alone_moves_as_it_does_in_a_row(value: float, dtype: torch.dtype) -> None:
    given = value * 1e10 if value == 1e10 else value  # beyond the whole numbers of float64, too
    with rounding_moved(Rounding(sample=1)):
        alone = torch.tensor(given, dtype=dtype) * 1
    with rounding_moved(Rounding(sample=1)):
        row = torch.tensor([given, given], dtype=dtype) * 1
    assert alone.dtype == row.dtype == dtype
    assert torch.equal(alone.nan_to_num(7.0), row[0].nan_to_num(7.0))
    assert bool(alone != torch.tensor(given, dtype=dtype)) == (VALUES[value] or math.isnan(value))


def test_values_of_any_layout_move() -> None:
    values = torch.linspace(0.1, 0.9, 12)
    for given in (values, values.reshape(3, 4), values.reshape(3, 4).t(), values.repeat(1000)):
        with rounding_moved(Rounding(sample=1)):
            moved = given * 1
        assert moved.shape == given.shape
        assert ((moved - given).abs() <= 2 * torch.finfo(torch.float32).eps * given).all()
        assert (moved != given).all()
