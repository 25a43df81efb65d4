"""Which lines are duplicated, by the definition that docs/measures.md gives."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossport.measure import duplication as room
from lossport.measure.duplication import CloneIndex, duplication, exact_duplication
from lossport.measure.tokens import Stream, read_stream

PASSAGE = """\
def scaled(values, limit, weight):
    total = 0.0
    count = 0
    for value in values:
        if value > limit:
            total += value * weight
            count += 1
        elif value < -limit:
            total -= value / weight
    if count == 0:
        return limit
    return total / count + weight
"""
RENAMED = PASSAGE.replace("values", "items").replace("value", "item").replace("limit", "edge").replace("0.0", "7.5")
OTHER = "class Thing:\n    size = 3\n\n    def area(self):\n        return self.size ** 2\n"


def read(texts: Mapping[str, str]) -> dict[str, Stream]:
    return {path: read_stream(text) for path, text in texts.items()}


def test_both_sides_of_a_copy_count() -> None:
    found = duplication(read({"a.py": PASSAGE, "b.py": PASSAGE}))
    assert (found.count, found.percent) == (24, 100.0)
    assert found.shared == {("a.py", "b.py"): 12, ("b.py", "a.py"): 12}


def test_renamed_identifiers_and_changed_literals_do_not_hide_a_copy_but_do_from_the_exact_figure() -> None:
    streams = read({"a.py": PASSAGE, "b.py": RENAMED})
    assert duplication(streams).count == 24
    assert exact_duplication(streams).count == 0
    assert exact_duplication(read({"a.py": PASSAGE, "b.py": PASSAGE})).count == 24


def test_a_line_in_many_copies_counts_once() -> None:
    found = duplication(read({f"{name}.py": PASSAGE for name in "abcde"}))
    assert (found.count, found.percent) == (60, 100.0)


def test_a_copy_in_the_same_file_counts() -> None:
    found = duplication(read({"a.py": PASSAGE + OTHER + RENAMED}))
    assert found.count == 24
    assert found.shared == {}


def test_comments_docstrings_blank_lines_and_layout_neither_hide_a_copy_nor_count() -> None:
    lines = PASSAGE.splitlines()
    dressed = "\n".join([lines[0], '    """Doc."""', "", *(f"{line}  # note" for line in lines[1:])]).replace(
        "values, limit, weight", "\n    values,\n    limit,\n    weight"
    )
    found = duplication(read({"a.py": PASSAGE, "b.py": dressed}))
    assert len(found.lines["a.py"]) == 12
    assert found.lines["b.py"] == read_stream(dressed).source_lines


def test_a_sequence_of_too_few_tokens_is_no_copy() -> None:
    short = "\n".join(f"x{number} = {number}" for number in range(16))  # 48 tokens over 16 lines
    assert duplication(read({"a.py": short + "\nif a: pass", "b.py": "while b: pass\n" + short})).count == 0
    long = "\n".join(f"x{number} = {number}" for number in range(17))
    assert duplication(read({"a.py": long + "\nif a: pass", "b.py": "while b: pass\n" + long})).count == 34


def test_a_sequence_over_too_few_lines_is_no_copy() -> None:
    row = "f(" + ", ".join("abcdefghijkl") + ")\n"
    body = {number: row * number for number in (5, 6)}
    assert duplication(read({"a.py": body[5] + "if a: pass\n", "b.py": body[5] + "while b: pass\n"})).count == 0
    assert duplication(read({"a.py": body[6] + "if a: pass\n", "b.py": body[6] + "while b: pass\n"})).count == 12


def test_a_row_of_like_lines_is_no_copy_of_itself_shifted_by_one() -> None:
    row = "\n".join(f"x{number} = {number}" for number in range(30))  # two disjoint halves of 45 tokens: too short
    assert duplication(read({"a.py": row})).count == 0


def test_a_large_table_of_data_takes_no_time_worth_naming() -> None:
    table = "DATA = [\n" + "\n".join(f"    ({number}, {number}.5, 'n{number}')," for number in range(4000)) + "\n]\n"
    assert duplication(read({"a.py": table, "b.py": table})).percent > 99


def test_without_files_or_source_there_is_no_duplication() -> None:
    assert duplication({}).percent == 0.0
    assert duplication(read({"a.py": "# nothing\n"})).percent == 0.0


def by_definition(streams: Mapping[str, Stream]) -> dict[str, frozenset[int]]:
    """The definition as it stands, at a cost that only tiny files can bear."""
    found: dict[str, set[int]] = {path: set() for path in streams}
    places = [(path, start) for path, stream in streams.items() for start in range(len(stream.shape))]
    for path, start in places:
        stream = streams[path]
        for end in range(start + room.MIN_TOKENS, len(stream.shape) + 1):
            lines = {line for index in range(start, end) for line in range(stream.first[index], stream.last[index] + 1)}
            if len(lines) >= room.MIN_LINES and any(
                streams[other].shape[at : at + end - start] == stream.shape[start:end]
                for other, at in places
                if other != path or abs(at - start) >= end - start
            ):
                found[path] |= lines
    return {path: frozenset(lines) for path, lines in found.items()}


SOME_LINES = ["a = 1", "b = 2 + c", "f(x)", "f(\nx\n)", "if a: b", "", "# note", "return x"]
small_files = st.lists(st.lists(st.sampled_from(SOME_LINES), max_size=14).map("\n".join), min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(texts=small_files)
def test_duplicated_lines_are_those_of_the_definition(texts: list[str]) -> None:
    streams = {f"{number}.py": read_stream(text + "\n") for number, text in enumerate(texts)}
    with pytest.MonkeyPatch.context() as small:
        small.setattr(room, "MIN_TOKENS", 7)
        small.setattr(room, "MIN_LINES", 3)
        assert duplication(streams).lines == by_definition(streams)


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("abc"), st.none() | small_files.map("\n".join)), max_size=8))
def test_an_index_that_follows_changes_says_what_a_fresh_one_says(steps: list[tuple[str, str | None]]) -> None:
    index, streams = CloneIndex(), dict[str, Stream]()
    with pytest.MonkeyPatch.context() as small:
        small.setattr(room, "MIN_TOKENS", 7)
        small.setattr(room, "MIN_LINES", 3)
        for path, text in steps:
            streams.pop(path, None)
            if text is not None:
                streams[path] = read_stream(text + "\n")
            index.put(path, streams.get(path))
            assert index.duplication() == duplication(streams)


def test_a_long_history_of_large_files_is_followed_as_well() -> None:
    rng = random.Random(5)
    parts = [PASSAGE, RENAMED, OTHER, PASSAGE.replace("count", "number"), "x = 1\n" * 20, ""]
    index, streams = CloneIndex(), dict[str, Stream]()
    for _ in range(40):
        path = f"{rng.randrange(5)}.py"
        streams[path] = read_stream("".join(rng.choices(parts, k=rng.randrange(1, 4))))
        index.put(path, streams[path])
        assert index.duplication() == duplication(streams)
