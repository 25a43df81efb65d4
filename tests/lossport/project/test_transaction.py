"""All or nothing, for every way out: errors, Ctrl-C, SIGKILL at any point."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lossport.project import journal, transaction
from lossport.project.errors import InputError
from lossport.project.journal import read_or_none
from lossport.project.transaction import Change, commit, locked, read_undo_record, recover, undo_record


def snapshot(root: Path) -> dict[str, bytes]:
    files = (p for p in root.rglob("*") if p.is_file() and ".lossport" not in p.parts)
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    planted(tmp_path)
    return tmp_path


def planted(root: Path) -> dict[str, bytes]:
    """The files that the killed processes change, in a folder of their own."""
    (root / "old").mkdir(parents=True)
    (root / "a.py").write_bytes(b"a\r\n")
    (root / "b.py").write_bytes(b"b\n")
    (root / "old" / "c.py").write_bytes(b"c\n")
    return snapshot(root)


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
    from lossport.project import transaction
    from lossport.project.transaction import Change, commit
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
        before = planted(root)
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


def interrupted(tree: Path) -> Path:
    """A journal, as a process leaves it that was killed before it touched the tree."""
    transaction._write_journal(tree, tree / ".lossport", changes(tree))
    return tree / ".lossport" / "journal.json"


def test_recovery_refuses_to_overwrite_an_edit_made_since(tree: Path) -> None:
    interrupted(tree)
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
        "from lossport.project.transaction import locked; from pathlib import Path; import sys\n"
        "with locked(Path(sys.argv[1])): pass"
    )
    with locked(tree / ".lossport"):
        second = subprocess.run([sys.executable, "-c", program, tree / ".lossport"], capture_output=True, text=True, check=False)
    assert "another lossport is at work" in second.stderr
    assert subprocess.run([sys.executable, "-c", program, tree / ".lossport"], check=False).returncode == 0


def test_a_file_that_is_not_there_has_no_bytes(tree: Path) -> None:
    assert read_or_none(tree / "nothing") is None


def test_a_file_saved_by_an_editor_meanwhile_is_not_overwritten(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = snapshot(tree), journal.write_flushed

    def saving(path: Path, content: bytes) -> None:
        real(path, content)
        if path.name == "2.new":
            (tree / "b.py").write_bytes(b"saved by an editor\n")

    monkeypatch.setattr(journal, "write_flushed", saving)
    with pytest.raises(InputError, match=r"b\.py: changed while"):
        commit(tree, tree / ".lossport", changes(tree))
    assert snapshot(tree) == {**before, "b.py": b"saved by an editor\n"}


def test_a_recovery_that_is_killed_at_any_point_is_taken_up_by_the_next(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(textwrap.dedent(KILLED))
    recovery = tmp_path / "recovery.py"
    start, _, _ = textwrap.dedent(KILLED).partition("commit(root")
    recovery.write_text(f"{start}transaction.recover(root, root / '.lossport')\n")
    for deadline in range(1, 100):
        root = tmp_path / str(deadline)
        before = planted(root)
        stage = 24  # between the renames and the deletion: some files are new, some are old
        assert subprocess.run([sys.executable, script, root, str(stage)], check=False).returncode == -signal.SIGKILL
        assert snapshot(root) != before
        done = subprocess.run([sys.executable, recovery, root, str(deadline)], check=False)
        recover(root, root / ".lossport")
        assert snapshot(root) == before, deadline
        if done.returncode == 0:
            break
    assert done.returncode == 0
    assert deadline > 3, "every step of the recovery was a kill point"


@pytest.mark.full(reason="kills processes again and again; every single kill point is tried in each run")
@pytest.mark.slow
def test_a_process_killed_at_a_random_moment_leaves_the_tree_as_before_or_as_after(tmp_path: Path) -> None:
    moments = random.Random(6)
    script = tmp_path / "killed.py"
    script.write_text(textwrap.dedent(KILLED).replace("commit(root", "print('begin', flush=True)\ncommit(root"))
    outcomes = set()
    for number in range(40):
        root = tmp_path / str(number)
        before = planted(root)
        with subprocess.Popen([sys.executable, script, root, "-1"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moments.uniform(0, 0.03))
            process.kill()
        recover(root, root / ".lossport")
        after = {"a.py": b"A\r\n", "b.py": b"B\n", "new/deep/d.py": b"d\n"}
        assert snapshot(root) in (before, after)
        outcomes.add("before" if snapshot(root) == before else "after")
    assert outcomes


FULL = """
    import resource, sys
    from pathlib import Path
    from lossport.project.errors import InputError
    from lossport.project.transaction import Change, commit
    root, most = Path(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        commit(root, root / ".lossport", [
            Change(root / "a.py", b"a\\r\\n", b"A" * 3000),
            Change(root / "new" / "deep" / "d.py", None, b"d" * 9000),
            Change(root / "old" / "c.py", b"c\\n", None),
        ])
    except InputError as error:
        print(error)
        sys.exit(2)
"""


@pytest.mark.parametrize(("most", "place"), [(10, "journal"), (2000, "a.py"), (5000, "d.py")])
def test_a_disk_that_takes_no_more_leaves_everything_as_it_was(tree: Path, tmp_path: Path, most: int, place: str) -> None:
    script = tmp_path.parent / f"full{most}.py"
    script.write_text(textwrap.dedent(FULL))
    before = snapshot(tree)
    done = subprocess.run([sys.executable, script, tree, str(most)], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stdout
    assert "everything is as it was" in done.stdout
    assert snapshot(tree) == before
    assert not (tree / "new").exists()
    assert not (tree / ".lossport" / "journal.json").exists(), place
    commit(tree, tree / ".lossport", changes(tree))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_cannot_be_written_is_one_clear_message(tree: Path) -> None:
    before = snapshot(tree)
    (tree / "old").chmod(0o555)
    try:
        with pytest.raises(InputError, match="cannot be written"):
            commit(tree, tree / ".lossport", [Change(tree / "old" / "c.py", b"c\n", b"C\n")])
    finally:
        (tree / "old").chmod(0o755)
    assert snapshot(tree) == before


def test_a_read_only_file_is_rewritten_and_stays_read_only(tree: Path) -> None:
    (tree / "a.py").chmod(0o444)
    commit(tree, tree / ".lossport", changes(tree))
    assert (tree / "a.py").read_bytes() == b"A\r\n"
    assert (tree / "a.py").stat().st_mode & 0o777 == 0o444


def test_a_folder_that_is_a_link_out_of_the_project_is_refused(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "x.py").write_bytes(b"x\n")
    (tree / "linked").symlink_to(elsewhere)
    with pytest.raises(InputError, match="lies outside"):
        commit(tree, tree / ".lossport", [Change(tree / "linked" / "x.py", b"x\n", b"X\n")])
    assert (elsewhere / "x.py").read_bytes() == b"x\n"


def refuse_recovery(tree: Path, told: str) -> None:
    before = snapshot(tree)
    with pytest.raises(InputError, match=told):
        recover(tree, tree / ".lossport")
    assert snapshot(tree) == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"a.py"', '"../OUTSIDE"', "lies outside the project"),
        ('"a.py"', '"/etc/passwd"', "lies outside the project"),
        ('"new"', '"../new"', "lies outside the project"),
        ('"a.py"', "3", "damaged"),
        ('"mode": ', '"mode": 12345', "damaged"),
        ('"before": "', '"before": "00', "is no digest"),
        ('"format": 2', '"format": 1', "another version"),
        ("{", "", "damaged"),
        ('"files": [', '"files": [[], ', "damaged"),
    ],
)
def test_a_journal_is_checked_before_it_is_believed(tree: Path, old: str, new: str, told: str) -> None:
    file = interrupted(tree)
    text = file.read_text()
    assert old in text
    (tree / "a.py").write_bytes(b"A\r\n")
    file.write_text(text.replace(old, new, 1))
    refuse_recovery(tree, told)


def test_a_torn_content_is_not_put_back(tree: Path) -> None:
    interrupted(tree)
    (tree / "a.py").write_bytes(b"A\r\n")
    (tree / ".lossport/journal/0.old").write_bytes(b"")
    refuse_recovery(tree, r"0\.old: damaged, so that a\.py cannot be put back")


def test_a_commit_made_since_is_not_reverted(tree: Path) -> None:
    def git(*args: str) -> None:
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *args], cwd=tree, check=True, capture_output=True)

    git("init", "-q")
    git("commit", "-qm", "start", "--allow-empty")
    file = interrupted(tree)
    (tree / "a.py").write_bytes(b"A\r\n")
    git("add", "-A")
    git("commit", "-qm", "mine")
    refuse_recovery(tree, "another commit is checked out than when a lossport command was cut short here")
    file.unlink()
    assert recover(tree, tree / ".lossport") == []


@pytest.mark.parametrize("number", transaction.SIGNALS)
def test_a_signal_waits_until_the_transaction_is_over(tree: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def interrupt(got: int, frame: object) -> None:
        raise KeyboardInterrupt

    real, before = os.replace, signal.signal(number, interrupt)

    def replace(source: Path, target: Path) -> None:
        signal.raise_signal(number)
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    try:
        with pytest.raises(transaction.CommittedThenInterrupted):
            commit(tree, tree / ".lossport", changes(tree))
    finally:
        signal.signal(number, before)
    assert snapshot(tree) == {"a.py": b"A\r\n", "b.py": b"B\n", "new/deep/d.py": b"d\n"}
    assert recover(tree, tree / ".lossport") == []


def test_nothing_is_ever_written_beside_sources(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        seen.update(snapshot(tree))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    commit(tree, tree / ".lossport", changes(tree))
    assert seen <= {"a.py", "b.py", "old/c.py", "new/deep/d.py"}


def test_a_journal_that_cannot_be_removed_takes_everything_back(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real, times = snapshot(tree), Path.unlink, 0

    def unlink(path: Path, missing_ok: bool = False) -> None:
        nonlocal times
        times += path.name == "journal.json"
        if path.name == "journal.json" and times == 1:
            raise OSError(5, "Input/output error", str(path))
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(InputError, match=r"journal\.json: cannot be written .*everything is as it was"):
        commit(tree, tree / ".lossport", changes(tree))
    assert snapshot(tree) == before
