"""Where a loss stands: planned -> recorded -> proven -> switched -> retired, derived from evidence every time it is asked for.

Evidence is a golden that was made from this legacy source and these cases, a proof that was made from this new source and this
port as well, the call sites that are left, and the legacy file that is gone. Nothing here is stored, and nothing imports torch.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lossport.evidence.capsule import CapsuleError, parse
from lossport.follow.sites import Site, find_sites, is_site_of
from lossport.project import ledger
from lossport.project.config import Loss, Project
from lossport.project.journal import read_or_none
from lossport.project.plural import many
from lossport.project.snapshot import Snapshot, snapshot_of
from lossport.project.transaction import Change, written
from lossport.rewrite.shim import says_shim
from lossport.source.closure import closures_of
from lossport.source.fingerprint import REWRITING, WORDS, Fingerprint, fingerprint_from, own_sources

Stage = Literal["planned", "recorded", "proven", "switched", "retired"]


@dataclass(frozen=True)
class Standing:
    """Where one loss stands, why not further, which command goes on, and the sources that evidence would be made from now.

    `shims` are in the places of legacy files.
    """

    loss: Loss
    stage: Stage
    why: str
    next_command: str
    legacy_files: tuple[Path, ...]
    sites_left: int
    fingerprint: Fingerprint
    shims: tuple[Path, ...] = ()

    @property
    def retired(self) -> bool:
        """Nothing is left to do."""
        return self.stage == "retired"

    @property
    def needs_recording(self) -> bool:
        """There is no golden that fits the sources. One whose legacy source is gone fits for good."""
        return self.stage == "planned"


def fingerprint(project: Project, loss: Loss) -> Fingerprint:
    """Digests of all that evidence is made from. A part whose files are gone is empty."""
    snapshot = snapshot_of(project)
    return snapshot.once(("fingerprint", loss.name), lambda: _fingerprint(snapshot, loss))


def _fingerprint(snapshot: Snapshot, loss: Loss) -> Fingerprint:
    content = snapshot.content(loss.case_file)
    cases = "" if content is None else hashlib.sha256(content).hexdigest()
    legacy = _joint_digest(snapshot, loss.symbols) if all(legacy_file(snapshot, s) for s in loss.symbols) else ""
    new = _joint_digest(snapshot, [port.new for port in loss.ports])
    return Fingerprint(legacy=legacy, new=new, cases=cases, port=loss.port_digest, rewriter=own_sources(REWRITING))


def _joint_digest(snapshot: Snapshot, symbols: Sequence[str]) -> str:
    closures = closures_of(snapshot)
    digests = [f"{symbol} {closures.digest(symbol)}\n" for symbol in sorted(symbols)]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def legacy_file(project: Project, symbol: str) -> Path | None:
    """The file that defines a legacy symbol, None once it is gone."""
    snapshot = snapshot_of(project)
    path = snapshot.module_path(symbol.rpartition(".")[0])
    return None if path is None or _holds_shim(snapshot, path) else path


def legacy_files(project: Project, loss: Loss) -> tuple[Path, ...]:
    """The files that retiring the loss deletes, those that are still there."""
    snapshot = snapshot_of(project)
    return tuple(path for path in _in_their_places(snapshot, loss) if not _holds_shim(snapshot, path))


def shim_files(project: Project, loss: Loss) -> tuple[Path, ...]:
    """The shims that stand in the places of the loss's legacy files."""
    snapshot = snapshot_of(project)
    return tuple(path for path in _in_their_places(snapshot, loss) if _holds_shim(snapshot, path))


def _holds_shim(snapshot: Snapshot, path: Path) -> bool:
    return says_shim(snapshot.content(path) or b"")


def is_retired(project: Project, loss: Loss, events: Sequence[ledger.Event]) -> bool:
    """Whether the ledger says that the loss was retired, and its legacy symbols are gone or shims stand in for them.

    A misspelt port is not retired: its symbols are missing, but the ledger says nothing.
    """
    turns = [event.kind for event in events if event.loss == loss.name and event.kind in ("retired", "undone")]
    return turns[-1:] == ["retired"] and not any(legacy_file(project, symbol) for symbol in loss.symbols)


def shims_are_asked_for(project: Project) -> bool:
    """Whether the configuration's `shim-until` lies ahead."""
    return project.shim_until is not None and dt.date.today() < project.shim_until


def _in_their_places(project: Project, loss: Loss) -> tuple[Path, ...]:
    found = (project.module_path(module) for module in loss.modules)
    return tuple(path for path in found if path is not None and path.is_relative_to(project.legacy))


def read_events(project: Project) -> tuple[ledger.Event, ...]:
    """The ledger as the snapshot has it, () if there is none yet; of a plain project, as it is now."""
    return snapshot_of(project).events


