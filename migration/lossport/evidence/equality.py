"""When two seen things are equal, close, or different. Tolerances are not guessed: the legacy loss's own error sets them.

Bitwise equality comes first and costs nothing more. Otherwise every element is judged by itself against the legacy loss in
float64: the new error may exceed the legacy's own by a small factor and a few ULP, never more. There are no averages.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import torch
from torch import Tensor

from lossport.evidence.ties import TIES
from lossport.evidence.value import Array, Call, Items, Node, Number, Opaque, Plain, Raised, Warned, identical, same_bits

FACTOR = 4.0
"""Two orders of the same sums have errors of the same size, seldom the same error: on the project's losses the new error stays
below three times the legacy's worst; a wrong formula is thousands of times off."""

ULPS = 4
"""Where the legacy error happens to be zero, a handful of roundings (a division for a product, another order of three terms) must
still pass. Four units in the last place are four such roundings, all in the same direction. They are those of the largest value
of the row, as the numbers of a row come out of the same sums."""

SAMPLES = 8
"""Runs of the legacy loss with its rounding moved: its error at one point may be small by luck, the worst of nine is not."""

HOPELESS = 1000.0
"""After two samples, a difference this many times larger than allowed anywhere in the tensor is no matter of luck; six more would
cost and not help. Anywhere, as one element may well be exactly zero in both samples: where equal terms cancel, every third is."""

STEPS = (2.0**-40, 2.0**-30)
"""How far values move in float64 to see whether the loss jumps right there: far above float64 rounding, far below float32's, and
far from each other."""

PROPORTION = 32.0
"""Moved a thousand times as far, a smooth loss scatters a thousand times as far. One that scatters less than this many times as
far jumps there, as a ranking does at a tie: samples on both sides of a jump say nothing about rounding."""

VISIBLE = 2.0**-10
"""A jump changes a value by more than this share of the tensor's largest: smaller differences need not be looked at for one."""


@dataclass(frozen=True)
class Close:
    """Not bitwise equal, but no worse than the legacy loss itself. Errors are between legacy and new.

    They are told in units of the tensor's largest value: in a tensor of gradients, an element next to zero is a difference of
    large terms, and its own last place says nothing.
    """

    ulp: float
    relative: float


@dataclass(frozen=True)
class Different:
    """A difference that counts: both values at the worst element."""

    legacy: str
    new: str
    reference: str | None = None
    index: tuple[int, ...] | None = None
    ulp: float | None = None
    relative: float | None = None
    detail: str = ""


@dataclass(frozen=True)
class Numbers:
    """Two equally shaped sets of floats that have equal NaN and Inf, and differ somewhere. To be judged against float64."""

    legacy: Tensor
    new: Tensor
    dtype: torch.dtype


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
    if _are_finite(a) and _are_finite(b):
        return Numbers(a, b, dtype)
    odd = (torch.isnan(a) != torch.isnan(b)) | ((torch.isinf(a) | torch.isinf(b)) & (a != b) & ~(torch.isnan(a) & torch.isnan(b)))
    if odd.any():
        where = tuple(int(n) for n in odd.nonzero()[0])
        return Different(_digits(a[where].item(), dtype), _digits(b[where].item(), dtype), index=where)
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


# ---- judging numbers


def unit(value: Tensor, dtype: torch.dtype) -> Tensor:
    """One unit in the last place of `dtype` at each value, in float64."""
    info = torch.finfo(dtype)
    size = value.abs().nan_to_num(nan=0.0, posinf=info.max).clamp(info.tiny, info.max)
    _, exponent = torch.frexp(size)
    return torch.ldexp(torch.full_like(size, info.eps), exponent - 1)


def judge(numbers: Numbers, reference: Tensor | None, own_error: Tensor | None, precision: torch.dtype) -> Close | Different:
    """Whether the new numbers are no worse than the legacy's.

    `own_error` is the legacy's error, element by element, the worst of the samples at hand; without a reference, only the ULPs
    between both sides are allowed. `precision` is that of the run, in which closeness is told.
    """
    a, b, dtype = numbers.legacy, numbers.new, numbers.dtype
    apart = _finite_difference(a, b)
    centre = a if reference is None else reference
    error = apart if reference is None else _finite_difference(b, reference)
    allowed = ULPS * unit(worst_of_row(_sizes(centre, a)), dtype)
    if own_error is not None:
        allowed = allowed + FACTOR * own_error
    if bool((error <= allowed).all()):
        return _closeness(apart, a, own_error, max(dtype, precision, key=lambda item: torch.finfo(item).eps))
    size = torch.maximum(a.abs(), b.abs())
    ulps, relative = apart / unit(size, dtype), apart / size.clamp_min(torch.finfo(dtype).tiny)
    excess = torch.where(error <= allowed, torch.zeros_like(error), error / allowed)
    where = tuple(int(n) for n in torch.unravel_index(excess.nan_to_num(nan=math.inf).argmax(), excess.shape))
    return Different(
        _digits(a[where].item(), dtype),
        _digits(b[where].item(), dtype),
        None if reference is None else f"{reference[where].item():.9g}",
        where or None,
        float(ulps[where]),
        float(relative[where]),
    )


