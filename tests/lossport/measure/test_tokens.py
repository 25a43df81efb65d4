"""Cutting a file into the tokens that count."""

import pytest

from lossport.measure.tokens import Unreadable, read_stream


def test_comments_blank_lines_and_docstrings_are_no_source() -> None:
    stream = read_stream(
        '"""Module\ndocstring."""\n\n# comment\nclass A:\n    """Doc."""\n\n    x = 1  # why\n    """On x,\n    at length."""\n'
    )
    assert stream.texts == ("class", "A", ":", "x", "=", "1")
    assert sorted(stream.source_lines) == [5, 8]


def test_a_string_that_is_used_is_source() -> None:
    stream = read_stream('x = """a\nb\nc"""\nprint("d")\nreturn_value = ("e"\n  "f")\n')
    assert sorted(stream.source_lines) == [1, 2, 3, 4, 5, 6]


def test_a_docstring_after_a_semicolon_or_in_parts_is_left_out_and_its_neighbours_stay() -> None:
    assert read_stream('def f(): "doc"; return 1\n').texts == ("def", "f", "(", ")", ":", '"doc"', ";", "return", "1")
    assert read_stream('def f():\n    "one" "two"\n    return 1\n').texts == ("def", "f", "(", ")", ":", "return", "1")
    assert read_stream('"a".join(x)\n').texts == ('"a"', ".", "join", "(", "x", ")")


def test_identifiers_read_alike_and_so_do_literals_but_keywords_and_operators_do_not() -> None:
    one, other = read_stream("alpha = beta + 1\n"), read_stream("x = y + 'text'\n")
    assert one.shape == other.shape
    assert read_stream("alpha = beta - 1\n").shape != one.shape
    assert read_stream("if a: b\n").shape != read_stream("while a: b\n").shape


def test_an_f_string_is_one_token_on_every_python() -> None:
    stream = read_stream('x = f"{a:{b}} and {c!r}" + f"""{\nd}"""\n')
    assert stream.texts[2] == 'f"{a:{b}} and {c!r}"'
    assert stream.shape[2] == read_stream("x = 1\n").shape[2]
    assert len(stream.texts) == 5
    assert stream.last[-1] == 2


def test_line_breaks_inside_brackets_do_not_change_the_shape() -> None:
    assert read_stream("f(a, b, c)\n").shape == read_stream("f(\n    a,\n    b, c\n)\n").shape


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", '"""Only a docstring."""'])
def test_a_file_without_code_has_no_tokens(text: str) -> None:
    stream = read_stream(text)
    assert stream.shape == ""
    assert not stream.source_lines


@pytest.mark.parametrize(("text", "line"), [("x = (1,\n", 2), ("if a:\n        b\n    c\n", 3), ('x = """open\n', 1)])
def test_text_that_is_not_python_says_where(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        read_stream(text)
    assert caught.value.line in (line, line - 1, line + 1)  # versions of Python point at the start or at the end
    assert str(caught.value)
