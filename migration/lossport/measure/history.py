"""The measures of every commit, read from git's objects: no snapshot that someone must remember to take.

Each content is measured once and each tree once, whatever commits share it; what a commit costs is what it changed. What makes
history hard to read - merges, renames, broken files, a shallow clone - is handled and named in `notes`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lossport.measure import git
from lossport.measure.architecture import architecture
from lossport.measure.cache import Memory
from lossport.measure.corpus import Corpus, FileMeasure, UnreadFile
from lossport.measure.duplication import CloneIndex, Duplication
from lossport.measure.lineage import Lineage, followed
from lossport.measure.tree import Tree, digest
from lossport.measure.versions import LedgerLine, Version, ledger_lines

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
    tokens: int = 0

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
    author: str = ""


@dataclass(frozen=True)
class History:
    """What the repository says about its past, oldest first.

    `peak_shared` says how many lines legacy files had in common when most were duplicated; `last_lines` has the legacy files of
    the last commit and those that were removed, with their last lines. `problem` says why git could not be read: then nothing
    here is known, which is not the same as nothing being there.
    `versions` say what each path held since when, `ledger` which lines the ledger had; paths below a folder that was renamed have
    its present name, and `formers` leads from former names to the present ones.
    """

    moments: tuple[Moment, ...] = ()
    removals: tuple[Removal, ...] = ()
    peak_shared: Mapping[tuple[str, str], int] = field(default_factory=dict)
    peak_at: dt.datetime | None = None
    last_lines: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""
    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    ledger: tuple[LedgerLine, ...] = ()
    formers: Mapping[str, str] = field(default_factory=dict)

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
        tokens=sum(len(file.stream.shape) for file in corpus.files.values()),
    )


def read_history(
    root: Path, legacy: str, new: str, memory: Memory, intended_lines: int, *, also: Sequence[str] = (), ledger: str = ""
) -> History:
    """The history of the two folders, given relative to `root`, along the first parents of HEAD.

    Versions are kept of what lies in `also` too, and of the `ledger`, whose lines are followed.
    """
    try:
        if git.head(root) is None:
            return History(notes=("No commit yet: history begins with the first one.",))
        shallow = git.is_shallow(root)
        commits, old, fresh = followed(root, legacy, new, [*also, *([ledger] if ledger else [])])
        with git.BlobReader(root) as blobs:
            reader = _Reader(old, fresh, memory, intended_lines, blobs)
            moments = list(reader.moments(commits))
            peak = max(moments, key=lambda moment: moment.legacy.duplicated, default=None)
            shared = reader.shared(peak.commit) if peak else {}
            last_lines = reader.last_lines()
            lines = ledger_lines(reader.versions.get(ledger, ()), blobs.read)
        removals = _own_commits(root, commits, reader.removals, (old, fresh))
        subjects = git.subjects(root, [removal.commit for removal in removals])
    except git.GitError as error:
        return History(notes=(f"No history: {error}.",), problem=git.explained(error, root))
    notes = [*_line_notes(commits, old, fresh), *reader.notes()]
    if shallow:
        first = commits[0].at.date() if commits else "now"
        notes.append(f"This is a shallow clone: what came before {first} is not here (git fetch --unshallow brings it).")
    return History(
        moments=tuple(moments),
        removals=tuple(replace(removal, subject=subjects.get(removal.commit, "")) for removal in removals),
        peak_shared=shared,
        peak_at=peak.at if peak else None,
        last_lines=last_lines,
        notes=tuple(notes),
        versions={path: tuple(versions) for path, versions in reader.versions.items()},
        ledger=lines,
        formers={former.folder: line.folder for line in (old, fresh) for former in line.formers},
    )


def _own_commits(
    root: Path, commits: Sequence[git.Commit], removals: Sequence[Removal], lines: Sequence[Lineage]
) -> list[Removal]:
    """Removals that a merge brought, with the commit that made them on the other side."""
    merges = {commit.id for commit in commits if commit.merge}
    names: dict[str, list[str]] = {}
    for removal in removals:
        if removal.commit in merges:
            names.setdefault(removal.commit, []).extend(_names(removal.path, lines))
    made = {merge: git.merged_deletions(root, merge, paths) for merge, paths in names.items()}
    found = []
    for removal in removals:
        own = next(
            (made[removal.commit][name] for name in _names(removal.path, lines) if name in made.get(removal.commit, {})), None
        )
        found.append(replace(removal, commit=own.id, author=own.author) if own else removal)
    return found


def _names(path: str, lines: Sequence[Lineage]) -> list[str]:
    """A path under the present name of its folder and under the former ones."""
    for line in lines:
        if path.startswith(f"{line.folder}/"):
            return [path, *(former.folder + path.removeprefix(line.folder) for former in line.formers)]
    return [path]


class _Reader:
    """Follows two folders through the commits, measuring what is new."""

    def __init__(self, legacy: Lineage, new: Lineage, memory: Memory, intended_lines: int, blobs: git.BlobReader) -> None:
        self.removals: list[Removal] = []
        self.versions: dict[str, list[Version]] = {}
        self._memory = memory
        self._intended = intended_lines
        self._blobs = blobs
        self._legacy = Tree(legacy)
        self._new = Tree(new)
        self._files: dict[str, FileMeasure] = {}
        self._broken: dict[str, tuple[git.Commit, UnreadFile]] = {}
        self._states: dict[str, dict[str, str]] = {}

    def moments(self, commits: list[git.Commit]) -> Iterator[Moment]:
        """One moment a commit that touched a tree; time never runs backwards, whatever the committers' clocks said."""
        latest = dt.datetime.min.replace(tzinfo=dt.UTC)
        for commit in commits:
            latest = max(latest, commit.at)
            before = self._legacy.blobs.copy(), self._new.blobs.copy()
            for tree in (self._legacy, self._new):
                tree.reach(commit.id)
            self._note_removals(commit, latest)
            for change in commit.changes:
                self._apply(change, commit, latest)
            if before == (self._legacy.blobs, self._new.blobs):
                continue
            self._states[commit.id] = dict(self._legacy.blobs)
            yield Moment(commit.id, latest, self._figures(self._legacy), self._figures(self._new))

    def _apply(self, change: git.FileChange, commit: git.Commit, at: dt.datetime) -> None:
        names = [tree.name(change.path) for tree in (self._legacy, self._new)]
        self._legacy.apply(change)
        if names[0] is None:  # the new folder may have the name that the legacy one had before
            self._new.apply(change)
        name = next(filter(None, names), change.path)
        if change.moved_from is not None:
            old = next(filter(None, (tree.name(change.moved_from) for tree in (self._legacy, self._new))), change.moved_from)
            if old != name:
                self.versions.setdefault(old, []).append(Version(at, None, commit.id, commit.author, commit.merge))
        self.versions.setdefault(name, []).append(Version(at, change.blob, commit.id, commit.author, commit.merge))
        if change.blob and any(names):
            self._note_problem(change, commit)

    def shared(self, commit: str) -> Mapping[tuple[str, str], int]:
        """Lines that legacy files shared at a commit."""
        blobs = self._states[commit]

        def compute() -> list[list[str | int]]:
            index = CloneIndex()
            for path, blob in blobs.items():
                index.put(path, self._file(blob).stream)
            return [[one, other, count] for (one, other), count in index.duplication().shared.items()]

        record = self._memory.recall(f"shared {digest(blobs)}", compute)
        return {(one, other): count for one, other, count in record}

    def last_lines(self) -> Mapping[str, int]:
        """The lines of every legacy file when it was last seen."""
        removed = {removal.path: removal.lines for removal in self.removals}
        return {**removed, **{path: self._file(blob).total for path, blob in self._legacy.blobs.items()}}

    def notes(self) -> Iterator[str]:
        """Files that could not be read, once each."""
        for path, (commit, problem) in sorted(self._broken.items()):
            yield f"{path} could not be read in {commit.id[:10]}, line {problem.line}: {problem.reason}."

    def _figures(self, tree: Tree) -> TreeFigures:
        key = f"tree {self._intended} {tree.digest}"
        return TreeFigures(**self._memory.recall(key, lambda: asdict(self._measure(tree))))

    def _measure(self, tree: Tree) -> TreeFigures:
        files = {path: self._file(blob) for path, blob in tree.blobs.items()}
        return figures(Corpus(files, tree.duplication(files), NO_DUPLICATION, {}), self._intended)

    def _file(self, blob: str) -> FileMeasure:
        if blob not in self._files:
            self._files[blob] = self._memory.file(blob, lambda: self._blobs.read(blob))
        return self._files[blob]

    def _note_removals(self, commit: git.Commit, at: dt.datetime) -> None:
        """Files deleted, or moved out of the folder: git calls a legacy file moved when its successor is like it."""
        for change in commit.changes:
            stays = change.blob is not None and self._legacy.name(change.path) is not None
            path = change.path if change.blob is None else change.moved_from
            gone = self._legacy.name(path) if path is not None else None
            if gone is not None and gone in self._legacy.blobs and not stays:
                lines = self._file(self._legacy.blobs[gone]).total
                self.removals.append(Removal(gone, commit.id, at, lines, author=commit.author))

    def _note_problem(self, change: git.FileChange, commit: git.Commit) -> None:
        problem = self._file(change.blob or "").problem
        if problem is not None:
            self._broken.setdefault(change.path, (commit, problem))


def _line_notes(commits: list[git.Commit], *lines: Lineage) -> Iterator[str]:
    """What to know about the line of commits: merges and renames."""
    merges = sum(commit.merge for commit in commits)
    if merges:
        yield f"{merges} of {len(commits)} commits are merges; each counts as what it brought to the line it was merged into."
    for line in lines:
        names = [former.folder for former in line.formers] + [line.folder]
        for former, name in zip(line.formers, names[1:], strict=True):
            yield f"{former.folder}/ became {name}/ in {former.until[:10]}; it is one folder here."
    renamed = {former.until for line in lines for former in line.formers}
    prefixes = tuple(f"{line.folder}/" for line in lines)
    for commit in commits:
        for change in commit.changes if commit.id not in renamed else ():
            if change.moved_from and change.moved_from.startswith(prefixes) and change.moved_from.endswith(".py"):
                yield f"{change.moved_from} became {change.path} in {commit.id[:10]}."
