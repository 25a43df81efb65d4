"""Verdicts of earlier runs, by the digest of what the new loss showed: a warm run asks the new loss alone.

A verdict depends on nothing but the capsule, the rewritten cases, the port, this package, the environment, and what the new loss
shows now. The first five are the key of the file; the last is compared run by run, or where no code has changed since, in the
cases as written. Only verdicts that passed are kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lossport.judge.verdict import Finding, Known, Verdict
from lossport.project.replacing import replace_file
from lossport.source.fingerprint import own_sources

DECIDING = ("evidence", "judge", "observe", "power", "project")
"""The rooms whose code decides verdicts."""


@dataclass(frozen=True)
class Remembered:
    """Earlier runs by case, the code that the new loss ran, and the file that they are kept in, None to keep nothing."""

    file: Path | None
    cases: Mapping[str, tuple[Known, ...]]
    code: Mapping[str, str]

    def save(self, cases: Mapping[str, Sequence[Known]], code: Mapping[str, str]) -> None:
        """Keep the runs of a proof that passed. A cache that cannot be written is no error."""
        if self.file is None:
            return
        runs = {case: [[item.variation, item.digest, asdict(item.verdict)] for item in known] for case, known in cases.items()}
        data = {"cases": runs, "code": dict(code)}
        with contextlib.suppress(OSError):
            for old in self.file.parent.glob(f"{self.file.name.partition('.')[0]}.*"):
                old.unlink()
            replace_file(self.file, json.dumps(data).encode())


def remembered(folder: Path | None, loss: str, parts: Sequence[str | bytes]) -> Remembered:
    """The runs kept under this key; none if there is no such file or it cannot be read."""
    if folder is None:
        return Remembered(None, {}, {})
    file = file_of(folder, loss, parts)
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        runs = {case: tuple(_known(item) for item in known) for case, known in data["cases"].items()}
        return Remembered(file, runs, {str(path): str(digest) for path, digest in data["code"].items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Remembered(file, {}, {})


def file_of(folder: Path, loss: str, parts: Sequence[str | bytes]) -> Path:
    """Where to keep what depends on these parts and on this package."""
    digest = hashlib.sha256(own_sources(DECIDING).encode())
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(content)}:".encode() + content)
    return folder / f"{loss}.{digest.hexdigest()[:24]}"


def _known(item: Sequence[Any]) -> Known:
    variation, digest, verdict = item
    findings = tuple(Finding(**{**found, "index": _index(found["index"])}) for found in verdict["findings"])
    return Known(str(variation), str(digest), Verdict(**{**verdict, "findings": findings, "used": tuple(verdict["used"])}))


def _index(index: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if index is None else tuple(index)
