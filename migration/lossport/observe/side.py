"""One side of the comparison, ready to run: its modules, its watched symbols and its cases, loaded once and run many times."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossport.observe.call_recorder import Watch
from lossport.observe.isolation import Scope, Sources
from lossport.project.errors import InputError


@dataclass(frozen=True)
class Side:
    """The legacy or the new side of one loss. `cases` are the public functions of the case file, in its order.

    `options` gives this side's name of a legacy constructor parameter, where the port renames it.
    """

    name: str
    scope: Scope
    watch: Watch
    cases: Mapping[str, Callable[..., Any]]
    options: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def legacy_side(sources: Sources, symbols: tuple[str, ...], others: tuple[str, ...], cases: tuple[str, str]) -> Iterator[Side]:
    """The legacy side, its modules from `sources`; `cases` is the case file's path and text."""
    scope = Scope(frozenset(_top(symbol) for symbol in symbols), sources=sources)
    with _side("legacy", scope, symbols, others, cases) as side:
        yield side


@contextmanager
def new_side(
    import_roots: Sequence[Path],
    tops: frozenset[str],
    symbols: tuple[str, ...],
    cases: tuple[str, str],
    sources: Sources | None = None,
) -> Iterator[Side]:
    """The new side, its modules from the tree or from `sources`; `tops` are packages that the legacy side also has and that must
    not be shared."""
    scope = Scope(frozenset(_top(symbol) for symbol in symbols) | tops, import_roots=import_roots, sources=sources)
    with _side("new", scope, symbols, (), cases) as side:
        yield side


@contextmanager
def _side(name: str, scope: Scope, symbols: tuple[str, ...], others: tuple[str, ...], cases: tuple[str, str]) -> Iterator[Side]:
    watch = Watch(symbols)
    path, text = cases
    with scope.active():
        attached = watch.attached()
        attached.__enter__()
        try:
            found = _load_cases(scope, name, path, text)
            watch.attach_loaded(others)
        except BaseException as error:
            attached.__exit__(type(error), error, error.__traceback__)
            raise
    try:
        yield Side(name, scope, watch, found)
    finally:
        with scope.active():
            attached.__exit__(None, None, None)


def _load_cases(scope: Scope, side: str, path: str, text: str) -> dict[str, Callable[..., Any]]:
    name = f"_lossport_cases_{side}_{Path(path).stem}"
    try:
        module = scope.load_text(name, path, text)
    except InputError:
        raise
    except Exception as error:  # a case file is user code: anything can come out of it
        raise InputError(f"{path}: cannot be loaded on the {side} side: {type(error).__name__}: {error}") from error
    found: dict[str, Callable[..., Any]] = {
        key: value
        for key, value in vars(module).items()
        if not key.startswith("_") and inspect.isfunction(value) and value.__module__ == name
    }
    if not found:
        raise InputError(f"{path}: holds no case; expected public functions of one argument, inputs: Inputs")
    return found


def _top(symbol: str) -> str:
    return symbol.partition(".")[0]
