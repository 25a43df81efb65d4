"""The measures of every commit, read from git's objects: no snapshot that someone must remember to take.

Each content is measured once and each tree once, whatever commits share it; what a commit costs is what it changed. What makes
history hard to read - merges, renames, broken files, a shallow clone - is handled and named in `notes`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lossport.measure import git
from lossport.measure.architecture import architecture
from lossport.measure.cache import Memory
from lossport.measure.corpus import Corpus, FileMeasure, Problem
from lossport.measure.duplication import CloneIndex, Duplication

NO_DUPLICATION = Duplication({}, 0, {})


@dataclass(frozen=True)
class TreeFigures:
    """What one tree measured at one commit. `files` counts those with source; `score` is None without any."""

    files: int
    lines: int
    source: int
    duplicated: int
    complexity: int
    depth: int
    score: float | None

    @property
    def duplication(self) -> float:
        """Duplicated lines per hundred source lines."""
        return 100 * self.duplicated / self.source if self.source else 0.0


@dataclass(frozen=True)
class Moment:
    """The two trees as they were from one commit on; `commit` is empty for the work tree."""

    commit: str
    at: dt.datetime
    legacy: TreeFigures
    new: TreeFigures


@dataclass(frozen=True)
class Removal:
    """A legacy file that went away, with its last lines, and the commit that took it with its subject."""

    path: str
    commit: str
    at: dt.datetime
    lines: int
    subject: str = ""


@dataclass(frozen=True)
class History:
    """What the repository says about its past, oldest first.

    `peak_shared` says how many lines legacy files had in common when most were duplicated; `last_lines` has the legacy files of
    the last commit and those that were removed, with their last lines. `problem` says why git could not be read: then nothing
    here is known, which is not the same as nothing being there.
    """

    moments: tuple[Moment, ...] = ()
    removals: tuple[Removal, ...] = ()
    peak_shared: Mapping[tuple[str, str], int] = field(default_factory=dict)
    peak_at: dt.datetime | None = None
    last_lines: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""

    def on(self, day: dt.date) -> Moment | None:
        """The state at the end of a day, None before the first commit."""
        return next((moment for moment in reversed(self.moments) if moment.at.date() <= day), None)


def figures(corpus: Corpus, intended_lines: int) -> TreeFigures:
    """A corpus in the few numbers that history keeps."""
    score = architecture(corpus, intended_lines)
    return TreeFigures(
        files=sum(file.source > 0 for file in corpus.files.values()),
        lines=corpus.total,
        source=corpus.source,
        duplicated=corpus.duplication.count,
        complexity=corpus.worst[1].complexity if corpus.worst else 0,
        depth=corpus.depth,
        score=score.score if score else None,
    )


def read_history(root: Path, legacy: str, new: str, memory: Memory, intended_lines: int) -> History:
    """The history of the two folders, given relative to `root`, along the first parents of HEAD."""
    try:
        if git.head(root) is None:
            return History(notes=("No commit yet: history begins with the first one.",))
        shallow = git.is_shallow(root)
        commits = git.commits(root, [legacy, new])
        with git.BlobReader(root) as blobs:
            reader = _Reader(legacy, new, memory, intended_lines, blobs)
            moments = list(reader.moments(commits))
            peak = max(moments, key=lambda moment: moment.legacy.duplicated, default=None)
            shared = reader.shared(peak.commit) if peak else {}
            last_lines = reader.last_lines()
        subjects = git.subjects(root, [removal.commit for removal in reader.removals])
    except git.GitError as error:
        return History(notes=(f"No history: {error}.",), problem=git.explained(error, root))
    notes = [*_line_notes(commits, legacy, new), *reader.notes()]
    if shallow:
        first = commits[0].at.date() if commits else "now"
        notes.append(f"This is a shallow clone: what came before {first} is not here (git fetch --unshallow brings it).")
    removals = tuple(replace(removal, subject=subjects.get(removal.commit, "")) for removal in reader.removals)
    return History(tuple(moments), removals, shared, peak.at if peak else None, last_lines, tuple(notes))


class _Reader:
    """Follows two folders through the commits, measuring what is new."""

    def __init__(self, legacy: str, new: str, memory: Memory, intended_lines: int, blobs: git.BlobReader) -> None:
        self.removals: list[Removal] = []
        self._memory = memory
        self._intended = intended_lines
        self._blobs = blobs
        self._legacy = _Tree(f"{legacy}/")
        self._new = _Tree(f"{new}/")
        self._files: dict[str, FileMeasure] = {}
        self._broken: dict[str, tuple[git.Commit, Problem]] = {}
        self._states: dict[str, dict[str, str]] = {}

    def moments(self, commits: list[git.Commit]) -> Iterator[Moment]:
        """One moment a commit; time never runs backwards, whatever the committers' clocks said."""
        latest = dt.datetime.min.replace(tzinfo=dt.UTC)
        for commit in commits:
            latest = max(latest, commit.at)
            self._note_removals(commit, latest)
            for change in commit.changes:
                for tree in (self._legacy, self._new):
                    tree.apply(change)
                if change.blob and (self._legacy.has(change.path) or self._new.has(change.path)):
                    self._note_problem(change, commit)
            self._states[commit.id] = dict(self._legacy.blobs)
            yield Moment(commit.id, latest, self._figures(self._legacy), self._figures(self._new))

    def shared(self, commit: str) -> Mapping[tuple[str, str], int]:
        """Lines that legacy files shared at a commit."""
        blobs = self._states[commit]

        def compute() -> list[list[str | int]]:
            index = CloneIndex()
            for path, blob in blobs.items():
                index.put(path, self._file(blob).stream)
            return [[one, other, count] for (one, other), count in index.duplication().shared.items()]

        record = self._memory.recall(f"shared {_digest(blobs)}", compute)
        return {(one, other): count for one, other, count in record}

    def last_lines(self) -> Mapping[str, int]:
        """The lines of every legacy file when it was last seen."""
        removed = {removal.path: removal.lines for removal in self.removals}
        return {**removed, **{path: self._file(blob).total for path, blob in self._legacy.blobs.items()}}

    def notes(self) -> Iterator[str]:
        """Files that could not be read, once each."""
        for path, (commit, problem) in sorted(self._broken.items()):
            yield f"{path} could not be read in {commit.id[:10]}, line {problem.line}: {problem.reason}."

    def _figures(self, tree: _Tree) -> TreeFigures:
        key = f"tree {self._intended} {tree.digest}"
        return TreeFigures(**self._memory.recall(key, lambda: asdict(self._measure(tree))))

    def _measure(self, tree: _Tree) -> TreeFigures:
        files = {path: self._file(blob) for path, blob in tree.blobs.items()}
        return figures(Corpus(files, tree.duplication(files), NO_DUPLICATION, {}), self._intended)

    def _file(self, blob: str) -> FileMeasure:
        if blob not in self._files:
            self._files[blob] = self._memory.file(blob, lambda: self._blobs.read(blob))
        return self._files[blob]

    def _note_removals(self, commit: git.Commit, at: dt.datetime) -> None:
        """Files deleted, or moved out of the folder: git calls a legacy file moved when its successor is like it."""
        for change in commit.changes:
            stays = change.blob is not None and self._legacy.covers(change.path)
            gone = change.path if change.blob is None else change.moved_from
            if gone is not None and self._legacy.has(gone) and not stays:
                self.removals.append(Removal(gone, commit.id, at, self._file(self._legacy.blobs[gone]).total))

    def _note_problem(self, change: git.Change, commit: git.Commit) -> None:
        problem = self._file(change.blob or "").problem
        if problem is not None:
            self._broken.setdefault(change.path, (commit, problem))