def is_hopeless(numbers: Numbers, reference: Tensor, own_error: Tensor) -> bool:
    """Whether the new error is so far beyond the legacy's worst in the whole tensor that more samples would not help."""
    largest = _sizes(reference, numbers.legacy).max()
    allowed = ULPS * unit(largest, numbers.dtype) + FACTOR * own_error.max()
    return bool(_finite_difference(numbers.new, reference).max() > HOPELESS * allowed)


def _sizes(values: Tensor, instead: Tensor) -> Tensor:
    """How large the values are, those of `instead` where they are not finite, and 0 where neither is."""
    if _are_finite(values):
        return values.abs()
    return torch.where(torch.isfinite(values), values, instead).abs().nan_to_num(posinf=0.0)


def _closeness(apart: Tensor, values: Tensor, own_error: Tensor | None, dtype: torch.dtype) -> Close:
    """The distance in units of the largest value. A tensor that is nothing but the legacy's own rounding noise has no scale."""
    largest = torch.where(torch.isfinite(values), values.abs(), torch.zeros_like(values)).max()
    if own_error is not None and largest <= FACTOR * own_error.max():
        return Close(0.0, 0.0)
    worst = apart.max()
    return Close(float(worst / unit(largest, dtype)), float(worst / largest.clamp_min(torch.finfo(dtype).tiny)))


def _finite_difference(one: Tensor, other: Tensor) -> Tensor:
    """The distance, zero where both are the same infinity or NaN, infinite where only one is."""
    apart = (one - other).abs()
    if _are_finite(apart):
        return apart
    same = (one == other) | (torch.isnan(one) & torch.isnan(other))
    return torch.where(same, torch.zeros_like(one), apart.nan_to_num(nan=math.inf))


def _are_finite(values: Tensor) -> bool:
    """Whether all are, in one look; a sum that overflows only costs a closer one."""
    return math.isfinite(values.sum().item())


def own_error(values: Tensor, reference: Tensor) -> Tensor:
    """The legacy's error at each element; none where it is not finite, as equal NaN and Inf are no errors."""
    return _finite_difference(values, reference).nan_to_num(posinf=0.0)


def worst_of_row(sizes: Tensor) -> Tensor:
    """The largest value along the last axis, for each of its elements: the numbers of a row come out of the same sums, and where
    these cancel, one is right by luck and its neighbour is not."""
    return sizes.amax(-1, keepdim=True).expand(sizes.shape) if sizes.dim() and sizes.numel() else sizes


def jumps(reference: Tensor, little: Tensor, more: Tensor) -> bool:
    """Whether the legacy loss jumps at this very input: it scatters as far when values move a little as when they move more."""
    near, far = own_error(little, reference).max(), own_error(more, reference).max()
    return bool(near * PROPORTION > far)


def is_visible(numbers: Numbers, reference: Tensor) -> bool:
    """Whether legacy and new are so far apart that one of them may have jumped."""
    largest = float(reference.abs().nan_to_num(posinf=0.0).max())
    return bool((_finite_difference(numbers.legacy, numbers.new) > VISIBLE * largest).any())


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


def _digits(value: object, dtype: torch.dtype) -> str:
    return f"{value:.{16 if dtype == torch.float64 else 7}g}" if isinstance(value, float) else str(value)


def shown(node: Node) -> str:
    """A node in a few words."""
    match node:
        case Number(inner) | Call(_, inner):
            text = shown(inner)
        case Plain(value):
            text = f"{value:.9g}" if isinstance(value, float) else repr(value)
        case Array() if node.tensor.numel() == 1 and not node.tensor.dim():
            text = _digits(node.tensor.item(), node.tensor.dtype)
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
