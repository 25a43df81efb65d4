"""Imports in the order that isort and ruff keep, where the file kept it before: new names are sorted in among the others.

Text in, text out. Touches nothing but runs of import statements that a rewrite has changed, and keeps every comment.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

LONGEST = 88
"""Columns that a joined import may take: the narrowest limit in common use. Longer ones stay two."""

IsOwn: TypeAlias = Callable[[str], bool]
"""Whether a top-level module is one of the project's."""


@dataclass(frozen=True)
class ImportLine:
    """One import statement with its lines of text."""

    text: str
    node: ast.Import | ast.ImportFrom

    @property
    def is_plain(self) -> bool:
        """Whether it is `from a import b, c` on one line, without a comment: free to be joined or divided."""
        return isinstance(self.node, ast.ImportFrom) and not re.search(r"[#(\\\n]", self.text) and self.node.names[0].name != "*"

    @property
    def top(self) -> str:
        """The top-level module; empty for a relative import."""
        node = self.node
        name = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
        return "" if isinstance(node, ast.ImportFrom) and node.level else name.partition(".")[0]

    @property
    def key(self) -> tuple[object, ...]:
        """Its place among others of its section."""
        node = self.node
        if isinstance(node, ast.Import):
            return 0, 0, _natural(node.names[0].name), (), node.names[0].asname or ""
        first = min(map(_member, node.names))
        return 1, -node.level, _natural(node.module or ""), first, ""


@dataclass(frozen=True)
class ImportRun:
    """Import statements that follow each other, in groups between blank lines, and where they stand in the text."""

    start: int
    end: int
    indent: str
    groups: tuple[tuple[ImportLine, ...], ...]

    @property
    def has_star(self) -> bool:
        """Whether a star is among them: it replaces earlier names, so that order counts."""
        return any(line.node.names[0].name == "*" for group in self.groups for line in group)

    @property
    def is_in_order(self) -> bool:
        """Whether each group is sorted, names included."""
        sorted_lines = all(one.key <= other.key for group in self.groups for one, other in pairwise(group))
        froms = [line.node for group in self.groups for line in group if isinstance(line.node, ast.ImportFrom)]
        return sorted_lines and all(_member(a) <= _member(b) for node in froms for a, b in pairwise(node.names))


def in_kept_order(before: str, after: str, is_own: IsOwn) -> str:
    """The rewritten text with its changed imports in order, if all imports of the original were."""
    try:
        old, new = list(_runs(before)), list(_runs(after))
    except SyntaxError:
        return after
    if not all(run.is_in_order for run in old):
        return after
    there = {before[run.start : run.end] for run in old}
    for run in reversed(new):
        if after[run.start : run.end] not in there and not run.has_star:
            groups = [_sorted(group) for group in _sections(run.groups, is_own)]
            text = "\n\n".join("\n".join(run.indent + line.text for line in group) for group in groups if group)
            after = after[: run.start] + text + after[run.end :]
    return after


def _runs(text: str) -> Iterator[ImportRun]:
    """The runs of imports that stand on lines of their own with nothing but blank lines between them."""
    if "\r" in text or "\f" in text:
        return
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for block in _blocks(ast.parse(text)):
        run: list[ast.Import | ast.ImportFrom] = []
        for statement in (*block, None):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                run.append(statement)
            elif run:
                found = _run(run, lines, starts)
                if found is not None:
                    yield found
                run = []


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def _run(nodes: Sequence[ast.Import | ast.ImportFrom], lines: Sequence[str], starts: Sequence[int]) -> ImportRun | None:
    """None where a statement shares a line, or where something but blank lines stands between them."""
    indent = " " * nodes[0].col_offset
    groups: list[list[ImportLine]] = [[]]
    last = None
    for node in nodes:
        end = node.end_lineno or node.lineno
        text = "\n".join(lines[node.lineno - 1 : end])
        if not text.startswith(indent + ("import" if isinstance(node, ast.Import) else "from")):
            return None
        rest = lines[end - 1].encode()[node.end_col_offset or 0 :].decode().strip()
        between: Sequence[str] = () if last is None else lines[last : node.lineno - 1]
        if (rest and not rest.startswith("#")) or any(line.strip() for line in between):
            return None
        if between:
            groups.append([])
        groups[-1].append(ImportLine(text[len(indent) :], node))
        last = end
    assert last is not None
    return ImportRun(starts[nodes[0].lineno - 1], starts[last] - 1, indent, tuple(map(tuple, groups)))


def _sections(groups: Sequence[Sequence[ImportLine]], is_own: IsOwn) -> list[list[ImportLine]]:
    """Imports of whole modules apart from relative ones: they go to the group of the project's modules, or become one."""
    found: list[list[ImportLine]] = []
    for group in groups:
        strays = [line for line in group if line.top]
        if len(strays) in (0, len(group)):
            found.append(list(group))
            continue
        if found and any(is_own(line.top) for line in found[-1] if line.top not in sys.stdlib_module_names):
            found[-1] += strays
        else:
            found.append(strays)
        found.append([line for line in group if not line.top])
    return found


def _sorted(group: Sequence[ImportLine]) -> list[ImportLine]:
    """One group in order: what is imported from one module in one statement, names with `as` in statements of their own."""
    pieces = [piece for line in group for piece in _divided(line)]
    found: list[ImportLine] = []
    for line in pieces:
        joined = next(((n, both) for n, other in enumerate(found) if (both := _join(other, line)) is not None), None)
        if joined is not None:
            found[joined[0]] = joined[1]
        else:
            found.append(line)
    return sorted(found, key=lambda line: line.key)


def _divided(line: ImportLine) -> list[ImportLine]:
    node = line.node
    if not line.is_plain or not isinstance(node, ast.ImportFrom):
        return [line]
    plain = [alias for alias in node.names if not alias.asname]
    renamed = [[alias] for alias in node.names if alias.asname]
    if len(renamed) + bool(plain) == 1 and [*map(_member, plain)] == sorted(map(_member, plain)):
        return [line]
    return [_from(node, names) for names in ([plain] if plain else []) + renamed]


def _join(one: ImportLine, other: ImportLine) -> ImportLine | None:
    """Both as one statement; None where they have to stay two."""
    a, b = one.node, other.node
    if not (one.is_plain and other.is_plain and isinstance(a, ast.ImportFrom) and isinstance(b, ast.ImportFrom)):
        return None
    if (a.module, a.level) != (b.module, b.level) or any(alias.asname for alias in (*a.names, *b.names)):
        return None
    joined = _from(a, [*a.names, *b.names])
    return joined if len(joined.text) <= LONGEST else None


def _from(node: ast.ImportFrom, names: Sequence[ast.alias]) -> ImportLine:
    entries = {(alias.name, alias.asname): alias for alias in sorted(names, key=_member)}
    made = ast.ImportFrom(node.module, list(entries.values()), node.level)
    return ImportLine(ast.unparse(made), made)


def _member(alias: ast.alias) -> tuple[object, ...]:
    """Constants, then classes, then the rest, as ruff tells them by their case."""
    name = alias.name
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return kind, _natural(name), alias.asname or ""


def _natural(name: str) -> tuple[object, ...]:
    """Letters in any case, numbers by their size."""
    parts = re.split(r"(\d+)", name.lower())
    return (*((int(part), "") if part.isdigit() else (-1, part) for part in parts), name)
