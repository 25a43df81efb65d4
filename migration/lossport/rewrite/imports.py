"""What a file imports of the legacy modules, and what it calls the new symbols: decided once for a file, then written.

Decisions come first for all files, as a file may take a name from another that renames it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lossport.follow.view import View
from lossport.project.port import Gone
from lossport.rewrite.argument_listing import display_listing
from lossport.rewrite.contract import Contract
from lossport.rewrite.edits import Transform
from lossport.rewrite.held import held_modules
from lossport.rewrite.import_statements import ImportEdits
from lossport.rewrite.literals import like
from lossport.rewrite.lookups import lookups
from lossport.rewrite.names import Names, names_of_host, other_imports, symbol_imports, words_of
from lossport.rewrite.outcome import Draft
from lossport.rewrite.references import Surroundings, module_references
from lossport.rewrite.stars import legacy_stars, passing_stars
from lossport.rewrite.strings import texts
from lossport.source.modules import Modules


class Imports:
    """The imports of all files of a rewrite."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        contracts: Mapping[str, Contract],
        gone: Mapping[str, Gone],
        *,
        modules: Modules,
        legacy: Path | None,
        elsewhere: Callable[[str], bool],
    ) -> None:
        self.contracts = contracts
        self.gone = gone
        self.modules = modules
        self.legacy = legacy
        self.books: list[Names] = []
        for draft in drafts:
            scopes = draft.view.scopes(words_of(draft.view, contracts))
            self.books.append(Names(draft, ImportEdits(draft), scopes))
        self.by_path = {book.view.path: book for book in self.books if book.view.fragment is None}
        self.around = Surroundings(contracts, gone, self.kept, elsewhere)

    def rewrite(self) -> None:
        """Decide, then write."""
        for book in self.books:
            symbol_imports(book, self.contracts, self.gone, withdraw=self.withdraws(book.view))
        for book in self.books:
            legacy_stars(book, self.around, withdraw=self.withdraws(book.view))
        for book in self.books:
            passing_stars(book, self.around)
        for book in self.books:
            other_imports(book, self.around.elsewhere)
            host = self.by_path.get(book.view.path)
            if book.view.fragment is not None and host is not None:
                names_of_host(book, host)
            book.stuck = held_modules(book, self.around)
            module_references(book, self.around)
            texts(book, self.around)
            lookups(book, self.around)
            book.edits.write()
            _write_lists(book.draft)

    def withdraws(self, view: View) -> bool:
        """Whether the file is an `__init__` of the legacy package: it stops passing a symbol on instead of renaming it."""
        return self.legacy is not None and view.path.name == "__init__.py" and view.path.is_relative_to(self.legacy)

    def kept(self, module: str, name: str, depth: int = 0) -> str | None:
        """The new name of a name that a module offers; None if it is a legacy module, or stops offering it."""
        modules = self.modules
        path = modules.path(module)
        info = modules.load(module)
        if path is None or info is None or any(c.port.module == module for c in self.contracts.values()):
            return None
        book = self.by_path.get(path)
        if book is not None and name in book.renamed:
            return book.renamed[name]
        if name in info.names:
            return name
        for star in info.stars if depth < MAX_STARS else ():
            other = modules.load(star, path.parent)
            if other is not None and name in set(modules.public(other)):
                return self.kept(other.name, name, depth + 1)
        return None


MAX_STARS = 20
"""Stars of stars that are followed: a cycle of star imports ends here."""


def _write_lists(draft: Draft) -> None:
    for display, entries in draft.listed.items():
        start, end = draft.view.source.span(display)
        if draft.view.source.text[start] in "[({":
            draft.edits.append(Transform(start, end, _Listed(tuple(sorted(entries.items())))))
        else:
            _write_bare_tuple(draft, display, entries)


class _Listed:
    """The change of one `__all__`."""

    def __init__(self, entries: tuple[tuple[int, str | None], ...]) -> None:
        self.entries = entries

    def __call__(self, text: str) -> str:
        listing = display_listing(text)
        for number, new in reversed(self.entries):
            listing = listing.remove(number) if new is None else listing.change(number, like(listing.items[number].text, new))
        return listing.render()


def _write_bare_tuple(draft: Draft, display: ast.List | ast.Tuple | ast.Set, entries: Mapping[int, str | None]) -> None:
    """`__all__ = "a", "b"`: entries are renamed in place; one that has to go leaves the list to a person."""
    for number, new in entries.items():
        element = display.elts[number]
        if new is None:
            draft.refuse(element, "a name that goes from a tuple without brackets", "remove it by hand")
        else:
            draft.replace(*draft.view.source.span(element), like(draft.text_of(element), new))
