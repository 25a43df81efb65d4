"""Which files of a project import which, followed on demand: a file is read when the way leads to it, and only names are kept.

Import statements are found as Python's tokenizer would, without parsing: those in functions and under conditions count, those
in strings and comments do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lossport.project.config import Project
from lossport.project.snapshot import snapshot_of
from lossport.source.modules import Modules, absolute, modules_of

_LONG = rb"\"\"\"(?:[^\\\"]++|\\.|\"(?!\"\"))*+\"\"\"|'''(?:[^\\']++|\\.|'(?!''))*+'''"
_STRING = _LONG + rb"|\"(?:[^\\\"\n]++|\\.)*+\"|'(?:[^\\'\n]++|\\.)*+'"
_GAP = rb"(?:[ \t\f]|\\\r?\n)"
_BRACKETED = rb"\((?:[^)#]|#[^\n]*)*\)"
_STATEMENT = (
    rb"(?P<import>(?<![\w.])(?:from" + _GAP + rb"*(?P<module>[.\w]+(?:" + _GAP + rb"*\." + _GAP + rb"*[.\w]*)*)" + _GAP + rb"*)?"
    rb"\bimport\b(?P<names>" + _GAP + rb"*(?:" + _BRACKETED + rb"|(?:[^\n\r#;\\]|\\\r?\n)+)))"
)
_TOKEN = re.compile(rb"#[^\n]*|" + _STRING + rb"|" + _STATEMENT, re.DOTALL)
"""A comment, a string, or an import statement, whichever comes first."""

_COMMENT = re.compile(rb"#[^\n]*")
_SPACE = re.compile(rb"[\s\\()]+")


def imported_by(raw: bytes) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """The imports of a file: for `from`, the dots, the module and the names taken; for `import a.b`, 0, the module and nothing.

    >>> list(imported_by(b"import a.b as c, d\\nfrom ..e import (f, g as h)\\ntext = 'import i'"))
    [(0, 'a.b', ()), (0, 'd', ()), (2, 'e', ('f', 'g'))]
    """
    for match in _TOKEN.finditer(raw):
        if match["import"] is None:
            continue
        listed = (_first_word(piece) for piece in _COMMENT.sub(b"", match["names"]).split(b","))
        names = tuple(name for name in listed if name)
        if match["module"] is None:
            yield from ((0, name, ()) for name in names)
        else:
            origin = _SPACE.sub(b"", match["module"]).decode(errors="replace")
            module = origin.lstrip(".")
            yield len(origin) - len(module), module, names


def _first_word(piece: bytes) -> str:
    words = _SPACE.sub(b" ", piece).split()
    return words[0].decode(errors="replace") if words else ""


class Importing:
    """Answers, for one state of the tree, which files import some files. Every file is read once, however much is asked."""

    def __init__(
        self, project: Project, modules: Modules | None = None, read: Callable[[Path], bytes | None] | None = None
    ) -> None:
        self._project = snapshot_of(project)
        self._modules = modules or modules_of(project)
        self._read = read or self._project.content
        self._imports: dict[Path, frozenset[Path]] = {}

    def those_importing(self, starts: Iterable[Path], targets: Iterable[Path]) -> frozenset[Path]:
        """Those of the files `starts` that import a target, directly or through other files of the project.

        A file that is a target itself counts. The targets need not be there: a module that is imported by name counts, too.
        """
        asked = tuple(starts)
        importers: dict[Path, set[Path]] = {}
        for path in self.reached(asked):
            for imported in self.imports(path):
                importers.setdefault(imported, set()).add(path)
        leading: set[Path] = set()
        waiting = list(targets)
        while waiting:
            path = waiting.pop()
            if path not in leading:
                leading.add(path)
                waiting.extend(importers.get(path, ()))
        return frozenset(path for path in asked if path in leading)

    def reached(self, starts: Iterable[Path]) -> frozenset[Path]:
        """The files themselves and every file of the project that they import, directly or through others."""
        seen: set[Path] = set()
        waiting = list(starts)
        while waiting:
            path = waiting.pop()
            if path not in seen:
                seen.add(path)
                waiting.extend(self.imports(path))
        return frozenset(seen)

    def imports(self, path: Path) -> frozenset[Path]:
        """The files of the project that a file imports itself, the `__init__`s of the packages above them included."""
        if path not in self._imports:
            found = self._project.of_file(path, "imports", lambda: self._found_in(path)) if path.suffix == ".py" else ()
            self._imports[path] = frozenset(self._files(path, found)) - {path}
        return self._imports[path]

    def _found_in(self, path: Path) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
        try:
            raw = self._read(path) or b""
        except OSError:
            raw = b""
        return tuple(dict.fromkeys(imported_by(raw))) if b"import" in raw else ()

    def _files(self, path: Path, found: Iterable[tuple[int, str, tuple[str, ...]]]) -> Iterator[Path]:
        for dotted in self._dotted(path, found):
            if self._modules.knows(dotted, path.parent):
                for end in range(1, dotted.count(".") + 2):
                    file = self._modules.path(".".join(dotted.split(".")[:end]), path.parent)
                    if file is not None:
                        yield file

    def _dotted(self, path: Path, found: Iterable[tuple[int, str, tuple[str, ...]]]) -> Iterator[str]:
        """What is imported, by dotted path: what is taken from a package may be a module of it."""
        name = self._project.module_name(path) or path.stem
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for dots, module, names in found:
            origin = absolute(package, module or None, dots)
            if origin is not None:
                yield origin
                yield from (f"{origin}.{taken}" for taken in names if taken != "*")
