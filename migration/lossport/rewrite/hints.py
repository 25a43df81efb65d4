"""Annotations that a program reads, and types that have a member which the port changes.

An annotation is a name like any other, until `get_type_hints` or a command line builds what it names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from lossport.follow.file_facts import FileFacts
from lossport.follow.values import Class, Function, Object, Symbol, Values
from lossport.rewrite.contract import Contract
from lossport.rewrite.outcome import Draft

READERS = frozenset(
    {"get_type_hints", "signature", "get_annotations", "getfullargspec", "CLI", "auto_cli", "LightningCLI"}
    | {"add_class_arguments", "add_subclass_arguments", "add_function_arguments", "add_method_arguments"}
)
"""Functions that read the annotations of what they are given, by the last part of their names."""

_READS = re.compile(r"\b(?:" + "|".join(sorted(READERS)) + r")\b|\.__annotations__")


def refuse_hints(draft: Draft, contracts: Mapping[str, Contract]) -> None:
    """Refuse what reads annotations that name a legacy class which is built otherwise now."""
    text = draft.view.source.text
    if _READS.search(text) is not None:
        for node in ast.walk(draft.view.tree):
            subject = _subject(node)
            if subject is not None:
                _refuse_reader(draft, contracts, subject)
    if "Protocol" in text or "TypedDict" in text:
        for node in ast.walk(draft.view.tree):
            if isinstance(node, ast.ClassDef):
                _refuse_members(draft, contracts, node)


def _subject(node: ast.AST) -> ast.expr | None:
    """What the annotations are read of."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if name in READERS:
            return first
        case ast.Attribute(value=base, attr="__annotations__"):
            return base
        case _:
            return None


def _refuse_reader(draft: Draft, contracts: Mapping[str, Contract], subject: ast.expr) -> None:
    flow = draft.view.flow
    values = flow.values.get(subject, frozenset())
    known = [value for value in values if isinstance(value, Function | Class | Object)]
    named = [symbol for value in known for symbol in _annotated(flow.world.facts[value.node].flow, value.node)]
    if not known and _may_be_annotated(flow, subject):
        named = list(_annotated(flow, flow.tree))
    for symbol in sorted(set(named)):
        contract = contracts.get(symbol)
        if contract is not None and contract.symbol_changes:
            reason = f"reads annotations that name {contract.port.name}, and {contract.symbol_changes}"
            todo = "look at what is built from them; then acknowledge this place in the port, or rewrite it by hand"
            draft.refuse(subject, reason, todo, symbol)


def _may_be_annotated(flow: FileFacts, subject: ast.expr) -> bool:
    """Whether the subject is no module and no literal, so that it may be anything of this file."""
    return not isinstance(subject, ast.Constant) and subject not in flow.named


def _annotated(flow: FileFacts, root: ast.AST) -> Iterator[str]:
    """The legacy symbols in the annotations of parameters and fields."""
    for node in ast.walk(root):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            for part in _expressions(flow, node.annotation):
                held: Values = flow.values.get(part, frozenset())
                yield from (value.path for value in held if isinstance(value, Symbol))


def _expressions(flow: FileFacts, root: ast.expr) -> Iterator[ast.expr]:
    for node in ast.walk(root):
        if isinstance(node, ast.expr):
            yield node
            inside = flow.quoted(node) if isinstance(node, ast.Constant) else None
            if inside is not None:
                yield from _expressions(flow, inside)


def _refuse_members(draft: Draft, contracts: Mapping[str, Contract], node: ast.ClassDef) -> None:
    """A Protocol or TypedDict that has a renamed member does not describe the new class or its results."""
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
    for member in node.body if bases & {"Protocol", "TypedDict"} else ():
        name = getattr(getattr(member, "target", member), "id", getattr(member, "name", ""))
        for symbol, contract in sorted(contracts.items()):
            changed = contract.moved if "Protocol" in bases else contract.moved_keys
            if name in changed:
                what = "an attribute or method" if "Protocol" in bases else "an entry of what it returns"
                reason = f"describes {what} of {contract.port.name} that changes: {name!r}"
                draft.refuse(member, reason, "describe the new one, or acknowledge this place in the port", symbol)