class _Tree:
    """The Python files of one folder at one commit, and which of their lines are duplicated."""

    def __init__(self, prefix: str) -> None:
        self.blobs: dict[str, str] = {}
        self._prefix = prefix
        self._index = CloneIndex()
        self._indexed: dict[str, str] = {}

    def has(self, path: str) -> bool:
        """Whether the folder holds this file now."""
        return path in self.blobs

    def covers(self, path: str) -> bool:
        """Whether a file of this path belongs to the folder."""
        return path.startswith(self._prefix) and path.endswith(".py")

    def apply(self, change: git.Change) -> None:
        """Follow one change, if it is about this folder."""
        if change.moved_from is not None:
            self.blobs.pop(change.moved_from, None)
        if change.blob is None:
            self.blobs.pop(change.path, None)
        elif self.covers(change.path):
            self.blobs[change.path] = change.blob

    @property
    def digest(self) -> str:
        """Names this state: the same files with the same contents."""
        return _digest(self.blobs)

    def duplication(self, files: Mapping[str, FileMeasure]) -> Duplication:
        """Duplicated lines of this state; the index takes over what changed since the state it last saw."""
        for path in self._indexed.keys() - self.blobs.keys():
            self._index.put(path, None)
        for path, blob in self.blobs.items():
            if self._indexed.get(path) != blob:
                self._index.put(path, files[path].stream)
        self._indexed = dict(self.blobs)
        return Duplication(self._index.lines(), sum(file.source for file in files.values()), {})


def _digest(blobs: Mapping[str, str]) -> str:
    text = "\n".join(f"{blob} {path}" for path, blob in sorted(blobs.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _line_notes(commits: list[git.Commit], *folders: str) -> Iterator[str]:
    """What to know about the line of commits: merges and renames."""
    merges = sum(commit.merge for commit in commits)
    if merges:
        yield f"{merges} of {len(commits)} commits are merges; each counts as what it brought to the line it was merged into."
    prefixes = tuple(f"{folder}/" for folder in folders)
    for commit in commits:
        for change in commit.changes:
            if change.moved_from and change.moved_from.startswith(prefixes) and change.moved_from.endswith(".py"):
                yield f"{change.moved_from} became {change.path} in {commit.id[:10]}."
