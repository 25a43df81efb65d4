"""Edits of import statements: names replaced, removed, merged and added, in the layout that is there. Decides no names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lossport.follow.view import View
from lossport.rewrite.argument_listing import Listing, import_listing
from lossport.rewrite.edits import Transform
from lossport.rewrite.outcome import Draft


@dataclass(frozen=True)
class NewName:
    """A name to import: from which module, its name there, and what the file calls it (`asname` empty: the same)."""

    module: str
    name: str
    asname: str = ""

    @property
    def bound(self) -> str:
        """The variable."""
        return self.asname or self.name

    @property
    def text(self) -> str:
        """The entry of a `from` import."""
        return f"{self.name} as {self.asname}" if self.asname and self.asname != self.name else self.name


ImportStatement = ast.Import | ast.ImportFrom


@dataclass
class ImportEdits:
    """What happens to the import statements of one file, written out at the end by `write`."""

    draft: Draft
    replaced: dict[ast.ImportFrom, dict[ast.alias, NewName | None]] = field(default_factory=dict)
    modules: dict[ast.Import, dict[ast.alias, str | None]] = field(default_factory=dict)
    added: dict[ImportStatement, list[NewName | str]] = field(default_factory=dict)
    merged: dict[ast.ImportFrom, list[NewName]] = field(default_factory=dict)
    imported: set[tuple[int, int, str]] = field(default_factory=set)
    dissolved: set[ast.ImportFrom] = field(default_factory=set)

    def replace(self, statement: ast.ImportFrom, alias: ast.alias, name: NewName | None) -> None:
        """One name of a `from` import becomes another; None removes it."""
        self.replaced.setdefault(statement, {})[alias] = name

    def module(self, statement: ast.Import, alias: ast.alias, text: str | None) -> None:
        """One entry of an `import` statement becomes another; None removes it."""
        self.modules.setdefault(statement, {})[alias] = text

    def add(self, statement: ImportStatement, name: NewName | str) -> None:
        """One more import behind a statement: a name, or a module as it is written after `import`."""
        names = self.added.setdefault(statement, [])
        if name not in names:
            names.append(name)

    def write(self) -> None:
        """Make the edits."""
        for statement, aliases in self.replaced.items():
            self._write_from(statement, aliases)
        for module_statement, texts in self.modules.items():
            self._write_modules(module_statement, texts)
        for target, names in self.added.items():
            if target not in self.replaced and target not in self.modules:
                self._append(target, [*self._lines(target, names)])
        for host, extra in self.merged.items():
            start, end = self.draft.view.source.span(host)
            self.draft.edits.append(Transform(start, end, _Joined(tuple(dict.fromkeys(name.text for name in extra)))))

    def _lines(self, statement: ImportStatement, names: Iterable[NewName | str]) -> list[str]:
        """The statements for names that no other import could take up."""
        by_module: dict[str, list[NewName]] = {}
        lines: list[str] = []
        for name in dict.fromkeys(names):
            if isinstance(name, NewName):
                if not self._merge(statement, name):
                    by_module.setdefault(name.module, []).append(name)
            elif self._once(statement, name) and not self._imports_module(statement, name):
                lines.append(f"import {name}")
        return lines + [f"from {module} import {', '.join(n.text for n in some)}" for module, some in by_module.items()]

    def _once(self, statement: ImportStatement, text: str) -> bool:
        """Whether this is the first time that the module is imported in this block."""
        fragment = self.draft.view.fragment
        piece = fragment.block_at(statement.lineno) if fragment is not None else 0
        key = (id(block_of(self.draft.view, statement)), piece, text)
        new = key not in self.imported
        self.imported.add(key)
        return new

    def _write_from(self, statement: ast.ImportFrom, aliases: dict[ast.alias, NewName | None]) -> None:
        wanted = [name for name in aliases.values() if name is not None]
        extra = self.added.get(statement, [])
        if self._stays_in_place(statement, aliases):
            host = self._host_of(statement, wanted[0]) if self._is_plain(statement) else None
            if host is not None:
                self.dissolved.add(statement)
            else:
                self._in_place(statement, aliases, wanted[0].module)
                self._append(statement, self._lines(statement, extra))
                return
        lines = self._lines(statement, [*wanted, *extra])
        if len(aliases) == len(statement.names):
            self._become(statement, lines)
            return
        numbers = frozenset(n for n, alias in enumerate(statement.names) if alias in aliases)
        self.draft.replace(
            *self.draft.view.source.span(statement), without(import_listing(self.draft.text_of(statement)), numbers)
        )
        self._append(statement, lines)

    def _stays_in_place(self, statement: ast.ImportFrom, aliases: dict[ast.alias, NewName | None]) -> bool:
        """Whether all names of the statement go to one module, one by one."""
        wanted = [name for name in aliases.values() if name is not None]
        one_module = len({name.module for name in wanted}) == 1
        return one_module and len(aliases) == len(statement.names) == len(set(wanted))

    def _is_plain(self, statement: ImportStatement) -> bool:
        """Whether the statement can be dissolved without losing a comment."""
        last = self.draft.view.source.line(statement.end_lineno or statement.lineno)
        return "#" not in self.draft.text_of(statement) and "#" not in last

    def _write_modules(self, statement: ast.Import, texts: dict[ast.alias, str | None]) -> None:
        listing = import_listing(self.draft.text_of(statement))
        seen = {item.text for n, item in enumerate(listing.items) if statement.names[n] not in texts}
        gone: set[int] = set()
        for number, alias in enumerate(statement.names):
            text = texts.get(alias, "")
            if text is None or (alias in texts and (text in seen or self._imports_module(statement, text))):
                gone.add(number)
            elif alias in texts:
                listing = listing.change(number, text)
                seen.add(text)
        lines = self._lines(statement, self.added.get(statement, []))
        if len(gone) == len(listing.items):
            self._become(statement, lines)
        else:
            self.draft.replace(*self.draft.view.source.span(statement), without(listing, frozenset(gone)))
            self._append(statement, lines)

    def _become(self, statement: ImportStatement, lines: list[str]) -> None:
        if lines:
            self.draft.replace(*self.draft.view.source.span(statement), separator(self.draft, statement).join(lines))
        else:
            delete_statement(self.draft, statement)

    def _append(self, statement: ImportStatement, lines: list[str]) -> None:
        if not lines:
            return
        between = separator(self.draft, statement)
        end = self.draft.view.source.span(statement)[1]
        if between != "; ":
            end += len(self.draft.view.source.text[end:]) - len(self.draft.view.source.text[end:].lstrip(" \t"))
            end = self._line_end(end)
        self.draft.replace(end, end, "".join(between + line for line in lines))

    def _line_end(self, offset: int) -> int:
        match = re.compile(r"[^\r\n]*").match(self.draft.view.source.text, offset)
        assert match is not None
        return match.end()

    def _in_place(self, statement: ast.ImportFrom, aliases: dict[ast.alias, NewName | None], module: str) -> None:
        """Module and names change; line breaks, brackets and comments stay."""
        start, end = self.draft.view.source.span(statement)
        match = re.compile(r"from((?:\s|\\)*)([\w.\s\\]*?)((?:\s|\\)*)import\b").match(self.draft.view.source.text, start, end)
        assert match is not None
        self.draft.replace(match.start(1), match.end(3), f"{match[1] or ' '}{module}{match[3] or ' '}")
        for alias, name in aliases.items():
            if name is not None:
                self.draft.replace(*self.draft.view.source.span(alias), name.text)

    def _merge(self, statement: ImportStatement, name: NewName) -> bool:
        """Leave the name to an import of the same module beside this one; False if there is none."""
        host = self._host_of(statement, name)
        if host is None:
            return False
        there = [NewName(name.module, alias.name, alias.asname or "") for alias in host.names if host not in self.replaced]
        there += [new for new in self.replaced.get(host, {}).values() if new is not None]
        if not any((other.name, other.bound) == (name.name, name.bound) for other in there):
            self.merged.setdefault(host, []).append(name)
        return True

    def _host_of(self, statement: ImportStatement, name: NewName) -> ast.ImportFrom | None:
        """An import of the module in the same run of imports, which nothing but imports interrupts."""
        block = run_with(self.draft.view, statement)
        place = block.index(statement)
        before = reversed(block[:place])
        after = _while_imports(block[place + 1 :])
        for other in (*before, *after):
            if isinstance(other, ast.ImportFrom) and self._imports_from(other, name.module, statement):
                return other
        return None

    def _imports_from(self, other: ast.ImportFrom, module: str, statement: ImportStatement) -> bool:
        """Whether an import is one of the module: already, or once it is rewritten where it stands."""
        aliases = self.replaced.get(other)
        if aliases is None:
            return not other.level and other.module == module and other.names[0].name != "*"
        earlier = (other.lineno, other.col_offset) < (statement.lineno, statement.col_offset)
        names = [name for name in aliases.values() if name is not None]
        return earlier and self._stays_in_place(other, aliases) and names[0].module == module and other not in self.dissolved

    def _imports_module(self, statement: ImportStatement, text: str) -> bool:
        """Whether a statement beside this one imports the module already, in the same words."""
        block = run_with(self.draft.view, statement)
        place = block.index(statement)
        others = [*block[:place], *_while_imports(block[place + 1 :])]
        return any(
            isinstance(other, ast.Import)
            and other not in self.modules
            and any((f"{a.name} as {a.asname}" if a.asname else a.name) == text for a in other.names)
            for other in others
        )


@dataclass(frozen=True)
class _Joined:
    """More names for a `from` import."""

    names: tuple[str, ...]

    def __call__(self, text: str) -> str:
        listing = import_listing(text)
        for name in self.names:
            listing = listing.insert(name)
        return listing.render()


def _while_imports(statements: list[ast.stmt]) -> list[ast.stmt]:
    for number, statement in enumerate(statements):
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            return statements[:number]
    return statements


def without(listing: Listing, numbers: frozenset[int]) -> str:
    """The source of a listing without some of its entries."""
    for index in sorted(numbers, reverse=True):
        listing = listing.remove(index)
    return listing.render()


def block_of(view: View, statement: ast.stmt) -> list[ast.stmt]:
    """The statements beside a statement, itself included."""
    parent = view.parents.get(statement)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block
    return [statement]


def run_with(view: View, statement: ast.stmt) -> list[ast.stmt]:
    """The statements beside a statement of which it is sure that they are run along with it."""
    block, fragment = block_of(view, statement), view.fragment
    if fragment is None:
        return block
    return [other for other in block if fragment.block_at(other.lineno) == fragment.block_at(statement.lineno)]


def separator(draft: Draft, statement: ast.stmt) -> str:
    """A line break with the statement's indentation; a semicolon where it shares its line."""
    source = draft.view.source
    start, end = source.span(statement)
    before = source.text[source.starts[statement.lineno - 1] : start]
    after = source.text[end : end + 200].lstrip(" \t\f")
    alone = before.strip() == "" and (after == "" or after[0] in "\r\n#")
    return source.newline + before.replace("\f", "") if alone else "; "


