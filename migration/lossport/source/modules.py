"""What a dotted name means in a project: which file it comes from, through any number of re-exports, stars and aliases.

Reads and parses a module when it is asked about, once. Decides nothing and changes nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lossport.project.config import Project
from lossport.project.snapshot import snapshot_of
from lossport.source.source import Source, SourceError, decode, parse


@dataclass
class ModuleInfo:
    """The names that a module binds at its top level, and where they come from (a dotted path, or None if it is its own)."""

    name: str
    path: Path | None
    tree: ast.Module
    is_package: bool
    names: dict[str, str | None] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    exported: tuple[str, ...] | None = None
    exports_more: bool = False

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


class Modules:
    """The modules of a project, parsed on demand. `sources` stands in for modules that are not in the tree any more."""

    def __init__(self, project: Project, sources: Mapping[str, str] | None = None) -> None:
        self.project = snapshot_of(project)
        self.sources = dict(sources or {})
        self._source_tops = frozenset(name.partition(".")[0] for name in self.sources)
        self._by_name: dict[str, ModuleInfo | None] = {}
        self._paths: dict[str, Path | None] = {}
        self._canonical: dict[tuple[str, Path | None], str] = {}
        self._public: dict[str, frozenset[str]] = {}

    def knows(self, dotted: str, near: Path | None = None) -> bool:
        """Whether a dotted name can lead into the project: most imports are of other packages, and need no look at the disk."""
        top = dotted.partition(".")[0]
        if top in self._source_tops:
            return True
        return any(self._begins(folder, top) for folder in (*self.project.import_roots, *((near,) if near else ())))

    def _begins(self, folder: Path, top: str) -> bool:
        files, folders = self.project.names_in(str(folder))
        return top in folders or f"{top}.py" in files

    def path(self, module: str, near: Path | None = None) -> Path | None:
        """The file of a module: in the import roots, else beside the script that imports it (`near` is the script's folder)."""
        if module not in self._paths:
            self._paths[module] = self._below(self.project.import_roots, module)
        found = self._paths[module]
        return self._below((near,), module) if found is None and near is not None else found

    def _below(self, folders: Iterable[Path], module: str) -> Path | None:
        """The file of a module below one of the folders."""
        if not _is_dotted(module):
            return None
        found = (self.project.below(folder, module) for folder in folders)
        return next((path for path in found if path is not None), None)

    def load(self, module: str, near: Path | None = None) -> ModuleInfo | None:
        """The module, or None if the project has none of that name or its file is not Python."""
        path = self.path(module, near)
        if path is None:
            if module not in self._by_name and module in self.sources:
                self._by_name[module] = self._read(module, None, self.sources[module].encode())
            return self._by_name.get(module)
        name = self.project.module_name(path) or module
        if name not in self._by_name:
            try:
                raw = self.project.content(path)
            except OSError:
                raw = None
            self._by_name[name] = None if raw is None else self._read(name, path, raw)
        return self._by_name[name]

    def _read(self, name: str, path: Path | None, raw: bytes) -> ModuleInfo | None:
        try:
            _, tree = self.parsed(path, raw)
        except SourceError:
            return None
        return describe(name, path, tree)

    def parsed(self, path: Path | None, raw: bytes) -> tuple[Source, ast.Module]:
        """The text and the syntax tree of a file; the same ones for whoever asks again.

        Raises:
            SourceError: it is not Python.
        """
        return _parsed(raw) if path is None else self.project.of_file(path, "parsed", lambda: _parsed(raw))

    def canonical(self, dotted: str, near: Path | None = None) -> str:
        """The dotted path of the definition that `dotted` leads to; `dotted` itself where the project cannot tell.

        A chain that comes back to a name it has passed ends where it passed that name first: names that are taken from each
        other in a circle, and `from .version import version` in a package without a `version.py`, which only lengthens the path.
        """
        key = (dotted, near)
        if key not in self._canonical:
            self._canonical[key] = self._follow(dotted, near)
        return self._canonical[key]

    def _follow(self, dotted: str, near: Path | None) -> str:
        passed: dict[str, str] = {}
        while True:
            name, target = self._step(dotted, near)
            if name in passed:
                return passed[name]
            if not name or target == dotted:
                return target
            passed[name] = dotted
            dotted = target

    def _step(self, dotted: str, near: Path | None) -> tuple[str, str]:
        """The name at the head of a path that a module binds, and where it got the path from; no name at the end of the way."""
        parts = dotted.split(".")
        for cut in range(len(parts), 0, -1):
            module = ".".join(parts[:cut])
            if module not in self.sources and self.path(module, near) is None:
                continue
            if cut == len(parts):
                return "", self._module_name(module, near)
            info = self.load(module, near)
            origin = self.origin(info, parts[cut]) if info is not None else None
            if info is None or origin is None:
                return "", dotted
            name = f"{info.name}.{parts[cut]}"
            target = ".".join([origin, *parts[cut + 1 :]])
            return ("" if origin == name else name), target
        return "", dotted

    def _module_name(self, module: str, near: Path | None) -> str:
        path = self.path(module, near)
        return (self.project.module_name(path) if path else None) or module

    def member(self, module: str, name: str, near: Path | None = None) -> str:
        """What `from module import name` gives: a name that the module binds comes before a submodule that is called so."""
        info = self.load(module, near)
        if info is not None:
            origin = self.origin(info, name)
            if origin is not None and origin != f"{info.name}.{name}":
                return self.canonical(origin, near)
            return f"{info.name}.{name}"
        return self.canonical(f"{module}.{name}", near)

    def origin(self, info: ModuleInfo, name: str) -> str | None:
        """Where the module got the name from, one step back: its own path if it defines it, None if it does not bind it."""
        if name in info.names:
            return info.names[name] or f"{info.name}.{name}"
        for star in info.stars:
            other = self.load(star, info.path.parent if info.path else None)
            if other is not None and other is not info and name in self._public_names(other):
                return f"{other.name}.{name}"
        return None

    def _public_names(self, info: ModuleInfo) -> frozenset[str]:
        if info.name not in self._public:
            self._public[info.name] = frozenset(self.public(info))
        return self._public[info.name]

    def public(self, info: ModuleInfo, seen: frozenset[str] = frozenset()) -> Iterator[str]:
        """What `from module import *` binds."""
        if info.name in seen:
            return
        if info.exported is not None:
            yield from info.exported
            if not info.exports_more:
                return
        yield from (name for name in info.names if not name.startswith("_"))
        for star in info.stars:
            other = self.load(star, info.path.parent if info.path else None)
            if other is not None:
                yield from self.public(other, seen | {info.name})


def modules_of(project: Project) -> Modules:
    """The modules of a snapshot, the same ones for whoever asks; of a plain project, those of now."""
    snapshot = snapshot_of(project)
    return snapshot.once("modules", lambda: Modules(snapshot))


def _parsed(raw: bytes) -> tuple[Source, ast.Module]:
    source = decode(raw)
    return source, parse(source)


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def absolute(package: str, module: str | None, level: int) -> str | None:
    """The absolute name of the module of a `from` import, or None if it climbs above the top."""
    if level == 0:
        return module
    parts = package.split(".") if package else []
    if level - 1 > len(parts) or not parts:
        return None
    base = parts[: len(parts) - (level - 1)]
    return ".".join([*base, module] if module else base) or None


def describe(name: str, path: Path | None, tree: ast.Module) -> ModuleInfo:
    """The top-level bindings of a parsed module."""
    is_package = path is not None and path.name == "__init__.py"
    info = ModuleInfo(name, path, tree, is_package)
    for statement in top_level(tree.body):
        _bind(info, statement)
    return info


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under `if`, `try`, `with` and loops included."""
    for statement in body:
        yield statement
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from top_level(getattr(statement, block, []))
        for handler in getattr(statement, "handlers", []):
            yield from top_level(handler.body)


def _bind(info: ModuleInfo, statement: ast.stmt) -> None:
    match statement:
        case ast.Import(names=names):
            for alias in names:
                bound = alias.asname or alias.name.partition(".")[0]
                info.names[bound] = alias.name if alias.asname else bound
        case ast.ImportFrom(names=names):
            _bind_from(info, statement)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            info.names[name] = None
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind_target(info, target, value)
        case ast.AnnAssign(target=ast.Name() as target, value=value):
            _bind_target(info, target, value)
        case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
            _export(info, value)
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__"), attr="extend" | "append"), args=[given])):
            _export(info, given)
        case _:
            pass


def _bind_from(info: ModuleInfo, statement: ast.ImportFrom) -> None:
    module = absolute(info.package, statement.module, statement.level)
    if module is None:
        return
    for alias in statement.names:
        if alias.name == "*":
            info.stars.append(module)
        else:
            info.names.setdefault(alias.asname or alias.name, f"{module}.{alias.name}")


def _bind_target(info: ModuleInfo, target: ast.expr, value: ast.expr | None) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            _bind_target(info, element, None)
        return
    if not isinstance(target, ast.Name):
        return
    if target.id == "__all__":
        info.exported, info.exports_more = (), False
        _export(info, value)
        return
    chain = dotted_chain(value) if value is not None else None
    if chain is not None:
        head, _, rest = chain.partition(".")
        origin = info.names.get(head)
        if origin is not None:
            info.names.setdefault(target.id, f"{origin}.{rest}" if rest else origin)
            return
        if head in info.names:
            info.names.setdefault(target.id, f"{info.name}.{chain}")
            return
    info.names.setdefault(target.id, None)


def _export(info: ModuleInfo, value: ast.expr | None) -> None:
    """Add to `__all__`. Where a part of it is computed (`other.__all__`), anything public may be in it."""
    match value:
        case ast.BinOp(left=left, right=right):
            _export(info, left)
            _export(info, right)
        case ast.Constant(value=str(name)):
            info.exported = (*(info.exported or ()), name)
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            for part in parts:
                _export(info, part)
        case _:
            info.exported = info.exported or ()
            info.exports_more = True


def dotted_chain(node: ast.expr) -> str | None:
    """`a.b.c` for a chain of names, None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])
