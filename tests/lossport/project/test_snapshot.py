"""The snapshot: what was read stays what it was, is read once, and is asked about again before anything is written."""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lossport.project import snapshot as snapshots
from lossport.project.config import ConfigError, parse_project
from lossport.project.errors import InputError
from lossport.project.journal import digest
from lossport.project.snapshot import Snapshot, snapshot_of

PORT = 'from lossport.port import Port\nPORTS = (Port(legacy="old.a.B", new="fresh.B"),)\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {
        "old/__init__.py": "",
        "old/a.py": "class B: ...\n",
        "migration/ports/b.py": PORT,
        "train.py": "1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def take(root: Path) -> Callable[[], Snapshot]:
    return lambda: snapshot_of(parse_project(root, {"legacy": "old", "new": "fresh"}))


def committed(root: Path) -> None:
    for command in (["init", "-q"], ["add", "-A"], ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "tree"]):
        subprocess.run(["git", "-C", str(root), *command], check=True)


def test_a_file_stays_what_it_was_when_it_was_read(root: Path, take: Callable[[], Snapshot]) -> None:
    snapshot = take()
    assert snapshot.content(root / "train.py") == b"1\n"
    (root / "train.py").write_text("2\n")
    assert snapshot.content(root / "train.py") == b"1\n"
    assert take().content(root / "train.py") == b"2\n"


def test_what_was_read_is_remembered_with_its_digest(root: Path, take: Callable[[], Snapshot]) -> None:
    snapshot = take()
    snapshot.content(root / "train.py")
    snapshot.content(root / "no.py")
    assert dict(snapshot.read) == {root / "train.py": digest(b"1\n"), root / "no.py": None}


def test_nothing_has_changed_where_nothing_was_touched(root: Path, take: Callable[[], Snapshot]) -> None:
    snapshot = take()
    _ = [snapshot.content(root / name) for name in (*snapshot.listing, "no.py")]
    assert snapshot.changed() == ()


@pytest.mark.parametrize("under_git", [False, True])
@pytest.mark.parametrize("kept", [True, False])
def test_changed_gone_and_new_files_are_told(
    root: Path, take: Callable[[], Snapshot], monkeypatch: pytest.MonkeyPatch, *, kept: bool, under_git: bool
) -> None:
    if under_git:
        committed(root)
    if not kept:
        monkeypatch.setattr(snapshots, "KEPT_BYTES", 0)
    snapshot = take()
    _ = [snapshot.content(root / name) for name in (*snapshot.listing, "absent.py")]
    (root / "train.py").write_text("2\n")
    (root / "old" / "a.py").unlink()
    (root / "absent.py").write_text("")
    (root / "new.py").write_text("")
    (root / ".lossport").mkdir()
    (root / ".lossport" / "lock").write_text("")
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "train.pyc").write_text("")
    assert snapshot.changed() == tuple(root / name for name in ("absent.py", "new.py", "old/a.py", "train.py"))


def test_a_file_that_was_not_read_may_change(root: Path, take: Callable[[], Snapshot]) -> None:
    snapshot = take()
    snapshot.content(root / "old" / "a.py")
    (root / "train.py").write_text("2\n")
    assert snapshot.changed() == ()


def test_a_file_that_was_not_kept_has_to_be_the_same_when_it_is_read_again(
    root: Path, take: Callable[[], Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "KEPT_BYTES", 1)
    snapshot = take()
    assert snapshot.content(root / "train.py") == snapshot.content(root / "train.py") == b"1\n"
    (root / "train.py").write_text("2\n")
    with pytest.raises(InputError, match=r"train\.py: changed while lossport was at work"):
        snapshot.content(root / "train.py")


def test_a_port_is_run_once_and_one_that_is_wrong_is_an_error(root: Path, take: Callable[[], Snapshot]) -> None:
    counter = root / "runs"
    (root / "migration/ports/b.py").write_text(f"open({str(counter)!r}, 'a').write('x')\n{PORT}")
    snapshot = take()
    assert [snapshot.loss("b").symbols, next(snapshot.losses()).symbols] == [("old.a.B",)] * 2
    assert counter.read_text() == "x"
    (root / "migration/ports/c.py").write_text("PORTS = 1\n")
    with pytest.raises(ConfigError, match=r"migration/ports/c\.py: expected PORTS"):
        take().loss("c")
    with pytest.raises(ConfigError, match="no loss is called 'd'"):
        take().loss("d")


def test_modules_are_found_as_the_project_finds_them(root: Path, take: Callable[[], Snapshot]) -> None:
    (root / "old" / "deep").mkdir()
    (root / "old" / "deep" / "__init__.py").write_text("")
    (root / "old" / "folder.py").mkdir()
    plain = parse_project(root, {"legacy": "old", "new": "fresh"})
    for module in ("old", "old.a", "old.deep", "old.deep.no", "old.folder", "train", "no", "migration", "migration.ports.b"):
        assert take().module_path(module) == plain.module_path(module), module


def test_what_is_derived_is_derived_once(root: Path, take: Callable[[], Snapshot]) -> None:
    snapshot = take()
    made = [snapshot.once("key", object), snapshot.once("key", object)]
    assert made[0] is made[1]
    assert take().once("key", object) is not made[0]


def test_after_a_commit_only_what_was_written_is_read_anew(root: Path, take: Callable[[], Snapshot]) -> None:
    committed(root)
    snapshot = take()
    contents = {name: snapshot.content(root / name) for name in snapshot.listing}
    trees = {name: snapshot.of_file(root / name, "tree", object) for name in snapshot.listing}
    snapshot.once("key", object)
    (root / "train.py").write_text("2\n")
    (root / "old" / "a.py").unlink()
    (root / "made.py").write_text("3\n")
    later = snapshot.after([root / name for name in ("train.py", "old/a.py", "made.py")])
    there = tuple(name for name in take().listing if (root / name).exists())  # git lists what is deleted until that is committed
    assert later.listing == there
    assert {name for name in contents if later.content(root / name) is contents[name]} == {
        "old/__init__.py",
        "migration/ports/b.py",
    }
    assert later.content(root / "train.py") == b"2\n"
    assert later.content(root / "old" / "a.py") is None
    kept = {name for name in trees if later.of_file(root / name, "tree", object) is trees[name]}
    assert kept == {"old/__init__.py", "migration/ports/b.py"}
    assert later.changed() == ()
    assert snapshot.changed() == tuple(root / name for name in ("made.py", "old/a.py", "train.py"))


def test_a_snapshot_is_taken_once_and_another_process_takes_its_own(root: Path, take: Callable[[], Snapshot]) -> None:
    snapshot = take()
    assert snapshot_of(snapshot) is snapshot
    snapshot.content(root / "train.py")
    (root / "train.py").write_text("2\n")
    there = pickle.loads(pickle.dumps(snapshot))
    assert isinstance(there, Snapshot)
    assert there == snapshot
    assert there.content(root / "train.py") == b"2\n"
