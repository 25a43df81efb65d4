"""The commands that list and rewrite call sites, and the check that no retired name comes back. They start fast: no report."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from lossport import rewrite as rewriting
from lossport.cli.terminal import Terminal
from lossport.migrate import stages
from lossport.project import transaction
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError
from lossport.project.plural import many
from lossport.project.snapshot import snapshot_of

FINE, FAILED = 0, 1


def sites(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Every call site with its form and what will happen to it; with `--retired`, every use of a name that is gone."""
    project = snapshot_of(project)
    plan = rewriting.plan_rewrite(project, _losses(project, options))
    if options.files is not None:
        plan = plan.only({_shown(project, path) for path in options.files})
    if options.retired:
        plan = _without_standing(plan)
    failed = options.check and bool(plan.sites or plan.refusals)
    if options.sarif:
        print(rewriting.to_sarif(plan))
        return FAILED if failed else FINE
    terminal.document(rewriting.to_json(plan))
    rows = [(f"{s.site.path}:{s.site.line}:{s.site.column}", s.site.form, s.fate, s.site.code.strip()) for s in plan.sites]
    if rows:
        terminal.table(("place", "form", "fate", "code"), rows)
    _refusals(plan, terminal)
    if options.retired:
        if rows or plan.refusals:
            terminal.line()
            terminal.line("these names are retired: lossport rewrite LOSS puts the new ones in their place", "bold red")
    else:
        terminal.line()
        terminal.line(counted(plan))
        for told in plan.not_searched:
            terminal.line(f"not searched: {told}")
    return FAILED if failed else FINE


def _without_standing(plan: rewriting.RewritePlan) -> rewriting.RewritePlan:
    """Without acknowledged places that name nothing: a computed name stays as it is for good."""
    sites = (planned for planned in plan.sites if (planned.fate, planned.site.form) != ("acknowledged", rewriting.A_USE))
    return replace(plan, sites=tuple(sites))


def _losses(project: Project, options: argparse.Namespace) -> list[Loss]:
    if options.retired:
        if options.loss is not None:
            raise InputError("sites: either LOSS or --retired, which looks for the names of every retired loss")
        events = stages.read_events(project)
        return [loss for loss in project.losses() if stages.is_retired(project, loss, events)]
    if options.loss is None:
        known = ", ".join(project.loss_names) or "none yet"
        raise InputError(f"sites: name a loss ({known}), or say --retired for the names of every retired loss")
    return [project.loss(options.loss)]


def _shown(project: Project, path: Path) -> str:
    full = path.absolute()
    if not full.is_relative_to(project.root):
        raise InputError(f"{path}: lies outside the project {project.root}")
    return project.relative(full)


def rewrite(project: Project, options: argparse.Namespace, terminal: Terminal) -> int:
    """Rewrite the call sites, or show how."""
    if not (options.dry_run or options.check or options.sarif):
        with transaction.locked(project.state):
            transaction.recover(project.root, project.state)  # what is planned must not rest on what is half done
    project = snapshot_of(project)
    plan = rewriting.plan_rewrite(project, [project.loss(options.loss)])
    left = FAILED if plan.files or plan.refusals else FINE
    if options.sarif:
        print(rewriting.to_sarif(plan))
        return left if options.check else FINE
    shows = options.dry_run or options.check
    terminal.document({**rewriting.to_json(plan), "diff": plan.diff()} if terminal.as_json else {})
    if shows:
        terminal.diff(plan.diff())
    _refusals(plan, terminal)
    terminal.line(counted(plan, written=not (shows or plan.refusals)))
    if options.check:
        return left
    if plan.refusals:
        return FAILED
    if not options.dry_run:
        apply_rewrite(project, plan)
    return FINE


def apply_rewrite(project: Project, plan: rewriting.RewritePlan) -> None:
    """The rewritten call sites, all or none."""
    with transaction.locked(project.state):
        changes = [transaction.Change(file.path, file.before, file.after) for file in plan.files]
        transaction.commit(project.root, project.state, changes)


def _refusals(plan: rewriting.RewritePlan, terminal: Terminal) -> None:
    if plan.refusals:
        terminal.line()
        terminal.line("these need a person:", "bold")
        for line in rewriting.refusal_lines(plan.refusals):
            terminal.line(f"  {line}")
    if plan.told:
        terminal.line()
        terminal.line("these stay as they are, and name what goes:", "bold")
        for line in rewriting.refusal_lines(plan.told):
            terminal.line(f"  {line}")


def counted(plan: rewriting.RewritePlan, *, written: bool = False) -> str:
    """`1 call site in 1 file: 1 to rewrite`; "rewritten" only once the plan is `written`."""
    sites = [planned for planned in plan.sites if planned.is_call_site]
    if not sites:
        return "no call sites"
    fates = Counter("to rewrite" if planned.fate == "rewritten" and not written else planned.fate for planned in sites)
    told = " · ".join(f"{number} {fate}" for fate, number in fates.items())
    return f"{many(len(sites), 'call site')} in {many(len({planned.site.path for planned in sites}), 'file')}: {told}"
