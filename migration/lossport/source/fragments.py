"""Python inside other files: cells of notebooks, code blocks of Markdown and reStructuredText, doctests in docstrings.

All pieces of a file are read as one module, in their order, as a name of one is used in the next. A change of that module is
written back line by line; lines that do not change keep their bytes.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from lossport.source.jsontext import JsonArray, JsonObject, JsonText, parse_json
from lossport.source.nodes import walk
from lossport.source.source import LINE_END, Source

FENCE = re.compile(r"(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*\{?\.?(?P<language>[\w+-]*)")
PYTHON_NAMES = frozenset({"python", "py", "python3", "pycon", "ipython", "ipython3", "python-repl"})
DIRECTIVE = re.compile(r"(?P<indent>[ \t]*)\.\. (?:code-block|code|sourcecode|ipython)::[ \t]*(?P<language>[\w+-]*)[ \t]*$")
PROMPT = re.compile(r"(?P<prefix>[ \t]*(?:>>>|\.\.\.)(?: |$))")

CODE_MAGICS = re.compile(r"(?P<prefix>[ \t]*%%?(?:time|timeit|prun|memit|mprun|lprun)[ \t]+(?:-\w+[ \t]+(?:\d+[ \t]+)?)*)(?=\S)")
"""Line magics that run the code behind them."""

CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "memit"})
"""Cell magics whose cell is still Python in this very namespace."""

SHELL = re.compile(r"(?P<indent>[ \t]*)(?:(?P<target>[\w, \t.]+?)[ \t]*=[ \t]*)?(?:[%!]|\?\w)|[ \t]*[\w.]+\?{1,2}[ \t]*$")
"""Magics, shell commands and questions to IPython: lines that are not Python."""


@dataclass(frozen=True)
class Line:
    """A line of code and where it stands in the host: its whole host line, and the part that is code."""

    text: str
    start: int
    code: int
    end: int
    stop: int


@dataclass(frozen=True)
class Splice:
    """A part of the host text, and what it becomes."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Block:
    """A piece of code: its lines, and how other lines are written in their place."""

    lines: tuple[str, ...]
    offsets: tuple[int, ...]
    rewrite: Callable[[list[str]], Iterable[Splice]]


@dataclass(frozen=True)
class Fragment:
    """The code of a host file as one module."""

    blocks: tuple[Block, ...]
    broken: tuple[tuple[int, str], ...] = ()
    """Pieces that are no Python: where each starts, and its text."""
    apart: bool = False
    """Whether each block may be run by itself, as on a page: none can rely on what another one imports."""

    def block_at(self, line: int) -> int:
        """The number of the block that a line of the module stands in; 0 if all are run as one."""
        if self.apart:
            for number, block in enumerate(self.blocks):
                line -= len(block.lines)
                if line <= 0:
                    return number
        return 0

    @cached_property
    def covered(self) -> tuple[tuple[int, int], ...]:
        """The parts of the host that are code, also where it does not parse."""
        good = (
            (offset, offset + len(line)) for block in self.blocks for offset, line in zip(block.offsets, block.lines, strict=True)
        )
        return (*good, *((start, start + len(text)) for start, text in self.broken))

    @cached_property
    def source(self) -> Source:
        """The module."""
        return Source("".join(line + "\n" for block in self.blocks for line in block.lines))

    @cached_property
    def _offsets(self) -> tuple[int, ...]:
        return tuple(offset for block in self.blocks for offset in block.offsets)

    def host_offset(self, offset: int) -> int:
        """The place in the host of a place in the module."""
        line, column = self.source.position(offset)
        return self._offsets[min(line, len(self._offsets)) - 1] + column - 1

    def write_back(self, splices: Iterable[Splice]) -> list[Splice]:
        """Changes of the module as changes of the host."""
        wanted = sorted(splices, key=lambda s: s.start)
        result: list[Splice] = []
        at = 0
        for block in self.blocks:
            text = "".join(line + "\n" for line in block.lines)
            mine = [
                s for s in wanted if at <= s.start and s.end <= at + len(text) and (s.start < at + len(text) or s.end > s.start)
            ]
            new, place = [], 0
            for splice in mine:
                new += [text[place : splice.start - at], splice.text]
                place = splice.end - at
            new.append(text[place:])
            if mine:
                result += block.rewrite("".join(new).removesuffix("\n").split("\n"))
            at += len(text)
        return result


