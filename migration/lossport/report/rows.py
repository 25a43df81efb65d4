"""The rows of the page's tables: each loss with what was measured about its files, and the legacy files that are gone. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from lossport.measure import Corpus, Coverage
from lossport.measure.history import History
from lossport.report.facts import LossFacts
from lossport.report.model import LossRow
from lossport.report.owners import Rule, owners_of
from lossport.report.past import RetiredFile


def loss_rows(
    losses: Sequence[LossFacts],
    *,
    lines: Mapping[str, int],
    coverage: Coverage | None,
    owners: Sequence[Rule],
    tests: Mapping[str, int],
    sources: Mapping[str, tuple[str, str]],
    texts: Mapping[str, tuple[str, str]],
) -> tuple[LossRow, ...]:
    """One row a loss.

    `lines` has the lines of every file, those that are gone with their last; `sources` the port and the cases of each loss, and
    `texts` its legacy and new source.
    """
    return tuple(
        LossRow(
            facts=loss,
            owners=next((found for path in (*loss.legacy_files, *loss.new_files) if (found := owners_of(path, owners))), ()),
            lines_before=_sum(lines, loss.legacy_files),
            lines_after=_sum(lines, loss.new_files),
            coverage=coverage.of(list(loss.new_files)) if coverage else None,
            tests=tests.get(loss.name, 0),
            port=sources[loss.name][0],
            cases=sources[loss.name][1],
            sources=texts[loss.name],
        )
        for loss in losses
    )


def gone_files(losses: Sequence[LossFacts], history: History, legacy: Corpus, now: dt.datetime) -> tuple[RetiredFile, ...]:
    """Legacy files that are not there any more, the latest first: from git, and from losses whose removal is not committed."""
    owner = {path: loss.name for loss in losses for path in loss.legacy_files}
    found = {
        removal.path: RetiredFile(
            owner.get(removal.path), removal.path, removal.at, removal.commit, removal.lines, removal.subject
        )
        for removal in history.removals
        if removal.path not in legacy.files
    }
    last = history.last_lines
    for loss in losses:
        for path in loss.legacy_files if loss.stage == "retired" else ():
            if path not in legacy.files and path not in found:
                found[path] = RetiredFile(loss.name, path, loss.retired_at or now, None, last.get(path))
    return tuple(sorted(found.values(), key=lambda item: (item.at, item.path), reverse=True))


def retired_times(losses: Sequence[LossFacts], gone: Sequence[RetiredFile], now: dt.datetime) -> tuple[dt.datetime, ...]:
    """When each retired loss was: as the ledger says, or when the last of its files went away."""

    def times(loss: LossFacts) -> Iterator[dt.datetime]:
        yield from (item.at for item in gone if item.loss == loss.name)

    return tuple(loss.retired_at or max(times(loss), default=now) for loss in losses if loss.stage == "retired")


def _sum(lines: Mapping[str, int], paths: Sequence[str]) -> int | None:
    known = [lines[path] for path in paths if path in lines]
    return sum(known) if known else None
