"""What a golden or a proof was made from, as digests: enough to tell stale evidence. Needs no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

WORDS = {
    "legacy": "the legacy source changed",
    "new": "the new source changed",
    "cases": "the cases changed",
    "port": "the port changed",
    "rewriter": "the rewriter changed",
    "observing": "what is observed changed",
    "evidence": "the comparison changed",
}
"""How each part is told when it no longer matches."""

HOUSE = Path(__file__).parents[1]

OBSERVING = ("observe", "project/inputs.py")
"""What decides which observations a golden holds."""
JUDGING = ("judge", "evidence/opening.py", "evidence/proving.py", "project/port.py")
"""What decides, beside the observations, which verdict a case gets."""
REWRITING = ("rewrite", "follow", "source", "project/port.py")
"""What decides how a case, or a call site, is rewritten."""


@cache
def own_sources(parts: tuple[str, ...], house: Path = HOUSE) -> str:
    """SHA-256 of files and folders of this package: evidence that they decide is stale once they change."""
    digest = hashlib.sha256()
    for part in parts:
        path = house / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(f"{file.relative_to(house).as_posix()}\0{file_digest(file)}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 digests of the project's sources, and of our own that decide. An empty part is unknown and matches anything."""

    legacy: str = ""
    new: str = ""
    cases: str = ""
    port: str = ""
    rewriter: str = ""
    observing: str = field(default_factory=lambda: own_sources(OBSERVING))
    evidence: str = field(default_factory=lambda: own_sources(JUDGING))

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
