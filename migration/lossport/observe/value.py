"""What was seen, frozen: a tree of tensors, plain values and containers, taken from live objects.

Knows how to take a snapshot and tell two trees apart bit by bit. Says nothing about whether two trees are close enough.
"""

from __future__ import annotations

import ctypes
import dataclasses
import hashlib
import random
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

Ties: TypeAlias = frozenset[str]
"""What a result is tied to besides its values, in words of `ties`."""

DEEPEST = 12
"""Results nest two or three levels; deeper ones refer to themselves, and are cut."""


@dataclass(frozen=True)
class Array:
    """A tensor: detached, contiguous, on the CPU. `device` and `requires_grad` are those it had.

    `holder` is `numpy`, or `parameter` or `buffer` in a loss's state. `gradients` holds, for a differentiable result, the
    gradient of every leaf by name: `Plain(None)` where there is none. `ties` are those of a result, see `ties`.
    """

    tensor: Tensor
    device: str = "cpu"
    requires_grad: bool = False
    holder: str = "torch"
    gradients: Mapping[str, Node] = field(default_factory=dict)
    ties: Ties = frozenset()

    @property
    def dtype(self) -> str:
        """`float32`, `int64` ..."""
        return str(self.tensor.dtype).removeprefix("torch.")


@dataclass(frozen=True)
class Plain:
    """A Python number, string, bool or None."""

    value: bool | int | float | complex | str | None


@dataclass(frozen=True)
class Number:
    """A Python number on the legacy side whose successor is a detached 0-d tensor (`kind` number in the port)."""

    node: Plain | Array


@dataclass(frozen=True)
class Items:
    """A container: its type and what it holds, in order. `ordered` is off where the order carries no meaning.

    `ties` are those of a result, see `ties`.
    """

    kind: str
    entries: tuple[tuple[str | int, Node], ...]
    ordered: bool = True
    ties: Ties = frozenset()


@dataclass(frozen=True)
class Call:
    """What a call of a watched loss returned, whole."""

    symbol: str
    node: Node


@dataclass(frozen=True)
class Raised:
    """An exception: its type, and its message for people."""

    type: str
    message: str


@dataclass(frozen=True)
class Opaque:
    """An object of a type that is not looked into."""

    type: str


@dataclass(frozen=True)
class Warned:
    """The categories of the warnings of a step, each once, and their words, which are for people."""

    kinds: tuple[str, ...]
    words: tuple[str, ...]


NO_WARNINGS = Warned((), ())


Node: TypeAlias = Array | Plain | Number | Items | Call | Raised | Opaque | Warned


def array(tensor: Tensor, **more: Any) -> Array:
    """Take a snapshot of a tensor."""
    values = tensor.detach()
    if values.layout != torch.strided:
        values = values.to_dense()
    if values.is_conj() or values.is_neg():
        values = values.resolve_conj().resolve_neg()
    kept = values.clone(memory_format=torch.contiguous_format) if values.is_cpu else values.cpu().contiguous()
    return Array(kept, tensor.device.type, tensor.requires_grad, **more)


def held(tensor: Tensor, **more: Any) -> Node:
    """A tensor that a loss holds: one that takes its shape from the first call has no values before it."""
    return Opaque(type_name(type(tensor))) if is_lazy(tensor) else array(tensor, **more)


def snapshot(value: object, called: Callable[[object], str | None] = lambda _: None, depth: int = 0) -> Node:
    """Freeze a live object; `called` says whether it is what a call of a watched symbol returned."""
    symbol = called(value) if depth < DEEPEST else None
    node = _freeze(value, called if symbol is None else lambda _: None, depth)
    return node if symbol is None else Call(symbol, node)


def _freeze(value: object, called: Callable[[object], str | None], depth: int) -> Node:
    if isinstance(value, Tensor):
        return held(value)
    if value is None or isinstance(value, bool | int | float | complex | str):
        return Plain(value if type(value) in _PLAIN_TYPES else _plain(value))
    if isinstance(value, torch.dtype | torch.device | Enum):
        return Plain(value.name if isinstance(value, Enum) else str(value))
    node = _source_of_chance(value) or _from_numpy(value)
    if node is None and depth < DEEPEST:
        entries = entries_of(value)
        if entries is not None:
            node = Items(_kind(value), tuple((key, snapshot(item, called, depth + 1)) for key, item in entries))
    return node or Opaque(type_name(type(value)))


def _source_of_chance(value: object) -> Node | None:
    """A generator of random numbers: where it stands."""
    numpy = sys.modules.get("numpy")
    if isinstance(value, torch.Generator):
        state = raw_bytes(value.get_state())
    elif isinstance(value, random.Random):
        state = repr(value.getstate()).encode()
    elif numpy is not None and isinstance(value, numpy.random.Generator):
        state = repr(value.bit_generator.state).encode()
    elif numpy is not None and isinstance(value, numpy.random.RandomState):
        state = repr(value.get_state(legacy=False)).encode()
    else:
        return None
    return Items(type_name(type(value)), (("state", Plain(hashlib.sha256(state).hexdigest()[:16])),))


