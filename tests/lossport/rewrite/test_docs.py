"""The examples in docs/rewriting.md are true."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "rewriting.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.+)` \| ([a-z ]+) \|$", PAGE.partition("| code | reason |")[2], re.M)
PRELUDE = """\
import importlib
import json
import operator

from old_losses.triplet import TripletLoss

criterion = TripletLoss()
out = criterion(a, b)
"""


def test_the_example_is_rewritten_as_the_page_shows(check_transformed: Callable[..., None]) -> None:
    before, after = re.findall(r"```python\n# (?:before|after)\n(.*?)```", PAGE, re.S)
    check_transformed(before, after, "triplet")


@pytest.mark.parametrize(("code", "reason"), ROWS)
def test_a_place_is_refused_for_the_reason_that_the_page_gives(bench: Any, code: str, reason: str) -> None:
    bench.write({"train.py": f"{PRELUDE}{code}\n"})
    line = PRELUDE.count("\n") + 1
    assert any(r.line == line and reason in r.reason for r in bench.plan("triplet").refusals), bench.plan("triplet").refusals


def test_the_page_gives_examples() -> None:
    assert len(ROWS) == 14
