"""What was seen, as JSON beside tensors by the digest of their content: as a capsule stores it, and as it is told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lossport.observe.value import Array, Call, Items, Node, Opaque, Plain, Raised, raw_bytes

LARGEST_STORED = 4096
"""Of more numbers, such as a memory bank, the digest alone is kept: it tells whether they are the same, and nobody reads them."""


class Tensors:
    """Tensors by the digest of their content: equal ones are stored once, large ones not at all."""

    def __init__(self, stored: Mapping[str, Tensor] | None = None) -> None:
        self.stored: dict[str, Tensor] = dict(stored or {})

    def put(self, tensor: Tensor) -> str:
        """Store a tensor, unless it is large, and return its name."""
        text = f"{tensor.dtype}{tuple(tensor.shape)}".encode()
        name = hashlib.sha256(text + raw_bytes(tensor)).hexdigest()[:20]
        if tensor.numel() <= LARGEST_STORED:
            self.stored.setdefault(name, tensor)
        return name


def encode(node: Node, tensors: Tensors) -> dict[str, Any]:
    """A node as JSON; tensors go into `tensors` and leave their name."""
    match node:
        case Array():
            return _encode_array(node, tensors)
        case Plain(value):
            kind = type(value).__name__ if isinstance(value, float | complex) else "plain"
            return {kind: value if kind == "plain" else repr(value)}
        case Items(kind, entries):
            held = {"items": kind, "entries": [[key, encode(item, tensors)] for key, item in entries]}
            return {**held, "ties": sorted(node.ties)} if node.ties else held
        case Call(symbol, inner):
            return {"call": symbol, "node": encode(inner, tensors)}
        case Raised(kind, message):
            return {"raised": kind, "message": message}
        case Opaque(kind):
            return {"opaque": kind}
    raise TypeError(f"{type(node).__name__} belongs to the comparison and is not stored")


def _encode_array(node: Array, tensors: Tensors) -> dict[str, Any]:
    data: dict[str, Any] = {"tensor": tensors.put(node.tensor)}
    if node.tensor.numel() > LARGEST_STORED:
        data["large"] = f"{node.dtype} tensor of shape {tuple(node.tensor.shape)}"
    if node.requires_grad:
        data["grad"] = True
    if node.device != "cpu":
        data["device"] = node.device
    if node.holder != "torch":
        data["holder"] = node.holder
    if node.ties:
        data["ties"] = sorted(node.ties)
    if node.gradients:
        data["gradients"] = {name: encode(item, tensors) for name, item in node.gradients.items()}
    return data


def decode(data: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Node:
    """The node that `encode` wrote; of a large tensor, what it was."""
    if "large" in data:
        return Opaque(data["large"])
    if "tensor" in data:
        gradients = {name: decode(item, tensors) for name, item in data.get("gradients", {}).items()}
        told = (data.get("device", "cpu"), data.get("grad", False), data.get("holder", "torch"))
        return Array(tensors[data["tensor"]], *told, gradients, frozenset(data.get("ties", ())))
    if "items" in data:
        entries = tuple((key, decode(item, tensors)) for key, item in data["entries"])
        return Items(data["items"], entries, ties=frozenset(data.get("ties", ())))
    if "call" in data:
        return Call(data["call"], decode(data["node"], tensors))
    return _decode_leaf(data)


def _decode_leaf(data: Mapping[str, Any]) -> Node:
    if "raised" in data:
        return Raised(data["raised"], data["message"])
    if "opaque" in data:
        return Opaque(data["opaque"])
    for kind, read in (("float", float), ("complex", complex)):
        if kind in data:
            return Plain(read(data[kind]))
    return Plain(data["plain"])