def _from_numpy(value: object) -> Node | None:
    """A numpy scalar or array, where the loss has loaded numpy; it is not needed otherwise."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(value, numpy.generic):
        return Items(f"numpy.{type(value).__name__}", (("value", Plain(value.item())),))
    if isinstance(value, numpy.ndarray) and value.dtype.kind in "fiub":
        return array(torch.from_numpy(value.copy()), holder="numpy")
    return None


_PLAIN_TYPES = frozenset({type(None), bool, int, float, complex, str})


def _plain(value: Any) -> bool | int | float | complex | str | None:
    """The plain value of a subclass, such as an enumeration member that is a string."""
    plain: type[Any] = next(base for base in (int, float, complex, str) if isinstance(value, base))
    bare: Any = plain.__str__ if plain is str else plain.__pos__
    return cast("int | float | complex | str", bare(value))


def _kind(value: object) -> str:
    """The type of a container; a named tuple says that it is one, as it can be unpacked and a dataclass of its name cannot."""
    name = type_name(type(value))
    return f"{name} (a tuple)" if isinstance(value, tuple) and hasattr(value, "_fields") else name


def entries_of(value: object) -> list[tuple[str | int, object]] | None:
    """What a container holds, or None if the object is not one."""
    if isinstance(value, Mapping):
        return [(key if isinstance(key, int) and not isinstance(key, bool) else str(key), item) for key, item in value.items()]
    fields = getattr(value, "_fields", None)
    if isinstance(value, tuple) and isinstance(fields, tuple):
        return [(str(name), item) for name, item in zip(fields, value, strict=True)]
    if isinstance(value, list | tuple | deque):
        return list(enumerate(value))
    if isinstance(value, set | frozenset):
        return list(enumerate(sorted(value, key=repr)))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(item.name, getattr(value, item.name)) for item in dataclasses.fields(value)]
    return None


def type_name(kind: type) -> str:
    """`dict`, `collections.OrderedDict`, `torch.nn.modules.linear.Linear`."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def flatten(node: Node, place: str) -> Iterator[tuple[str, Node]]:
    """Every container and leaf of the tree with its place, such as `returns["recalls"]["v2t_recall@1"]`."""
    if isinstance(node, Call):
        node = node.node
    yield place, node
    if isinstance(node, Items):
        for key, item in node.entries:
            yield from flatten(item, f"{place}[{key}]" if isinstance(key, int) else f'{place}["{key}"]')


def called_in(node: Node | None) -> Iterator[str]:
    """The symbols whose calls returned the tree or a part of it."""
    if isinstance(node, Call):
        yield node.symbol
    elif isinstance(node, Items):
        for _, item in node.entries:
            yield from called_in(item)


def raw_bytes(tensor: Tensor) -> bytes:
    """The memory of a contiguous CPU tensor."""
    size = tensor.numel() * tensor.element_size()
    return ctypes.string_at(tensor.data_ptr(), size) if size else b""


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are equal in dtype, shape and every bit, so that NaN equals NaN and 0.0 differs from -0.0."""
    return one.dtype == other.dtype and one.shape == other.shape and raw_bytes(one) == raw_bytes(other)


def identical(one: Node, other: Node) -> bool:
    """Whether two trees are equal in structure, types and every bit, gradients included."""
    match one, other:
        case Array(), Array():
            told = [(item.device, item.requires_grad, item.holder, item.ties) for item in (one, other)]
            return (
                told[0] == told[1] and same_bits(one.tensor, other.tensor) and identical_by_name(one.gradients, other.gradients)
            )
        case Plain(a), Plain(b):
            return type(a) is type(b) and repr(a) == repr(b)
        case Items(), Items():
            forms = [(item.kind, item.ties, [key for key, _ in item.entries]) for item in (one, other)]
            return forms[0] == forms[1] and all(
                identical(a, b) for (_, a), (_, b) in zip(one.entries, other.entries, strict=True)
            )
        case Call(_, a), Call(_, b):
            return identical(a, b)
        case Raised(a, _), Raised(b, _):
            return a == b
    return one == other


def is_still(value: object, then: Node) -> bool:
    """Whether a live object is what its snapshot says. A tensor is not copied to find out: most inputs never change."""
    if isinstance(value, Tensor) and isinstance(then, Array) and value.is_cpu and _is_plain(value):
        return value.requires_grad == then.requires_grad and then.device == "cpu" and same_bits(value, then.tensor)
    return identical(snapshot(value), then)


def _is_plain(tensor: Tensor) -> bool:
    """Whether the memory of a tensor is its values, one after the other."""
    return tensor.layout == torch.strided and tensor.is_contiguous() and not (tensor.is_neg() or tensor.is_conj())


def identical_by_name(one: Mapping[str, Node], other: Mapping[str, Node]) -> bool:
    """`identical` for two mappings with the same names."""
    return one.keys() == other.keys() and all(identical(item, other[name]) for name, item in one.items())
