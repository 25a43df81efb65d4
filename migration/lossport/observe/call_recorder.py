"""Watching one side's losses while a case runs: what is built, with which arguments, and what calls return.

Wraps the constructor and the call of each watched class, and each watched function, for as long as a side is active; the wrapped
objects behave as before. Does not look into what it finds.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from lossport.observe.isolation import resolve
from lossport.observe.value import is_still, snapshot
from lossport.project.errors import InputError


@dataclass
class Built:
    """One instance that the case built, in the order of building; `label` is empty for the first and `2.`, `3.` ... after.

    `again` builds another one like it: what a function returned is built by that function.
    """

    instance: Any
    symbol: str
    label: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    again: Callable[[], Any]


@dataclass(frozen=True)
class Called:
    """One call of a watched instance or function, for printing a counterexample: position in `built`, None for a function."""

    symbol: str
    built: int | None
    method: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


_CHANGEABLE = (Tensor, list, dict, set)
"""Arguments that a call may change in place."""


@dataclass
class Watch:
    """Watches symbols of one side. `on_built` may act on an instance as soon as it is complete.

    `changed` gathers the arguments that a call changed in place. `without` names options that are left at their defaults when a
    loss is built. `around` is entered around each call of an instance.
    """

    symbols: tuple[str, ...]
    built: list[Built] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    changed: list[object] = field(default_factory=list)
    without: Collection[str] = ()
    on_built: Callable[[Built], None] = lambda _: None
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    _results: dict[int, tuple[str, object]] = field(default_factory=dict)
    _depth: int = 0
    _undo: list[Callable[[], None]] = field(default_factory=list)
    _wrapped: set[str] = field(default_factory=set)

    def reset(self) -> None:
        """Forget what one run built and returned."""
        self.built, self.calls, self.changed, self._results, self._depth = [], [], [], {}, 0

    def called(self, value: object) -> str | None:
        """The symbol whose call returned exactly this object, whole."""
        found = self._results.get(id(value))
        return found[0] if found is not None and found[1] is value else None

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Wrap the watched symbols, and put everything back afterwards."""
        for symbol in self.symbols:
            self._wrap(symbol, resolve(symbol))
        try:
            yield
        finally:
            for undo in reversed(self._undo):
                undo()
            self._undo.clear()
            self._wrapped.clear()

    @contextmanager
    def ignoring(self) -> Iterator[None]:
        """Do not watch what is built and called within."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def attach_loaded(self, symbols: tuple[str, ...]) -> None:
        """Watch further classes, of other losses, whose modules the case has loaded."""
        for symbol in symbols:
            module, _, name = symbol.rpartition(".")
            target = getattr(sys.modules.get(module), name, None)
            if isinstance(target, type) and symbol not in self._wrapped:
                self._wrap(symbol, target)

    def _wrap(self, symbol: str, target: Any) -> None:
        self._wrapped.add(symbol)
        if isinstance(target, type):
            self._wrap_class(symbol, target)
        elif callable(target):
            self._wrap_function(symbol, target)
        else:
            raise InputError(f"{symbol}: expected a class or a function, found {type(target).__name__}")

    def _replace(self, owner: type | ModuleType, name: str, new: object) -> None:
        if name in vars(owner):
            before = vars(owner)[name]
            self._undo.append(lambda: setattr(owner, name, before))
        else:
            self._undo.append(lambda: delattr(owner, name))
        setattr(owner, name, new)

    def _wrap_class(self, symbol: str, target: type) -> None:
        build = target.__init__  # type: ignore[misc]  # looked up on the class on purpose, to be wrapped

        @functools.wraps(build)
        def init(instance: Any, *args: Any, **kwargs: Any) -> None:
            if self.without and self._depth == 0:
                args, kwargs = (), _left_out(build, (instance, *args), kwargs, self.without)
            self._depth += 1
            try:
                build(instance, *args, **kwargs)
            finally:
                self._depth -= 1
            if self._depth == 0:
                self._register(instance, symbol, args, kwargs, lambda: type(instance)(*args, **kwargs))

        self._replace(target, "__init__", init)
        call_name = "forward" if issubclass(target, nn.Module) else "__call__"
        call = getattr(target, call_name, None)
        if call is not None:
            self._replace(target, call_name, self._noting(symbol, call, bound=True))

    def _wrap_function(self, symbol: str, target: Callable[..., Any]) -> None:
        noting = self._noting(symbol, target, bound=False)
        module, _, name = symbol.rpartition(".")
        self._replace(sys.modules[module], name, noting)
        defining = sys.modules.get(getattr(target, "__module__", ""))
        if defining is not None and getattr(defining, name, None) is target:
            self._replace(defining, name, noting)

    def _noting(self, symbol: str, call: Callable[..., Any], *, bound: bool) -> Callable[..., Any]:
        @functools.wraps(call)
        def noted(*args: Any, **kwargs: Any) -> Any:
            if self._depth:
                return call(*args, **kwargs)
            self._note_call(symbol, args, kwargs, bound)
            before = [(item, snapshot(item)) for item in (*args, *kwargs.values()) if isinstance(item, _CHANGEABLE)]
            self._depth += 1
            try:
                with self.around() if bound else nullcontext():
                    result = call(*args, **kwargs)
            finally:
                self._depth -= 1
                self.changed += [item for item, then in before if not is_still(item, then)]
            self._note_result(symbol, result, lambda: call(*args, **kwargs))
            return result

        return noted

    def _note_call(self, symbol: str, args: tuple[Any, ...], kwargs: dict[str, Any], bound: bool) -> None:
        index = None
        if bound:
            index = next((n for n, item in enumerate(self.built) if item.instance is args[0]), None)
            args = args[1:]
        self.calls.append(Called(symbol, index, "__call__", args, kwargs))

    def _note_result(self, symbol: str, result: object, again: Callable[[], object]) -> None:
        if isinstance(result, nn.Module):
            own = f"{type(result).__module__}.{type(result).__qualname__}"
            self._register(result, own if own in self._wrapped else symbol, (), {}, again)
        elif isinstance(result, Tensor | dict | list | tuple | float) or hasattr(result, "__dict__"):
            self._results[id(result)] = (symbol, result)

    def _register(
        self, instance: Any, symbol: str, args: tuple[Any, ...], kwargs: dict[str, Any], again: Callable[[], Any]
    ) -> None:
        if any(item.instance is instance for item in self.built):
            return
        label = "" if not self.built else f"{len(self.built) + 1}."
        made = Built(instance, symbol, label, args, kwargs, again)
        self.built.append(made)
        self.on_built(made)


def _left_out(
    build: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], without: Collection[str]
) -> dict[str, Any]:
    """The arguments of a constructor by name, some left out."""
    bound = inspect.signature(build).bind(*args, **kwargs).arguments
    given = {name: value for name, value in list(bound.items())[1:] if name not in without}
    more = given.pop("kwargs", {})
    return {**given, **more}
