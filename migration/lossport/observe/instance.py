"""A loss as it stands: which of its attributes training code may read, what its layers are, and what it is burdened with."""

from __future__ import annotations

import contextlib
import io
import random
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

from lossport.observe.call_recorder import Built
from lossport.observe.observation import InstanceState
from lossport.observe.value import Node, held, snapshot

PLAIN_KINDS = (bool, int, float, complex, str, type(None), Enum, torch.dtype, torch.device)
HOLDERS = (list, tuple, dict, set, frozenset, deque)
CHANCE = (torch.Generator, random.Random)
LOOKED_INTO = (*PLAIN_KINDS, *HOLDERS, *CHANCE, Tensor)
"""Kinds of attributes that are compared; those of numpy are added where it is loaded."""

_MODULE_FIELDS = frozenset({*vars(nn.Module()), "training"})
"""What every module has; state and mode have places of their own."""


def instance(built: Built) -> InstanceState:
    """A loss as it is now."""
    loss = built.instance
    attributes = {name: snapshot(value) for name, value in attributes_of(loss).items()}
    burdens = burdens_of(loss)
    if not isinstance(loss, nn.Module):
        return InstanceState(built.symbol, {}, attributes, None, burdens=burdens)
    state: dict[str, Node] = {}
    for name, parameter in loss.named_parameters(remove_duplicate=False):
        state[name] = held(parameter, holder="parameter")
    parameters = tuple(state)
    for name, buffer in loss.named_buffers(remove_duplicate=False):
        state[name] = held(buffer, holder="buffer")
    kept = loss.state_dict()
    transient = frozenset(state.keys() - kept.keys())
    state.update({name: snapshot(value) for name, value in kept.items() if name not in state})
    modes = {name: part.training for name, part in loss.named_modules() if name}
    return InstanceState(built.symbol, state, attributes, loss.training, transient, parameters, modes, layers_of(loss), burdens)


def attributes_of(loss: Any) -> dict[str, Any]:
    """Plain attributes, of the instance or of its own classes, and properties: all that training code may read."""
    kinds = _kinds()
    found = {name: value for name, value in vars(loss).items() if isinstance(value, kinds)}
    if isinstance(loss, nn.Module):
        for name in _MODULE_FIELDS:
            found.pop(name, None)
    for owner in type(loss).__mro__:
        if owner in (nn.Module, object):
            break
        for name, member in vars(owner).items():
            if name.startswith("_"):
                continue
            if isinstance(member, property):
                with contextlib.suppress(Exception):
                    value = getattr(loss, name)
                    if isinstance(value, kinds):
                        found.setdefault(name, value)
            elif isinstance(member, kinds) and name not in vars(nn.Module):
                found.setdefault(name, member)
    return found


def _kinds() -> tuple[type, ...]:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return LOOKED_INTO
    return (*LOOKED_INTO, numpy.generic, numpy.ndarray, numpy.random.Generator, numpy.random.RandomState)


GRAPH, INFERENCE, SAVED = "graph", "inference", "saved"

BURDENS: Mapping[str, tuple[str, str]] = {
    GRAPH: ("not kept", "kept alive by"),
    INFERENCE: ("no buffers of inference mode", "made in inference mode, so that training refuses them:"),
    SAVED: ("can be saved whole", "cannot be saved whole:"),
}
"""What a loss may be burdened with after a call, and the words for one without and one with it: the graph of a step, which takes
memory and cannot be copied; buffers that were made in inference mode; something that `torch.save` of a whole model, and processes
that are sent one, cannot take."""


def burdens_of(loss: Any) -> dict[str, tuple[str, ...]]:
    """The burdens that can be seen, each with the attributes, private ones too, or the buffers that it lies in."""
    parts = loss.named_modules() if isinstance(loss, nn.Module) else (("", loss),)
    graph = tuple(f"{part}.{name}".lstrip(".") for part, module in parts for name in _with_graph(vars(module)))
    buffers = loss.named_buffers() if isinstance(loss, nn.Module) else ()
    inference = tuple(name for name, buffer in buffers if buffer.is_inference())
    return {burden: names for burden, names in ((GRAPH, graph), (INFERENCE, inference)) if names}


def _with_graph(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if name == "_buffers":
            yield from (key for key, item in value.items() if item is not None and item.grad_fn is not None)
        elif name not in _MODULE_FIELDS and any(item.grad_fn is not None for item in _tensors(value)):
            yield name


def why_not_saved(loss: object) -> str:
    """What `torch.save` says against the whole loss; empty if it takes it. Nothing is kept, and nothing read back."""
    try:
        torch.save(loss, _Nowhere())
    except Exception as error:  # whatever an object does that is asked to be saved
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


class _Nowhere(io.BytesIO):
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        return len(data)


def layers_of(loss: nn.Module) -> dict[str, tuple[str, ...]]:
    """The parts that hold parameters and no other parts, with the classes of torch that they are: code that sets weights, leaves
    some out of weight decay or turns batch norms into others goes by these."""
    return {
        name: tuple(item.__name__ for item in type(part).__mro__ if item.__module__.startswith("torch.nn.modules."))
        for name, part in loss.named_modules()
        if name and part._parameters and not part._modules
    }


def _tensors(value: object, depth: int = 0) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, HOLDERS) and depth < 2:  # a list of records, no deeper
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item, depth + 1)
