"""What a search is for: the legacy symbols of some losses, and the modules they live in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from lossport.project.config import Loss
from lossport.source.modules import Modules
from lossport.source.signatures import Shape, shape_of


@dataclass(frozen=True)
class Targets:
    """What is looked for: legacy symbols, which of them are classes, and the modules they live in."""

    symbols: frozenset[str]
    modules: frozenset[str]
    shapes: Mapping[str, Shape]

    @cached_property
    def classes(self) -> frozenset[str]:
        """The symbols that are classes. One whose source is gone counts as a class if its name is written like one."""
        return frozenset(s for s in self.symbols if (self.shapes[s].is_class if s in self.shapes else _looks_like_class(s)))


def _looks_like_class(symbol: str) -> bool:
    return symbol.rpartition(".")[2].lstrip("_")[:1].isupper()


def targets_of(modules: Modules, losses: Iterable[Loss]) -> Targets:
    """The symbols and modules that the losses retire."""
    symbols = frozenset(symbol for loss in losses for symbol in loss.symbols)
    shapes = {symbol: shape for symbol in symbols if (shape := shape_of(modules, symbol)) is not None}
    return Targets(symbols, frozenset(symbol.rpartition(".")[0] for symbol in symbols), shapes)
