"""What was run is what is meant: the new side is another file, which can do without the legacy one."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys

import pytest

from lossport.project.errors import InputError

from .conftest import Small, told


def stopped(small: Small) -> str:
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "stopped", told(outcome)
    assert small.changed() == set()
    return told(outcome)


def lead_to(small: Small, new: str) -> None:
    text = small.read("migration/ports/gap.py").replace("fresh.gap.NewGap", new)
    small.write("migration/ports/gap.py", text.replace('(rename("t", "margin"),)', "()").replace("Port, rename", "Port"))


def test_a_port_to_the_legacy_symbol_itself_is_refused(small: Small) -> None:
    lead_to(small, "old.gap.Gap")
    assert "new='old.gap.Gap' is the legacy symbol itself" in stopped(small)


def test_a_port_to_the_legacy_symbol_through_a_re_export_is_refused(small: Small) -> None:
    small.write("fresh/__init__.py", "from old.gap import Gap\n")
    lead_to(small, "fresh.Gap")
    assert "new='fresh.Gap' is the legacy symbol itself" in stopped(small)


def test_a_new_loss_in_the_legacy_folder_is_refused(small: Small) -> None:
    small.write("old/better.py", small.read("fresh/gap.py"))
    small.edit("migration/ports/gap.py", "fresh.gap.NewGap", "old.better.NewGap")
    assert "is defined in old/better.py, in the legacy folder, which goes; move it to fresh/" in stopped(small)


def test_import_roots_that_lead_to_one_file_twice_are_refused(small: Small) -> None:
    small.edit("pyproject.toml", 'new = "fresh"', 'new = "fresh"\nimport-roots = [".", "old"]')
    lead_to(small, "gap.Gap")
    assert "are both loaded from old/gap.py; correct new= or import-roots" in stopped(small)


def test_a_new_loss_that_imports_the_legacy_one_is_refused(small: Small) -> None:
    small.write("fresh/gap.py", "from fresh.base import Base\n\n\nclass NewGap(Base):\n    pass\n")
    small.write("fresh/base.py", "from old.gap import Gap\n\n\nclass Base(Gap):\n    pass\n")
    lead_to(small, "fresh.gap.NewGap")
    assert "needs the legacy file: fresh/gap.py imports fresh/base.py imports old/gap.py" in stopped(small)


class Elsewhere(importlib.abc.MetaPathFinder):
    """Finds a module in another place than the path says, as finders of editable installs do."""

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(fullname, self.path) if fullname == self.name else None


def test_a_new_loss_that_is_loaded_from_elsewhere_is_no_verdict(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    other = small.write("../other/gap.py", small.read("fresh/gap.py"))
    monkeypatch.setattr(sys, "meta_path", [Elsewhere("fresh.gap", str(other)), *sys.meta_path])
    with pytest.raises(InputError, match=r"fresh\.gap\.NewGap: loaded from .*other/gap\.py, not from fresh/gap\.py"):
        small.migrate()


def test_a_new_loss_that_finds_the_legacy_one_while_it_runs_does_not_pass_the_rehearsal(small: Small) -> None:
    small.edit(
        "fresh/gap.py",
        "    def forward(self, left, right):\n",
        "    def forward(self, left, right):\n"
        "        import importlib\n\n"
        "        importlib.import_module('.'.join(['old', 'g' + 'ap']))\n",
    )
    assert "without the legacy files, the first case raises" in stopped(small)
