"""A loss as it stands: which of its attributes training code may read, and whether it keeps a graph of autograd alive."""

from __future__ import annotations

import contextlib
import random
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

PLAIN_KINDS = (bool, int, float, complex, str, type(None), Enum, torch.dtype, torch.device)
HOLDERS = (list, tuple, dict, set, frozenset, deque)
CHANCE = (torch.Generator, random.Random)
LOOKED_INTO = (*PLAIN_KINDS, *HOLDERS, *CHANCE, Tensor)
"""Kinds of attributes that are compared; those of numpy are added where it is loaded."""

_MODULE_FIELDS = frozenset({*vars(nn.Module()), "training"})
"""What every module has; state and mode have places of their own."""


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


def graphs_kept(loss: Any) -> tuple[str, ...]:
    """The attributes, private ones too, through which a loss keeps the graph of a step alive: memory grows, and copies fail."""
    parts = loss.named_modules() if isinstance(loss, nn.Module) else (("", loss),)
    return tuple(f"{part}.{name}".lstrip(".") for part, module in parts for name in _with_graph(vars(module)))


def _with_graph(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if name == "_buffers":
            yield from (key for key, item in value.items() if item is not None and item.grad_fn is not None)
        elif name not in _MODULE_FIELDS and any(item.grad_fn is not None for item in _tensors(value)):
            yield name


def _tensors(value: object, depth: int = 0) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, HOLDERS) and depth < 2:  # a list of records, no deeper
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item, depth + 1)
