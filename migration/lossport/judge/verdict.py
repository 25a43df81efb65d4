"""Verdicts and proofs: what the comparison found, as values that can be told, counted, stored as JSON and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lossport.source.fingerprint import Fingerprint

Kind: TypeAlias = Literal["equal", "close", "intended", "not provable", "different"]

KINDS: tuple[Kind, ...] = ("equal", "close", "intended", "not provable", "different")

PRECISIONS = ("float64", "bfloat16", "float16", "autocast")
"""Variants that run a case in another precision."""

MOST_ULPS_TOLD = 1000
"""Above it, ULP mean little to a reader: such errors come from a precision lower than the result's."""

NOT_RUN = "not run here"
"""What a column says whose device is missing. Never "passed"."""


@dataclass(frozen=True)
class Finding:
    """One place where legacy and new differ. `index` is the worst element, `divergence` the id that declares it.

    `tied` says that the legacy loss jumps right at this input: which side it is on, rounding decides on each machine.
    """

    case: str
    moment: str
    place: str
    legacy: str
    new: str
    reference: str | None = None
    index: tuple[int, ...] | None = None
    ulp: float | None = None
    relative: float | None = None
    detail: str = ""
    divergence: str | None = None
    tied: bool = False

    @property
    def is_of_form(self) -> bool:
        """Whether it is what there is that differs, or of which kind it is, and no number."""
        return self.place != "raises" and self.relative is None and self.index is None

    def lines(self) -> list[str]:
        """As a person reads it, two or three lines."""
        where = f"{self.place}, element {list(self.index)}" if self.index else self.place
        values = f"  legacy {self.legacy}   new {self.new}"
        if self.reference is not None:
            values += f"   legacy in float64 {self.reference}"
        return [f"{self.case} · {self.moment} · {where}", values, *([f"  {self.detail}"] if self.detail else [])]


@dataclass(frozen=True)
class Verdict:
    """The verdict on one case or derived variant (`case@variant`). `used` are the legacy symbols that it saw come to a result."""

    case: str
    kind: Kind
    findings: tuple[Finding, ...] = ()
    ulp: float = 0.0
    relative: float = 0.0
    reason: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    used: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Equal, close or intended."""
        return self.kind in ("equal", "close", "intended")

    @property
    def divergences(self) -> tuple[str, ...]:
        """The ids of the intended differences that this case shows."""
        return tuple(dict.fromkeys(item.divergence for item in self.findings if item.divergence is not None))


@dataclass(frozen=True)
class Counterexample:
    """The smallest run that differs: in words, as lines to paste, and as a pytest file with its name."""

    words: str
    lines: tuple[str, ...]
    test: str
    file_name: str

    def save(self, folder: Path) -> Path:
        """Write the pytest file into a folder, which is made if need be, and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        path.write_text(self.test, encoding="utf-8")
        return path


