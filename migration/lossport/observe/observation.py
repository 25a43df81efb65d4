"""What was seen while a case ran, step by step, as values that can be stored and read back. Runs nothing and judges nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

from lossport.observe.encoding import Tensors, decode, encode
from lossport.observe.value import NO_WARNINGS, Node, Raised, Warned, called_in


@dataclass(frozen=True)
class InstanceState:
    """A loss at one moment: parameters and buffers by name, plain attributes, train or eval.

    `transient` names the buffers that `state_dict` leaves out, `parameters` are the names of parameters in their order, `modes`
    says which of its parts are in training mode, `layers` of which classes of torch those are that hold parameters, and `burdens`
    what the loss is burdened with, as `standing` finds it.
    """

    symbol: str
    state: Mapping[str, Node]
    attributes: Mapping[str, Node]
    training: bool | None
    transient: frozenset[str] = frozenset()
    parameters: tuple[str, ...] = ()
    modes: Mapping[str, bool] = field(default_factory=dict)
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    burdens: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step of a case. `built` are the losses as they were right after construction, `instances` as they are now.

    `inputs` holds the inputs that were changed in place, `random` the state of each stream that was drawn from, `carried` what a
    deep copy or a `state_dict` round trip before this step raised, `settings` the global settings that it left changed.
    `seconds`, `printed` and the words of warnings are told to people, never compared.
    """

    result: Node | None
    raised: Raised | None = None
    built: Mapping[str, InstanceState] = field(default_factory=dict)
    instances: Mapping[str, InstanceState] = field(default_factory=dict)
    inputs: Mapping[str, Node] = field(default_factory=dict)
    fields: Mapping[str, Node] = field(default_factory=dict)
    random: Mapping[str, str] = field(default_factory=dict)
    warnings: Warned = NO_WARNINGS
    carried: Raised | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    printed: str = ""


@dataclass(frozen=True)
class Observation:
    """Everything seen while one case ran on one side. `used` are the watched symbols of the steps that ended well."""

    steps: tuple[Step, ...]
    used: frozenset[str] = frozenset()

    @property
    def seconds(self) -> float:
        """Time spent in the case's own code."""
        return sum(step.seconds for step in self.steps)

    @property
    def raised(self) -> bool:
        """Whether the case ended in an exception."""
        return bool(self.steps) and self.steps[-1].raised is not None

    @property
    def called(self) -> tuple[str, ...]:
        """The symbols whose calls gave the results, whole."""
        return tuple(symbol for step in self.steps for symbol in called_in(step.result))

    def encoded(self, tensors: Tensors) -> list[Any]:
        """As JSON, tensors beside it."""
        return [_encode_step(step, tensors) for step in self.steps]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that is compared: equal observations have equal digests."""
        return encoded_digest(self.encoded(Tensors()))


def encoded_digest(data: list[Any]) -> str:
    """The digest of an observation in its stored form."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def decode_observation(data: list[Any], tensors: Mapping[str, torch.Tensor]) -> Observation:
    """The observation that `encoded` wrote."""
    return Observation(tuple(_decode_step(item, tensors) for item in data))


def _nodes(nodes: Mapping[str, Node], tensors: Tensors) -> dict[str, Any]:
    return {name: encode(node, tensors) for name, node in nodes.items()}


def _encode_instance(item: InstanceState, tensors: Tensors) -> dict[str, Any]:
    return {
        "symbol": item.symbol,
        "state": _nodes(item.state, tensors),
        "attributes": _nodes(item.attributes, tensors),
        "training": item.training,
        "transient": sorted(item.transient),
        "parameters": list(item.parameters),
        "modes": dict(item.modes),
        "layers": {name: list(kinds) for name, kinds in item.layers.items()},
        "burdens": {name: list(where) for name, where in item.burdens.items()},
    }


def _encode_step(step: Step, tensors: Tensors) -> dict[str, Any]:
    data: dict[str, Any] = {
        "built": {label: _encode_instance(item, tensors) for label, item in step.built.items()},
        "instances": {label: _encode_instance(item, tensors) for label, item in step.instances.items()},
        "inputs": _nodes(step.inputs, tensors),
        "fields": _nodes(step.fields, tensors),
        "random": dict(step.random),
        "warnings": list(step.warnings.kinds),
        "settings": dict(step.settings),
    }
    for name in ("result", "raised", "carried"):
        node = getattr(step, name)
        if node is not None:
            data[name] = encode(node, tensors)
    return data


def _decode_instance(data: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> InstanceState:
    return InstanceState(
        data["symbol"],
        {name: decode(node, tensors) for name, node in data["state"].items()},
        {name: decode(node, tensors) for name, node in data["attributes"].items()},
        data["training"],
        frozenset(data["transient"]),
        tuple(data.get("parameters", ())),
        data.get("modes", {}),
        {name: tuple(kinds) for name, kinds in data.get("layers", {}).items()},
        {name: tuple(where) for name, where in data.get("burdens", {}).items()},
    )


def _decode_step(data: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> Step:
    def maybe(name: str) -> Any:
        return decode(data[name], tensors) if name in data else None

    return Step(
        maybe("result"),
        maybe("raised"),
        {label: _decode_instance(item, tensors) for label, item in data["built"].items()},
        {label: _decode_instance(item, tensors) for label, item in data["instances"].items()},
        {name: decode(node, tensors) for name, node in data["inputs"].items()},
        {name: decode(node, tensors) for name, node in data["fields"].items()},
        data["random"],
        Warned(tuple(data["warnings"]), ()),
        maybe("carried"),
        data.get("settings", {}),
    )
