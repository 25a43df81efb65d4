"""Duplicated lines against jscpd, on files where both can agree: no docstrings, no blank lines inside a copy.

docs/measures.md says where they differ otherwise, and why.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from lossport.measure import MIN_LINES, MIN_TOKENS, measure_corpus

PASSAGE = """\
def scaled(values, limit, weight):
    total = 0.5
    count = 0
    for value in values:
        if value > limit:
            total += value * weight
            count += 1
        elif value < -limit:
            total -= value / weight
        else:
            total += 1.5
    if count == 0:
        return limit
    return total / count + weight
"""
RENAMED = PASSAGE.replace("scaled", "clipped").replace("values", "items").replace("value", "item").replace("1.5", "2.5")
TABLE = "".join(
    f"    table['{name}'] = lookup({number}, scale) + table.get('{name}', {number})\n" for number, name in enumerate("abcdefg")
)
CORPUS = {
    "one.py": "import math\nLEVEL = 3\n" + PASSAGE + "class One:\n    def size(self):\n        return math.sqrt(LEVEL)\n",
    "two.py": "class Two:\n    level: int = 4\n    pass\n" + PASSAGE + "while LEVEL:\n    LEVEL -= 1\n",
    "three.py": "from os import path as where\n" + RENAMED + "def last(*, x):\n    yield x\n",
    "four.py": "def fill(table, scale):\n" + TABLE + "    return table\nassert fill\n",
    "five.py": "async def refill(table, scale):\n" + TABLE + "    del table\n",
    "six.py": "def alone(a, b):\n    try:\n        return a ** b\n    except (OverflowError, ValueError):\n        raise\n",
}


@pytest.fixture(scope="module")
def jscpd(node_tools: Path) -> Path:
    return node_tools / ".bin" / "jscpd"


def lines_by_jscpd(jscpd: Path, folder: Path, *options: str) -> dict[str, set[int]]:
    for name, text in CORPUS.items():
        (folder / name).write_text(text)
    thresholds = ("--min-tokens", str(MIN_TOKENS), "--min-lines", str(MIN_LINES), "--mode", "weak", "--format", "python")
    command = [str(jscpd), *thresholds, *options, "--reporters", "json", "--output", str(folder / "out"), "--silent", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    found: defaultdict[str, set[int]] = defaultdict(set)
    for clone in json.loads((folder / "out" / "jscpd-report.json").read_text())["duplicates"]:
        for side in (clone["firstFile"], clone["secondFile"]):
            found[Path(side["name"]).name].update(range(side["start"], side["end"] + 1))
    return dict(found)


def lines_here(lines: Mapping[str, frozenset[int]]) -> dict[str, set[int]]:
    return {path: set(found) for path, found in lines.items() if found}


def test_equal_tokens_are_found_on_the_same_lines(jscpd: Path, tmp_path: Path) -> None:
    ours = lines_here(measure_corpus(CORPUS).exact.lines)
    assert set(ours) == {"one.py", "two.py", "four.py", "five.py"}
    assert lines_by_jscpd(jscpd, tmp_path) == ours


def test_renamed_copies_are_found_on_the_same_lines(jscpd: Path, tmp_path: Path) -> None:
    ours = lines_here(measure_corpus(CORPUS).duplication.lines)
    assert set(ours) == {"one.py", "two.py", "three.py", "four.py", "five.py"}
    assert lines_by_jscpd(jscpd, tmp_path, "--ignore-identifiers", "--ignore-literals") == ours