def events_added(project: Project, events: Iterable[ledger.Event]) -> Change:
    """The ledger of the project with more events at its end."""
    return written(project.ledger, ledger.appended(read_or_none(project.ledger), events))


def standings(project: Project, losses: Sequence[Loss], sites: Iterable[Site] | None = None) -> dict[str, Standing]:
    """Where each of the losses stands, by name.

    `sites` are their call sites, where the caller has searched the tree already. What evidence there is, and whether a loss is
    retired, does not depend on them: who asks for no more than that passes none.
    """
    project = snapshot_of(project)
    events = project.events
    found = find_sites(project, losses).sites if sites is None else tuple(sites)
    return {
        loss.name: standing(project, loss, events, sum(is_site_of(site, loss) for site in found), fingerprint(project, loss))
        for loss in losses
    }


def standing(project: Project, loss: Loss, events: Sequence[ledger.Event], sites: int, now: Fingerprint) -> Standing:
    """Derive the stage of a loss from what is there `now`; `sites` is the number of call sites left."""
    project = snapshot_of(project)
    files, shims = legacy_files(project, loss), shim_files(project, loss)
    why, command = "", f"lossport migrate {loss.name}"
    if not files:
        stage, why = _without_legacy_file(project, loss, events, now)
        if shims and not why and not shims_are_asked_for(project):
            why = f"no shim is asked for any more; {', '.join(map(project.relative, shims))} can go"
        else:
            command = f"lossport parity {loss.name}" if why and stage == "retired" else ""
    elif why := _why_not_recorded(project, loss, now):
        stage = "planned"
        if loss.golden_file.is_file():
            command = f"lossport record {loss.name} --again"
    elif why := _why_not_proven(loss, events, now):
        stage = "recorded"
    elif sites:
        stage, why = "proven", f"{many(sites, 'call site')} left"
    else:
        stage, why = "switched", f"nothing names {', '.join(map(project.relative, files))} any more; it can go"
    return Standing(loss, stage, why, command, files, sites, now, shims)


def _without_legacy_file(project: Project, loss: Loss, events: Sequence[ledger.Event], now: Fingerprint) -> tuple[Stage, str]:
    """Retired takes both: the symbols are gone, and a migration that is still true retired the loss."""
    if not is_retired(project, loss, events):
        return ("switched" if loss.golden_file.is_file() else "planned"), _why_not_there(project, loss)
    proven = ledger.latest(events, loss.name, "proven")
    if proven is None:
        return "retired", "the ledger has no proof"
    return "retired", _changed_since(proven, now, "the proof", ("cases", "port", "new"))


def _why_not_there(project: Project, loss: Loss) -> str:
    """What to say of a legacy module that is not where the port says, and that no migration retired."""
    elsewhere = [
        path
        for module in loss.modules
        if (path := project.module_path(module)) is not None and not _holds_shim(snapshot_of(project), path)
    ]
    if elsewhere:
        return f"{', '.join(map(project.relative, elsewhere))} lies outside {project.relative(project.legacy)}/; correct legacy="
    where = f"{', '.join(loss.modules)}: no such file under {project.relative(project.legacy)}/"
    return f"{where}, and no migration retired it; check the port and import-roots"


def _why_not_recorded(project: Project, loss: Loss, now: Fingerprint) -> str:
    """Empty if the golden is there, whole, and was made from this legacy source and these cases."""
    content = snapshot_of(project).content(loss.golden_file)
    if content is None:
        return "no golden yet"
    try:
        golden = parse(content, project.relative(loss.golden_file))
    except CapsuleError as error:
        return str(error)
    return _since(golden.fingerprint, now, "the golden was recorded", ("legacy", "cases", "observing"))


def _why_not_proven(loss: Loss, events: Sequence[ledger.Event], now: Fingerprint) -> str:
    """Empty if the latest verdict on this golden, these cases, this port and this new source is a pass."""
    proven, last = ledger.latest(events, loss.name, "proven"), ledger.latest(events, loss.name, "proven", "failed")
    if last is not None and last.kind == "failed" and not _changed_since(last, now, ""):
        return f"parity failed on {last.facts.get('device')}: lossport parity {loss.name} shows where"
    return "not proven yet" if proven is None else _changed_since(proven, now, "the proof")


def _changed_since(event: ledger.Event, now: Fingerprint, what: str, only: tuple[str, ...] = tuple(WORDS)) -> str:
    return _since(fingerprint_from(event.facts.get("fingerprint", {})), now, what, only)


def _since(then: Fingerprint, now: Fingerprint, what: str, only: tuple[str, ...]) -> str:
    """What changed since, in words; empty if nothing did."""
    changed = then.changed(now, only=only)
    return f"{' and '.join(changed)} since {what}" if changed else ""
