"""What is deleted is replaced: a legacy file goes only when nothing in it is lost."""

from __future__ import annotations

from .conftest import Small, told


def test_a_module_whose_every_public_name_is_ported_goes(small: Small) -> None:
    outcome = small.migrate()
    assert outcome.result == "migrated", told(outcome)
    assert not (small.root / "old/gap.py").exists()


def test_a_public_name_without_a_port_keeps_its_file(small: Small) -> None:
    small.write("old/gap.py", small.read("old/gap.py") + "\n\nclass Other:\n    pass\n\n\nCONSTANT = 3\n")
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "stopped"
    assert "old/gap.py:14:1: class Other:" in told(outcome)
    assert "Other would go with the file, and no port says what becomes of it" in told(outcome)
    assert "old/gap.py:18:1: CONSTANT = 3" in told(outcome)
    assert 'Gone("old.gap.CONSTANT", reason=...)' in told(outcome)
    assert small.changed() == set()


def test_what_a_module_makes_for_itself_needs_no_port(small: Small) -> None:
    mine = "import logging\n\nlogger = logging.getLogger(__name__)\n\n\ndef _private():\n    pass\n\n\n"
    guard = '\n\nif __name__ == "__main__":\n    shown = Gap()\n'
    small.write("old/gap.py", mine + small.read("old/gap.py") + guard)
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "migrated", told(outcome)


def test_a_private_name_that_is_listed_as_public_keeps_its_file(small: Small) -> None:
    small.write("old/gap.py", small.read("old/gap.py") + '\n\ndef _half():\n    return 0.5\n\n\n__all__ = ["Gap", "_half"]\n')
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "stopped"
    assert "_half would go with the file" in told(outcome)


SECOND_PORT = """
    from lossport.port import Port

    PORTS = (Port(legacy="old.gap.Second", new="fresh.gap.NewSecond"),)
"""


def test_a_port_of_the_same_module_elsewhere_keeps_the_file(small: Small) -> None:
    second = "\n\nclass Second(Gap):\n    pass\n"
    small.write("old/gap.py", small.read("old/gap.py") + second)
    small.write("fresh/gap.py", small.read("fresh/gap.py") + second.replace("Second(Gap)", "NewSecond(NewGap)"))
    small.edit("app.py", "from old.gap import Gap", "from old.gap import Gap, Second")
    small.write("app.py", small.read("app.py") + "\n\ndef other():\n    return Second()\n")
    small.write("migration/ports/second.py", SECOND_PORT)
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "stopped"
    assert "Second would go with the file, and the port of second speaks of it" in told(outcome)
    assert small.changed() == set()


ACKNOWLEDGED = """
    from lossport.port import Port, acknowledge, rename

    PORTS = (
        Port(
            legacy="old.gap.Gap",
            new="fresh.gap.NewGap",
            parameters=(rename("t", "margin"),),
            attributes=(rename("t", "margin"),),
            acknowledged=(acknowledge("plugins.py", "getattr(gap, name)", reason="looked at"),),
        ),
    )
"""


def test_an_acknowledged_place_that_stays_keeps_the_file(small: Small) -> None:
    small.write("plugins.py", "from old import gap\n\n\ndef make(name):\n    return getattr(gap, name)()\n")
    small.write("migration/ports/gap.py", ACKNOWLEDGED)
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "switched", told(outcome)
    assert "old/gap.py stays: plugins.py:5 (acknowledged), plugins.py:1" in told(outcome)
    assert (small.root / "old/gap.py").exists()
    assert "NewGap" in small.read("app.py")
    assert '"retired"' not in small.read("migration/ledger.jsonl")


def test_what_a_package_no_longer_offers_is_told(small: Small) -> None:
    small.write("old/__init__.py", "from old.gap import Gap\n\nVERSION = 1\n")
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "migrated", told(outcome)
    assert "old.Gap can no longer be imported; code outside needs shim-until in [tool.lossport]" in told(outcome)


def test_a_legacy_file_that_was_changed_since_the_last_commit_stops(small: Small) -> None:
    small.edit("old/gap.py", "t=2.0", "t=3.0")
    small.edit("fresh/gap.py", "margin=2.0", "margin=3.0")
    outcome = small.migrate()
    assert outcome.result == "stopped"
    assert "old/gap.py: not as the last commit has it, and would be deleted" in told(outcome)
    assert "lossport migrate gap --force" in told(outcome)
    assert (small.root / "old/gap.py").exists()


def test_an_untracked_legacy_file_stops_unless_forced(small: Small) -> None:
    small.git("rm", "-q", "--cached", "old/gap.py")
    small.git("commit", "-qm", "untracked")
    assert small.migrate().result == "stopped"
    assert (small.root / "old/gap.py").exists()
    assert small.migrate(force=True).result == "migrated"
