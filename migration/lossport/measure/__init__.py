"""Measures of a source tree: pure functions from `{path: text}` to numbers, and the same from git's history.

    corpus = measure_corpus({"losses/clip.py": text, ...})   # lines, complexity, inheritance, duplication
    architecture(corpus, intended_lines=2000)                # one score with its parts
    read_coverage(json_text), count_tests(texts, symbols)

Start at `corpus` (a tree now) and `history` (the same from git). docs/measures.md says what each number means. Imports no other
room and never torch.
"""

from lossport.measure.architecture import Architecture, Part, architecture
from lossport.measure.classes import ClassMeasure
from lossport.measure.complexity import MeasuredFunction
from lossport.measure.corpus import Corpus, FileMeasure, UnreadFile, measure_bytes, measure_corpus
from lossport.measure.coverage import Coverage, CoverageError, FileCoverage, read_coverage
from lossport.measure.duplication import MIN_LINES, MIN_TOKENS, Duplication
from lossport.measure.suite import count_tests

__all__ = [
    "MIN_LINES",
    "MIN_TOKENS",
    "Architecture",
    "ClassMeasure",
    "Corpus",
    "Coverage",
    "CoverageError",
    "Duplication",
    "FileCoverage",
    "FileMeasure",
    "MeasuredFunction",
    "Part",
    "UnreadFile",
    "architecture",
    "count_tests",
    "measure_bytes",
    "measure_corpus",
    "read_coverage",
]