def parses(code: str) -> bool:
    """Whether a piece of code is Python, `await` at the top included."""
    try:
        compile(code, "<fragment>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def parse_fragment(fragment: Fragment) -> ast.Module:
    """The syntax tree of a fragment, all of whose blocks parse."""
    tree = compile(fragment.source.text, "<fragment>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert isinstance(tree, ast.Module)
    return tree


def _text_block(lines: list[Line], newline: str, prefix_of: Callable[[Line, str], str]) -> Block:
    """Lines that stand one below the other in the host."""

    def rewrite(new: list[str]) -> Iterator[Splice]:
        old = [line.text for line in lines]
        for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if kind == "equal":
                continue
            near = lines[min(a, len(lines) - 1)]
            written = [prefix_of(lines[a + n] if a + n < b else near, text) + text for n, text in enumerate(new[c:d])]
            if kind == "insert" and a == len(lines):
                yield Splice(near.end, near.end, "".join(newline + text for text in written))
            elif kind == "insert":
                yield Splice(near.start, near.start, "".join(text + newline for text in written))
            elif not written:
                yield Splice(lines[a].start, lines[b - 1].stop, "")
            else:
                yield Splice(lines[a].start, lines[b - 1].end, newline.join(written))

    return Block(tuple(line.text for line in lines), tuple(line.code for line in lines), rewrite)


def _lines_of(text: str) -> list[tuple[int, int, int]]:
    """Start, end and stop (after the line break) of each line."""
    found: list[tuple[int, int, int]] = []
    at = 0
    for match in LINE_END.finditer(text):
        found.append((at, match.start(), match.end()))
        at = match.end()
    return [*found, (at, len(text), len(text))]


def _newline(text: str) -> str:
    match = LINE_END.search(text)
    return match.group() if match else "\n"


def _fragment(pieces: Iterable[Block | tuple[int, str]]) -> Fragment:
    listed = list(pieces)
    broken = tuple(piece for piece in listed if not isinstance(piece, Block))
    return Fragment(tuple(piece for piece in listed if isinstance(piece, Block)), broken)


def markup_fragment(text: str) -> Fragment:
    """The Python of a Markdown or reStructuredText file: fenced blocks, code directives and doctests."""
    newline = _newline(text)
    blocks: list[Block | tuple[int, str]] = []
    for group in _groups(text, _lines_of(text)):
        if _is_session(text, group):
            blocks += _doctest_blocks(text, group, newline)
        else:
            blocks += _indented_block(text, group, newline)
    return replace(_fragment(blocks), apart=True)


def _is_session(text: str, group: list[tuple[int, int, int]]) -> bool:
    """Whether all lines have prompts; `...` alone is Python."""
    lines = [(start, end) for start, end, _ in group if text[start:end].strip()]
    prompted = all(PROMPT.match(text, start, end) for start, end in lines)
    return prompted and any(text[start:end].lstrip(" \t").startswith(">>>") for start, end in lines)


def _groups(text: str, lines: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """The lines of each block, and of each run of doctest prompts outside of blocks."""
    number = 0
    while number < len(lines):
        start, end, _ = lines[number]
        fence, directive = FENCE.match(text, start, end), DIRECTIVE.match(text, start, end)
        number += 1
        if fence is not None:
            body = []
            closing = re.compile(rf"[ \t>]*{re.escape(fence['fence'][0])}{{{len(fence['fence'])},}}[ \t]*$")
            while number < len(lines) and not closing.fullmatch(text[lines[number][0] : lines[number][1]]):
                body.append(lines[number])
                number += 1
            number += 1
            if fence["language"].lower() in PYTHON_NAMES:
                yield from _split_doctests(text, body)
        elif directive is not None and directive["language"].lower() in {*PYTHON_NAMES, ""}:
            body = []
            deeper = len(directive["indent"]) + 1
            while number < len(lines) and _is_deeper(text[lines[number][0] : lines[number][1]], deeper):
                body.append(lines[number])
                number += 1
            options = next((n for n, (a, b, _) in enumerate(body) if not text[a:b].strip()), 0)
            yield from _split_doctests(text, body[options:])
        elif PROMPT.match(text, start, end):
            body = [lines[number - 1]]
            while number < len(lines) and PROMPT.match(text, lines[number][0], lines[number][1]):
                body.append(lines[number])
                number += 1
            yield body


def _is_deeper(line: str, indent: int) -> bool:
    return not line.strip() or len(line) - len(line.lstrip()) >= indent


def _split_doctests(text: str, body: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """A block is code, or a session: then its prompts are, and its output is not."""
    if not any(text[start:end].lstrip(" \t").startswith(">>>") for start, end, _ in body):
        yield body
        return
    run: list[tuple[int, int, int]] = []
    for line in body:
        if PROMPT.match(text, line[0], line[1]):
            run.append(line)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _indented_block(text: str, group: list[tuple[int, int, int]], newline: str) -> Iterator[Block | tuple[int, str]]:
    body = [text[start:end] for start, end, _ in group]
    dedented = textwrap.dedent("\n".join(body)).split("\n")
    lines: list[Line] = []
    for (start, end, stop), code in zip(group, dedented, strict=True):
        lines.append(Line(code, start, end - len(code), end, stop))
    while lines and not lines[0].text.strip():
        lines.pop(0)
    if lines and parses("\n".join(line.text for line in lines) + "\n"):
        yield _text_block(lines, newline, lambda line, new: text[line.start : line.code] if new else "")
    elif lines:
        yield lines[0].code, "\n".join(line.text for line in lines)


def _doctest_blocks(text: str, group: list[tuple[int, int, int]], newline: str) -> Iterator[Block | tuple[int, str]]:
    lines: list[Line] = []
    for start, end, stop in group:
        match = PROMPT.match(text, start, end)
        if match is not None:
            lines.append(Line(text[match.end() : end], start, match.end(), end, stop))

    def prefix(line: Line, new: str) -> str:
        indent = re.match(r"[ \t]*", text[line.start : line.code])
        continued = new.startswith((" ", "\t", ")", "]", "}"))
        return f"{indent.group() if indent else ''}{'...' if continued else '>>>'}{' ' if new else ''}"

    if lines and parses("\n".join(line.text for line in lines) + "\n"):
        yield _text_block(
            lines, newline, lambda line, new: text[line.start : line.code] if _is_line(line, new) else prefix(line, new)
        )
    elif lines:
        yield lines[0].code, "\n".join(line.text for line in lines)


def _is_line(line: Line, new: str) -> bool:
    """Whether a new line replaces a line of the same kind (a first line, or a continued one), so that its prompt can stay."""
    return line.text[:1].isspace() == new[:1].isspace()


def docstring_fragments(source: Source, tree: ast.Module, is_hot: Callable[[str], bool]) -> Iterator[Fragment]:
    """The doctests of each docstring that contains a hot word."""
    text = source.text
    lines: list[tuple[int, int, int]] = []
    for node in walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(value)) as constant) if ">>>" in value and is_hot(value):
                start, end = source.span(constant)
                raw = text[start:end]
                if "\\" in raw and not raw[:2].lower().startswith(("r", "ur", "br")):
                    continue
                lines = lines or _lines_of(text)
                inside = [line for line in lines if line[0] > start and line[1] <= end]
                blocks = [block for group in _runs(text, inside) for block in _doctest_blocks(text, group, source.newline)]
                yield _fragment(blocks)
            case _:
                pass


def _runs(text: str, lines: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    run: list[tuple[int, int, int]] = []
    for line in lines:
        if PROMPT.match(text, line[0], line[1]):
            run.append(line)
        elif run:
            yield run
            run = []
    if run:
        yield run


def notebook_fragment(text: str) -> Fragment:
    """The code cells of a notebook.

    Raises:
        ValueError: the text is no notebook.
    """
    root = parse_json(text)
    cells = root.get("cells") if isinstance(root, JsonObject) else None
    if not isinstance(cells, JsonArray):
        raise ValueError("no cells")
    blocks: list[Block | tuple[int, str]] = []
    for cell in cells.items:
        kind = cell.get("cell_type") if isinstance(cell, JsonObject) else None
        source = cell.get("source") if isinstance(cell, JsonObject) else None
        if isinstance(kind, JsonText) and kind.value == "code" and isinstance(source, JsonArray | JsonText):
            block = _cell_block(text, source)
            if block is not None:
                code = "".join(line + "\n" for line in block.lines)
                blocks.append(block if parses(code) else (block.offsets[0], code))
    return _fragment(blocks)


def _cell_block(text: str, source: JsonArray | JsonText) -> Block | None:
    tokens = [item for item in source.items if isinstance(item, JsonText)] if isinstance(source, JsonArray) else [source]
    whole = "".join(token.value for token in tokens)
    written = whole.split("\n")
    if not whole.strip() or (written[0].startswith("%%") and written[0][2:].split(" ")[0].strip() not in CELL_MAGICS):
        return None
    prefixes, codes = zip(*(_masked(line) for line in written), strict=True)

    def rewrite(new: list[str]) -> Iterator[Splice]:
        lines: list[str] = []
        for kind, a, b, c, d in difflib.SequenceMatcher(None, list(codes), new, autojunk=False).get_opcodes():
            if kind == "equal":
                lines += written[a:b]
            else:
                lines += [(prefixes[a + n] if a + n < b else "") + line for n, line in enumerate(new[c:d])]
        yield from _write_cell(text, source, tokens, "\n".join(lines))

    offset = tokens[0].start + 1 if tokens else source.start
    offsets: list[int] = []
    for line in _line_tokens(tokens, written):
        offsets.append(offset if line is None else line)
    return Block(tuple(codes), tuple(offsets), rewrite)


def _line_tokens(tokens: list[JsonText], written: list[str]) -> Iterator[int | None]:
    """The place of each line of a cell: that of its string, where each line has its own."""
    own = [token.value.removesuffix("\n") for token in tokens] == written or [
        *(token.value.removesuffix("\n") for token in tokens),
        "",
    ] == written
    for number in range(len(written)):
        yield tokens[number].start + 1 if own and number < len(tokens) else None


def _masked(line: str) -> tuple[str, str]:
    """A line of a cell as Python: what stands before the code, and the code; a magic becomes `pass`."""
    magic = CODE_MAGICS.match(line)
    if magic is not None:
        return magic["prefix"], line[magic.end() :]
    shell = SHELL.match(line)
    if shell is None:
        return "", line
    indent = re.match(r"[ \t]*", line)
    target = shell["target"]
    return "", (indent.group() if indent else "") + (f"{target.strip()} = None" if target else "pass")


def _write_cell(text: str, source: JsonArray | JsonText, tokens: list[JsonText], new: str) -> Iterator[Splice]:
    """The source of a cell; strings that do not change keep their bytes."""
    ascii_only = text[source.start : source.end].isascii()
    if isinstance(source, JsonText):
        yield Splice(source.start, source.end, json.dumps(new, ensure_ascii=ascii_only))
        return
    wanted = new.splitlines(keepends=True) if "\r" not in new else re.findall(r"[^\n]*\n|[^\n]+", new)
    old = [token.value for token in tokens]
    first = text[source.start + 1 : tokens[0].start]
    between = text[tokens[0].end : tokens[1].start] if len(tokens) > 1 else f",{first}" if "\n" in first else ", "
    pieces: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, wanted, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces += [text[token.start : token.end] for token in tokens[a:b]]
        else:
            pieces += [json.dumps(line, ensure_ascii=ascii_only) for line in wanted[c:d]]
    yield Splice(tokens[0].start, tokens[-1].end, between.join(pieces))
