"""Coverage as coverage.py reports it, and tests counted per name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lossport.measure import CoverageError, count_tests, read_coverage


def test_a_report_of_coverage_py_is_read_with_its_branches(tmp_path: Path) -> None:
    (tmp_path / "kit.py").write_text("def f(x):\n    if x:\n        return 1\n    return 2\n")
    (tmp_path / "run.py").write_text("import kit\nkit.f(True)\n")
    for command in (["run", "--branch", "run.py"], ["json", "-q"]):
        subprocess.run([sys.executable, "-m", "coverage", *command], cwd=tmp_path, check=True)
    coverage = read_coverage((tmp_path / "coverage.json").read_text())
    kit = coverage.files["kit.py"]
    assert (kit.statements, kit.statements_run, kit.branches, kit.branches_run) == (4, 3, 2, 1)
    assert kit.percent == pytest.approx(100 * 4 / 6)
    said = json.loads((tmp_path / "coverage.json").read_text())["files"]["kit.py"]["summary"]["percent_covered"]
    assert kit.percent == pytest.approx(said)
    assert coverage.with_branches
    assert coverage.at is not None


def test_several_files_are_one_and_unknown_ones_are_none() -> None:
    summary = {"num_statements": 10, "covered_lines": 5, "num_branches": 0, "covered_branches": 0}
    full = {"num_statements": 30, "covered_lines": 30}
    files = {"kit/a.py": {"summary": summary}, "kit\\b.py": {"summary": full}}
    coverage = read_coverage(json.dumps({"meta": {"branch_coverage": False}, "files": files}))
    both = coverage.of(["kit/a.py", "kit/b.py", "kit/new.py"])
    assert both is not None
    assert both.percent == 87.5
    assert coverage.of(["kit/new.py"]) is None


def test_a_file_without_statements_is_covered() -> None:
    summary = {"num_statements": 0, "covered_lines": 0}
    coverage = read_coverage(json.dumps({"meta": {}, "files": {"a.py": {"summary": summary}}}))
    assert coverage.files["a.py"].percent == 100.0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"meta": {}, "files": {"a.py": {}}}', '{"meta": 1, "files": {}}'])
def test_what_is_no_report_is_named(text: str) -> None:
    with pytest.raises(CoverageError, match=r"not a coverage\.py JSON report"):
        read_coverage(text)


def test_a_test_belongs_to_the_loss_whose_symbol_it_says_or_whose_file_it_lies_in() -> None:
    texts = {
        "tests/test_triplet.py": "def test_a(): pass\nclass TestB:\n    def test_c(self): pass\n    def help(self): pass\n",
        "tests/test_all.py": (
            "import pytest\n"
            "@pytest.mark.parametrize('name', ['kit.Triplet'])\n"
            "def test_by_name(name): pass\n"
            "def test_margin():\n    assert kit.Margin(1)\n"
            "async def test_neither(): pass\n"
            "def helper(): return Margin\n"
        ),
        "tests/test_broken.py": "def test_(:",
    }
    assert count_tests(texts, {"triplet": ["Triplet"], "margin": ["Margin"]}) == {"triplet": 3, "margin": 1}
