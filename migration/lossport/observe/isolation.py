"""Two sides in one process: each runs with its own copies of the project's modules, taken from a capsule or from the tree.

While a side is active, `sys.modules` holds its modules and nothing of the other side's; afterwards everything is as before.
Sources that are given (a capsule's) are imported from memory, so that a legacy loss runs after its file is gone.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from lossport.project.errors import InputError

PROTECTED = frozenset({"lossport", "torch", "numpy", "safetensors"})
"""Never taken from the project, even where an import root would offer them."""

NOT_THE_PROJECTS = PROTECTED | sys.stdlib_module_names
"""Those and Python's own."""

CAPSULE = "<capsule>/"
"""What the file name of a module begins with that was loaded out of a golden."""


class Sources(importlib.abc.MetaPathFinder):
    """Imports modules from texts by path (`legacy/clip.py`), and what those lack from `fallback`, keeping what it served."""

    def __init__(self, texts: Mapping[str, str], fallback: Callable[[str], tuple[str, str] | None] = lambda _: None) -> None:
        self.texts = dict(texts)
        self.tops = {_top(path) for path in texts}
        self._fallback = fallback

    def locate(self, module: str) -> str | None:
        """The path that holds the module, after asking the fallback; None if there is none."""
        stem = module.replace(".", "/")
        for path in (f"{stem}.py", f"{stem}/__init__.py"):
            if path in self.texts:
                return path
        offered = self._fallback(module)
        if offered is None:
            return None
        path, text = offered
        self.texts[path] = text
        self.tops.add(_top(path))
        return path

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Python's import system asks here first while the side is active."""
        if fullname.partition(".")[0] in NOT_THE_PROJECTS:
            return None
        found = self.locate(fullname)
        stem = fullname.replace(".", "/")
        if found is not None:
            loader = _TextLoader(fullname, found, self.texts[found])
            return importlib.util.spec_from_loader(fullname, loader, is_package=found.endswith("__init__.py"))
        if any(known.startswith(f"{stem}/") for known in self.texts):
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [f"{CAPSULE}{stem}"]
            return spec
        return None


def _top(path: str) -> str:
    """The top-level package or module that a file belongs to."""
    return path.split("/", maxsplit=1)[0].removesuffix(".py")


class _TextLoader(importlib.abc.InspectLoader):
    """Loads one module from its text; tracebacks and `inspect.getsource` find the text through it."""

    def __init__(self, name: str, path: str, text: str) -> None:
        self._name, self._path, self._text = name, path, text

    def get_source(self, fullname: str) -> str:
        return self._text

    def is_package(self, fullname: str) -> bool:
        return self._path.endswith("__init__.py")

    def get_filename(self, fullname: str) -> str:
        return f"{CAPSULE}{self._path}"

    def get_code(self, fullname: str) -> Any:
        return compile(self._text, self.get_filename(fullname), "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self.get_filename(self._name)
        exec(self.get_code(self._name), module.__dict__)


class Scope:
    """The modules of one side. Use `with scope.active():` around everything that may import or run project code."""

    def __init__(self, tops: frozenset[str], *, sources: Sources | None = None, import_roots: Sequence[Path] = ()) -> None:
        self.tops = tops - NOT_THE_PROJECTS
        self._sources = sources
        self._roots = [str(root) for root in import_roots]
        self._own: dict[str, ModuleType] = {}
        self._count = -1
        self._depth = 0

    def _take_out(self) -> dict[str, ModuleType]:
        """Remove the modules of this side's packages from `sys.modules`. Called twice a run: thousands of names are looked
        through only where a package is there, and where more has been imported since the last time."""
        tops = self.tops | (self._sources.tops if self._sources is not None else set())
        if not any(top in sys.modules for top in tops):
            return {}
        is_known = len(sys.modules) == self._count and self._own.keys() <= sys.modules.keys()
        near = [name for name in list(self._own if is_known else sys.modules) if name.startswith(tuple(tops))]
        return {name: sys.modules.pop(name) for name in near if name.partition(".")[0] in tops}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Swap this side's modules in, and everything back afterwards. Nests."""
        self._depth += 1
        if self._depth > 1:
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._count = -1
        stashed = self._take_out()
        path_before, sys.path[:] = list(sys.path), [*self._roots, *sys.path]
        bytecode_before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        if self._sources is not None:
            sys.meta_path.insert(0, self._sources)
        sys.modules.update(self._own)
        self._count = len(sys.modules)
        try:
            yield
        finally:
            self._own = self._take_out()
            sys.modules.update(stashed)
            if self._sources is not None:
                sys.meta_path.remove(self._sources)
            sys.path[:] = path_before
            sys.dont_write_bytecode = bytecode_before
            self._depth -= 1

    def load_text(self, name: str, path: str, text: str) -> ModuleType:
        """Run a text as a module of that name; to be called while active."""
        spec = importlib.util.spec_from_loader(name, _TextLoader(name, path, text))
        if spec is None:
            raise InputError(f"{path}: cannot be loaded as a module")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            _TextLoader(name, path, text).exec_module(module)
        except SyntaxError as error:
            raise InputError(f"{path}:{error.lineno}: not valid Python: {error.msg}") from error
        finally:
            sys.modules.pop(name, None)
        return module


def resolve(symbol: str) -> Any:
    """The object of a dotted path, imported; to be called while a scope is active."""
    module, _, name = symbol.rpartition(".")
    try:
        found = importlib.import_module(module)
    except Exception as error:  # importing runs the project's code: anything can come out of it
        raise InputError(f"{symbol}: cannot be imported: {type(error).__name__}: {error}") from error
    try:
        return getattr(found, name)
    except AttributeError as error:
        raise InputError(f"{symbol}: the module {module} has no {name}; expected what the port names") from error
