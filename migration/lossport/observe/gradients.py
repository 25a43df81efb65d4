"""Gradients of what a step returned: of every differentiable tensor in it, with respect to every input and parameter.

A missing gradient stays `Plain(None)`: it is not a zero gradient. Changes no `.grad` field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction

from lossport.observe.value import Array, Call, Items, Node, Plain, Raised, array, type_name

GradientTargets: TypeAlias = Mapping[str, Tensor]
"""Inputs by name, and parameters as `parameter NAME`."""

MOST_DIFFERENTIATED = 32
"""Losses return one to a dozen differentiable entries; a result full of per-row tensors must not cost a backward each."""


def fields_of(targets: GradientTargets) -> dict[str, Node]:
    """The `.grad` fields that the case itself filled by calling `backward`."""
    return {name: array(tensor.grad) for name, tensor in targets.items() if tensor.is_leaf and tensor.grad is not None}


def differentiate(result: object, node: Node, targets: GradientTargets, *, second: bool = False) -> Node:
    """The frozen result with the gradients of its first differentiable tensors filled in.

    With `second`, also those of the squared length of the first gradients, as a gradient penalty needs them.
    """
    live = _differentiable(result, node)
    gradients = {id(frozen): _gradients(tensor, targets, second) for tensor, frozen in live[:MOST_DIFFERENTIATED]}
    return _filled(node, gradients) if gradients else node


def only_builtin(result: object, node: Node) -> bool:
    """Whether the gradients of a result take torch's own formulas alone, which keep to the precision of what they are given."""
    waiting = [tensor.grad_fn for tensor, _ in _differentiable(result, node)]
    seen: set[Any] = set()
    while waiting:
        function = waiting.pop()
        if function is None or function in seen:
            continue
        if isinstance(function, BackwardCFunction):
            return False
        seen.add(function)
        waiting += [following for following, _ in function.next_functions]
    return True


def first_gradients(node: Node) -> dict[str, Tensor]:
    """The gradients of the first differentiable tensor, those that are there."""
    for found in _arrays(node):
        if found.gradients:
            return {name: item.tensor for name, item in found.gradients.items() if isinstance(item, Array)}
    return {}


def _differentiable(result: object, node: Node) -> list[tuple[Tensor, Array]]:
    """Live tensors beside their frozen forms, in the order of the tree, whole losses (`loss`) first."""
    pairs = list(_pairs(result, node, ""))
    pairs.sort(key=lambda pair: pair[0] != "loss")
    return [(tensor, frozen) for _, tensor, frozen in pairs]


def _pairs(value: object, node: Node, name: str) -> Iterator[tuple[str, Tensor, Array]]:
    if isinstance(node, Call):
        node = node.node
    if isinstance(node, Array) and isinstance(value, Tensor) and value.requires_grad:
        yield name, value, node
    elif isinstance(node, Items):
        for key, inner in node.entries:
            part = _child(value, key)
            if part is not None:
                yield from _pairs(part, inner, str(key))


def _child(value: object, key: str | int) -> object:
    if isinstance(value, Mapping):
        return next((item for name, item in value.items() if name == key or str(name) == key), None)
    if isinstance(value, list | tuple) and isinstance(key, int):
        return value[key]
    return getattr(value, str(key), None)


def _gradients(tensor: Tensor, targets: GradientTargets, second: bool) -> dict[str, Node]:
    """Of the weighted sum of the tensor; the weights differ from row to row, so that two rows cannot be swapped unseen."""
    weights = (1 + torch.arange(tensor.numel(), device=tensor.device) / max(tensor.numel(), 1)).to(tensor.dtype)
    names = list(targets)
    first = _grad(tensor, weights.reshape(tensor.shape), [targets[name] for name in names], create_graph=second)
    found = _named(names, first)
    if second and not isinstance(first, Raised):
        smooth = [item for item in first if item is not None and item.requires_grad]
        length = torch.stack([(item * item).sum() for item in smooth]).sum() if smooth else None
        again = None if length is None else _grad(length, None, [targets[name] for name in names])
        found.update({f"second {name}": node for name, node in _named(names, again or [None] * len(names)).items()})
    return found


def _grad(
    tensor: Tensor, weights: Tensor | None, leaves: list[Tensor], *, create_graph: bool = False
) -> Sequence[Tensor | None] | Raised:
    if not leaves:
        return []
    if weights is not None and not tensor.is_complex():
        # The same gradients bit for bit, as the weights are multiplied by one; given weights, torch imports sympy, for a second.
        tensor, weights = (tensor * weights).sum() if tensor.dim() else tensor, None
    try:
        return torch.autograd.grad(tensor, leaves, weights, retain_graph=True, allow_unused=True, create_graph=create_graph)
    except RuntimeError as error:  # an in-place change or a second backward, as the loss's author would meet it
        return Raised(type_name(type(error)), str(error))


def _named(names: Sequence[str], found: Sequence[Tensor | None] | Raised) -> dict[str, Node]:
    if isinstance(found, Raised):
        return dict.fromkeys(names, found)
    return {name: Plain(None) if item is None else array(item.detach()) for name, item in zip(names, found, strict=True)}


def _arrays(node: Node) -> Iterator[Array]:
    if isinstance(node, Call):
        yield from _arrays(node.node)
    elif isinstance(node, Items):
        for _, item in node.entries:
            yield from _arrays(item)
    elif isinstance(node, Array):
        yield node


def _filled(node: Node, gradients: Mapping[int, Mapping[str, Node]]) -> Node:
    match node:
        case Call(symbol, inner):
            return Call(symbol, _filled(inner, gradients))
        case Items():
            return replace(node, entries=tuple((key, _filled(item, gradients)) for key, item in node.entries))
        case Array() if id(node) in gradients:
            return replace(node, gradients=gradients[id(node)])
        case _:
            return node
