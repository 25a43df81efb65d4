"""Paths by which documentation refers to code: roles and directives of Sphinx, and `:::` of mkdocstrings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lossport.source.configtext import Mention
from lossport.source.dotted import meaning_of, paths_in
from lossport.source.modules import Modules
from lossport.source.targets import Targets

_BEFORE = re.compile(r"(?::(?:py:)?\w+:`(?:[^`]*<)?[~!]?|\.\. (?:py:)?\w+::[ \t]+|^[ \t]*:::[ \t]+)$")
"""What stands before a path on its line: ``:class:`~``, ``.. autoclass:: ``, ``::: ``."""


_SECTION = re.compile(r"(?m)^\[mypy-(?P<module>[\w.]+)\]")


def sections(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    """The sections of a configuration of mypy that are for a legacy module."""
    for match in _SECTION.finditer(text):
        module = modules.canonical(match["module"], path.parent)
        if module in targets.modules:
            yield match.start(), module


def called_from_a_folder(raw: bytes, targets: Targets) -> Iterator[tuple[int, str]]:
    """Where a file that changes `sys.path` imports a legacy symbol from the bare name of its module."""
    if b"sys.path" not in raw:
        return
    for symbol in sorted(targets.symbols):
        package, name = symbol.rpartition(".")[::2]
        module = re.escape(package.rpartition(".")[2].encode())
        taken = (
            rb"(?m)^[ \t]*(?:from[ \t]+"
            + module
            + rb"[ \t]+import\b[^\n]*\b"
            + name.encode()
            + rb"\b|import[ \t]+"
            + module
            + rb"\b)"
        )
        for match in re.finditer(taken, raw):
            yield match.start(), symbol


def referred(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[Mention]:
    """The legacy symbols to which a page refers, so that a documentation build looks for them."""
    for match in paths_in(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if _BEFORE.search(line):
            meaning = meaning_of(match[0], modules, targets.symbols, targets.modules, path.parent)
            if meaning is not None and meaning.kind == "symbol":
                yield Mention(match.start(), match.end(), meaning)
