"""Compares a live value with a recorded one and says in words where they differ; it neither builds nor calls anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tests.legacy.recording import Encoded


@dataclass(frozen=True)
class Tolerance:
    """How far two numbers may be apart: `absolute + relative * the larger magnitude`."""

    absolute: float
    relative: float

    def allows(self, wanted: float, found: float) -> bool:
        """Whether the two count as the same number; NaN equals NaN, and an infinity only itself."""
        if math.isnan(wanted) or math.isnan(found):
            return math.isnan(wanted) and math.isnan(found)
        if math.isinf(wanted) or math.isinf(found):
            return wanted == found
        return abs(wanted - found) <= self.absolute + self.relative * max(abs(wanted), abs(found))


EXACT = Tolerance(0.0, 0.0)
FLOAT32 = Tolerance(1e-6, 2e-6)
"""Recorded float32 values have 9 digits; the rest is another order of additions in another build of torch."""
FLOAT32_GRADIENT = Tolerance(1e-6, 2e-5)
"""Rows of norm near zero have gradients of order 1e12: their absolute error says nothing, and they lose one more digit."""
FLOAT64 = Tolerance(1e-12, 1e-11)


@dataclass(frozen=True)
class Comparison:
    """The rules of one comparison: gradients are looser, and `itself` is the object that a method may return."""

    gradient: bool = False
    itself: object = None

    def differences(self, wanted: Encoded, found: Any, place: str) -> Iterator[str]:
        """Where `found` is not what was recorded, each with its place; nothing if all is equal."""
        if isinstance(wanted, Mapping):
            yield from self._of_mapping(wanted, found, place)
        elif isinstance(wanted, list):
            yield from self._of_sequence(wanted, found, list, place)
        elif isinstance(wanted, bool) or not isinstance(wanted, int | float):
            if type(found) is not type(wanted) or found != wanted:
                yield f"{place}: {found!r} instead of {wanted!r}"
        else:
            yield from self._of_number(wanted, found, place)

    def _of_number(self, wanted: float, found: Any, place: str) -> Iterator[str]:
        if type(found) is not type(wanted):
            yield f"{place}: a {type(found).__name__} instead of the {type(wanted).__name__} {wanted!r}"
        elif not FLOAT32.allows(wanted, float(found)):
            yield f"{place}: {found!r} instead of {wanted!r}"

    def _of_mapping(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
        for form, compare in _FORMS.items():
            if form in wanted:
                yield from compare(self, wanted, found, place)
                return
        if not isinstance(found, Mapping):
            yield f"{place}: a {type(found).__name__} instead of a dictionary"
        elif [str(key) for key in found] != list(wanted):
            yield f"{place}: keys {list(found)} instead of {list(wanted)}"
        else:
            for (name, item), value in zip(wanted.items(), found.values(), strict=True):
                yield from self.differences(item, value, f"{place}[{name!r}]")

    def _of_sequence(self, wanted: Sequence[Encoded], found: Any, kind: type[Sequence[Any]], place: str) -> Iterator[str]:
        if not isinstance(found, kind) or len(found) != len(wanted):
            yield f"{place}: {found!r} instead of a {kind.__name__} of {len(wanted)}"
            return
        for index, (item, value) in enumerate(zip(wanted, found, strict=True)):
            yield from self.differences(item, value, f"{place}[{index}]")

    def _tensor(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
        record = wanted["$tensor"]
        if not isinstance(found, Tensor):
            yield f"{place}: a {type(found).__name__} instead of a tensor"
        elif list(found.shape) != record["shape"]:
            yield f"{place}: shape {list(found.shape)} instead of {record['shape']}"
        elif found.dtype != getattr(torch, record["dtype"]):
            yield f"{place}: {found.dtype} instead of torch.{record['dtype']}"
        else:
            tolerance = self._tolerance(found.dtype)
            for index, (want, value) in enumerate(zip(record["data"], found.detach().cpu().flatten().tolist(), strict=True)):
                if not tolerance.allows(float(want), float(value)):
                    yield f"{place}, element {index}: {value!r} instead of {want!r}"
                    return

    def _tolerance(self, dtype: torch.dtype) -> Tolerance:
        if not dtype.is_floating_point:
            return EXACT
        if dtype == torch.float64:
            return FLOAT64
        return FLOAT32_GRADIENT if self.gradient else FLOAT32

    def _float(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
        if not isinstance(found, float) or not EXACT.allows(float(wanted["$float"]), found):
            yield f"{place}: {found!r} instead of {wanted['$float']}"

    def _tuple(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
        yield from self._of_sequence(wanted["$tuple"], found, tuple, place)

    def _self(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
        if found is not self.itself:
            yield f"{place}: {found!r} instead of the object itself"

    def _type(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
        name = wanted.get("$module") or wanted.get("$repr")
        if type(found).__name__ != name:
            yield f"{place}: a {type(found).__name__} instead of a {name}"

    def _callable(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
        if not callable(found):
            yield f"{place}: {found!r} instead of the callable {wanted['$callable']}"

    def _built(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
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

    def attributes(self, wanted: Mapping[str, Encoded], found: Any, place: str) -> Iterator[str]:
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
