"""Whether a file that contains a legacy word can lead to something legacy: imports and texts are looked at, nothing is parsed.

`losses` is a word of half the files of a project, and seldom the module `legacy.losses`; the new class may be called as the old
one was. What is not certain counts as a lead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lossport.project.config import Project
from lossport.source.dotted import meaning_of
from lossport.source.modules import Modules, absolute
from lossport.source.targets import Targets

_FROM = rb"(?<![\w.])(?:from\b[\s\\]*([\w.]+)[\s\\]+)?"
_TAKEN = rb"import\b((?:[^\n(\\;]|\\\r?\n)*(?:\((?:[^)#\n]|#[^\n]*|\n)*)?)"
_IMPORT = re.compile(_FROM + _TAKEN)
"""An import wherever it stands - in code, in a doctest, in text that is run: the module after `from`, and what is imported."""

_COMMENT = re.compile(rb"#[^\n]*")
_BETWEEN = re.compile(rb"[,(;]")
_IMPORTED = re.compile(rb"(\*|\w[\w.]*)(?:[\s\\]+as[\s\\]+(\w+))?")

_TAKES_MODULES = re.compile(rb"import_module|__import__|importorskip|\bmodules\b|patch|\beval\b|\bexec\b")
"""What takes the name of a module as text."""

_TAKES_NAMES = re.compile(rb"attr\b|getattr__|\bvars\b|\bglobals\b|\blocals\b|__\w*name__|" + _TAKES_MODULES.pattern)
"""What takes the name of a class as text, or compares one."""


class Leads:
    """Looks at one file after the other, for the same targets; `packages` are those that names may be computed in."""

    def __init__(self, modules: Modules, targets: Targets, packages: Iterable[str]) -> None:
        self._modules = modules
        self._targets = targets
        self._packages = frozenset(package.encode() for package in packages)
        symbols = {symbol.rpartition(".")[2].encode() for symbol in targets.symbols}
        named = {module.rpartition(".")[2].encode() for module in targets.modules} | self._packages
        either = _any_of(symbols | named)
        self._chain = re.compile(rb"(?<![\w.])(\w+)\s*\.(?:\s*\w+\s*\.)*\s*" + either + rb"(?!\w)")
        self._path = re.compile(rb"""["']((?:\w+[.:])*""" + either + rb"""(?:[.:]\w+)*)["']""")
        self._symbol_as_text = re.compile(rb"""["'.]""" + _any_of(symbols) + rb"""["']""")
        self._module_as_text = re.compile(rb"""["'.]""" + _any_of(named) + rb"""["'.]""")
        self._attribute = re.compile(rb"""attr\([^,\n]*,\s*["']""" + _any_of(named) + rb"""["']""")
        self._taken_from = re.compile(rb"\.[ \t]*" + _any_of(symbols) + rb"[ \t]*\(|[/\\]" + _any_of(named) + rb"\.py\b")

    def __call__(self, path: Path, raw: bytes) -> bool:
        """Whether the file has to be followed."""
        imports = list(imports_of(raw))
        named = {part for names in imports for name in names for part in name.split(b".")}
        bound = {alias or taken.partition(b".")[0] for _, taken, alias in imports}
        return (
            not self._packages.isdisjoint(named)  # by way of a package, names are computed
            or any(match[1] in bound for match in self._chain.finditer(raw))
            or (self._symbol_as_text.search(raw) is not None and _TAKES_NAMES.search(raw) is not None)
            or (self._module_as_text.search(raw) is not None and _TAKES_MODULES.search(raw) is not None)
            or self._attribute.search(raw) is not None
            or self._taken_from.search(raw) is not None
            or any(self._means(match[1], path) for match in self._path.finditer(raw))
            or any(self._leads(dotted, path.parent) for dotted in taken_by(self._modules.project, path, imports))
        )

    def _means(self, text: bytes, path: Path) -> bool:
        symbols, retired = self._targets.symbols, self._targets.modules
        return meaning_of(text.decode(errors="replace"), self._modules, symbols, retired, path.parent) is not None

    def _leads(self, dotted: str, near: Path) -> bool:
        modules, retired = self._modules, self._targets.modules
        parent, _, name = dotted.rpartition(".")
        if name == "*":
            return modules.path(parent, near) is not None
        taken = modules.member(parent, name, near) if parent else modules.canonical(dotted, near)
        return taken in self._targets.symbols or not retired.isdisjoint((taken, modules.canonical(parent, near)))


def taken_by(project: Project, path: Path, imports: Iterable[tuple[bytes, bytes, bytes]]) -> Iterator[str]:
    """What the imports of a file take, by its dotted path."""
    name = project.module_name(path) or path.stem
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for origin, taken, _ in imports:
        dots = len(origin) - len(origin.lstrip(b"."))
        module = absolute(package, origin[dots:].decode(errors="replace") or None, dots)
        if module is not None or not origin:
            yield (f"{module}." if module else "") + taken.decode(errors="replace")


def imports_of(raw: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """What is imported: from which module (empty: a module itself), its name, and what it is called here (empty: the same)."""
    for match in _IMPORT.finditer(raw):
        for piece in _BETWEEN.split(_COMMENT.sub(b"", match[2])):
            found = _IMPORTED.search(piece)
            if found is not None:
                yield match[1] or b"", found[1], found[2] or b""


def _any_of(words: Iterable[bytes]) -> bytes:
    return rb"(?:" + (b"|".join(map(re.escape, sorted(words))) or rb"(?!)") + rb")"
