"""One number for how code is built, 0 to 10, as a documented sum of measured parts.

Faults are counted against the size that the code is meant to have, not the size it has: filler buys nothing, and no fault can
raise the score. Each part is 1 without the fault it looks for and falls towards 0, never reaching it, so a worse tree scores
lower however bad it was. docs/measures.md has the formula with an example.
"""

from __future__ import annotations

from dataclasses import dataclass

from lossport.measure.corpus import Corpus

SIMPLE = 10
"""A function up to this complexity costs nothing: McCabe's own limit."""
FLAT = 2
"""Levels of inheritance that cost nothing: a base, a family, a loss."""
SMALL = 300
"""Lines of a file that cost nothing: it fits in a head and on a few screens."""

BRANCHES_THAT_HALVE = 20.0
"""Branches above `SIMPLE`, per 1,000 intended lines, at which the part is a half: two functions twice as complex as allowed."""
DUPLICATES_THAT_HALVE = 200.0
"""Duplicated lines per 1,000 intended lines at which the part is a half: every fifth line is written twice."""
TANGLES_THAT_HALVE = 2.0
"""Excess levels, extra bases and diamonds per 1,000 intended lines at which the part is a half: one mixin diamond."""
LENGTH_THAT_HALVES = 500.0
"""Lines beyond `SMALL`, per 1,000 intended lines, at which the part is a half: half of the code lies too deep in its file."""
CYCLES_THAT_HALVE = 2.0
"""Files in import circles per 1,000 intended lines at which the part is a half: one pair of files that need each other."""


@dataclass(frozen=True)
class Part:
    """One part of the score: its weight, its value from 0 to 1, and what was found."""

    name: str
    weight: int
    value: float
    found: str


@dataclass(frozen=True)
class Architecture:
    """The score and its parts."""

    parts: tuple[Part, ...]

    @property
    def score(self) -> float:
        """Ten times the weighted mean of the parts."""
        return 10 * sum(part.weight * part.value for part in self.parts) / sum(part.weight for part in self.parts)


def architecture(corpus: Corpus, intended_lines: int) -> Architecture | None:
    """The score of a corpus that is meant to have `intended_lines` lines, or None if it has no source."""
    if not corpus.source:
        return None
    thousands = max(1, intended_lines) / 1000
    branches = sum(max(0, item.complexity - SIMPLE) for file in corpus.files.values() for item in file.functions)
    tangles = sum(max(0, item.depth - FLAT) + max(0, item.bases - 1) + item.diamonds for item in corpus.classes)
    longer = sum(max(0, file.total - SMALL) for file in corpus.files.values())
    circular = sum(map(len, corpus.cycles))
    copied = corpus.duplication.count
    return Architecture(
        (
            Part("functions", 3, _fall(branches / thousands, BRANCHES_THAT_HALVE), f"{branches} branches beyond {SIMPLE} each"),
            Part("duplication", 3, _fall(copied / thousands, DUPLICATES_THAT_HALVE), f"{copied} duplicated lines"),
            Part("inheritance", 2, _fall(tangles / thousands, TANGLES_THAT_HALVE), f"{tangles} excess levels, bases, diamonds"),
            Part("size", 1, _fall(longer / thousands, LENGTH_THAT_HALVES), f"{longer} lines beyond {SMALL} a file"),
            Part("cycles", 1, _fall(circular / thousands, CYCLES_THAT_HALVE), f"{circular} files in import circles"),
        )
    )


def _fall(found: float, halving: float) -> float:
    return 1 / (1 + found / halving)