@dataclass(frozen=True)
class Proof:
    """All verdicts on one loss, on one device, with what they were made from.

    `unused` are the divergences that the port declares for this device and that no case shows; `skipped` says why nothing was
    run.
    """

    loss: str
    device: str
    verdicts: tuple[Verdict, ...]
    fingerprint: Fingerprint
    environment: Mapping[str, str]
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: str = ""
    seconds: float = 0.0
    counterexample: Counterexample | None = None

    @property
    def passed(self) -> bool:
        """Whether every case passed, every declared divergence was seen, and anything was run at all."""
        return bool(self.verdicts) and not self.skipped and not self.unused and all(item.passed for item in self.verdicts)

    @property
    def counts(self) -> dict[Kind, int]:
        """Verdicts by kind, all kinds named."""
        return {kind: sum(item.kind == kind for item in self.verdicts) for kind in KINDS}

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """The verdicts that did not pass."""
        return tuple(item for item in self.verdicts if not item.passed)

    @property
    def by_precision(self) -> dict[str, dict[Kind, int]]:
        """Verdicts by kind for each precision: float32 is that of the cases as written, `autocast` mixes."""
        found: dict[str, dict[Kind, int]] = {}
        for item in self.verdicts:
            variant = item.case.partition("@")[2]
            row = found.setdefault(variant if variant in PRECISIONS else "float32", dict.fromkeys(KINDS, 0))
            row[item.kind] += 1
        return {name: found[name] for name in ("float32", *PRECISIONS) if name in found}

    @property
    def first(self) -> Finding | None:
        """The first difference that no divergence declares."""
        return next((item for verdict in self.failures for item in verdict.findings if item.divergence is None), None)

    @property
    def worst(self) -> Finding | None:
        """The largest such difference, relatively; one without a size (a missing key, another type) counts as largest."""
        found = [item for verdict in self.failures for item in verdict.findings if item.divergence is None]
        return max(found, key=lambda item: float("inf") if item.relative is None else item.relative, default=None)

    @property
    def headline(self) -> str:
        """The result in one line: `9 equal · 3 close, at most 2 ULP · 2 intended (clip-1)`, `1 of 14 cases differs`."""
        if self.skipped:
            return self.skipped
        if self.failures:
            return failure_words(self.verdicts)
        if self.unused:
            return f"no case shows {', '.join(self.unused)} any more"
        if not self.verdicts:
            return "no case was run"
        counts = self.counts
        parts = [f"{counts['equal']} equal"] if counts["equal"] else []
        if counts["close"]:
            parts.append(f"{counts['close']} close, at most {self.closeness}")
        if counts["intended"]:
            ids = sorted({name for item in self.verdicts for name in item.divergences})
            parts.append(f"{counts['intended']} intended ({', '.join(ids)})")
        return " · ".join(parts)

    @property
    def closeness(self) -> str:
        """The largest error of the close verdicts: in ULP, or relatively where these run into thousands."""
        close = [item for item in self.verdicts if item.kind == "close"]
        ulp = max((item.ulp for item in close), default=0.0)
        if ulp < MOST_ULPS_TOLD:
            return f"{ulp:.3g} ULP"
        return f"{max(item.relative for item in close if item.ulp >= MOST_ULPS_TOLD):.1g} relative"

    def explanation(self) -> list[str]:
        """What a person needs to know after a failure: the first and the worst difference, and what else is in the way."""
        told: list[str] = []
        first, worst = self.first, self.worst
        if first is not None:
            told += first.lines()
        if self.counterexample is not None:
            told += [f"  smallest input that still differs: {self.counterexample.words}"]
            told += [f"    {line}" if line else "" for line in self.counterexample.lines]
        if worst is not None and worst is not first:
            told += ["worst:", *("  " + line for line in worst.lines())]
        told += [f"{item.case} · not provable: {item.reason}" for item in self.verdicts if item.kind == "not provable"]
        told += [
            f"divergence {name}: no case shows it any more; remove it from the port, or write the case that shows it"
            for name in self.unused
        ]
        return told

    def summary(self) -> dict[str, Any]:
        """The proof as plain JSON data, for the ledger."""
        first, worst = self.first, self.worst
        return {
            "loss": self.loss,
            "device": self.device,
            "passed": self.passed,
            "headline": self.headline,
            "counts": self.counts,
            "precisions": self.by_precision,
            "case_count": len(self.verdicts),
            "ulp": max((item.ulp for item in self.verdicts if item.kind == "close"), default=0.0),
            "relative": max((item.relative for item in self.verdicts if item.kind == "close"), default=0.0),
            "divergences": sorted({name for item in self.verdicts for name in item.divergences}),
            "unused": list(self.unused),
            "notes": list(self.notes),
            "skipped": self.skipped,
            "fingerprint": self.fingerprint.as_dict(),
            "environment": dict(self.environment),
            "first": None if first is None else _plain(first),
            "worst": None if worst is None else _plain(worst),
            "seconds": round(self.seconds, 3),
        }


def failure_words(verdicts: Sequence[Verdict]) -> str:
    """`2 of 14 cases differ, 1 is not provable`."""
    different = sum(item.kind == "different" for item in verdicts)
    unprovable = sum(item.kind == "not provable" for item in verdicts)
    words = []
    if different:
        words.append(f"{different} of {len(verdicts)} cases {'differs' if different == 1 else 'differ'}")
    if unprovable:
        of = "" if words else f" of {len(verdicts)} cases"
        words.append(f"{unprovable}{of} {'is' if unprovable == 1 else 'are'} not provable")
    return ", ".join(words)


def _plain(finding: Finding) -> dict[str, Any]:
    data = asdict(finding)
    data["index"] = None if finding.index is None else list(finding.index)
    return {name: value for name, value in data.items() if value not in (None, "", False)}


@dataclass(frozen=True)
class Known:
    """One run of an earlier proof: its variation by name, what the new loss showed, and the verdict."""

    variation: str
    digest: str
    verdict: Verdict
