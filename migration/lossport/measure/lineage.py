"""Which names a folder had before: a renamed folder is the same folder, and its history goes on.

Reads nothing itself but the log; what a file measures is told elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.measure import git

MOST_NAMES = 8
"""A folder that was renamed more often is followed no further."""


@dataclass(frozen=True)
class Former:
    """A name that a folder had until a commit, without the slash at its end."""

    folder: str
    until: str


@dataclass(frozen=True)
class Lineage:
    """The names of one folder: the present one, and the former ones with the oldest first."""

    folder: str
    formers: tuple[Former, ...] = ()

    @property
    def oldest(self) -> str:
        """The name that history begins with."""
        return self.formers[0].folder if self.formers else self.folder


def followed(root: Path, legacy: str, new: str, also: Sequence[str]) -> tuple[list[git.Commit], Lineage, Lineage]:
    """The commits that touched the two folders, under whatever names, or anything in `also`; and those names.

    Raises:
        GitError: git cannot tell.
    """
    old, fresh = Lineage(legacy), Lineage(new)
    for _ in range(MOST_NAMES):
        names = [legacy, new, *(former.folder for line in (old, fresh) for former in line.formers), *also]
        commits = git.commits(root, list(dict.fromkeys(names)))
        longer = _longer(old, commits, ()), _longer(fresh, commits, {legacy, *(former.folder for former in old.formers)})
        if longer == (old, fresh):
            break
        old, fresh = longer
    return commits, old, fresh


def _longer(line: Lineage, commits: Sequence[git.Commit], others: Sequence[str] | set[str]) -> Lineage:
    """The lineage with one more name, if the folder came into being by a rename of another one."""
    prefix = f"{line.oldest}/"
    first = next((commit for commit in commits if any(_in(change, prefix) for change in commit.changes)), None)
    if first is None:
        return line
    arrived = [change for change in first.changes if _in(change, prefix) and change.path.endswith(".py")]
    before = Counter(_former(change, prefix) for change in arrived)
    before.pop("", None)
    folder, count = before.most_common(1)[0] if before else ("", 0)
    known = {line.folder, *(former.folder for former in line.formers), *others}
    if folder in known or 2 * count < len(arrived) or not folder:
        return line
    return Lineage(line.folder, (Former(folder, first.id), *line.formers))


def _in(change: git.FileChange, prefix: str) -> bool:
    return change.path.startswith(prefix) and change.blob is not None


def _former(change: git.FileChange, prefix: str) -> str:
    """The folder that a file was moved from, if its place below the folder stayed the same; else nothing."""
    tail = change.path.removeprefix(prefix)
    moved = change.moved_from or ""
    return moved.removesuffix(f"/{tail}") if moved.endswith(f"/{tail}") else ""
