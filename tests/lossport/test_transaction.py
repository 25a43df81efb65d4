"""All or nothing, for every way out: errors, Ctrl-C, SIGKILL at any point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lossport import transaction
from lossport.errors import InputError
from lossport.transaction import Change, commit, locked, read_or_none, read_undo_record, recover, undo_record


def snapshot(root: Path) -> dict[str, bytes]:
    files = (p for p in root.rglob("*") if p.is_file() and ".lossport" not in p.parts)
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_bytes(b"a\r\n")
    (tmp_path / "b.py").write_bytes(b"b\n")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "c.py").write_bytes(b"c\n")
    return tmp_path


def changes(tree: Path) -> list[Change]:
    return [
        Change(tree / "a.py", b"a\r\n", b"A\r\n"),
        Change(tree / "new" / "deep" / "d.py", None, b"d\n"),
        Change(tree / "b.py", b"b\n", b"B\n"),
        Change(tree / "old" / "c.py", b"c\n", None),
    ]


def test_all_changes_are_made(tree: Path) -> None:
    commit(tree, tree / ".lossport", changes(tree))
    assert snapshot(tree) == {"a.py": b"A\r\n", "b.py": b"B\n", "new/deep/d.py": b"d\n"}
    assert not (tree / ".lossport" / "journal.json").exists()


def test_file_modes_are_kept(tree: Path) -> None:
    (tree / "a.py").chmod(0o755)
    commit(tree, tree / ".lossport", changes(tree))
    assert (tree / "a.py").stat().st_mode & 0o777 == 0o755


def test_a_file_that_changed_meanwhile_stops_everything(tree: Path) -> None:
    todo = changes(tree)
    (tree / "b.py").write_bytes(b"edited by hand\n")
    before = snapshot(tree)
    with pytest.raises(InputError, match=r"b\.py: changed while"):
        commit(tree, tree / ".lossport", todo)
    assert snapshot(tree) == before


@pytest.mark.parametrize("path", ["../outside.py", "old/../../outside.py"])
def test_nothing_outside_the_root_is_written(tree: Path, path: str) -> None:
    root = tree / "old"
    with pytest.raises(InputError, match="lies outside"):
        commit(root, root / ".lossport", [Change(root / path, None, b"x")])


def test_links_are_refused(tree: Path) -> None:
    (tree / "link.py").symlink_to(tree / "a.py")
    with pytest.raises(InputError, match="symbolic link"):
        commit(tree, tree / ".lossport", [Change(tree / "link.py", b"a\r\n", b"x")])


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", range(1, 4))
def test_an_error_at_any_rename_rolls_back(tree: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, call: int) -> None:
    before, real, seen = snapshot(tree), os.replace, 0

    def failing(source: Path, target: Path) -> None:
        nonlocal seen
        if ".lossport" not in Path(target).parts:
            seen += 1
            if seen == call:
                raise error
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(type(error)):
        commit(tree, tree / ".lossport", changes(tree))
    assert seen >= call
    assert snapshot(tree) == before
    assert not (tree / "new").exists()


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from lossport import transaction
    from lossport.transaction import Change, commit
    root, deadline = Path(sys.argv[1]), int(sys.argv[2])
    count = 0
    def counted(real):
        def call(*args, **kwargs):
            global count
            count += 1
            if count == deadline:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        return call
    for name in ("replace", "fsync", "chmod"):
        setattr(transaction.os, name, counted(getattr(os, name)))
    Path.unlink = counted(Path.unlink)
    Path.mkdir = counted(Path.mkdir)
    commit(root, root / ".lossport", [
        Change(root / "a.py", b"a\\r\\n", b"A\\r\\n"),
        Change(root / "new" / "deep" / "d.py", None, b"d\\n"),
        Change(root / "b.py", b"b\\n", b"B\\n"),
        Change(root / "old" / "c.py", b"c\\n", None),
    ])
"""


def test_a_process_killed_at_any_point_leaves_the_tree_as_before_or_as_after(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(textwrap.dedent(KILLED))
    outcomes = set()
    for deadline in range(1, 200):
        root = tmp_path / str(deadline)
        (root / "old").mkdir(parents=True)
        (root / "a.py").write_bytes(b"a\r\n")
        (root / "b.py").write_bytes(b"b\n")
        (root / "old" / "c.py").write_bytes(b"c\n")
        before = snapshot(root)
        done = subprocess.run([sys.executable, script, root, str(deadline)], check=False)
        recover(root, root / ".lossport")
        after = {"a.py": b"A\r\n", "b.py": b"B\n", "new/deep/d.py": b"d\n"}
        assert snapshot(root) in (before, after), deadline
        outcomes.add("before" if snapshot(root) == before else "after")
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert done.returncode == 0
    assert deadline > 15, "every step of the transaction was a kill point"
    assert outcomes == {"before", "after"}


def test_recovery_refuses_to_overwrite_an_edit_made_since(tree: Path) -> None:
    transaction._write_journal(tree, tree / ".lossport", changes(tree))
    (tree / "a.py").write_bytes(b"A\r\n")
    (tree / "b.py").write_bytes(b"edited by hand\n")
    with pytest.raises(InputError, match=r"b\.py: changed since a migration was interrupted"):
        recover(tree, tree / ".lossport")
    assert (tree / "b.py").read_bytes() == b"edited by hand\n"


def test_undo_takes_everything_back(tree: Path) -> None:
    before, record = snapshot(tree), tree / ".lossport" / "undo.json"
    commit(tree, tree / ".lossport", changes(tree))
    record.write_bytes(undo_record(tree, changes(tree)))
    commit(tree, tree / ".lossport", read_undo_record(tree, record))
    assert snapshot(tree) == before


def test_undo_names_the_files_that_changed_since(tree: Path) -> None:
    record = tree / ".lossport" / "undo.json"
    commit(tree, tree / ".lossport", changes(tree))
    record.write_bytes(undo_record(tree, changes(tree)))
    (tree / "a.py").write_bytes(b"mine\n")
    with pytest.raises(InputError, match=r"changed since the migration: a\.py"):
        read_undo_record(tree, record)


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1}', b'{"format": 9, "files": []}'])
def test_a_damaged_undo_record_is_one_clear_message(tree: Path, content: bytes) -> None:
    record = tree / "undo.json"
    record.write_bytes(content)
    with pytest.raises(InputError, match="with git instead"):
        read_undo_record(tree, record)


def test_a_second_process_is_told_to_wait(tree: Path) -> None:
    program = (
        "from lossport.transaction import locked; from pathlib import Path; import sys\nwith locked(Path(sys.argv[1])): pass"
    )
    with locked(tree / ".lossport"):
        second = subprocess.run([sys.executable, "-c", program, tree / ".lossport"], capture_output=True, text=True, check=False)
    assert "another lossport is at work" in second.stderr
    assert subprocess.run([sys.executable, "-c", program, tree / ".lossport"], check=False).returncode == 0


def test_a_file_that_is_not_there_has_no_bytes(tree: Path) -> None:
    assert read_or_none(tree / "nothing") is None
