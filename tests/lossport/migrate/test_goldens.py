"""Only `record --again` replaces a golden, and what it holds is what the tree has."""

from __future__ import annotations

import pytest

from lossport import evidence
from lossport.project.errors import InputError

from .conftest import Small


@pytest.fixture
def recorded(small: Small) -> Small:
    assert small.run("record", "gap") == 0
    small.commit()
    return small


GOLDEN = "migration/goldens/gap.safetensors"


def refused(small: Small, told: str) -> None:
    """Neither `migrate` nor `parity` nor `record` touches the golden; `record --again` replaces it."""
    small.commit()
    before = (small.root / GOLDEN).read_bytes()
    with pytest.raises(InputError, match=told + r".*lossport record gap --again replaces the golden"):
        small.migrate()
    assert small.run("parity", "gap") == 2
    assert small.run("record", "gap") == 2
    assert (small.root / GOLDEN).read_bytes() == before
    assert small.changed() == set()
    assert small.run("record", "gap", "--again") == 0
    assert (small.root / GOLDEN).read_bytes() != before


def test_a_changed_legacy_source_does_not_replace_it(recorded: Small) -> None:
    recorded.edit("old/gap.py", "t=2.0", "t=3.0")
    refused(recorded, "the legacy source changed since the golden was recorded")


def test_changed_cases_do_not_replace_it(recorded: Small) -> None:
    recorded.edit("migration/cases/gap.py", "t=0.1", "t=0.2")
    refused(recorded, "the cases changed since the golden was recorded")


def test_a_construction_that_came_later_is_not_proven(recorded: Small) -> None:
    recorded.write("later.py", "from old.gap import Gap\n\nspecial = Gap(t=7.0)\n")
    refused(recorded, r"later\.py:3 builds Gap\(t=7\.0\), which no case of it shows")


def test_a_new_loss_that_is_wrong_for_a_later_construction_alone_fails(recorded: Small) -> None:
    recorded.write("later.py", "from old.gap import Gap\n\nspecial = Gap(t=7.0)\n")
    recorded.edit("fresh/gap.py", "self.margin = margin", "self.margin = 6.0 if margin == 7.0 else margin")
    recorded.commit()
    assert recorded.run("record", "gap", "--again") == 0
    recorded.commit()
    assert recorded.migrate().result == "stopped"


def test_a_golden_that_holds_another_source_than_the_tree_is_no_evidence(recorded: Small) -> None:
    """The fingerprint in it can be written by anybody; what it runs is what counts."""
    golden = recorded.root / GOLDEN
    recorded.edit("old/gap.py", "self.t = t", "self.t = t + 1")
    forged = evidence.record(recorded.project, recorded.project.loss("gap"), fingerprint=evidence.read_golden(golden).fingerprint)
    forged.write(golden)
    recorded.git("restore", "old/gap.py")
    refused(recorded, r"old/gap\.py is not what it was recorded from")
