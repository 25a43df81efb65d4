"""Retired is what the ledger says and the tree shows, both."""

from __future__ import annotations

import json

import pytest

from lossport.migrate import pipeline, stages
from lossport.project.errors import InputError

from .conftest import Small, told


def stage(small: Small) -> tuple[str, str]:
    project = small.project
    standing = stages.standings(project, [project.loss("gap")], sites=())["gap"]
    return standing.stage, standing.why


def test_a_migrated_loss_is_retired_until_it_is_taken_back(small: Small) -> None:
    assert small.migrate().result == "migrated"
    assert stage(small)[0] == "retired"
    pipeline.undo(small.project, "gap")
    assert stage(small)[0] == "switched"  # as it says where nobody has looked for call sites
    assert small.migrate().result == "migrated"
    assert stage(small)[0] == "retired"


def test_a_loss_that_somebody_deleted_is_not_retired(small: Small) -> None:
    assert small.run("record", "gap") == 0
    (small.root / "old/gap.py").unlink()
    found, why = stage(small)
    assert found == "switched"
    assert why == "old.gap: no such file under old/, and no migration retired it; check the port and import-roots"


def test_a_typo_in_the_port_is_not_a_retirement(small: Small) -> None:
    assert small.run("record", "gap") == 0
    small.write("migration/ports/gap.py", small.read("migration/ports/gap.py").replace("old.gap.Gap", "old.gapp.Gap"))
    assert stage(small)[0] != "retired"


def test_a_legacy_module_outside_the_legacy_folder_is_said(small: Small) -> None:
    small.write("losses.py", small.read("old/gap.py"))
    small.write("migration/ports/gap.py", small.read("migration/ports/gap.py").replace("old.gap.Gap", "losses.Gap"))
    assert stage(small) == ("planned", "losses.py lies outside old/; correct legacy=")


def test_a_reverted_migration_is_not_retired(small: Small) -> None:
    assert small.migrate().result == "migrated"
    small.commit()
    small.git("revert", "--no-edit", "HEAD")
    assert stage(small)[0] == "planned"
    small.write("migration/ledger.jsonl", json.dumps({"at": "2026-05-04T12:00:00Z", "event": "retired", "loss": "gap"}) + "\n")
    assert stage(small)[0] == "planned"


def test_the_later_of_two_migrations_of_one_file_is_taken_back_first(small: Small) -> None:
    for name in ("old", "fresh"):
        text = small.read(f"{name}/gap.py")
        small.write(f"{name}/pair.py", text.replace("class Gap", "class Pair").replace("class NewGap", "class NewPair"))
    for folder in ("ports", "cases"):
        text = small.read(f"migration/{folder}/gap.py").replace("gap", "pair").replace("Gap", "Pair")
        small.write(f"migration/{folder}/pair.py", text)
    small.write(
        "app.py", small.read("app.py").replace("from old.gap import Gap", "from old.gap import Gap\nfrom old.pair import Pair")
    )
    small.write(
        "app.py", small.read("app.py") + "\n\ndef more():\n    return float(Pair(t=0.5)(torch.ones(3), torch.zeros(3)))\n"
    )
    small.commit()
    assert small.migrate("gap").result == "migrated"
    second = small.migrate("pair")
    assert second.result == "migrated", told(second)
    with pytest.raises(InputError, match=r"gap: pair was migrated later and changed app\.py too; take that back first"):
        pipeline.undo(small.project, "gap")
    pipeline.undo(small.project, "pair")
    pipeline.undo(small.project, "gap")
    assert {name for name in small.changed() if not name.startswith("migration/")} == set()
