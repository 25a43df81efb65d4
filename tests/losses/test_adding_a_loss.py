"""The page about adding a loss: its examples run, and the code that it quotes is the code that there is."""

from __future__ import annotations

import doctest
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-loss.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
QUOTED = [block for block in BLOCKS if ">>>" not in block]
SOURCES = [ROOT / "losses" / "siglip.py", ROOT / "tests" / "losses" / "entries" / "siglip.py"]


def test_the_examples_run() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried >= 9) == (0, True)


@pytest.mark.parametrize("block", QUOTED, ids=lambda block: block.strip().splitlines()[0][:40])
def test_quoted_code_stands_in_the_source(block: str) -> None:
    sources = [re.sub(r"^ +", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE) for path in SOURCES]
    wanted = re.sub(r"^ +", "", textwrap.dedent(block), flags=re.MULTILINE)
    assert any(wanted in source for source in sources), block


def test_files_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`((?:losses|tests|docs)/[\w./-]+\.(?:py|md))`", PAGE.read_text(encoding="utf-8")))
    assert len(named) >= 6
    assert not {name for name in named if not (ROOT / name).is_file()}
