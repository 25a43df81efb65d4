"""Verdicts that are remembered save time and hide nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lossport.judge import pair
from lossport.observe import run as observe

LAZY_HALF = """from shared_math import half
        loss = half(forward + backward)"""


def prove(made: Any, golden: Any, tmp_path: Path, **options: Any) -> Any:
    """As in a process of its own: no helper is loaded before, and what recording saw is not at hand."""
    sys.modules.pop("shared_math", None)
    return made.prove(replace(golden, just_seen={}), cache=tmp_path / "cache", **options)


def count_runs(monkeypatch: Any) -> dict[str, int]:
    runs = {"legacy": 0, "new": 0}

    def counting(side: Any, *arguments: Any, **more: Any) -> Any:
        runs[side.name] += 1
        return observe.observe(side, *arguments, **more)

    monkeypatch.setattr(pair, "observe", counting)
    return runs


def test_what_this_process_has_recorded_twice_it_does_not_run_a_third_time(made: Any, tmp_path: Path, monkeypatch: Any) -> None:
    golden = made.record()
    runs = count_runs(monkeypatch)
    first = made.prove(golden)
    assert runs == {"legacy": 0, "new": len(golden.cases)}
    assert [item.kind for item in prove(made, golden, tmp_path).verdicts] == [item.kind for item in first.verdicts]
    assert runs == {"legacy": len(golden.cases), "new": 2 * len(golden.cases)}


def test_where_no_code_has_changed_the_new_loss_runs_each_case_as_written(made: Any, tmp_path: Path, monkeypatch: Any) -> None:
    golden = made.record()
    first = prove(made, golden, tmp_path, extent="chosen")
    runs = count_runs(monkeypatch)
    again = prove(made, golden, tmp_path, extent="chosen")
    assert runs == {"legacy": 0, "new": len(golden.cases)}
    assert [(item.case, item.kind) for item in again.verdicts] == [(item.case, item.kind) for item in first.verdicts]
    assert again.headline == first.headline


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("fresh/pairs.py", '"""Symmetric', '"""A symmetric'),
        ("fresh/__init__.py", "from fresh", "# as before\nfrom fresh"),
        ("shared_math.py", "def half", "# as before\n\n\ndef half"),
    ],
)
def test_where_code_has_changed_the_new_loss_runs_every_variant(
    made: Any, tmp_path: Path, monkeypatch: Any, file: str, old: str, new: str
) -> None:
    made.write("shared_math.py", "def half(x):\n    return x / 2\n")
    made.edit("fresh/pairs.py", "loss = (forward + backward) / 2", LAZY_HALF)
    golden = made.record()
    first = prove(made, golden, tmp_path, extent="chosen")
    made.edit(file, old, new)
    runs = count_runs(monkeypatch)
    again = prove(made, golden, tmp_path, extent="chosen")
    assert runs == {"legacy": 0, "new": len(first.verdicts)}
    assert again.verdicts == first.verdicts


def test_a_helper_that_is_imported_late_and_goes_wrong_in_one_variant_is_seen(made: Any, tmp_path: Path) -> None:
    made.write("shared_math.py", "def half(x):\n    return x / 2\n")
    made.edit("fresh/pairs.py", "loss = (forward + backward) / 2", LAZY_HALF)
    golden = made.record()
    assert prove(made, golden, tmp_path, extent="chosen").passed
    made.edit("shared_math.py", "return x / 2", "return x / (2 if x.element_size() != 8 else 3)")
    differ = {item.case.partition("@")[2] for item in prove(made, golden, tmp_path, extent="chosen").verdicts if not item.passed}
    assert differ == {"float64"}


def test_a_module_that_takes_the_place_of_another_is_a_change(made: Any, tmp_path: Path, monkeypatch: Any) -> None:
    golden = made.record()
    first = prove(made, golden, tmp_path, extent="chosen")
    made.write("fresh/pairs/__init__.py", (made.root / "fresh/pairs.py").read_text(encoding="utf-8"))
    runs = count_runs(monkeypatch)
    assert prove(made, golden, tmp_path, extent="chosen").passed
    assert runs["new"] == len(first.verdicts)


def test_a_new_loss_that_went_wrong_is_seen_in_a_warm_run(made: Any, tmp_path: Path) -> None:
    golden = made.record()
    assert prove(made, golden, tmp_path).passed
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    proof = prove(made, golden, tmp_path)
    assert proof.headline == "4 of 6 cases differ"
    assert proof.counterexample is not None


def test_intended_differences_come_back_with_their_findings(made: Any, tmp_path: Path) -> None:
    made.edit("fresh/pairs.py", "momentum=0.9", "momentum=0.8")
    made.port('divergence("pairs-1", "the scale is fixed now", cases="*"),')
    golden = made.record()
    first, again = prove(made, golden, tmp_path), prove(made, golden, tmp_path)
    assert again.passed
    assert again.verdicts == first.verdicts


def test_a_changed_port_asks_everything_again(made: Any, tmp_path: Path, monkeypatch: Any) -> None:
    golden = made.record()
    prove(made, golden, tmp_path)
    made.port('divergence("pairs-1", "the scale is fixed now", cases="*"),')
    runs = count_runs(monkeypatch)
    assert not prove(made, golden, tmp_path).passed
    assert runs["legacy"] > 0


def test_a_damaged_memory_is_no_memory(made: Any, tmp_path: Path) -> None:
    golden = made.record()
    prove(made, golden, tmp_path)
    for file in (tmp_path / "cache").iterdir():
        file.write_text('{"diagonal": [["", 1]]}')
    assert prove(made, golden, tmp_path).passed


def test_a_proof_that_failed_is_not_remembered(made: Any, tmp_path: Path) -> None:
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    prove(made, made.record(), tmp_path)
    assert not (tmp_path / "cache").exists()


def test_one_file_a_loss_is_kept(made: Any, tmp_path: Path) -> None:
    prove(made, made.record(), tmp_path)
    made.edit("old_losses/pairs.py", '"""Symmetric', '"""A symmetric')
    prove(made, made.record(), tmp_path)
    assert len(list((tmp_path / "cache").iterdir())) == 1
