"""History read from real repositories: what each commit measured, and everything that makes history hard to read."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from pathlib import Path

import pytest

from lossport.measure import measure_corpus
from lossport.measure.cache import Memory
from lossport.measure.git import BlobReader
from lossport.measure.history import History, read_history

DAY = 86_400
START = 1_790_000_000
LOSS = "class Alpha:\n    def forward(self, a, b):\n        if a > b:\n            return a\n        return b\n"
OTHER = "import math\n\n\ndef beta(x, scale):\n    # note\n    total = math.sqrt(x) * scale\n    return [total, scale]\n"
COPIED = "".join(f"def f{n}(a, b):\n    if a > b:\n        return a + {n}\n    return b * a - {n}\n\n" for n in range(6))


class Repository:
    """A repository on disk whose commits are a day apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.days = 0
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        date = f"{START + self.days * DAY} +0000"
        who = {f"GIT_{role}_{what}": "someone@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "GIT_COMMITTER_DATE": date,
            "GIT_AUTHOR_DATE": date,
            **who,
        }
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, message: str = "change", **files: str | bytes | None) -> str:
        """Write files (`a__b` is `a/b.py`), delete those that are None, and commit everything."""
        for name, content in files.items():
            path = self.folder / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.days += 1
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def history(self, cache: Path | None = None) -> History:
        memory = Memory(cache)
        found = read_history(self.folder, "old", "kit", memory, 2000)
        memory.save()
        return found


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


def test_every_commit_that_touched_a_tree_is_a_moment_with_what_it_measured(repository: Repository) -> None:
    first = repository.commit(old__a=LOSS, old__b=OTHER)
    repository.commit("nothing here", README="text")
    second = repository.commit(kit__a=LOSS)
    history = repository.history()
    assert [moment.commit for moment in history.moments] == [first, second]
    assert [(m.legacy.files, m.legacy.lines, m.legacy.source, m.new.files, m.new.lines) for m in history.moments] == [
        (2, 12, 9, 0, 0),
        (2, 12, 9, 1, 5),
    ]
    assert history.moments[0].new.score is None
    assert history.moments[1].new.score == pytest.approx(10)
    assert [moment.at.timestamp() for moment in history.moments] == [START + DAY, START + 3 * DAY]
    assert history.notes == ()


def test_history_says_what_measuring_each_checkout_says(repository: Repository) -> None:
    contents = [LOSS, OTHER, COPIED, COPIED.replace("a", "x"), LOSS + COPIED, "def (", ""]
    for number, content in enumerate(contents * 3):
        name = f"old__f{number % 4}"
        repository.commit(**{name: content + f"# {number}\n"})
    for moment in repository.history().moments:
        tree = repository.git("ls-tree", "-r", "--name-only", moment.commit, "old").splitlines()
        corpus = measure_corpus({path: repository.git("show", f"{moment.commit}:{path}") + "\n" for path in tree})
        measured = (corpus.total, corpus.source, corpus.duplication.count, corpus.worst[1].complexity if corpus.worst else 0)
        assert (moment.legacy.lines, moment.legacy.source, moment.legacy.duplicated, moment.legacy.complexity) == measured


def test_a_deleted_file_is_a_removal_with_its_commit_and_its_last_lines(repository: Repository) -> None:
    repository.commit(old__a=LOSS, old__b=OTHER)
    repository.commit(old__a=LOSS + "x = 1\n")
    gone = repository.commit(old__a=None, kit__c="y = 2\n")
    (removal,) = repository.history().removals
    assert (removal.path, removal.commit, removal.lines) == ("old/a.py", gone, 6)
    assert repository.history().last_lines == {"old/a.py": 6, "old/b.py": 7}


def test_a_successor_so_like_its_file_that_git_calls_it_moved_is_a_removal_too(repository: Repository) -> None:
    repository.commit(old__a=LOSS)
    repository.commit(old__a=None, kit__a=LOSS)
    history = repository.history()
    assert [removal.path for removal in history.removals] == ["old/a.py"]
    assert any("old/a.py became kit/a.py" in note for note in history.notes)
    assert (history.moments[-1].legacy.files, history.moments[-1].new.files) == (0, 1)


