"""Lists are read from tokens exactly as LibCST reads them from its syntax tree, whatever stands in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossport.rewrite.argument_listing import Item, Listing, argument_value, call_listing, display_listing, import_listing


class _Printer:
    """Source of syntax nodes. LibCST writes a line break as None where it equals the first one of what it parsed."""

    def __init__(self, parsed: str) -> None:
        match = re.search(r"\r\n|\r|\n", parsed)
        self._module = cst.Module([], default_newline=match.group() if match else "\n")

    def __call__(self, node: cst.CSTNode) -> str:
        return self._module.code_for_node(node)


def parsed_call(text: str) -> Listing:
    """The arguments of any call, by LibCST."""
    code = _Printer(text)
    node = cst.parse_expression(f"({text})")
    call = node.with_changes(lpar=node.lpar[1:], rpar=node.rpar[:-1])
    if not isinstance(call, cst.Call):
        raise ValueError(f"not a call: {text!r}")
    items: list[Item] = []
    gaps = [code(call.whitespace_before_args)]
    trailing = False
    for arg in call.args:
        comma = arg.comma if isinstance(arg.comma, cst.Comma) else None
        bare = arg.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace(""))
        after = code(arg.whitespace_after_arg)
        items.append(Item(code(bare), after + code(comma.whitespace_before) if comma else ""))
        gaps.append(code(comma.whitespace_after) if comma else after)
        trailing = comma is not None
    opening = code(call.func) + code(call.whitespace_after_func) + "("
    left = "".join(code(paren) for paren in call.lpar)
    right = "".join(code(paren) for paren in call.rpar)
    return Listing(left + opening, tuple(items), tuple(gaps), trailing, ")" + right)


def parsed_value(text: str) -> str:
    """The value of any argument, by LibCST."""
    code = _Printer(text)
    call = cst.parse_expression(f"f({text})")
    assert isinstance(call, cst.Call)
    value = code(call.args[0].value)
    bare = isinstance(call.args[0].value, cst.GeneratorExp | cst.NamedExpr) and not call.args[0].value.lpar
    return f"({value})" if bare else value


def parsed_import(text: str) -> Listing:
    """The names of an import, by LibCST."""
    node = _small_statement(text)
    if isinstance(node, cst.Import):
        return _alias_listing(text, node.names, None, None)
    assert isinstance(node, cst.ImportFrom)
    assert not isinstance(node.names, cst.ImportStar)
    return _alias_listing(text, node.names, node.lpar, node.rpar)


def _small_statement(text: str) -> cst.BaseSmallStatement:
    statement = cst.parse_statement(text)
    assert isinstance(statement, cst.SimpleStatementLine)
    return statement.body[0]


def _alias_listing(
    text: str, names: Sequence[cst.ImportAlias], lpar: cst.LeftParen | None, rpar: cst.RightParen | None
) -> Listing:
    code = _Printer(text)
    items: list[Item] = []
    gaps = [code(lpar.whitespace_after) if lpar else ""]
    trailing = False
    for alias in names:
        comma = alias.comma if isinstance(alias.comma, cst.Comma) else None
        tail = code(comma.whitespace_before) if comma else ""
        items.append(Item(code(alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)), tail))
        gaps.append(code(comma.whitespace_after) if comma else "")
        trailing = comma is not None
    if rpar is not None:
        gaps[-1] += code(rpar.whitespace_before)
    body = Listing("", tuple(items), tuple(gaps), trailing, "").render()
    close = ")" if rpar is not None else ""
    start = text.rindex(body + close)
    return Listing(text[:start], tuple(items), tuple(gaps), trailing, text[start + len(body) :])


def parsed_display(text: str) -> Listing:
    """The entries of a literal list, tuple, set or dictionary in brackets, given as its source."""
    code = _Printer(text)
    node = cst.parse_expression(text)
    match node:
        case cst.List(lbracket=opening, rbracket=closing):
            start, first, last, end = "[", opening.whitespace_after, closing.whitespace_before, "]"
        case cst.Set(lbrace=opening, rbrace=closing) | cst.Dict(lbrace=opening, rbrace=closing):
            start, first, last, end = "{", opening.whitespace_after, closing.whitespace_before, "}"
        case cst.Tuple(lpar=[outer, *_], rpar=[*_, closer]):
            start, first, last, end = "(", outer.whitespace_after, closer.whitespace_before, ")"
        case _:
            raise ValueError(f"not a literal in brackets: {text!r}")
    items: list[Item] = []
    gaps = [code(first)]
    trailing = False
    for element in node.elements:
        comma = element.comma if isinstance(element.comma, cst.Comma) else None
        tail = code(comma.whitespace_before) if comma else ""
        items.append(Item(code(element.with_changes(comma=cst.MaybeSentinel.DEFAULT)), tail))
        gaps.append(code(comma.whitespace_after) if comma else "")
        trailing = comma is not None
    gaps[-1] += code(last)
    return Listing(start, tuple(items), tuple(gaps), trailing, end)


BLANKS = st.sampled_from(["", " ", "  ", "\n", "\n    ", "  # a, (b\n", "\n\n  # c]\n  ", " \\\n "])
VALUES = st.sampled_from(
    [
        "a",
        "a.b",
        "-1",
        "f(x, y)",
        "[1, 2]",
        "{'k': (1,), 2: 3}",
        "lambda a, b=(1, 2): (a, b)",
        "lambda: x",
        "'a, (b'",
        '"""c,\n)"""',
        "f'{a, 1:>3},'",
        "rb')'",
        "x[1:2, ...]",
        "x if y else z",
        "not w",
        "(y := 1)",
        "[i for i in x]",
        "(\n  a,  # d\n)",
        "é",
        "lambda a=lambda b, c: b, d=2: a",
    ]
)
ARGUMENTS = st.one_of(
    VALUES, VALUES.map("key={}".format), VALUES.map("key = {}".format), VALUES.map("*{}".format), VALUES.map("**{}".format)
)


@st.composite
def lists(draw: st.DrawFn, entries: st.SearchStrategy[str]) -> str:
    """What stands between the brackets of a list."""
    items = draw(st.lists(st.tuples(BLANKS, entries, BLANKS).map("".join), max_size=5))
    return ",".join(items) + draw(st.sampled_from(["", ",", ", ", ",\n"]) if items else BLANKS) if items else draw(BLANKS)


def _is_python(text: str) -> bool:
    try:
        compile(text, "<list>", "exec")
    except SyntaxError:
        return False
    return True


@given(
    inside=lists(ARGUMENTS),
    function=st.sampled_from(["f", "m.f", "f(a, b)", "(f)", "f[(1, 2)]", "(lambda a, b: a)", "f "]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_calls(inside: str, function: str, newline: str) -> None:
    text = f"{function}({inside})".replace("\n", newline)
    if _is_python(text):
        assert call_listing(text) == parsed_call(text)
        assert call_listing(text).render() == text


@given(inside=lists(st.one_of(VALUES, VALUES.map("*{}".format))), brackets=st.sampled_from(["[]", "{}", "()"]))
def test_displays(inside: str, brackets: str) -> None:
    text = f"{brackets[0]}{inside}{brackets[1]}"
    if _is_python(text) and isinstance(cst.parse_expression(text), cst.List | cst.Tuple | cst.Set):
        assert display_listing(text) == parsed_display(text)


@given(inside=lists(st.tuples(VALUES, VALUES).map(": ".join)))
def test_dictionaries(inside: str) -> None:
    text = f"{{{inside}}}"
    if _is_python(text):
        assert display_listing(text) == parsed_display(text)


@pytest.mark.parametrize(
    "text",
    [
        "from a import b",
        "from .a.b import c as d , e,  f",
        "from . import x",
        "from a import (b)",
        "from a import ( b, # x, y\n c as d,\n)",
        "from a import b, \\\n    c",
        "from a \\\n import (\n    b,\n    c\n)",
        "import a",
        "import a.b as c , d,e",
        "import a, \\\n b.c",
    ],
)
def test_imports(text: str) -> None:
    assert import_listing(text) == parsed_import(text)
    assert import_listing(text).render() == text


@given(argument=ARGUMENTS)
def test_values_of_arguments(argument: str) -> None:
    if _is_python(f"f({argument})"):
        assert argument_value(argument) == parsed_value(argument)


@pytest.mark.parametrize(
    "text", ["x for x in y", "y := 1", "a=b == c", "a == b", "(x for x in y)", "a = (x for x in y)", "lambda: [x for x in y]"]
)
def test_a_lone_generator_or_walrus_gets_brackets(text: str) -> None:
    assert argument_value(text) == parsed_value(text)
