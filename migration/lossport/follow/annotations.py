"""What a variable holds, by its annotation: `Old`, `"Old"`, `Old | None`, `list[Old]`, `type[Old]`, and what is made of these."""

from __future__ import annotations

import ast

from lossport.follow.file_facts import Env
from lossport.follow.flow import Frame, evaluate
from lossport.follow.values import EMPTY, NOTHING, OTHER, Class, Instance, Object, Other, Symbol, Table, Value, Values

UNIONS = frozenset({"Union", "Optional"})
PLAIN = frozenset({"Final", "Annotated", "ClassVar", "Required", "NotRequired", "ReadOnly", "InitVar"})
"""Words around an annotation that say nothing about the value."""

CLASSES = frozenset({"type", "Type"})
SERIES = frozenset(
    {
        "list",
        "List",
        "tuple",
        "Tuple",
        "set",
        "Set",
        "frozenset",
        "FrozenSet",
        "Sequence",
        "MutableSequence",
        "Iterable",
        "Iterator",
    }
    | {"Collection", "Reversible", "deque", "Deque", "Generator"}
)
TABLES = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "DefaultDict", "defaultdict", "OrderedDict"})


def annotated(frame: Frame, annotation: ast.expr, env: Env) -> Values:
    """Look at an annotation, quoted or not; what a variable with it holds, EMPTY if that is nothing legacy."""
    frame.flow.quoted.note(annotation)
    evaluate(frame, annotation, env)
    held = _held(frame, annotation)
    return held if frame.world.carries(held) else EMPTY


def _held(frame: Frame, node: ast.expr) -> Values:
    inside = frame.flow.quoted(node) if isinstance(node, ast.Constant) else None
    match inside or node:
        case ast.Constant(value=None):
            return NOTHING
        case ast.BinOp(left=left, right=right):
            return _held(frame, left) | _held(frame, right)
        case ast.Subscript(value=base, slice=inner):
            return _subscripted(frame, node, name_of(base), inner.elts if isinstance(inner, ast.Tuple) else [inner])
        case named:
            return frozenset(_instance_of(value) for value in frame.flow.values.get(named, EMPTY)) or OTHER


def _instance_of(value: Value) -> Value:
    match value:
        case Symbol(path):
            return Instance(path)
        case Class(node):
            return Object(node, True)
        case _:
            return Other()


def _subscripted(frame: Frame, node: ast.expr, name: str, parts: list[ast.expr]) -> Values:
    if name in UNIONS:
        held = frozenset().union(*(_held(frame, part) for part in parts))
        return held | NOTHING if name == "Optional" else held
    if name in PLAIN and parts:
        return _held(frame, parts[0])
    if name in CLASSES and parts:
        return frozenset(_class_of(value) for value in _held(frame, parts[0]))
    if name in SERIES or (name in TABLES and len(parts) > 1):
        entries = [_held(frame, part) for part in (parts[1:] if name in TABLES else parts) if not _is_ellipsis(part)]
        pairs = len(entries) > 1 and name in ("tuple", "Tuple")
        held = frozenset().union(*entries)
        frame.world.tables[node] = dict(enumerate(entries)) if pairs else {None: held}
        frame.world.hold(node, held)
        return frozenset({Table(node)}) if frame.world.carries(held) else OTHER
    return OTHER


def _class_of(value: Value) -> Value:
    match value:
        case Instance(symbol):
            return Symbol(symbol)
        case Object(node):
            return Class(node, True)
        case _:
            return value


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
