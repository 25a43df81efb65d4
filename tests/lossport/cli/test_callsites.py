"""Counts of call sites in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lossport.cli.callsites import counted
from lossport.follow.sites import Site, find_sites
from lossport.migrate import stages
from lossport.rewrite import A_USE, plan_rewrite
from lossport.rewrite.plan import Fate, PlannedSite, RewritePlan


def plan(*sites: tuple[str, Fate, str]) -> RewritePlan:
    planned = [PlannedSite(Site(path, 1, 1, form, "old.Loss", "Loss()"), fate) for path, fate, form in sites]
    return RewritePlan(Path("/project"), (), tuple(planned), ())


def test_what_is_only_planned_is_not_called_rewritten() -> None:
    found = plan(("a.py", "rewritten", "import"), ("a.py", "rewritten", "call"))
    assert counted(found) == "2 call sites in 1 file: 2 to rewrite"
    assert counted(found, written=True) == "2 call sites in 1 file: 2 rewritten"


def test_one_is_told_in_the_singular() -> None:
    assert counted(plan(("a.py", "refused", "call"))) == "1 call site in 1 file: 1 refused"


def test_a_use_that_names_no_legacy_symbol_is_no_call_site() -> None:
    found = plan(("a.py", "rewritten", "call"), ("b.py", "acknowledged", A_USE))
    assert [site.path for site in found.call_sites] == ["a.py"]
    assert counted(found) == "1 call site in 1 file: 1 to rewrite"
    assert counted(plan()) == "no call sites"


def test_an_import_of_a_module_is_a_call_site_of_its_loss(made: Any) -> None:
    made.write("train.py", "import old_losses.pairs\n\nloss = old_losses.pairs.PairLoss()\n")
    sites = find_sites(made.project, [made.loss]).sites
    planned = plan_rewrite(made.project, [made.loss])
    status = stages.standings(made.project, [made.loss])["pairs"].sites_left
    assert status == len([site for site in sites if site.path == "train.py"]) == 2
    assert len(planned.call_sites) == 2