def test_a_file_renamed_inside_its_tree_is_no_removal_and_is_named(repository: Repository) -> None:
    repository.commit(old__a=LOSS)
    repository.git("mv", "old/a.py", "old/b.py")
    commit = repository.commit()
    history = repository.history()
    assert history.removals == ()
    assert history.notes == (f"old/a.py became old/b.py in {commit[:10]}.",)
    assert history.moments[-1].legacy == history.moments[0].legacy


def test_a_broken_file_is_a_data_point_and_is_named(repository: Repository) -> None:
    repository.commit(old__a=LOSS, old__b=OTHER)
    broken = repository.commit(old__a="def (:\n", old__latin=b"# coding: ascii\nx = '\xe9'\n")
    repository.commit(old__a=LOSS, old__latin=None)
    history = repository.history()
    assert [moment.legacy.lines for moment in history.moments] == [12, 10, 12]
    assert [note.split(",")[0] for note in history.notes] == [
        f"old/a.py could not be read in {broken[:10]}",
        f"old/latin.py could not be read in {broken[:10]}",
    ]


def test_a_merge_counts_as_what_it_brought(repository: Repository) -> None:
    repository.commit(old__a=LOSS, old__b=OTHER)
    repository.git("checkout", "-q", "-b", "side")
    repository.commit(kit__a=LOSS)
    own = repository.commit(old__a=None)
    repository.git("checkout", "-q", "main")
    repository.commit(kit__z="z = 1\n")
    repository.days += 1
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    history = repository.history()
    assert [(moment.legacy.files, moment.new.files) for moment in history.moments] == [(2, 0), (2, 1), (1, 2)]
    assert [removal.commit for removal in history.removals] == [own]
    assert any("1 of 3 commits are merges" in note for note in history.notes)


def test_a_merge_that_changed_a_file_itself_is_seen(repository: Repository) -> None:
    repository.commit(old__a=LOSS)
    repository.git("checkout", "-q", "-b", "side")
    repository.commit(side="x = 1\n")
    repository.git("checkout", "-q", "main")
    repository.commit(main="x = 1\n")
    repository.git("merge", "-q", "--no-ff", "--no-commit", "side")
    (repository.folder / "old" / "a.py").write_text(LOSS + OTHER)
    repository.commit("evil merge")
    assert [moment.legacy.lines for moment in repository.history().moments] == [5, 12]


def test_a_shallow_clone_says_where_it_begins(repository: Repository, tmp_path: Path) -> None:
    for number in range(5):
        repository.commit(old__a=LOSS + f"x = {number}\n" * (number + 1))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth=2", repository.folder.as_uri(), str(clone)], check=True)
    history = read_history(clone, "old", "kit", Memory(), 2000)
    assert [moment.legacy.lines for moment in history.moments] == [9, 10]
    begins = dt.datetime.fromtimestamp(START + 4 * DAY, dt.UTC).date()
    assert f"shallow clone: what came before {begins} is not here" in history.notes[-1]


def test_a_partial_clone_names_what_it_does_not_hold_and_fetches_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit(old__a=LOSS)
    repository.commit(old__a=OTHER)
    repository.commit(old__a=None, old__b=OTHER + "x = 1\n")
    clone = tmp_path / "clone"
    command = ["git", "clone", "-q", "--filter=blob:none", "--no-checkout", repository.folder.as_uri(), str(clone)]
    subprocess.run(command, check=True)
    history = read_history(clone, "old", "kit", Memory(tmp_path / "cache"), 2000)
    assert [moment.legacy.files for moment in history.moments] == [0, 0, 0]
    assert [removal.path for removal in history.removals] == ["old/a.py"]
    assert any("its content is not in this clone" in note for note in history.notes)


def test_no_repository_and_no_commit_are_an_empty_history_with_a_reason(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "plain").mkdir()
    nowhere = read_history(tmp_path / "plain", "old", "kit", Memory(), 2000)
    assert nowhere.moments == ()
    assert "No history" in nowhere.notes[0]
    assert "No commit yet" in repository.history().notes[0]


