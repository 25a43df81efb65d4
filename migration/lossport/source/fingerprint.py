"""What a golden or a proof was made from, as digests: enough to tell stale evidence. Needs no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

WORDS = {
    "legacy": "the legacy source changed",
    "new": "the new source changed",
    "cases": "the cases changed",
    "port": "the port changed",
    "rewriter": "the rewriter changed",
    "evidence": "the comparison changed",
}
"""How each part is told when it no longer matches."""

EVIDENCE_VERSION = "4"
"""Rises when the harness sees more or judges otherwise, so that older proofs count as stale."""


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 digests of the sources, and the versions of the tools. An empty part is unknown and matches anything."""

    legacy: str = ""
    new: str = ""
    cases: str = ""
    port: str = ""
    rewriter: str = ""
    evidence: str = EVIDENCE_VERSION

    def as_dict(self) -> dict[str, str]:
        """As plain JSON data."""
        return asdict(self)

    def changed(self, now: Fingerprint, *, only: tuple[str, ...] = tuple(WORDS)) -> tuple[str, ...]:
        """What differs from `now`, in words."""
        before, after = self.as_dict(), now.as_dict()
        return tuple(WORDS[name] for name in only if before[name] and after[name] and before[name] != after[name])


def fingerprint_from(data: Mapping[str, str]) -> Fingerprint:
    """The fingerprint that `as_dict` wrote; parts it does not know are ignored."""
    return Fingerprint(**{name: str(data.get(name, "")) for name in WORDS})


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, empty if there is no such file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