def delete_statement(draft: Draft, statement: ast.stmt) -> None:
    """Remove a statement, with its line if nothing else stands there; `pass` where a block would be left empty."""
    source = draft.view.source
    start, end = source.span(statement)
    if len(block_of(draft.view, statement)) == 1 and not isinstance(draft.view.parents.get(statement), ast.Module):
        draft.replace(start, end, "pass")
        return
    line_start = source.starts[statement.lineno - 1]
    last = statement.end_lineno or statement.lineno
    line_end = source.starts[last] if last < len(source.starts) else len(source.text)
    before, after = source.text[line_start:start], source.text[end:line_end]
    if before.strip(" \t") == "" and after.strip() == "":
        draft.replace(_blank_before(draft, statement, last), line_end, "")
    elif after.lstrip(" \t").startswith(";"):
        tail = after.split(";", 1)[1]
        draft.replace(start, end + after.index(";") + 1 + len(tail) - len(tail.lstrip(" \t")), "")
    elif before.rstrip().endswith(";"):
        draft.replace(line_start + before.rindex(";"), end, "")
    else:
        draft.replace(start, end + len(after) - len(after.lstrip(" \t")), "")


def _blank_before(draft: Draft, statement: ast.stmt, last: int) -> int:
    """Where the lines of a statement start; a blank line before them goes along if another one follows."""
    source = draft.view.source
    first = statement.lineno
    alone = first > 1 and not source.line(first - 1).strip() and last < len(source.starts) and not source.line(last + 1).strip()
    return source.starts[first - 2 if alone else first - 1]
