"""What can be said of an option by reading it: lines, complexity, inheritance, duplication, and the size of a kept change."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.measure import Corpus, measure_corpus
from lossport.project.config import ConfigError, Option, Project
from lossport.report.compared import Cell, Row, files_of, not_measured

NEW_FILE = re.compile(r"\+\+\+ (?:b/)?(.+?)(?:\t.*)?\Z")
OLD_FILE = re.compile(r"--- (?:a/)?(.+?)(?:\t.*)?\Z")
HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


@dataclass(frozen=True)
class Reading:
    """An option as read: the first loss with all that it needs, and the same with a second loss beside it."""

    first: Corpus
    both: Corpus
    second: tuple[str, ...]
    change: Cell
    change_lines: Cell


def read_option(project: Project, option: Option) -> Reading:
    """Measure the files of an option, and its change."""
    texts = {path: (project.root / path).read_text(encoding="utf-8", errors="replace") for path in files_of(project, option)}
    second = tuple(project.relative(path) for path in option.second)
    change, lines = _change(project, option)
    first = measure_corpus({path: text for path, text in texts.items() if path not in second})
    return Reading(first, measure_corpus(texts), second, change, lines)


def reading_rows(readings: Sequence[Reading]) -> tuple[Row, ...]:
    """The rows that need nothing but the files."""
    return tuple(Row(key, title, "lower", how, tuple(map(figure, readings))) for key, title, how, figure in _measures())


def _measures() -> tuple[tuple[str, str, str, Callable[[Reading], Cell]], ...]:
    """Key, title, how it is measured, and the figure of one option."""
    return (
        ("lines", "lines", "of the first loss with all that it needs, source lines beside", lambda r: _lines(r.first)),
        ("files", "files", "of the first loss with all that it needs", lambda r: _count(len(r.first.files))),
        ("second_lines", "lines that a second loss adds", "of the files that it alone needs", _added),
        ("worst", "highest complexity", "cyclomatic, of the worst function, by radon", lambda r: _worst(r.both)),
        ("mean", "mean complexity", "the same over all functions", lambda r: _mean(r.both)),
        ("depth", "inheritance depth", "classes of the option above the deepest one", lambda r: _count(r.both.depth)),
        ("bases", "bases of one class", "the most that one has at once, and diamonds in all", lambda r: _bases(r.both)),
        ("duplication", "duplication, one loss", "per cent of source lines, up to renaming", lambda r: _copied(r.first)),
        ("duplication_two", "duplication, two losses", "the same with the second loss beside", lambda r: _copied(r.both)),
        ("second_copied", "lines that the second loss copies", "lines of its files that stand elsewhere too", _repeated),
        (
            "change_files",
            "files to touch for a new option",
            "in the kept change, which gives it to both losses",
            lambda r: r.change,
        ),
        ("change_lines", "lines to touch for it", "that the kept change adds and removes", lambda r: r.change_lines),
    )


def _count(number: int) -> Cell:
    return Cell(str(number), number)


def _lines(corpus: Corpus) -> Cell:
    return Cell(f"{corpus.total} ({corpus.source} source)", corpus.total, _problems(corpus))


def _problems(corpus: Corpus) -> str:
    return "; ".join(f"{path}:{problem.line}: {problem.reason}" for path, problem in corpus.problems.items())


def _added(reading: Reading) -> Cell:
    return _count(sum(reading.both.files[path].total for path in reading.second)) if reading.second else _no_second()


def _no_second() -> Cell:
    return not_measured("no second loss is named")


def _worst(corpus: Corpus) -> Cell:
    if corpus.worst is None:
        return not_measured("no functions")
    path, function = corpus.worst
    return Cell(str(function.complexity), function.complexity, f"{path}: {function.name}")


def _mean(corpus: Corpus) -> Cell:
    every = [function.complexity for file in corpus.files.values() for function in file.functions]
    if not every:
        return not_measured("no functions")
    mean = sum(every) / len(every)
    return Cell(f"{mean:.1f}", round(mean, 2), f"{len(every)} functions")


def _bases(corpus: Corpus) -> Cell:
    bases = max((item.bases for item in corpus.classes), default=0)
    diamonds = sum(item.diamonds for item in corpus.classes)
    return Cell(f"{bases}" + (f" ({diamonds} diamonds)" if diamonds else ""), bases)


def _copied(corpus: Corpus) -> Cell:
    return Cell(f"{corpus.duplication.percent:.1f} %", round(corpus.duplication.percent, 2), f"{corpus.duplication.count} lines")


def _repeated(reading: Reading) -> Cell:
    if not reading.second:
        return _no_second()
    return _count(sum(len(reading.both.duplication.lines.get(path, ())) for path in reading.second))


def _change(project: Project, option: Option) -> tuple[Cell, Cell]:
    if option.change is None:
        return (not_measured("no change is kept"),) * 2
    shown = project.relative(option.change)
    try:
        text = option.change.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"option {option.name}: {shown} cannot be read: {error}; see tool.lossport.options.change") from error
    reason = _does_not_apply(project.root, option.change)
    if reason:
        return (not_measured(f"{shown} does not apply: {reason}"),) * 2
    files, added, removed = change_size(text)
    if not set(files) & set(files_of(project, option)):
        return (not_measured(f"{shown} touches none of its files"),) * 2
    return Cell(str(len(files)), len(files), ", ".join(Path(file).name for file in files)), Cell(
        f"+{added} -{removed}", added + removed
    )


def _does_not_apply(root: Path, patch: Path) -> str:
    """Why git would not apply the patch to the tree as it is; empty if it would."""
    # Without the ceiling, git would leave out the files of a project that is a folder of a larger repository, and say nothing.
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    try:
        done = subprocess.run(
            ["git", "apply", "--check", str(patch)],
            cwd=root,
            env=env,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return f"git cannot be started: {error}"
    return "" if done.returncode == 0 else next(iter(done.stderr.strip().splitlines()), f"git exits with {done.returncode}")


def change_size(patch: str) -> tuple[tuple[str, ...], int, int]:
    """The files that a unified diff touches, the lines that it adds and those that it removes.

    >>> change_size("--- a/x.py\\n+++ b/x.py\\n@@ -1 +1,2 @@\\n-one\\n+--- two\\n+three\\n")
    (('x.py',), 2, 1)
    """
    files: list[str] = []
    before, added, removed = "", 0, 0
    old = new = 0
    for line in patch.splitlines():
        if old or new:
            added, removed = added + line.startswith("+"), removed + line.startswith("-")
            new -= not line.startswith(("-", "\\"))
            old -= not line.startswith(("+", "\\"))
        elif found := HUNK.match(line):
            old, new = (int(size) if size is not None else 1 for size in found.groups())
        elif found := OLD_FILE.match(line):
            before = found[1]
        elif found := NEW_FILE.match(line):
            files.append(before if found[1] == "/dev/null" else found[1])
    return tuple(dict.fromkeys(files)), added, removed
