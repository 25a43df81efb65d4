"""Reading a repository without touching its work tree, index or configuration: what changed commit by commit, and blobs by id.

Every call is read-only and stays on this machine: a blob that a partial clone does not hold is missing, not fetched.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

TIMEOUT_S = 300
"""A git that hangs on a lock or a dead network drive must not hang the report; half a million commits stay far below."""

_RENAME_LIMIT = "400"
"""Commits that move more files than this show them as deleted and added: finding pairs is quadratic."""

_ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
_OF_A_HOOK = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"})
"""Set while a hook of some repository runs: they would lead away from the one that is asked about."""
_HEADS = re.compile(rb"\x01(?=[0-9a-f]{40,64} [0-9]+ )")
"""Where a commit begins in the log: a path may hold the byte, but nothing that looks like the rest."""
FORMAT = "--format=%x01%H %ct %P%x02%an"
"""A commit in the log: its id, its time, its parents and who wrote it."""
_SETTINGS = ("-c", "log.showRoot=true", "-c", "log.showSignature=false", "-c", "core.quotePath=false")


class GitError(Exception):
    """git is not there, or this is no repository that it can read; the message says which."""


_ADVICE = (
    ("dubious ownership", "the folder belongs to another user: git config --global --add safe.directory {root}"),
    ("not a git repository", "run git init, or run lossport inside the repository"),
    ("No such file or directory: 'git'", "install git"),
)
"""What to do about the failures that people meet."""


def problem(root: Path) -> str:
    """Why git cannot be read here and what to do about it, in one sentence; empty if it can."""
    try:
        head(root)
    except GitError as error:
        return explained(error, root)
    return ""


def explained(error: GitError, root: Path) -> str:
    """What git said, with what to do about it where that is known."""
    said = str(error).rstrip(".")
    advice = next((todo.format(root=root) for sign, todo in _ADVICE if sign in said), "")
    return f"{said}; {advice}" if advice else said


@dataclass(frozen=True)
class FileChange:
    """One path in a commit. `blob` is None where the file is gone; `moved_from` has the old path of a rename."""

    path: str
    blob: str | None
    moved_from: str | None = None


@dataclass(frozen=True)
class Commit:
    """A commit on the first-parent line and what it changed."""

    id: str
    at: dt.datetime
    merge: bool
    changes: tuple[FileChange, ...]
    author: str = ""


def head(root: Path) -> str | None:
    """The commit that is checked out, None before the first one.

    Raises:
        GitError: not a repository.
    """
    _run(root, "rev-parse", "--git-dir")
    try:
        return _run(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
    except GitError:
        return None


def unsaved(root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of the paths, relative to `root`, whose content the last commit does not have: changed since, or never added.

    Raises:
        GitError: not a repository.
    """
    literal = [f":(literal){path}" for path in paths]
    if not paths or head(root) is None:
        return tuple(paths)
    known = _names(_run(root, "ls-tree", "-r", "-z", "--name-only", "HEAD", "--", *paths))
    changed = _names(_run(root, "diff", "--name-only", "--relative", "-z", "HEAD", "--", *literal))
    return tuple(path for path in paths if path not in known or path in changed)


def _names(output: bytes) -> frozenset[str]:
    return frozenset(os.fsdecode(name) for name in output.split(b"\0") if name)


def is_shallow(root: Path) -> bool:
    """Whether the history was cut off when the repository was cloned."""
    return _run(root, "rev-parse", "--is-shallow-repository").strip() == b"true"


def commits(root: Path, folders: Sequence[str]) -> list[Commit]:
    """The commits that changed something below `folders`, oldest first, along the first parents of HEAD.

    Paths are relative to `root`. A merge counts as what it brought to the line it was merged into.

    Raises:
        GitError: git cannot tell.
    """
    log = ("log", "--first-parent", "-m", "--raw", "-z", "--no-abbrev", "--full-diff", "--relative", "--reverse", "--no-ext-diff")
    what = ("--no-color", FORMAT, "HEAD", "--", *folders)
    try:
        output = _run(root, *log, "-M", "-l", _RENAME_LIMIT, *what)
    except GitError:  # finding renames needs contents, which a partial clone may not hold
        output = _run(root, *log, "--no-renames", *what)
    return [_commit(part) for part in _HEADS.split(output)[1:]]


