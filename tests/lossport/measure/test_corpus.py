"""A set of files measured together, the unreadable ones among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossport.measure import measure_bytes, measure_corpus
from lossport.measure.cache import Memory, blob_id, measure_files
from lossport.measure.sources import read_sources

GOOD = '"""A module."""\n\n\nclass Base:\n    def f(self, x):\n        return x if x else 1\n\n\nclass Child(Base):\n    pass\n'


def test_a_corpus_adds_up_its_files() -> None:
    corpus = measure_corpus({"a.py": GOOD, "b.py": "x = 1\n"})
    assert (corpus.total, corpus.source, corpus.depth) == (11, 6, 1)
    assert corpus.worst is not None
    assert (corpus.worst[0], corpus.worst[1].name, corpus.worst[1].complexity) == ("a.py", "Base.f", 2)
    assert corpus.maintainability["a.py"] is not None
    assert not corpus.problems


def test_nothing_measures_nothing() -> None:
    corpus = measure_corpus({})
    assert (corpus.total, corpus.source, corpus.depth, corpus.worst, corpus.duplication.percent) == (0, 0, 0, None, 0.0)


@pytest.mark.parametrize(
    ("text", "total"),
    [("", 0), ("x = 1", 1), ("x = 1\n", 1), ("x = 1\n\n", 2), ("x = 1\r\ny = 2\r\n", 2), ("s = '\x0c'\n", 1)],
)
def test_lines_are_counted_as_an_editor_does(text: str, total: int) -> None:
    assert measure_bytes(text.encode()).total == total


@pytest.mark.parametrize(
    "data",
    [
        b"def f(:\n    pass\n",
        b"print 'two'\n",
        b"x = (1,\n",
        b"\xff\xfe\x00broken",
        b"# -*- coding: no-such-thing -*-\nx = 1\n",
        "# -*- coding: ascii -*-\nx = 'é'\n".encode(),
        b"x = 1\0\n",
        b"if a:\n        b\n    c\n",
        b"\t x = 1\n  y = 2\n",
        b"x = " + b"(" * 500 + b")" * 500 + b"\n",
        b"x = " + b"-" * 100_000 + b"1\n",
        b"<<<<<<< ours\nx = 1\n=======\nx = 2\n>>>>>>> theirs\n",
    ],
)
def test_a_file_that_cannot_be_read_is_a_row_with_its_reason_and_keeps_its_lines(data: bytes) -> None:
    file = measure_bytes(data)
    assert file.problem is not None
    assert file.problem.line >= 1
    assert file.problem.reason
    assert file.total == data.count(b"\n") + (not data.endswith(b"\n"))


@pytest.mark.parametrize(
    "data",
    [
        "\N{ZERO WIDTH NO-BREAK SPACE}x = 'é'\n".encode(),
        "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
        b"x = 1\r\ny = '\\d'\r\n",
        b"x = 1\ry = 2\r",
    ],
)
def test_byte_order_marks_other_encodings_and_line_ends_are_read(data: bytes) -> None:
    file = measure_bytes(data)
    assert file.problem is None
    assert file.source >= 1


def test_one_broken_file_does_not_hide_the_others() -> None:
    corpus = measure_corpus({"a.py": GOOD, "b.py": "def ("})
    assert list(corpus.problems) == ["b.py"]
    assert corpus.files["a.py"].worst == 2


def test_measured_code_does_not_warn_the_one_who_measures(recwarn: pytest.WarningsRecorder) -> None:
    measure_corpus({"a.py": "x = '\\d'\nassert (1, 'always true')\n"})
    assert not recwarn.list


def test_a_memory_gives_back_what_was_measured(tmp_path: Path) -> None:
    contents = {"a.py": GOOD.encode(), "b.py": (GOOD + GOOD).encode(), "c.py": b"def (", "d.py": b"\xff"}
    first = Memory(tmp_path)
    measured = measure_files(contents, first)
    first.save()
    again = measure_files(contents, Memory(tmp_path))
    assert again == measured
    texts = {path: data.decode() for path, data in contents.items() if path != "d.py"}
    fresh = measure_corpus(texts)
    assert {path: file.functions for path, file in fresh.files.items()} == {
        path: measured.files[path].functions for path in texts
    }
    assert fresh.duplication.lines == {path: measured.duplication.lines[path] for path in texts}
    assert fresh.exact.count == measured.exact.count


def test_a_damaged_memory_costs_time_and_nothing_else(tmp_path: Path) -> None:
    contents = {"a.py": GOOD.encode()}
    memory = Memory(tmp_path)
    expected = measure_files(contents, memory)
    memory.save()
    (file,) = tmp_path.glob("[!.]*")  # beside what keeps it out of git
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"half a li\n\xff\n[1]\n{}\n" + b"".join(lines)[:-30])
    memory = Memory(tmp_path)
    assert measure_files(contents, memory) == expected
    memory.save()
    assert measure_files(contents, Memory(tmp_path)) == expected


def test_a_memory_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = Memory(tmp_path / "file" / "cache")
    assert measure_files({"a.py": GOOD.encode()}, memory).total == 10
    memory.save()


def test_a_memory_that_grew_too_large_keeps_what_was_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(tmp_path)
    measure_files({"old.py": b"old = 1\n"}, memory)
    memory.save()
    monkeypatch.setattr("lossport.measure.cache.MAX_BYTES", 10)
    memory = Memory(tmp_path)
    measure_files({"new.py": b"new = 1\n"}, memory)
    memory.save()
    (file,) = tmp_path.glob("[!.]*")  # beside what keeps it out of git
    assert blob_id(b"new = 1\n") in file.read_text()
    assert blob_id(b"old = 1\n") not in file.read_text()


def test_sources_are_the_python_files_of_a_folder_and_never_what_lies_outside(tmp_path: Path) -> None:
    (tmp_path / "kit" / "__pycache__").mkdir(parents=True)
    (tmp_path / "kit" / ".hidden").mkdir()
    (tmp_path / "outside").mkdir()
    for name in ("kit/b.py", "kit/a.py", "kit/notes.txt", "kit/__pycache__/a.py", "kit/.hidden/a.py", "outside/secret.py"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "kit" / "link.py").symlink_to(tmp_path / "outside" / "secret.py")
    (tmp_path / "kit" / "linked").symlink_to(tmp_path / "outside")
    assert list(read_sources(tmp_path, tmp_path / "kit")) == ["kit/a.py", "kit/b.py"]
    assert read_sources(tmp_path, tmp_path / "nowhere") == {}
