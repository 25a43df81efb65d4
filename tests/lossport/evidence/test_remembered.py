"""Verdicts that are remembered save time and hide nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossport.evidence import observe, sides


def prove(made: Any, golden: Any, tmp_path: Path, **options: Any) -> Any:
    return made.prove(golden, cache=tmp_path / "cache", **options)


def count_runs(monkeypatch: Any) -> dict[str, int]:
    runs = {"legacy": 0, "new": 0}

    def counting(side: Any, *arguments: Any, **more: Any) -> Any:
        runs[side.name] += 1
        return observe.observe(side, *arguments, **more)

    monkeypatch.setattr(sides, "observe", counting)
    return runs


def test_a_warm_run_asks_the_new_loss_alone_and_comes_to_the_same(made: Any, tmp_path: Path, monkeypatch: Any) -> None:
    golden = made.record()
    first = prove(made, golden, tmp_path, extent="chosen")
    runs = count_runs(monkeypatch)
    again = prove(made, golden, tmp_path, extent="chosen")
    assert runs["legacy"] == 0
    assert runs["new"] == len(first.verdicts)
    assert [(item.case, item.kind) for item in again.verdicts] == [(item.case, item.kind) for item in first.verdicts]
    assert again.headline == first.headline


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
