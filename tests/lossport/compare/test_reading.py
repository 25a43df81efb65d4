"""What is said of an option by reading it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lossport.compare.reading import change_size, read_option, reading_rows
from lossport.project.config import Project
from lossport.report.compared import Row

RIGHT, WRONG, KEPT = range(3)


def rows(project: Project) -> dict[str, Row]:
    return {row.key: row for row in reading_rows([read_option(project, option) for option in project.options])}


def test_the_second_loss_counts_apart_from_the_first(project: Project) -> None:
    found = rows(project)
    first, second = (project.root / "ways" / "right" / name for name in ("loss.py", "half.py"))
    assert found["lines"].cells[RIGHT].value == len(first.read_text(encoding="utf-8").splitlines())
    assert found["second_lines"].cells[RIGHT].value == len(second.read_text(encoding="utf-8").splitlines())
    assert found["second_lines"].cells[KEPT].text == "not measured: no second loss is named"
    assert found["files"].cells[RIGHT].value == 2
    assert found["files"].cells[KEPT].value == 1


def test_inheritance_is_counted_inside_the_option(project: Project) -> None:
    assert [cell.value for cell in rows(project)["depth"].cells] == [1, 0, 0]


def test_a_mixin_diamond_is_named(project: Project) -> None:
    text = "class Base: ...\n\n\nclass A(Base): ...\n\n\nclass B(Base): ...\n\n\nclass TripletLoss(A, B): ...\n"
    (project.root / "ways" / "kept" / "loss.py").write_text(text, encoding="utf-8")
    found = rows(project)
    assert (found["bases"].cells[KEPT].text, found["bases"].cells[KEPT].value) == ("2 (1 diamonds)", 2)
    assert found["bases"].best == {WRONG}


def test_a_second_loss_that_copies_the_first_is_seen(project: Project) -> None:
    loss, half = (project.root / "ways" / "right" / name for name in ("loss.py", "half.py"))
    before = rows(project)
    half.write_text(loss.read_text(encoding="utf-8").replace("TripletLoss", "HalfLoss"), encoding="utf-8")
    after = rows(project)
    assert (before["second_copied"].cells[RIGHT].value, before["duplication_two"].cells[RIGHT].value) == (0, 0)
    assert (after["second_copied"].cells[RIGHT].value or 0) > 10
    assert (after["duplication_two"].cells[RIGHT].value or 0) > 80
    assert after["duplication"].cells[RIGHT].value == 0


def test_the_kept_change_is_counted(project: Project) -> None:
    found = rows(project)
    assert [cell.text for cell in found["change_files"].cells[:1]] == ["1"]
    assert found["change_lines"].cells[RIGHT].text == "+1 -1"
    assert found["change_files"].cells[KEPT].text == "not measured: no change is kept"


def test_a_change_that_does_not_apply_any_more_is_no_figure(project: Project) -> None:
    file = project.root / "ways" / "right" / "loss.py"
    file.write_text(file.read_text(encoding="utf-8").replace("gap=0.5", "gap=0.7"), encoding="utf-8")
    cell = rows(project)["change_files"].cells[RIGHT]
    assert cell.value is None
    assert "ways/right.patch does not apply" in cell.text


def test_a_project_inside_a_larger_repository_is_checked_against_its_own_files(project: Project, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "larger")], check=True)
    file = project.root / "ways" / "right" / "loss.py"
    assert rows(project)["change_files"].cells[RIGHT].value == 1
    file.write_text("", encoding="utf-8")
    assert rows(project)["change_files"].cells[RIGHT].value is None


@pytest.mark.parametrize(
    ("patch", "files", "added", "removed"),
    [
        (
            "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n--- a/y.py\n+++ b/y.py\n@@ -0,0 +1,2 @@\n+c\n+d\n",
            ("x.py", "y.py"),
            3,
            1,
        ),
        ("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n", ("new.py",), 1, 0),
        ("--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", ("old.py",), 0, 1),
        ("--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n--- looks like a header\n++++ so does this\n same\n", ("x.py",), 1, 1),
        ("--- a/x.py\t2026-05-04\n+++ b/x.py\t2026-05-04\n@@ -1 +1 @@\n-a\n+b\n@@ -9 +9 @@\n-c\n+d\n", ("x.py",), 2, 2),
        ("", (), 0, 0),
    ],
    ids=["two files", "a new file", "a deleted file", "lines like headers", "two hunks", "nothing"],
)
def test_a_patch_is_counted_by_its_hunks(patch: str, files: tuple[str, ...], added: int, removed: int) -> None:
    assert change_size(patch) == (files, added, removed)
