"""What is read of things that nobody follows: a module that torch handed to a hook, a model that a library wrapped.

A name that the port changes is refused there, as it may be one of the legacy loss. Anything else is left alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lossport.follow.values import Handed, legacy
from lossport.project.port import Drop, Rename
from lossport.rewrite.contract import Contract
from lossport.rewrite.outcome import Draft

BY_TEXT = frozenset({"getattr", "hasattr", "setattr", "delattr"})
BY_KEY = frozenset({"get", "pop", "setdefault"})
GETTERS = {"attrgetter": "attribute", "methodcaller": "attribute", "itemgetter": "entry"}
"""Functions of `operator` that take the name of what the function that they make will read."""

WHAT_TO_DO = "ask isinstance() before, give the variable its type, or acknowledge this place in the port"


@dataclass(frozen=True)
class Read:
    """A name that is read or set: an attribute or method, or an entry."""

    node: ast.expr
    kind: str
    name: str


def refuse_handed(draft: Draft, contracts: Mapping[str, Contract]) -> None:
    """Refuse every name that a port changes where it is read of something that may be, or hold, the legacy loss."""
    attributes = {name: c for _, c in sorted(contracts.items()) for name in c.moved}
    keys = {name: c for _, c in sorted(contracts.items()) for name in c.moved_keys}
    if not attributes and not keys:
        return
    seen: set[tuple[str, int, int]] = set()
    for read in _reads(draft):
        contract = (attributes if read.kind == "attribute" else keys).get(read.name)
        place = (read.name, read.node.lineno, read.node.col_offset)
        if contract is not None and place not in seen:
            seen.add(place)
            draft.refuse(read.node, _reason(read, contract), WHAT_TO_DO, contract.port.legacy)


def _reason(read: Read, contract: Contract) -> str:
    what = "an instance of" if read.kind == "attribute" else "what is returned by"
    return f"uses the {read.kind} {read.name!r} of something that may be {what} {contract.port.name}, {_now(read, contract)}"


def _now(read: Read, contract: Contract) -> str:
    if read.kind == "entry":
        key = contract.keys.get(read.name)
        if key is not None and key.kind == "number" and key.new == read.name:
            return "where it is a tensor now"
        return "where it is another one now" if key is None or key.new is not None else "where it is gone"
    rule = contract.attributes.get(read.name)
    new = rule.new if isinstance(rule, Rename) else None if isinstance(rule, Drop) else contract.method(read.name)[0]
    return f"where it is called {new!r} now" if new not in (None, read.name) else "where it is gone or used otherwise"


def _reads(draft: Draft) -> Iterator[Read]:
    for node, values in list(draft.view.flow.values.items()):
        handed = [value for value in values if isinstance(value, Handed)]
        if handed and not legacy(values):
            entries = any(value.entries for value in handed)
            yield from (read for read in _around(draft, node) if entries or read.kind == "attribute")
    yield from _getters(draft)


def _around(draft: Draft, node: ast.expr) -> Iterator[Read]:
    """What the syntax around an expression reads of it."""
    parent = draft.view.parents.get(node)
    match parent:
        case ast.Attribute(attr=name):
            yield Read(parent, "attribute", name)
            call = draft.view.parents.get(parent)
            if name in BY_KEY and isinstance(call, ast.Call) and call.func is parent and call.args:
                yield from _literal(call.args[0], call.args[0], "entry")
        case ast.Subscript(value=base, slice=key) if base is node:
            yield from _literal(parent, key, "entry")
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()]) if left is not node:
            yield from _literal(parent, left, "entry")
        case ast.Call(func=ast.Name(id=function), args=[first, name, *_]) if first is node and function in BY_TEXT:
            yield from _literal(parent, name, "attribute")
        case _:
            pass


def _literal(node: ast.expr, key: ast.expr, kind: str) -> Iterator[Read]:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        yield Read(node, kind, key.value)


def _getters(draft: Draft) -> Iterator[Read]:
    """`sorted(losses, key=attrgetter("T"))`: what the getter is applied to is not followed."""
    for statement in draft.view.flow.hot_statements():
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and (path := draft.view.flow.named.get(node.func, "")).startswith("operator."):
                kind = GETTERS.get(path.removeprefix("operator."))
                for arg in node.args if kind is not None else ():
                    yield from _literal(node, arg, str(kind))
