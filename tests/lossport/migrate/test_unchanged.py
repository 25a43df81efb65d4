"""What was read is what is there: a tree that changes while a migration runs stops it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lossport.project.errors import InputError

from .conftest import Silent, Small


class Meddler(Silent):
    """Does something to the tree when a stage has ended."""

    def __init__(self, stage: str, act: Callable[[], object]) -> None:
        super().__init__()
        self.stage, self.act = stage, act

    def step(self, step: object) -> None:
        if getattr(step, "stage", "") == self.stage:
            self.act()


CHANGES = {
    "a bystander names the loss": ("bystander.py", "from old.gap import Gap\n", r"bystander\.py changed"),
    "the new loss": ("fresh/gap.py", "NewGap = None\n", r"fresh/gap\.py changed"),
    "the port": ("migration/ports/gap.py", "PORTS = ()\n", r"migration/ports/gap\.py changed"),
    "the cases": ("migration/cases/gap.py", "", r"migration/cases/gap\.py changed"),
    "a new file": ("extra.py", "from old.gap import Gap\n", r"extra\.py is new and may name the loss"),
    "the configuration": ("pyproject.toml", "[tool.lossport]\n", r"pyproject\.toml changed"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_during_the_rehearsal_stops_the_migration(small: Small, what: str) -> None:
    name, text, told = CHANGES[what]
    small.write("bystander.py", "x = 1\n")
    small.commit()
    small.observer = Meddler("switch", lambda: small.write(name, text))
    with pytest.raises(InputError, match=told):
        small.migrate()
    assert small.changed() == {name}
    assert (small.root / "old/gap.py").exists()


def test_what_is_saved_again_as_it_was_and_what_is_new_and_unrelated_do_not_stop_it(small: Small) -> None:
    def meddle() -> None:
        small.write("app.py", small.read("app.py"))
        small.write("notes.md", "nothing\n")

    small.observer = Meddler("switch", meddle)
    assert small.migrate().result == "migrated"
