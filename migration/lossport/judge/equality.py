"""When two seen things are equal, and where they differ: in form, or in numbers that have to be judged.

Bitwise equality comes first and costs nothing more. Says nothing about how close numbers have to be.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor

from lossport.judge.closeness import Different, Numbers, are_finite, digits
from lossport.observe.ties import TIES
from lossport.observe.value import Array, Call, Items, Node, Number, Opaque, Plain, Raised, Warned, identical, same_bits


def compare(legacy: Node, new: Node, precision: torch.dtype) -> Different | Numbers | None:
    """None if equal in every bit; numbers if only values of floats differ; else the difference.

    `precision` is that of the run: what a Python number read from a tensor was rounded to.
    """
    match legacy, new:
        case Number(node), _:
            return _compare_number(node, new, precision)
        case Array(), Array():
            return _compare_arrays(legacy, new)
        case Plain(float() as a), Plain(float() as b):
            return _compare_floats(a, b, precision)
        case Items(), Items():
            return _compare_containers(legacy, new)
        case Raised(), Raised():
            return _compare_raised(legacy, new)
        case Warned(), Warned():
            return _compare_warned(legacy, new)
    return None if _alike(legacy, new) else Different(shown(legacy), shown(new), detail=_types(legacy, new))


def _types(legacy: Node, new: Node) -> str:
    """Where both are plain and of two types: 3 and 3.0 read alike."""
    kinds = [type(node.value).__name__ for node in (legacy, new) if isinstance(node, Plain)]
    return f"type: legacy {kinds[0]}, new {kinds[1]}" if len(set(kinds)) > 1 else ""


def _alike(legacy: Node, new: Node) -> bool:
    """Objects that are not looked into need only be there: their types are named differently on purpose."""
    return (isinstance(legacy, Opaque) and isinstance(new, Opaque)) or identical(legacy, new)


def _compare_raised(legacy: Raised, new: Raised) -> Different | None:
    """The same type, and a message where the legacy has one; its words may be better."""
    if legacy.type != new.type:
        return Different(shown(legacy), shown(new), detail="another exception")
    if legacy.message and not new.message:
        return Different(shown(legacy), shown(new), detail="the message no longer names the cause")
    return None


def _compare_warned(legacy: Warned, new: Warned) -> Different | None:
    """The same categories, and words where the legacy has some; these may be better, and said more or less often in a step."""
    if legacy.kinds != new.kinds:
        return Different(shown(legacy), shown(new), detail="other warnings")
    if any(legacy.words) and not any(new.words):
        return Different(shown(legacy), shown(new), detail="the warning no longer says what about")
    return None


def _compare_number(legacy: Plain | Array, new: Node, precision: torch.dtype) -> Different | Numbers | None:
    """A Python number that became a detached 0-d tensor: `new.item()` has to be that number."""
    if not isinstance(new, Array) or new.tensor.dim() != 0:
        return Different(shown(legacy), shown(new), detail="expected a detached 0-d tensor")
    if new.requires_grad:
        return Different(shown(legacy), shown(new), detail="expected a detached tensor; this one requires grad")
    value = legacy.tensor.item() if isinstance(legacy, Array) and legacy.tensor.numel() == 1 else legacy
    found = new.tensor.item()
    number = value.value if isinstance(value, Plain) else value
    if not isinstance(number, bool | int | float) or type(number) is not type(found):
        return Different(shown(legacy), shown(new), detail=f"expected .item() to give {type(number).__name__}")
    if isinstance(number, float) and isinstance(found, float):
        if torch.tensor(number, dtype=new.tensor.dtype).item() == found:
            return None
        return _compare_floats(number, found, new.tensor.dtype if new.tensor.is_floating_point() else precision)
    return None if number == found else Different(shown(legacy), shown(new))


def _compare_floats(a: float, b: float, precision: torch.dtype) -> Different | Numbers | None:
    if repr(a) == repr(b):
        return None
    return _finite_parts(torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64), precision)


def _compare_arrays(legacy: Array, new: Array) -> Different | Numbers | None:
    a, b = legacy.tensor, new.tensor
    for name, one, other in (
        ("dtype", legacy.dtype, new.dtype),
        ("shape", tuple(a.shape), tuple(b.shape)),
        ("device", legacy.device, new.device),
        ("requires_grad", legacy.requires_grad, new.requires_grad),
        ("held as", legacy.holder, new.holder),
    ):
        if one != other:
            return Different(shown(legacy), shown(new), detail=f"{name}: legacy {one}, new {other}")
    if same_bits(a, b):
        return None
    if a.is_complex():
        a, b = torch.view_as_real(a), torch.view_as_real(b)
    if not a.is_floating_point():
        where = tuple(int(n) for n in (a != b).nonzero()[0])
        return Different(str(a[where].item()), str(b[where].item()), index=where)
    return _finite_parts(a.to(torch.float64), b.to(torch.float64), a.dtype)


def compare_ties(legacy: Node, new: Node) -> Different | None:
    """The first tie of the new result that the legacy one is free of, whatever their values. To be freer is no difference."""
    old, found = (node.ties if isinstance(node, Array | Items) else frozenset() for node in (legacy, new))
    more = [word for word in TIES if word in found - old]
    return Different(shown(legacy), shown(new), detail=TIES[more[0]]) if more else None


def differ_in_form(legacy: Node, new: Node, precision: torch.dtype) -> bool:
    """Whether it is not, or not only, the values that differ."""
    found = compare(legacy, new, precision)
    if not isinstance(found, Different) or found.index is not None:
        return False
    return bool(found.detail) or not (isinstance(legacy, Number) or type(legacy) is type(new))


def numbers_of(legacy: Node, new: Node) -> Numbers | None:
    """The numbers that two things of different forms hold, a Python number and a tensor, or tensors of two dtypes.

    None where they are the same, where either holds none, and where shapes differ.
    """
    a, b = as_numbers(legacy), as_numbers(new)
    if a is None or b is None or a.shape != b.shape or torch.equal(a, b):
        return None
    inner = [node.node if isinstance(node, Number) else node for node in (legacy, new)]
    dtypes = [node.tensor.dtype for node in inner if isinstance(node, Array) and node.tensor.is_floating_point()]
    return Numbers(a, b, dtypes[0] if dtypes else torch.float64)


def _finite_parts(a: Tensor, b: Tensor, dtype: torch.dtype) -> Different | Numbers | None:
    """NaN and Inf have to be in the same places; what is left is a matter of size."""
    if are_finite(a) and are_finite(b):
        return Numbers(a, b, dtype)
    odd = (torch.isnan(a) != torch.isnan(b)) | ((torch.isinf(a) | torch.isinf(b)) & (a != b) & ~(torch.isnan(a) & torch.isnan(b)))
    if odd.any():
        where = tuple(int(n) for n in odd.nonzero()[0])
        return Different(digits(a[where].item(), dtype), digits(b[where].item(), dtype), index=where)
    return Numbers(a, b, dtype)


def _compare_containers(legacy: Items, new: Items) -> Different | None:
    """The container alone: its type and keys in order. What it holds has places of its own."""
    if legacy.kind != new.kind and not _moved(legacy.kind, new.kind):
        return Different(shown(legacy), shown(new), detail=f"type: legacy {legacy.kind}, new {new.kind}")
    old, found = [key for key, _ in legacy.entries], [key for key, _ in new.entries]
    if legacy.ordered and old != found and set(old) == set(found):
        return Different(", ".join(map(str, old)), ", ".join(map(str, found)), detail="keys in another order")
    return None


def _moved(legacy: str, new: str) -> bool:
    """Whether a record has only moved: a named tuple or dataclass of a retired module has to come from another one."""
    (there, _, old), (here, _, name) = legacy.rpartition("."), new.rpartition(".")
    return (
        bool(there and here) and old == name and not {there.partition(".")[0], here.partition(".")[0]} & sys.stdlib_module_names
    )


def as_numbers(node: Node | None) -> Tensor | None:
    """The floats of a node in float64, or None if it holds none."""
    inner = node.node if isinstance(node, Number) else node
    if isinstance(inner, Array) and inner.tensor.is_complex():
        return torch.view_as_real(inner.tensor).to(torch.float64)
    if isinstance(inner, Array):
        return inner.tensor.to(torch.float64)
    if isinstance(inner, Plain) and isinstance(inner.value, int | float):
        return torch.tensor(float(inner.value), dtype=torch.float64)
    return None


# ---- for people


def shown(node: Node) -> str:
    """A node in a few words."""
    match node:
        case Number(inner) | Call(_, inner):
            text = shown(inner)
        case Plain(value):
            text = f"{value:.9g}" if isinstance(value, float) else repr(value)
        case Array() if node.tensor.numel() == 1 and not node.tensor.dim():
            text = digits(node.tensor.item(), node.tensor.dtype)
        case Array():
            text = f"{node.dtype} tensor of shape {tuple(node.tensor.shape)}"
        case Items(kind, entries):
            keys = ", ".join(str(key) for key, _ in entries[:8])
            text = f"{kind} with {keys}{' ...' if len(entries) > 8 else ''}" if entries else f"an empty {kind}"
        case Raised(kind, message):
            text = f"{kind}: {message.splitlines()[0]}" if message else f"{kind} (no message)"
        case Warned(kinds, words):
            text = f"{', '.join(kinds)}: {'; '.join(word.splitlines()[0] for word in words if word)}".rstrip(": ")
        case Opaque(kind):
            text = kind
    return text