def test_without_git_there_is_a_reason(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.commit(old__a=LOSS)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "No history" in repository.history().notes[0]


def test_variables_that_git_sets_for_a_hook_lead_nowhere_else(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit(old__a=LOSS)
    Repository(tmp_path / "other").commit(old__a=OTHER)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert [moment.legacy.lines for moment in repository.history().moments] == [5]


def test_a_project_in_a_subfolder_has_the_history_of_that_folder(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "mono")
    repository.commit(app__old__a=LOSS, old__a=OTHER)
    repository.commit(app__old__a=None, old__b=OTHER)
    history = read_history(repository.folder / "app", "old", "kit", Memory(), 2000)
    assert [moment.legacy.lines for moment in history.moments] == [5, 0]
    assert [removal.path for removal in history.removals] == ["old/a.py"]


def test_links_submodules_and_odd_names_are_no_obstacle(repository: Repository) -> None:
    folder = repository.folder / "old"
    folder.mkdir()
    (folder / "link.py").symlink_to("a.py")
    (folder / "naïve name.py").write_text(OTHER)
    (folder / "tab\there.py").write_text(LOSS)
    (folder / "notes.txt").write_text("text")
    repository.commit()
    (moment,) = repository.history().moments
    assert (moment.legacy.files, moment.legacy.lines) == (2, 12)
    assert set(repository.history().last_lines) == {"old/naïve name.py", "old/tab\there.py"}


def test_commits_dated_before_their_parents_do_not_turn_time_back(repository: Repository) -> None:
    repository.days = 10
    repository.commit(old__a=LOSS)
    repository.days = 3
    repository.commit(old__a=OTHER)
    times = [moment.at for moment in repository.history().moments]
    assert times == sorted(times)


def test_the_state_of_a_day_is_that_of_its_last_commit(repository: Repository) -> None:
    first = repository.commit(old__a=LOSS)
    second = repository.commit(old__a=OTHER)
    history = repository.history()
    day = history.moments[0].at.date()
    shown = [history.on(day + dt.timedelta(days=offset)) for offset in (-1, 0, 1, 9)]
    assert [moment and moment.commit for moment in shown] == [None, first, second, second]


def test_the_peak_of_copying_is_remembered_after_it_thinned_out(repository: Repository) -> None:
    repository.commit(old__a=COPIED, old__b=COPIED)
    repository.commit(old__b=None)
    history = repository.history()
    assert history.peak_shared == {("old/a.py", "old/b.py"): 24, ("old/b.py", "old/a.py"): 24}
    assert history.peak_at == history.moments[0].at


def test_reading_touches_neither_work_tree_nor_index(repository: Repository) -> None:
    repository.commit(old__a=LOSS)
    (repository.folder / "old" / "a.py").write_text("dirty\n")
    (repository.folder / "staged.py").write_text("x = 1\n")
    repository.git("add", "staged.py")
    before = repository.git("status", "--porcelain"), (repository.folder / ".git" / "index").read_bytes()
    repository.history()
    assert (repository.git("status", "--porcelain"), (repository.folder / ".git" / "index").read_bytes()) == before


def test_what_was_measured_once_is_never_read_again(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        repository.commit(old__a=LOSS + f"# {number}\n", old__b=COPIED)
    first = repository.history(tmp_path / "cache")
    read: list[str] = []
    original = BlobReader.read

    def watched(self: BlobReader, blob: str) -> bytes | None:
        read.append(blob)
        return original(self, blob)

    monkeypatch.setattr(BlobReader, "read", watched)
    assert repository.history(tmp_path / "cache") == first
    assert read == []
    repository.commit(old__c=OTHER)
    assert len(repository.history(tmp_path / "cache").moments) == 5
    assert len(read) == 1


@pytest.mark.full(reason="makes and measures five hundred commits")
@pytest.mark.slow
def test_five_hundred_commits_take_seconds_once_and_less_than_one_after(repository: Repository, tmp_path: Path) -> None:
    stream = []
    for number in range(1, 501):
        content = (LOSS + COPIED * 4 + f"# {number}\n").encode()
        parent = f"from :{number - 1}\n" if number > 1 else ""
        stream.append(f"commit refs/heads/main\nmark :{number}\ncommitter A <a@b> {START + number} +0000\ndata 1\nx\n{parent}")
        stream.append(f"M 100644 inline old/f{number % 20}.py\ndata {len(content)}\n{content.decode()}\n")
    command = ["git", "-C", str(repository.folder), "fast-import", "--quiet"]
    subprocess.run(command, input="".join(stream).encode(), check=True)

    def seconds() -> float:
        start = time.process_time()
        assert len(repository.history(tmp_path / "cache").moments) == 500
        return time.process_time() - start

    assert seconds() < 40
    assert seconds() < 1


def test_a_renamed_folder_is_the_same_folder(repository: Repository) -> None:
    repository.commit(older__a=LOSS, older__b=OTHER)
    repository.git("mv", "older", "middle")
    repository.commit()
    repository.git("mv", "middle", "old")
    renamed = repository.commit()
    gone = repository.commit(old__a=None)
    history = repository.history()
    assert [moment.legacy.files for moment in history.moments] == [2, 1]
    assert [(removal.path, removal.commit) for removal in history.removals] == [("old/a.py", gone)]
    assert history.formers == {"older": "old", "middle": "old"}
    assert f"middle/ became old/ in {renamed[:10]}; it is one folder here." in history.notes
    assert {path for pair in history.peak_shared for path in pair} <= {"old/a.py", "old/b.py"}


def test_a_file_moved_into_the_new_tree_does_not_make_it_the_legacy_one(repository: Repository) -> None:
    repository.commit(old__a=LOSS, old__b=OTHER)
    (repository.folder / "kit").mkdir()
    repository.git("mv", "old/a.py", "kit/a.py")
    repository.commit()
    history = repository.history()
    assert history.formers == {}
    assert [removal.path for removal in history.removals] == ["old/a.py"]
    assert (history.moments[0].new.files, history.moments[1].new.files) == (0, 1)


def test_a_legacy_folder_may_have_had_the_name_of_the_new_one(repository: Repository) -> None:
    repository.commit(kit__a=LOSS, kit__b=OTHER)
    repository.git("mv", "kit", "old")
    repository.commit()
    repository.commit(kit__c=LOSS)
    moments = repository.history().moments
    assert [(moment.legacy.files, moment.new.files) for moment in moments] == [(2, 0), (2, 1)]


def test_a_merged_removal_names_its_own_commit_and_author(repository: Repository) -> None:
    repository.commit(old__a=LOSS, old__b=OTHER)
    repository.git("checkout", "-q", "-b", "side")
    own = repository.commit("Retire a", old__a=None)
    repository.git("checkout", "-q", "main")
    repository.commit(kit__c=OTHER)
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    (removal,) = repository.history().removals
    assert (removal.commit, removal.subject, removal.author) == (own, "Retire a", "someone@example.org")


def test_lines_of_the_ledger_are_followed_from_the_commit_that_brought_them_to_the_one_that_took_them(
    repository: Repository,
) -> None:
    repository.commit(old__a=LOSS)
    ledger = repository.folder / "ledger.jsonl"
    ledger.write_text("one\n")
    first = repository.commit()
    ledger.write_text("one\ntwo\n")
    second = repository.commit()
    repository.days += 1
    repository.git("revert", "--no-edit", "HEAD")
    history = read_history(repository.folder, "old", "kit", Memory(), 2000, ledger="ledger.jsonl")
    one, two = history.ledger
    assert (one.text, one.brought.commit, one.taken) == ("one", first, None)
    assert (two.text, two.brought.commit) == ("two", second)
    assert two.taken is not None
    assert two.taken.commit == repository.git("rev-parse", "HEAD")
    assert len(history.moments) == 1


def test_moments_count_tokens_which_no_layout_changes(repository: Repository) -> None:
    repository.commit(old__a="x = f(1, 2)\n")
    repository.commit(old__a="x = f(\n    1,\n    2\n)\n")
    one, two = repository.history().moments
    assert one.legacy.tokens == two.legacy.tokens == 8
