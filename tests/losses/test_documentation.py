"""The page about the losses, and every docstring, say what happens."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import losses

PAGE = Path(__file__).parents[2] / "docs" / "losses.md"
MODULES = [f"losses.{found.name}" for found in pkgutil.iter_modules(losses.__path__)]


def test_the_examples_of_the_page_run() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert (failed, tried >= 10) == (0, True)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_the_docstrings_run(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS).failed == 0
