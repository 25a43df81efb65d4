"""The Python files of one folder as the commits go by, and which of their lines are duplicated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lossport.measure import git
from lossport.measure.corpus import FileMeasure
from lossport.measure.duplication import CloneIndex, Duplication
from lossport.measure.lineage import Lineage


class Tree:
    """The Python files of one folder at one commit, under its present name, and which of their lines are duplicated."""

    def __init__(self, line: Lineage) -> None:
        self.blobs: dict[str, str] = {}
        self._line = line
        self._active = [line.oldest]
        self._index = CloneIndex()
        self._indexed: dict[str, str] = {}

    def reach(self, commit: str) -> None:
        """Take the name that the folder has from this commit on; in the commit itself both names are the folder's."""
        self._active = self._active[-1:]
        names = [former.folder for former in self._line.formers] + [self._line.folder]
        for former, name in zip(self._line.formers, names[1:], strict=True):
            if former.until == commit:
                self._active = [former.folder, name]

    def name(self, path: str) -> str | None:
        """The present name of a path that belongs to the folder; None if it does not."""
        for folder in self._active:
            if path.startswith(f"{folder}/") and path.endswith(".py"):
                return self._line.folder + path.removeprefix(folder)
        return None

    def apply(self, change: git.FileChange) -> None:
        """Follow one change, if it is about this folder."""
        for path in (change.moved_from, change.path if change.blob is None else None):
            if path is not None and (gone := self.name(path)) is not None:
                self.blobs.pop(gone, None)
        if change.blob is not None and (name := self.name(change.path)) is not None:
            self.blobs[name] = change.blob

    @property
    def digest(self) -> str:
        """Names this state: the same files with the same contents."""
        return digest(self.blobs)

    def duplication(self, files: Mapping[str, FileMeasure]) -> Duplication:
        """Duplicated lines of this state; the index takes over what changed since the state it last saw."""
        for path in self._indexed.keys() - self.blobs.keys():
            self._index.put(path, None)
        for path, blob in self.blobs.items():
            if self._indexed.get(path) != blob:
                self._index.put(path, files[path].stream)
        self._indexed = dict(self.blobs)
        return Duplication(self._index.lines(), sum(file.source for file in files.values()), {})


def digest(blobs: Mapping[str, str]) -> str:
    """Names a state of a folder: the same files with the same contents."""
    text = "\n".join(f"{blob} {path}" for path, blob in sorted(blobs.items()))
    return hashlib.sha256(text.encode()).hexdigest()