def merged_deletions(root: Path, merge: str, paths: Sequence[str]) -> dict[str, Commit]:
    """The commits on the other side of a merge that took paths away, by path: the merge only brought them."""
    log = ("log", "--no-merges", "--raw", "-z", "--no-abbrev", "--relative", "--no-renames", "--diff-filter=D", "--no-ext-diff")
    output = _run(root, *log, "--no-color", FORMAT, f"{merge}^1..{merge}", "--", *paths)
    found: dict[str, Commit] = {}
    for commit in (_commit(part) for part in _HEADS.split(output)[1:]):
        for change in commit.changes:
            found.setdefault(change.path, commit)
    return found


def subjects(root: Path, ids: Sequence[str]) -> dict[str, str]:
    """The first lines of what commits say of themselves, by id."""
    if not ids:
        return {}
    asked = ("log", "--no-walk=unsorted", "--stdin", "-z", "--no-color", "--encoding=UTF-8", "--format=%H %s")
    output = _run(root, *asked, stdin="".join(f"{name}\n" for name in dict.fromkeys(ids)).encode())
    lines = (line.decode("utf-8", "replace").partition(" ") for line in output.split(b"\0") if line)
    return {name: subject for name, _, subject in lines}


class BlobReader:
    """Gives blobs by id out of one `git cat-file --batch`, which is started when the first is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> BlobReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def read(self, blob: str) -> bytes | None:
        """The content of a blob, None if the repository does not hold it.

        Raises:
            GitError: git cannot be started.
        """
        process = self._process = self._process or self._start()
        questions, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            questions.write(blob.encode() + b"\n")
            questions.flush()
            head = answers.readline().split()
        except BrokenPipeError:
            head = []
        if len(head) == 3:
            size = int(head[2])
            return answers.read(size + 1)[:size]
        if not head:  # git gives up altogether on a blob that it was promised and may not fetch
            self._stop()
        return None

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                _command(self._root, "cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_env(),
            )
        except OSError as error:
            raise GitError(f"git cannot be started: {error}") from error

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(BrokenPipeError):
                process.communicate()


def _commit(part: bytes) -> Commit:
    """One commit of `git log --raw -z`: a line about it, then its changes, all cut by NUL bytes."""
    fields = part.split(b"\0")
    head, _, author = fields[0].decode("utf-8", "replace").partition("\x02")
    commit, seconds, *parents = head.split()
    changes: list[FileChange] = []
    rest = iter(fields[1:])
    for field in rest:
        entry = field.lstrip(b"\n")
        if not entry.startswith(b":"):
            continue
        _, mode, _, blob, status = entry.decode().split()
        path = _path(next(rest))
        moved_from = None
        if status[0] in "RC":
            moved_from, path = (path if status[0] == "R" else None), _path(next(rest))
        gone = status[0] == "D" or not mode.startswith("100")  # a link or a submodule is no source file
        changes.append(FileChange(path, None if gone else blob, moved_from))
    return Commit(commit, dt.datetime.fromtimestamp(int(seconds), dt.UTC), len(parents) > 1, tuple(changes), author.strip())


def _path(field: bytes) -> str:
    """A path that can be shown and written anywhere; names that are no UTF-8 keep their bytes as escapes."""
    return field.decode("utf-8", "backslashreplace")


def _run(root: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            _command(root, *arguments), capture_output=True, timeout=TIMEOUT_S, input=stdin, env=_env(), check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git {arguments[0]}: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise GitError(f"git {arguments[0]}: {said[0] if said else done.returncode}")
    return done.stdout


def _command(root: Path, *arguments: str) -> list[str]:
    return ["git", "-C", str(root), *_SETTINGS, *arguments]


def _env() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    return {**inherited, **_ENVIRONMENT}
