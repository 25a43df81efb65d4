"""Inheritance and imports across a set of files: how deep classes sit, where mixins meet, which modules import in a circle.

Works on outlines alone. A base class from outside the set (`nn.Module`, `ABC`) is where counting starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lossport.measure.outline import ClassDefinition, Outline

ClassKey = tuple[str, str]
"""A path and the name of a class inside it."""


@dataclass(frozen=True)
class ClassMeasure:
    """A class in its family.

    `depth` is the number of classes of the set above it along the longest chain; `bases` how many of its direct bases belong to
    the set; `diamonds` how many classes of the set it reaches by more than one of its bases.
    """

    path: str
    name: str
    line: int
    depth: int
    bases: int
    diamonds: int


def class_measures(outlines: Mapping[str, Outline]) -> tuple[ClassMeasure, ...]:
    """Every class of the files, in order of path and line."""
    family = _Family(outlines)
    return tuple(
        ClassMeasure(path, item.name, item.line, family.depth((path, item.name)), len(above), family.diamonds(above))
        for path, outline in sorted(outlines.items())
        for item in outline.classes
        for above in (family.bases((path, item.name)),)
    )


def import_cycles(outlines: Mapping[str, Outline]) -> tuple[tuple[str, ...], ...]:
    """Groups of files that import each other in a circle, each sorted."""
    modules = _Modules(outlines)
    edges = {
        path: {found for name in outline.imports if (found := modules.nearest(path, name)) and found != path}
        for path, outline in outlines.items()
    }
    reach = {path: _reachable(path, edges) for path in edges}
    groups = {tuple(sorted(other for other in reach[path] if path in reach[other])) for path in edges if path in reach[path]}
    return tuple(sorted(groups))


def _reachable(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(edges[start])
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(edges[path])
    return found


class _Modules:
    """Dotted names to files. Import roots are not known here: every folder that is not a package may be one."""

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self.outlines = outlines
        self._files: dict[str, str] = {}
        packages = {path.rpartition("/")[0] for path in outlines if path.endswith("__init__.py")}
        for path in sorted(outlines):
            parts = _module(path).split(".")
            for start in range(len(parts)):
                if "/".join(parts[:start]) not in packages or not start:
                    self._files.setdefault(".".join(parts[start:]), path)

    def absolute(self, path: str, dotted: str) -> str:
        """A relative import as a dotted path from the root of the set."""
        level = len(dotted) - len(dotted.lstrip("."))
        if not level:
            return dotted
        package = _module(path).split(".")
        if not path.endswith("__init__.py"):
            package = package[:-1]
        kept = package[: len(package) - level + 1]
        return ".".join([*kept, *filter(None, [dotted[level:]])])

    def find(self, dotted: str) -> str | None:
        """The file of exactly this module."""
        return self._files.get(dotted)

    def nearest(self, path: str, dotted: str) -> str | None:
        """The file of the module, or of the one that holds the name, that `path` imports."""
        parts = self.absolute(path, dotted).split(".")
        for end in range(len(parts), 0, -1):
            found = self.find(".".join(parts[:end]))
            if found:
                return found
        return None


def _module(path: str) -> str:
    stem = path.removesuffix(".py").replace("/", ".")
    return stem.removesuffix(".__init__")


class _Family:
    """Which classes stand above which, following imports and re-exports."""

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self._modules = _Modules(outlines)
        self._depths: dict[ClassKey, int] = {}
        self._bases: dict[ClassKey, tuple[ClassKey, ...]] = {}

    @cached_property
    def _classes(self) -> dict[ClassKey, ClassDefinition]:
        return {(path, item.name): item for path, outline in self._modules.outlines.items() for item in outline.classes}

    def bases(self, key: ClassKey) -> tuple[ClassKey, ...]:
        """The direct bases that belong to the set."""
        if key not in self._bases:
            path, name = key
            scope = name.rpartition(".")[0]
            found = (self._resolve(path, base, scope, set()) for base in self._classes[key].bases)
            self._bases[key] = tuple(base for base in found if base and base != key)
        return self._bases[key]

    def depth(self, key: ClassKey) -> int:
        """Classes above along the longest chain; a chain that bites its own tail ends there."""
        waiting = [key]
        begun: set[ClassKey] = set()
        while waiting:
            top = waiting[-1]
            above = [base for base in self.bases(top) if base not in self._depths and base not in begun]
            begun.add(top)
            if above:
                waiting.extend(above)
            else:
                waiting.pop()
                self._depths[top] = max((1 + self._depths.get(base, 0) for base in self.bases(top)), default=0)
        return self._depths[key]

    def diamonds(self, bases: tuple[ClassKey, ...]) -> int:
        """Classes reached through more than one of `bases`."""
        seen: set[ClassKey] = set()
        twice: set[ClassKey] = set()
        for base in bases:
            above = self._with_ancestors(base)
            twice |= seen & above
            seen |= above
        return len(twice)

    def _with_ancestors(self, key: ClassKey) -> set[ClassKey]:
        seen = {key}
        waiting = [key]
        while waiting:
            new = set(self.bases(waiting.pop())) - seen
            seen |= new
            waiting.extend(new)
        return seen

    def _resolve(self, path: str, dotted: str, scope: str, seen: set[tuple[str, str]]) -> ClassKey | None:
        """The class that `dotted` means inside `path`, looking outward from `scope`."""
        if (path, dotted) in seen:
            return None
        seen.add((path, dotted))
        while scope:
            if (path, f"{scope}.{dotted}") in self._classes:
                return path, f"{scope}.{dotted}"
            scope = scope.rpartition(".")[0]
        if (path, dotted) in self._classes:
            return path, dotted
        for target in self._meanings(path, dotted):
            found = self._follow(target, seen)
            if found:
                return found
        return None

    def _meanings(self, path: str, dotted: str) -> Iterator[str]:
        """Dotted paths that the name can stand for, by the file's imports."""
        names = self._modules.outlines[path].names
        head, _, rest = dotted.partition(".")
        if head in names:
            target = self._modules.absolute(path, names[head])
            yield f"{target}.{rest}" if rest else target
        for name, module in names.items():
            if name.startswith("*"):
                yield f"{self._modules.absolute(path, module)}.{dotted}"

    def _follow(self, target: str, seen: set[tuple[str, str]]) -> ClassKey | None:
        parts = target.split(".")
        for end in range(len(parts) - 1, 0, -1):
            file = self._modules.find(".".join(parts[:end]))
            if file:
                return self._resolve(file, ".".join(parts[end:]), "", seen)
        return None
