"""The rehearsal: what the project's tests say about an edit, in an environment that tests the copy, without touching the tree."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from lossport.migrate.copies import LARGE, copied
from lossport.migrate.trial import Trial, rehearse
from lossport.project.config import ConfigError
from lossport.project.errors import InputError
from lossport.project.transaction import Change

from .conftest import Small, told

FILES = {
    "app/__init__.py": "",
    "app/metric.py": "def half(x):\n    return x // 2\n",
    "tests/test_direct.py": "from app.metric import half\n\n\ndef test_half():\n    assert half(4) == 2\n",
    "pyproject.toml": '[tool.lossport]\ntest-command = ["python", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]\n',
}


@pytest.fixture
def tree(tmp_path: Path) -> Small:
    made = Small(tmp_path / "tree")
    for name, text in FILES.items():
        made.write(name, text)
    made.git("init", "-q", "-b", "main")
    made.commit()
    return made


def tried(tree: Small, body: str | None = "return x / 2", *tests: str) -> Trial:
    metric = tree.root / "app" / "metric.py"
    before = metric.read_bytes()
    change = Change(metric, before, None if body is None else f"def half(x):\n    {body}\n".encode())
    trial = rehearse(tree.project, [change], [tree.root / name for name in tests or ["tests/test_direct.py"]])
    assert metric.read_bytes() == before
    return trial


@pytest.mark.parametrize(("body", "passed"), [("return x / 2", True), ("return x", False)])
def test_the_edits_are_tried_on_a_copy(tree: Small, body: str, passed: bool) -> None:
    trial = tried(tree, body)
    assert trial.passed is passed
    assert trial.tests == ("tests/test_direct.py",)
    assert ("assert half(4) == 2" in trial.tail) is not passed
    assert ("they pass without the migration" in trial.reason) is not passed


def test_a_deleted_module_is_gone_in_the_copy(tree: Small) -> None:
    trial = tried(tree, None)
    assert not trial.passed
    assert "No module named 'app.metric'" in trial.output


def test_without_a_test_nothing_runs(tree: Small) -> None:
    assert rehearse(tree.project, [], []).passed


def test_failures_of_before_are_told_and_do_not_block(tree: Small) -> None:
    tree.write("tests/test_broken.py", "def test_always():\n    assert False\n\n\ndef test_fine():\n    pass\n")
    trial = tried(tree, "return x / 2", "tests/test_broken.py", "tests/test_direct.py")
    assert trial.passed
    assert trial.about_known() == ["these fail without the migration too (1):", "    tests.test_broken::test_always"]


def test_a_new_failure_behind_an_old_one_blocks(tree: Small) -> None:
    tree.write("tests/test_broken.py", "def test_always():\n    assert False\n")
    trial = tried(tree, "return x", "tests/test_broken.py", "tests/test_direct.py")
    assert not trial.passed
    assert trial.reason == "they pass without the migration: tests.test_direct::test_half"
    assert "tests.test_broken::test_always" in trial.about_known()[1]


def test_a_command_that_does_not_say_which_tests_fail_blocks(tree: Small) -> None:
    tree.write("pyproject.toml", '[tool.lossport]\ntest-command = ["sh", "-c", "exit 1"]\n')
    trial = tried(tree)
    assert not trial.passed
    assert "they fail without the migration too, and do not say which tests; mend them first" in trial.reason


def test_a_test_that_hangs_is_ended_with_all_that_it_started(tree: Small, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    sleeper = f"(sleep 4; touch {mark}) & sleep 60"
    tree.write("pyproject.toml", f'[tool.lossport]\ntest-command = ["sh", "-c", "{sleeper}"]\ntest-seconds = 1\n')
    trial = tried(tree)
    assert not trial.passed
    assert trial.reason == "still running after 1 s and ended; test-seconds in [tool.lossport] allows more"
    time.sleep(4)
    assert not mark.exists()


def test_tests_that_are_killed_are_told_apart(tree: Small) -> None:
    tree.write("pyproject.toml", '[tool.lossport]\ntest-command = ["sh", "-c", "kill -9 $$"]\n')
    assert tried(tree).reason == "ended by signal 9"


def test_a_command_that_cannot_be_run_is_one_clear_message(tree: Small) -> None:
    tree.write("pyproject.toml", '[tool.lossport]\ntest-command = ["no-such-program"]\n')
    with pytest.raises(InputError, match="test-command: no-such-program cannot be run: No such file"):
        tried(tree)


def test_an_empty_command_is_a_configuration_error(tree: Small) -> None:
    tree.write("pyproject.toml", "[tool.lossport]\ntest-command = []\n")
    with pytest.raises(ConfigError, match=r"test-command: expected a list of at least one string, found \[\]"):
        _ = tree.project


def test_an_interpreter_of_the_project_is_found_from_the_copy(tree: Small) -> None:
    tree.write(".gitignore", "env/\n")
    (tree.root / "env").mkdir()
    (tree.root / "env/python").symlink_to(sys.executable)
    tree.write("pyproject.toml", '[tool.lossport]\ntest-command = ["env/python", "-m", "py_compile"]\n')
    assert tried(tree).passed


def finder(tree: Small) -> Path:
    """A start-up module whose finder comes before the path, as editable installs of compiled packages have."""
    return tree.write(
        "../site/sitecustomize.py",
        f"""
        import importlib.util
        import sys


        class First:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "app.metric":
                    return importlib.util.spec_from_file_location(name, {str(tree.root / "app/metric.py")!r})
                return None


        sys.meta_path.insert(0, First)
        """,
    ).parent


def test_a_finder_that_leads_to_the_original_stops_before_the_tests(tree: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(finder(tree)))
    with pytest.raises(InputError, match=r"app\.metric: would be tested as .*/tree/app/metric\.py, and not as the copy"):
        tried(tree, "return x")
    with pytest.raises(InputError, match=r"app\.metric: deleted, but would still be found as .*/tree/app/metric\.py"):
        tried(tree, None)


def test_a_path_that_leads_to_the_original_leads_to_the_copy(tree: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tree.root))
    assert not tried(tree, "return x").passed


def test_a_namespace_package_that_goes_on_elsewhere_stops(tree: Small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tree.root / "app/__init__.py").unlink()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/app").symlink_to(tree.root / "app")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    with pytest.raises(InputError, match=r"app\.metric: deleted, but would still be found"):
        tried(tree, None)


def test_what_git_ignores_beside_sources_is_copied_and_environments_are_not(tree: Small) -> None:
    tree.write(".gitignore", "_version.py\n*.so\nenv/\nbuild/\ndata/\n")
    for name in ("app/_version.py", "app/fast.so", "env/lib/x.py", "build/lib/y.py", "data/small.txt", "data/more/deep.txt"):
        tree.write(name, "x = 1\n")
    tree.write("untracked_env/pyvenv.cfg", "")
    tree.write("untracked_env/lib/z.py", "")
    tree.write("pyproject.toml", '[tool.lossport]\ntest-files = ["data"]\n')
    with copied(tree.project, []) as copy:
        there = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert {"app/_version.py", "app/fast.so", "data/small.txt", "data/more/deep.txt", "app/metric.py"} <= there
    assert not any(name.startswith(("env/", "build/", "untracked_env/", ".git/")) for name in there)


def test_linked_folders_stay_links(tree: Small, tmp_path: Path) -> None:
    tree.write("../outside/text.txt", "there\n")
    (tree.root / "linked").symlink_to(tmp_path / "outside")
    (tree.root / "inner").symlink_to("app")
    with copied(tree.project, []) as copy:
        assert (copy / "linked/text.txt").read_text() == "there\n"
        assert (copy / "inner/metric.py").resolve() == copy / "app/metric.py"


def test_large_files_are_not_copied(tree: Small) -> None:
    large = tree.root / "weights.bin"
    large.write_bytes(bytes(LARGE))
    with copied(tree.project, [Change(large, b"", b"small")]) as copy:
        assert (copy / "weights.bin").read_bytes() == b"small"
    assert large.stat().st_size == LARGE
    with copied(tree.project, []) as copy:
        assert (copy / "weights.bin").samefile(large)


def test_a_temporary_folder_that_takes_nothing_is_one_clear_message(tree: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nothing")
    with pytest.raises(InputError, match=r"/proc/nothing: no copy of the tree .* set TMPDIR to another folder"):
        tried(tree)


def test_copies_of_killed_processes_are_removed(tree: Small) -> None:
    left = Path(tempfile.gettempdir()) / "lossport-trial-999999999-left"
    left.mkdir(exist_ok=True)
    mine = Path(tempfile.gettempdir()) / f"lossport-trial-{os.getppid()}-running"
    mine.mkdir(exist_ok=True)
    try:
        with copied(tree.project, []):
            assert not left.exists()
            assert mine.exists()
    finally:
        mine.rmdir()


def test_a_migration_that_no_test_touches_stops_unless_told(small: Small) -> None:
    small.write("tests/test_app.py", "def test_nothing():\n    pass\n")
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "stopped"
    assert "no test in tests touches them: nothing was tried" in told(outcome)
    outcome = small.migrate(without_tests=True)
    assert outcome.result == "migrated"
    assert "WARNING: 1 file rewritten; no test in tests touches them" in told(outcome)


def test_the_configuration_may_say_that_tests_are_not_required(small: Small) -> None:
    small.write("tests/test_app.py", "def test_nothing():\n    pass\n")
    small.write("pyproject.toml", small.read("pyproject.toml") + "require-tests = false\n")
    small.commit()
    assert small.migrate().result == "migrated"


def test_a_folder_of_tests_that_is_not_there_is_said(small: Small) -> None:
    small.write("pyproject.toml", small.read("pyproject.toml") + 'tests = ["tset"]\n')
    small.commit()
    assert "no test in tset (no such folder) touches them" in told(small.migrate())


def test_where_nothing_is_rewritten_no_test_is_required(small: Small) -> None:
    small.write("app.py", "def run():\n    return 1.5\n")
    small.commit()
    outcome = small.migrate()
    assert outcome.result == "migrated"
    assert "WARNING: 0 files rewritten; no test in tests touches them: nothing was tried" in told(outcome)
