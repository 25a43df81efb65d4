"""What a result is tied to besides its values: who works with it in place, or asks for a view of it, meets these ties.

Says which there are. They matter where the other side's result is free of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lossport.observe.value import DEEPEST, Array, Call, Items, Node, Ties, array, entries_of, same_bits

CHANGES = "changes"
SHARED = "shared"
SCATTERED = "not contiguous"

TIES: Mapping[str, str] = {
    CHANGES: "a later step changes the new value, as it is a view of what the loss holds; the legacy value stays",
    SHARED: "the new value shares memory with an input, with what the loss holds or with another result: a change of one in place"
    " changes the other; the legacy value is its own",
    SCATTERED: "the new value is not contiguous, so that .view() of it can raise; the legacy value is",
}
"""Each tie in words, as a difference from a value without it."""


def ties_of(result: Sequence[object], others: Iterable[object]) -> Iterator[Ties]:
    """The ties of each part of a result, as `parts_in` gives them; `others` are tensors and containers that it could share."""
    held = list(others)
    theirs = {id(item) for item in held if not isinstance(item, Tensor)}
    memory: dict[int, list[Tensor]] = {}
    for tensor in (item for item in (*held, *result) if isinstance(item, Tensor)):
        memory.setdefault(_storage(tensor), []).append(tensor)
    for part in result:
        if isinstance(part, Tensor):
            beside = memory[_storage(part)]
            mine = sum(other is part for other in beside)
            shared = mine > 1 or any(_overlap(part, other) for other in beside if other is not part)
            dense = part.layout != torch.strided or part.is_contiguous()
            yield frozenset(word for word, is_so in ((SHARED, shared), (SCATTERED, not dense)) if is_so)
        else:
            yield frozenset({SHARED} if id(part) in theirs and not isinstance(part, tuple | frozenset) else ())


def ties_since(node: Node, parts: Iterable[object]) -> Iterator[Ties]:
    """The tie of each part of an earlier step's result that is no longer what its snapshot says."""
    for frozen, part in zip(frozen_parts(node), parts, strict=True):
        changed = isinstance(frozen, Array) and isinstance(part, Tensor) and not same_bits(frozen.tensor, array(part).tensor)
        yield frozenset({CHANGES} if changed else ())


_HOOKS_AND_PARTS = frozenset(vars(nn.Module())) - {"_parameters", "_buffers"}
"""What every module has and no result is; parts are visited by themselves."""


def held_by(loss: object) -> Iterator[object]:
    """The tensors and containers that a loss holds."""
    for part in loss.modules() if isinstance(loss, nn.Module) else (loss,):
        for name, value in vars(part).items():
            if name not in _HOOKS_AND_PARTS:
                yield from parts_in(value)


def parts_in(value: object, depth: int = 0) -> Iterator[object]:
    """The live tensors and containers of a value, in the order in which a snapshot holds them."""
    if isinstance(value, Tensor):
        if not is_lazy(value):
            yield value
    elif depth < DEEPEST and not isinstance(value, str):
        entries = entries_of(value)
        if entries is not None:
            yield value
            for _, item in entries:
                yield from parts_in(item, depth + 1)


def frozen_parts(node: Node) -> Iterator[Array | Items]:
    """What a snapshot holds of the tensors and containers that `parts_in` gives, in the same order."""
    match node:
        case Call(_, inner):
            yield from frozen_parts(inner)
        case Items(_, entries):
            yield node
            for _, item in entries:
                yield from frozen_parts(item)
        case Array(holder="torch"):
            yield node


def tied(node: Node, ties: Iterator[Ties]) -> Node:
    """The snapshot with more ties: those of each of its `frozen_parts`, in order."""
    match node:
        case Call(symbol, inner):
            return Call(symbol, tied(inner, ties))
        case Items():
            mine = node.ties | next(ties)
            return replace(node, entries=tuple((key, tied(item, ties)) for key, item in node.entries), ties=mine)
        case Array(holder="torch"):
            more = next(ties)
            return replace(node, ties=node.ties | more) if more else node
        case _:
            return node


# ---- memory


def _storage(tensor: Tensor) -> int:
    """Where the memory of a tensor begins; 0 for one without any."""
    return tensor.untyped_storage().data_ptr() if tensor.layout == torch.strided and tensor.numel() else 0


def _overlap(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of one storage have an element in common."""
    if not _storage(one):
        return False
    (start, end), (first, last) = _span(one), _span(other)
    if end <= first or last <= start:
        return False
    if one.is_contiguous() and other.is_contiguous():
        return True
    return not _places(one).isdisjoint(_places(other))


def _span(tensor: Tensor) -> tuple[int, int]:
    """The bytes from the first element to the end of the last."""
    steps = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (steps + 1) * tensor.element_size()


def _places(tensor: Tensor) -> set[int]:
    """The address of every element."""
    start, end = _span(tensor)
    size = tensor.element_size()
    counted = torch.arange(start, end, size).as_strided(tensor.shape, tensor.stride())
    return set(counted.flatten().tolist())
