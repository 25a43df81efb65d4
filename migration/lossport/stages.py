"""Where a loss stands: planned -> recorded -> proven -> switched -> retired, derived from evidence every time it is asked for.

Evidence is a golden that was made from this legacy source and these cases, a proof that was made from this new source and this
port as well, the call sites that are left, and the legacy file that is gone. Nothing here is stored, and nothing imports torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lossport import ledger
from lossport.config import Loss, Project
from lossport.rewrite import REWRITER_VERSION
from lossport.tree import source_digest

Stage = Literal["planned", "recorded", "proven", "switched", "retired"]

FRESH_PARTS = {
    "legacy": "the legacy source",
    "cases": "the cases",
    "port": "the port",
    "new": "the new source",
    "rewriter": "the codemod",
}
"""What evidence is made from, in the words that say why it is stale."""


@dataclass(frozen=True)
class Standing:
    """Where one loss stands, why not further, and which command goes on."""

    loss: Loss
    stage: Stage
    why: str
    next_command: str
    legacy_files: tuple[Path, ...]
    sites_left: int

    @property
    def retired(self) -> bool:
        """Nothing is left to do."""
        return self.stage == "retired"


def fingerprint(project: Project, loss: Loss) -> dict[str, str]:
    """Digests of all that evidence is made from. A part whose files are gone is left out."""
    parts = {"port": loss.port_digest, "rewriter": REWRITER_VERSION}
    if loss.case_file.is_file():
        parts["cases"] = hashlib.sha256(loss.case_file.read_bytes()).hexdigest()
    for part, symbols in (("legacy", loss.symbols), ("new", tuple(port.new for port in loss.ports))):
        digests = [source_digest(project, symbol) for symbol in symbols if part == "new" or legacy_file(project, symbol)]
        if digests and (part == "new" or len(digests) == len(symbols)):
            parts[part] = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    return parts


def legacy_file(project: Project, symbol: str) -> Path | None:
    """The file that defines a legacy symbol, None once it is gone."""
    return project.module_path(symbol.rpartition(".")[0])


def legacy_files(project: Project, loss: Loss) -> tuple[Path, ...]:
    """The files that retiring the loss deletes, those that are still there."""
    found = (project.module_path(module) for module in loss.modules)
    return tuple(path for path in found if path is not None and path.is_relative_to(project.legacy))


def golden_digest(loss: Loss) -> str | None:
    """SHA-256 of the capsule, None if there is none."""
    return hashlib.sha256(loss.golden_file.read_bytes()).hexdigest() if loss.golden_file.is_file() else None


def standing(project: Project, loss: Loss, events: Sequence[ledger.Event], sites: int) -> Standing:
    """Derive the stage of a loss from what is there now; `sites` is the number of call sites left."""
    files = legacy_files(project, loss)
    now = fingerprint(project, loss)
    why, command = "", f"lossport migrate {loss.name}"
    if not files:
        stage, why = _without_legacy_file(project, loss, events, now)
        command = f"lossport parity {loss.name}" if why else ""
    elif why := _why_not_recorded(project, loss, events, now):
        stage = "planned"
    elif why := _why_not_proven(loss, events, now):
        stage = "recorded"
    elif sites:
        stage, why = "proven", f"{sites} call {'site' if sites == 1 else 'sites'} left"
    else:
        stage, why = "switched", f"nothing names {', '.join(map(project.relative, files))} any more; it can go"
    return Standing(loss, stage, why, command, files, sites)


def _without_legacy_file(
    project: Project, loss: Loss, events: Sequence[ledger.Event], now: Mapping[str, str]
) -> tuple[Stage, str]:
    if ledger.latest(events, loss.name, "retired") is None and golden_digest(loss) is None:
        return "planned", f"{', '.join(loss.modules)}: no such file under {project.relative(project.legacy)}/; check the port"
    proven = ledger.latest(events, loss.name, "proven")
    if proven is None:
        return "retired", "the ledger has no proof"
    return "retired", _changed_since(now, proven, ("cases", "port", "new"), "the proof")


def _why_not_recorded(project: Project, loss: Loss, events: Sequence[ledger.Event], now: Mapping[str, str]) -> str:
    """Empty if the golden is there and was made from this legacy source and these cases."""
    recorded, golden = ledger.latest(events, loss.name, "recorded"), golden_digest(loss)
    if recorded is None:
        return "no golden yet"
    if golden is None:
        return f"the golden {project.relative(loss.golden_file)} is missing"
    if recorded.facts.get("golden") != golden:
        return f"{project.relative(loss.golden_file)} is not the golden that the ledger knows"
    return _changed_since(now, recorded, ("legacy", "cases"), "the golden was recorded")


def _why_not_proven(loss: Loss, events: Sequence[ledger.Event], now: Mapping[str, str]) -> str:
    """Empty if the latest verdict on this golden, these cases, this port and this new source is a pass."""
    proven, failed = ledger.latest(events, loss.name, "proven"), ledger.latest(events, loss.name, "failed")
    everything = tuple(FRESH_PARTS)
    if failed is not None and (proven is None or failed.at > proven.at) and not _changed_since(now, failed, everything, ""):
        return f"parity failed on {failed.facts.get('device')}: lossport parity {loss.name} shows where"
    return "not proven yet" if proven is None else _changed_since(now, proven, everything, "the proof")


def _changed_since(now: Mapping[str, str], then: ledger.Event, parts: Sequence[str], what: str) -> str:
    """Which parts changed since an event, in words. A part that is gone now cannot be compared and does not count."""
    changed = [FRESH_PARTS[part] for part in parts if part in now and now[part] != then.facts.get(part)]
    return f"{' and '.join(changed)} changed since {what}" if changed else ""
