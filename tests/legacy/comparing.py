"""Puts a live value beside a recorded one: says in words where they differ in form, and pairs up their numbers.

Neither builds nor calls anything, and does not say how close numbers have to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from lossport.judge.closeness import Different, Numbers
from lossport.judge.equality import compare
from lossport.observe.float64 import paused
from lossport.observe.value import Array, Plain, array
from tests.legacy.recording import Encoded, tensor_of


@dataclass(frozen=True)
class Figures:
    """Numbers at one place, live and recorded. Whether they may differ as they do is for the judge to say."""

    place: str
    live: Array | Plain
    recorded: Array | Plain

    @property
    def outcome(self) -> Different | Numbers | None:
        """None if they are equal in every bit; numbers if only values of floats differ; else the difference."""
        return compare(self.live, self.recorded, torch.float32)


Found: TypeAlias = str | Figures
"""A difference in words, or numbers; equal ones too, as another run is asked for them by their place."""


@dataclass(frozen=True)
class Comparison:
    """The rules of one comparison: `itself` is the object that a method may return."""

    itself: object = None

    def differences(self, wanted: Encoded, found: Any, place: str) -> Iterator[Found]:
        """Where `found` is not what was recorded, and all numbers, each with its place."""
        if isinstance(wanted, Mapping):
            yield from self._of_mapping(wanted, found, place)
        elif isinstance(wanted, list):
            yield from self._of_sequence(wanted, found, list, place)
        elif isinstance(wanted, bool) or not isinstance(wanted, int | float):
            if type(found) is not type(wanted) or found != wanted:
                yield f"{place}: {found!r} instead of {wanted!r}"
        else:
            yield from self._of_number(wanted, found, place)

    def _of_number(self, wanted: float, found: Any, place: str) -> Iterator[Found]:
        if type(found) is not type(wanted):
            yield f"{place}: a {type(found).__name__} instead of the {type(wanted).__name__} {wanted!r}"
        else:
            yield Figures(place, Plain(found), Plain(wanted))

    def _of_mapping(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        for form, rule in _FORMS.items():
            if form in wanted:
                yield from rule(self, wanted, found, place)
                return
        if not isinstance(found, Mapping):
            yield f"{place}: a {type(found).__name__} instead of a dictionary"
        elif [str(key) for key in found] != list(wanted):
            yield f"{place}: keys {list(found)} instead of {list(wanted)}"
        else:
            for (name, item), value in zip(wanted.items(), found.values(), strict=True):
                yield from self.differences(item, value, f"{place}[{name!r}]")

    def _of_sequence(self, wanted: Sequence[Encoded], found: Any, kind: type[Sequence[Any]], place: str) -> Iterator[Found]:
        if not isinstance(found, kind) or len(found) != len(wanted):
            yield f"{place}: {found!r} instead of a {kind.__name__} of {len(wanted)}"
            return
        for index, (item, value) in enumerate(zip(wanted, found, strict=True)):
            yield from self.differences(item, value, f"{place}[{index}]")

    def _tensor(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        record = wanted["$tensor"]
        if not isinstance(found, Tensor):
            yield f"{place}: a {type(found).__name__} instead of a tensor"
        elif list(found.shape) != record["shape"]:
            yield f"{place}: shape {list(found.shape)} instead of {record['shape']}"
        else:
            if found.dtype != getattr(torch, record["dtype"]):
                yield f"{place}: {found.dtype} instead of torch.{record['dtype']}"
            with paused():
                wanted_tensor = tensor_of(record)
                yield Figures(place, array(found.detach()), array(wanted_tensor.to(found.dtype)))

    def _float(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        if not isinstance(found, float):
            yield f"{place}: {found!r} instead of {wanted['$float']}"
        else:
            yield Figures(place, Plain(found), Plain(float(wanted["$float"])))

    def _tuple(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        yield from self._of_sequence(wanted["$tuple"], found, tuple, place)

    def _self(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        if found is not self.itself:
            yield f"{place}: {found!r} instead of the object itself"

    def _type(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        name = wanted.get("$module") or wanted.get("$repr")
        if type(found).__name__ != name:
            yield f"{place}: a {type(found).__name__} instead of a {name}"

    def _callable(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        if not callable(found):
            yield f"{place}: {found!r} instead of the callable {wanted['$callable']}"

    def _built(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        """A module that a factory built: class, state, attributes, and the same of every sub-module."""
        if not isinstance(found, nn.Module) or type(found).__name__ != wanted["$built"]:
            yield f"{place}: a {type(found).__name__} instead of a {wanted['$built']}"
            return
        yield from self.differences(wanted["state"], dict(found.state_dict()), f"{place}.state_dict()")
        yield from self.attributes(wanted["attrs"], found, place)
        modules = dict(found.named_modules())
        if list(modules) != list(wanted["parts"]):
            yield f"{place}: parts {list(modules)} instead of {list(wanted['parts'])}"
            return
        for name, part in wanted["parts"].items():
            if type(modules[name]).__name__ != part["type"]:
                yield f"{place}.{name}: a {type(modules[name]).__name__} instead of a {part['type']}"
            yield from self.attributes(part["attrs"], modules[name], f"{place}.{name}" if name else place)

    def attributes(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[Found]:
        """Attributes by name; more than the recorded ones may be there."""
        for name, item in wanted.items():
            if hasattr(found, name):
                yield from self.differences(item, getattr(found, name), f"{place}.{name}")
            else:
                yield f"{place}.{name}: missing"


_FORMS = {
    "$tensor": Comparison._tensor,
    "$float": Comparison._float,
    "$tuple": Comparison._tuple,
    "$self": Comparison._self,
    "$module": Comparison._type,
    "$repr": Comparison._type,
    "$callable": Comparison._callable,
    "$built": Comparison._built,
}
