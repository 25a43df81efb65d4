"""The comparison as a whole, on an invented project, with real tests, real parity and real time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lossport.compare import compare, read_comparison
from lossport.compare.running import coverage_row, proof_cells, time_row
from lossport.project.config import ConfigError, Project, find_project
from tests import warm

pytestmark = pytest.mark.slow

RIGHT, WRONG, KEPT = range(3)


@pytest.mark.full(reason="runs tests, parity and timing of every option in processes of their own")
def test_a_comparison_measures_every_option_and_imports_no_torch(root: Path) -> None:
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from lossport.compare import compare\n"
        "from lossport.project.config import find_project\n"
        f"found = compare(find_project(Path({str(root)!r})))\n"
        "assert 'torch' not in sys.modules\n"
        "print(json.dumps(found.to_json()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = read_comparison(json.loads(done.stdout))
    assert (found.loss, found.names, found.titles) == (
        "triplet",
        ("right", "wrong", "kept"),
        ("as it should be", "wrong", "kept"),
    )

    parity = [cell.text for cell in found.row("parity").cells]
    assert "equal" in parity[RIGHT]
    assert "cases differ" in parity[WRONG]
    assert parity[KEPT].endswith("equal")
    assert found.row("parity").best == {RIGHT, KEPT}
    assert 'returns["loss"]' in found.row("parity").cells[WRONG].note

    assert found.row("coverage").best == {KEPT}  # no branch that the tests leave out
    assert [cell.value for cell in found.row("change_files").cells] == [1, None, None]
    assert "touches none of its files" in found.row("change_files").cells[WRONG].text
    assert all(0.2 < (cell.value or 0) < 5 for cell in found.row("time").cells)
    assert not (root / "goldens").exists(), "a comparison writes nothing"


def test_a_capsule_stands_for_a_legacy_file_that_is_gone(root: Path, project: Project) -> None:
    program = (
        "from pathlib import Path\n"
        "from lossport import evidence\n"
        "from lossport.project.config import find_project\n"
        f"project = find_project(Path({str(root)!r}))\n"
        "loss = project.loss('triplet')\n"
        "evidence.record(project, loss).write(loss.golden_file)\n"
    )
    warm.run("-c", program, check=True)
    (root / "old_losses" / "triplet.py").unlink()
    parity, _ = proof_cells(project, project.options[RIGHT])
    assert parity.value == 0, parity.text


def test_an_option_that_cannot_be_run_loses_its_own_figures_and_says_why(root: Path, project: Project) -> None:
    (root / "ways" / "right" / "loss.py").write_text("import no_such_module\n", encoding="utf-8")
    parity, _ = proof_cells(project, project.options[RIGHT])
    assert parity.value is None
    assert parity.text.startswith("not measured: ")
    assert "no_such_module" in parity.text or "TripletLoss" in parity.text


def test_a_slow_option_is_slow(root: Path, project: Project) -> None:
    text = (root / "ways" / "wrong" / "loss.py").read_text(encoding="utf-8")
    slow = text.replace("        near =", "        __import__('time').sleep(0.05)\n        near =", 1)
    (root / "ways" / "wrong" / "loss.py").write_text(slow, encoding="utf-8")
    row = time_row(project, project.options)
    assert (row.cells[WRONG].value or 0) > 5
    assert WRONG not in row.best


def test_tests_that_fail_measure_no_coverage(root: Path, project: Project) -> None:
    (root / "tests" / "test_ways.py").write_text("def test_no(): raise AssertionError\n", encoding="utf-8")
    row = coverage_row(project, project.options)
    assert {cell.value for cell in row.cells} == {None}
    assert all(cell.text.startswith("not measured: ") for cell in row.cells)


@pytest.mark.parametrize(
    ("tests", "command", "reason"),
    [
        ((), Project.test_command, "no tests are named"),
        (("tests/test_ways.py",), ("make", "check"), "the test command is not python -m"),
    ],
)
def test_coverage_without_tests_or_with_an_unknown_command_says_so(
    project: Project, tests: tuple[str, ...], command: tuple[str, ...], reason: str
) -> None:
    option = replace(project.options[RIGHT], tests=tuple(project.root / test for test in tests))
    row = coverage_row(replace(project, test_command=command), [option])
    assert reason in row.cells[0].text


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[[tool.lossport.options]]", "[[tool.lossport.claims]]", r"claims"),
        ('name = "wrong"', 'name = "right"', "two options are called right"),
        ('loss = "triplet"\nnew = "ways.wrong', 'loss = "other"\nnew = "ways.wrong', "of one loss"),
        ('loss = "triplet"', 'loss = "nothing"', "no loss is called 'nothing'"),
        ('tests = ["tests/test_ways.py"]', 'tests = ["tests/test_none.py"]', "tests/test_none.py is missing"),
        ('path = "ways/wrong"', 'path = "ways/none"', "no Python files in ways/none"),
        ('second = ["ways/right/half.py"]', 'second = ["ways/half.py"]', "ways/half.py is none of its files"),
        ('interface = "legacy"', 'interface = "old"', "expected 'new' or 'legacy', found 'old'"),
        ('path = "ways/wrong"', 'path = "../elsewhere"', "leaves the project"),
        ('path = "ways/wrong"', 'path = "ways/wrong"\ncolour = "red"', "unknown key colour"),
    ],
)
def test_wrong_configuration_is_named_before_anything_is_run(root: Path, before: str, after: str, message: str) -> None:
    file = root / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        compare(find_project(root))


def test_a_project_without_options_is_told_what_is_missing(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"\[\[tool.lossport.options\]\]"):
        compare(replace(project, options=()))
