"""The skeleton of a new loss: red as it is written, green as soon as a loss is filled in, and in nobody's way."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lossport.project.config import Project, find_project
from lossport.project.errors import InputError
from lossport.project.transaction import commit
from lossport.scaffold import skeleton
from tests import warm

ROOT = Path(__file__).resolve().parents[3]

SMALL = {
    "pyproject.toml": '[tool.lossport]\nnew = "new_losses"\n',
    "new_losses/__init__.py": '''"""New losses."""

from new_losses.base import ContrastiveLoss
from new_losses.registry import register
from new_losses.triplet import TripletLoss

__all__ = [
    "ContrastiveLoss",
    "TripletLoss",
    "register",
]
''',
    "new_losses/base.py": "class ContrastiveLoss: ...\n",
    "new_losses/registry.py": "def register(name): ...\n",
    "new_losses/utils.py": "",
    "new_losses/triplet.py": '@register("triplet")\nclass TripletLoss: ...\n\n\n@register("circle")\nclass Circular: ...\n',
    "tests/new_losses/battery.py": "",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return find_project(tmp_path)


def after(project: Project, name: str) -> dict[str, str]:
    return {project.relative(change.path): (change.after or b"").decode() for change in skeleton(project, name)}


def test_it_is_a_module_an_entry_tests_an_export_and_a_row(project: Project) -> None:
    found = after(project, "pair_margin")
    assert list(found) == [
        "new_losses/pair_margin.py",
        "tests/new_losses/entries/pair_margin.py",
        "tests/new_losses/test_pair_margin.py",
        "new_losses/__init__.py",
        "docs/new_losses.md",
    ]
    assert '@register("pair_margin")\nclass PairMarginLoss(ContrastiveLoss):' in found["new_losses/pair_margin.py"]
    for path, text in found.items():
        assert "$" not in text, f"{path} has a gap"
        if path.endswith(".py"):
            ast.parse(text)


def test_planning_writes_nothing(project: Project) -> None:
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    skeleton(project, "pair_margin")
    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("name", "position"),
    [("angle", (1, 0)), ("pair_margin", (2, 1)), ("zebra", (4, 2))],
    ids=["first", "between", "last"],
)
def test_the_export_stands_in_its_place(project: Project, name: str, position: tuple[int, int]) -> None:
    tree = ast.parse(after(project, name)["new_losses/__init__.py"])
    modules = [str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert modules == sorted(modules)
    assert f"new_losses.{name}" in modules
    (names,) = (ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))
    classes = [known for known in names if known[0].isupper()]
    assert names == [*sorted(classes), "register"]
    assert len(classes) == 3


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ('["A", "Z", "find"]\n', '["A", "PairLoss", "Z", "find"]\n'),
        ('["A"]\n', '["A", "PairLoss"]\n'),
        ('[\n    "A",\n    "find",\n]\n\nVERSION = 1\n', '[\n    "A",\n    "PairLoss",\n    "find",\n]\n\nVERSION = 1\n'),
        (
            '[\n    "AccurateLoss", "AnotherLoss",\n    "find",\n]  # fmt: skip\n',
            '[\n    "AccurateLoss", "AnotherLoss",\n    "PairLoss", "find",\n]  # fmt: skip\n',
        ),
    ],
    ids=["one line", "one name", "one a line", "as many as fit"],
)
def test_the_list_of_exports_keeps_its_layout(project: Project, before: str, expected: str) -> None:
    (project.new / "__init__.py").write_text(f"from new_losses.a import A\n\n__all__ = {before}")
    found = after(project, "pair")["new_losses/__init__.py"]
    assert found == f"from new_losses.a import A\nfrom new_losses.pair import PairLoss\n\n__all__ = {expected}"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is no name for a loss"),
        ("PairMargin", "is no name for a loss"),
        ("pair-margin", "is no name for a loss"),
        ("../pair", "is no name for a loss"),
        ("pair.margin", "is no name for a loss"),
        ("pair\n", "is no name for a loss"),
        ("1st", "is no name for a loss"),
        ("lambda", "is no name for a loss"),
        ("pair_margin_loss", "call it 'pair_margin'"),
        ("triplet", "registered in new_losses/triplet.py"),
        ("circle", "registered in new_losses/triplet.py"),
        ("utils", "new_losses/utils.py is there already"),
        ("contrastive", "has a class ContrastiveLoss already"),
    ],
)
def test_a_bad_or_taken_name_is_refused_with_the_reason(project: Project, name: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        skeleton(project, name)


@pytest.mark.parametrize("path", ["new_losses/pair.py", "tests/new_losses/entries/pair.py", "tests/new_losses/test_pair.py"])
def test_nothing_is_overwritten(project: Project, path: str) -> None:
    (project.root / path).parent.mkdir(exist_ok=True)
    (project.root / path).write_text("")
    with pytest.raises(InputError, match=f"{path} is there already"):
        skeleton(project, "pair")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("new_losses/base.py", "new_losses/base.py is not there"),
        ("tests/new_losses/battery.py", "looked for tests/new_losses/battery.py"),
    ],
)
def test_a_library_without_what_a_loss_stands_on_is_refused(project: Project, path: str, reason: str) -> None:
    (project.root / path).unlink()
    with pytest.raises(InputError, match=reason):
        skeleton(project, "pair")


@pytest.mark.parametrize("exports", ["", "__all__ = []\n", "__all__ = names()\n", '__all__ = [\n    "A",  # first\n]\n'])
def test_an_export_list_that_cannot_be_added_to_is_refused(project: Project, exports: str) -> None:
    (project.new / "__init__.py").write_text(exports)
    with pytest.raises(InputError, match="__all__"):
        skeleton(project, "pair")


def test_the_row_goes_to_the_end_of_the_table_or_gets_one(project: Project) -> None:
    page = project.root / "docs" / "new_losses.md"
    page.parent.mkdir()
    page.write_text("# Losses\n\n| here | formula |\n| --- | --- |\n| `A` | 1 |\n\nThe end.\n")
    assert "| `A` | 1 |\n| `PairLoss` | to be written |" in after(project, "pair")["docs/new_losses.md"]
    page.write_text("# Losses\n\nNo table.\n")
    found = after(project, "pair")["docs/new_losses.md"]
    assert found.startswith("# Losses\n\nNo table.\n\n| here | formula |")
    assert found.endswith("| --- | --- | --- | --- |\n| `PairLoss` | to be written | to be written | to be written |\n")


# ---- on the library of this project


def run(root: Path) -> subprocess.CompletedProcess[str]:
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-x", "tests"]
    return warm.run(*command, cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}, timeout=300)


def replace(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.mark.slow
def test_its_tests_are_red_until_a_loss_is_filled_in_and_green_then(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "losses", tmp_path / "losses", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests" / "losses" / "entries").mkdir(parents=True)
    for name in ("battery.py", "test_battery.py"):
        shutil.copy(ROOT / "tests" / "losses" / name, tmp_path / "tests" / "losses" / name)
    (tmp_path / "pyproject.toml").write_text('[tool.lossport]\n[tool.pytest.ini_options]\nmarkers = ["slow", "cuda", "full"]\n')
    project = find_project(tmp_path)
    commit(project.root, project.state, skeleton(project, "pair_distance"))

    red = run(tmp_path)
    assert red.returncode == 1
    assert "NotImplementedError: the formula of PairDistanceLoss" in red.stdout

    module = tmp_path / "losses" / "pair_distance.py"
    formula = next(line for line in module.read_text().splitlines(keepends=True) if "The formula goes here" in line)
    replace(
        module,
        (formula, "        per_row = (2 - 2 * cosines.diagonal()) / self.temperature\n"),
        ("tensor(NUMBER)", "tensor(0.)"),
        ("PAPER (authors, year, equation)", "Squared distance of unit vectors (Chopra et al. 2005, eq. 1)"),
    )
    replace(
        tmp_path / "tests" / "losses" / "entries" / "pair_distance.py",
        (
            '    raise NotImplementedError("the formula of PairDistanceLoss")\n',
            '    pairs = zip(inputs["vision_features"], inputs["text_features"], strict=True)\n'
            "    rows = [((a / a.norm() - b / b.norm()) ** 2).sum() / loss.temperature for a, b in pairs]\n"
            '    reduced = {"sum": sum(rows), "mean": sum(rows) / len(rows), "none": torch.stack(rows)}\n'
            '    return {"loss": reduced[loss.reduction]}\n',
        ),
        ("from torch import Tensor\n", "import torch\nfrom torch import Tensor\n"),
    )
    replace(tmp_path / "docs" / "losses.md", ("to be written | to be written | to be written", "d | nothing | nothing"))
    green = run(tmp_path)
    assert green.returncode == 0, green.stdout
    assert "passed" in green.stdout
