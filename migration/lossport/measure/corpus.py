"""All measures of a set of files: one `FileMeasure` a content, joined into a `Corpus`.

A file that cannot be read is a measure with a problem, never an exception: it keeps its lines and loses the rest.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from lossport.measure.classes import ClassMeasure, class_measures, import_cycles
from lossport.measure.complexity import MeasuredFunction, functions, maintainability
from lossport.measure.duplication import Duplication, duplication, exact_duplication
from lossport.measure.outline import Outline, outline
from lossport.measure.tokens import Stream, Unreadable, read_stream

_NOTHING_READ = Stream("", (), (), ())
_NO_OUTLINE = Outline((), {}, ())


@dataclass(frozen=True)
class UnreadFile:
    """Why a file could not be measured in full, and at which of its lines."""

    line: int
    reason: str


@dataclass(frozen=True)
class FileMeasure:
    """What one content measures, wherever it lies.

    `total` counts every line; `source` those that hold code, so no blank lines, comments or docstrings.
    """

    total: int
    source: int
    functions: tuple[MeasuredFunction, ...]
    outline: Outline
    stream: Stream
    problem: UnreadFile | None = None

    @property
    def worst(self) -> int:
        """The highest complexity of a function; 0 without functions."""
        return max((function.complexity for function in self.functions), default=0)


@dataclass(frozen=True)
class Corpus:
    """A set of files and what they measure together."""

    files: Mapping[str, FileMeasure]
    duplication: Duplication
    exact: Duplication
    maintainability: Mapping[str, float | None]

    @cached_property
    def classes(self) -> tuple[ClassMeasure, ...]:
        """Every class with its depth."""
        return class_measures({path: file.outline for path, file in self.files.items()})

    @cached_property
    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Groups of files that import each other in a circle."""
        return import_cycles({path: file.outline for path, file in self.files.items()})

    @property
    def total(self) -> int:
        """Lines of all files."""
        return sum(file.total for file in self.files.values())

    @property
    def source(self) -> int:
        """Source lines of all files."""
        return sum(file.source for file in self.files.values())

    @property
    def depth(self) -> int:
        """The deepest inheritance."""
        return max((item.depth for item in self.classes), default=0)

    @property
    def worst(self) -> tuple[str, MeasuredFunction] | None:
        """The most complex function and its file."""
        every = ((path, function) for path, file in self.files.items() for function in file.functions)
        return max(every, key=lambda item: item[1].complexity, default=None)

    @property
    def problems(self) -> Mapping[str, UnreadFile]:
        """The files that could not be measured in full."""
        return {path: file.problem for path, file in self.files.items() if file.problem}


def measure_corpus(texts: Mapping[str, str]) -> Corpus:
    """Measure files given as text by path.

    >>> corpus = measure_corpus({"a.py": "def f(x):\\n    # why\\n    return x\\n", "b.py": "def ("})
    >>> corpus.total, corpus.source, sorted(corpus.problems)
    (4, 3, ['b.py'])
    """
    files = {path: measure_text(text) for path, text in texts.items()}
    streams = {path: file.stream for path, file in files.items()}
    index = {path: measure_maintainability(text) for path, text in texts.items()}
    return Corpus(files, duplication(streams), exact_duplication(streams), index)


def decode(data: bytes) -> str:
    """Python source as text, by its own encoding line or byte order mark.

    Raises:
        Unreadable: the bytes are no text in that encoding.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return io.TextIOWrapper(io.BytesIO(data), encoding).read()
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise Unreadable(1, str(error)) from error


def measure_bytes(data: bytes) -> FileMeasure:
    """Measure a file as it lies on disk or in git."""
    try:
        text = decode(data)
    except Unreadable as error:
        return FileMeasure(
            len(data.splitlines()), _plain_source(data), (), _NO_OUTLINE, _NOTHING_READ, UnreadFile(error.line, str(error))
        )
    return measure_text(text)


def measure_text(text: str) -> FileMeasure:
    """Measure the text of one file."""
    total = text.count("\n") + (not text.endswith("\n") and text != "")
    problem: UnreadFile | None = None
    try:
        stream = read_stream(text)
        source = len(stream.source_lines)
    except Unreadable as error:
        stream, source = _NOTHING_READ, _plain_source(text.encode("utf-8", "replace"))
        problem = UnreadFile(error.line, str(error))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the measured code, which is not ours to warn about
            tree = ast.parse(text)
        return FileMeasure(total, source, functions(tree), outline(tree), stream, problem)
    except SyntaxError as error:
        problem = problem or UnreadFile(error.lineno or 1, error.msg)
    except (ValueError, RecursionError, MemoryError) as error:
        problem = problem or UnreadFile(1, f"{type(error).__name__}: {error}")
    return FileMeasure(total, source, (), _NO_OUTLINE, stream, problem)


def measure_maintainability(text: str) -> float | None:
    """radon's index, or None where radon cannot read the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return maintainability(text)
    except Exception:  # radon is not ours: whatever it makes of odd code must not stop a report
        return None


def _plain_source(data: bytes) -> int:
    """Lines that are neither blank nor a comment: all that can be said of a file that is not Python."""
    return sum(1 for line in data.splitlines() if line.strip() and not line.lstrip().startswith(b"#"))
