"""Evidence is stale once the part of this package that decides it changes, and because of no other part."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lossport.source.fingerprint import HOUSE, JUDGING, OBSERVING, REWRITING, Fingerprint, fingerprint_from, own_sources

PARTS = {"observing": OBSERVING, "evidence": JUDGING, "rewriter": REWRITING}


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("observe/run.py", {"observing"}),
        ("project/inputs.py", {"observing"}),
        ("judge/closeness.py", {"evidence"}),
        ("evidence/proving.py", {"evidence"}),
        ("follow/flow.py", {"rewriter"}),
        ("source/fragments.py", {"rewriter"}),
        ("project/port.py", {"evidence", "rewriter"}),
        ("report/words.py", set()),
        ("report/gates.py", set()),
        ("cli/overview.py", set()),
        ("power/operators.py", set()),
    ],
)
def test_a_change_makes_stale_what_it_decides(tmp_path: Path, changed: str, stale: set[str]) -> None:
    house = tmp_path / "lossport"
    shutil.copytree(HOUSE, house, ignore=shutil.ignore_patterns("__pycache__"))
    before = {name: own_sources(parts, house) for name, parts in PARTS.items()}
    with (house / changed).open("a") as file:
        file.write("# changed\n")
    own_sources.cache_clear()
    after = {name: own_sources(parts, house) for name, parts in PARTS.items()}
    assert {name for name in PARTS if before[name] != after[name]} == stale


def test_a_digest_does_not_depend_on_where_the_package_lies(tmp_path: Path) -> None:
    house = tmp_path / "elsewhere"
    shutil.copytree(HOUSE, house, ignore=shutil.ignore_patterns("__pycache__"))
    assert own_sources(JUDGING, house) == own_sources(JUDGING)


def test_what_an_older_release_did_not_note_is_unknown_and_matches() -> None:
    now = Fingerprint(legacy="a")
    older = fingerprint_from({"legacy": "a", "evidence": now.evidence})
    assert older.changed(now) == ()
    assert older.changed(Fingerprint(legacy="a", evidence="another")) == ("the comparison changed",)


@pytest.mark.parametrize("part", sorted({part for parts in PARTS.values() for part in parts}))
def test_every_part_that_decides_is_there(part: str) -> None:
    assert (HOUSE / part).exists()
