"""Every call site of some losses in a project, place by place. What becomes of a site is decided elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lossport.follow.survey import ConfigFile, Problem, survey
from lossport.follow.values import Symbol
from lossport.follow.view import View
from lossport.project.config import Loss, Project
from lossport.project.pause import collection_paused


@dataclass(frozen=True)
class Site:
    """A place that names a legacy symbol. Line and column are 1-based."""

    path: str
    line: int
    column: int
    form: str
    symbol: str
    code: str


def is_site_of(site: Site, loss: Loss) -> bool:
    """Whether a place is a call site of the loss: it names one of its symbols, or a module that goes with them."""
    return site.symbol in loss.symbols or site.symbol in loss.modules


@dataclass(frozen=True)
class SiteReport:
    """All sites of some losses, the files that a person has to look at, and how many files were searched and parsed."""

    sites: tuple[Site, ...]
    problems: tuple[Problem, ...]
    files: int
    parsed: int


def find_sites(project: Project, losses: Iterable[Loss]) -> SiteReport:
    """Every place of the project that names a legacy symbol of the losses, in the order of files and lines.

    A place that stands for symbols of several losses, such as a choice among them, is a site of each.
    """
    wanted = tuple(losses)
    owners = {symbol: loss.name for loss in wanted for symbol in loss.symbols}
    with collection_paused():
        seen = survey(project, wanted)
        sites = [site for item in seen.views for site in sites_of(item, owners)]
        sites += [site for config in seen.configs for site in config_sites(config)]
    return SiteReport(tuple(sorted(sites, key=lambda s: (s.path, s.line, s.column))), seen.problems, seen.files, seen.parsed)


def sites_of(item: View, owners: Mapping[str, str] = MappingProxyType({})) -> tuple[Site, ...]:
    """The sites of one file, at each place one for every loss that `owners` gives for the symbols there."""
    found: dict[tuple[int, int, str], Site] = {}

    def add(node: ast.expr | ast.alias, form: str, symbol: str) -> None:
        line, column = item.place(item.source.span(node)[0])
        found.setdefault((line, column, owners.get(symbol, "")), Site(item.shown, line, column, form, symbol, item.code_at(line)))

    for imported in item.imports:
        if imported.kind != "other":
            add(imported.alias, "star import" if imported.kind == "star" else "import", imported.target)
    for use in item.uses:
        if isinstance(use.value, Symbol):
            add(use.node, _FORMS.get(use.kind, use.how or use.kind), use.value.path)
    return tuple(found[key] for key in sorted(found))


def config_sites(config: ConfigFile) -> list[Site]:
    """The sites of a configuration file."""
    sites: list[Site] = []
    for mention in config.mentions:
        line, column = config.source.position(mention.start)
        sites.append(Site(config.shown, line, column, "configuration", mention.meaning.target, config.source.line(line).strip()))
    return sites


_FORMS = {"construct": "call", "prepare": "partial", "base": "base class", "kept": "alias", "unbound": "class attribute"}
