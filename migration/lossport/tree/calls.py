"""What a call or an attribute may give: of something legacy, of a function or class of the file, of a few known functions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lossport.tree.flow import Frame, FunctionFacts, escape
from lossport.tree.values import (
    EMPTY,
    OTHER,
    Class,
    Function,
    Instance,
    Member,
    Named,
    Object,
    Prepared,
    Result,
    ResultMember,
    Super,
    Symbol,
    Table,
    Text,
    Value,
    Values,
)

RETURN_THEMSELVES = frozenset(
    {"to", "cuda", "cpu", "xpu", "train", "eval", "half", "float", "double", "bfloat16", "type"}
    | {"to_empty", "requires_grad_", "share_memory", "apply"}
)
"""Methods of a torch module that return the module."""

PASS_THROUGH = frozenset({"copy.copy", "copy.deepcopy", "torch.compile", "torch.jit.script", "typing.cast", "builtins.reversed"})
"""Functions whose result behaves as their argument does."""

PARTIAL = frozenset({"functools.partial"})
IMPORT_MODULE = frozenset({"importlib.import_module", "builtins.__import__"})


def call(frame: Frame, node: ast.Call, function: Values, positional: Sequence[Values], keywords: Sequence[Values]) -> Values:
    """What the call may return."""
    result: Values = EMPTY
    followed = False
    for value in function:
        match value:
            case Function() | Class():
                followed = True
                result |= _call_local(frame, node, value, positional, keywords)
            case Named(path):
                result |= _call_named(frame, node, path, positional)
            case _:
                result |= _call_legacy(frame, value, positional)
    if not followed:
        for values in (*positional, *keywords):
            escape(frame, values)
    return result or OTHER


def _call_legacy(frame: Frame, value: Value, positional: Sequence[Values]) -> Values:
    match value:
        case Symbol(path):
            return frozenset({Instance(path) if path in frame.flow.context.classes else Result(path)})
        case Prepared(symbol):
            return frozenset({Instance(symbol) if symbol in frame.flow.context.classes else Result(symbol)})
        case Instance(symbol):
            return frozenset({Result(symbol)})
        case Object():
            return _call_object(frame, value)
        case Member(symbol, name):
            if name in ("forward", "__call__"):
                return frozenset({Result(symbol)})
            return frozenset({Instance(symbol)}) if name in RETURN_THEMSELVES else frozenset({Result(symbol, name)})
        case ResultMember(part, "get" | "pop") if positional and len(positional[0]) == 1:
            key = next(iter(positional[0]))
            return (
                frozenset({part.part(key.value)}) | (OTHER if len(positional) > 1 else EMPTY) if isinstance(key, Text) else OTHER
            )
        case ResultMember(part, "copy"):
            return frozenset({part})
        case _:
            return OTHER


def _call_object(frame: Frame, value: Object) -> Values:
    """A call of an instance of a class of the file: its `__call__`, or `forward` as a torch module does."""
    facts = frame.flow.of_class(value)
    for name in ("__call__", "forward"):
        found = frame.flow.attribute(facts, name)
        functions = [f for f in found if isinstance(f, Function)]
        if functions:
            return frozenset().union(*(frame.flow.function(f).returns for f in functions)) or OTHER
    symbol = frame.flow.legacy_base(facts)
    return OTHER if symbol is None else frozenset({Result(symbol)})


def _call_named(frame: Frame, node: ast.Call, path: str, positional: Sequence[Values]) -> Values:
    first = positional[0] if positional else EMPTY
    if path in PASS_THROUGH:
        return positional[-1 if path == "typing.cast" else 0] if positional else OTHER
    if path in PARTIAL:
        return frozenset(_prepare(node, value) for value in first) or OTHER
    if path in IMPORT_MODULE and len(first) == 1 and isinstance(text := next(iter(first)), Text):
        return frozenset({frame.flow.context.resolve(str(text.value))})
    if path == "builtins.getattr" and len(positional) >= 2:
        return _getattr(frame, first, positional[1]) | (OTHER if len(positional) > 2 else EMPTY)
    if path == "builtins.super":
        return _super(frame)
    if path in ("builtins.dict", "builtins.list", "builtins.tuple") and any(isinstance(v, Table) for v in first):
        return first
    return OTHER


def _prepare(node: ast.Call, value: Value) -> Value:
    if not isinstance(value, Symbol):
        return next(iter(OTHER))
    return Prepared(value.path, node)


def _getattr(frame: Frame, bases: Values, names: Values) -> Values:
    result: Values = EMPTY
    for name in names:
        for base in bases:
            result |= attribute_of(frame, base, name.value) if isinstance(name, Text) and isinstance(name.value, str) else OTHER
    return result or OTHER


def _super(frame: Frame) -> Values:
    facts: FunctionFacts | None = frame.function
    while facts is not None:
        if facts.owner is not None:
            return frozenset({Super(facts.owner)})
        facts = facts.parent
    return OTHER


def _call_local(
    frame: Frame, node: ast.Call, value: Function | Class, positional: Sequence[Values], keywords: Sequence[Values]
) -> Values:
    if isinstance(value, Function):
        facts = frame.flow.function(value)
        bind_arguments(frame, node, facts, positional, keywords, bound=value.bound)
        return facts.returns or OTHER
    constructor = frame.flow.attribute(frame.flow.of_class(value), "__init__")
    for method in constructor:
        if isinstance(method, Function):
            bind_arguments(frame, node, frame.flow.function(method), positional, keywords, bound=True)
    return frozenset({Object(value.node)})


def bind_arguments(
    frame: Frame,
    node: ast.Call,
    facts: FunctionFacts,
    positional: Sequence[Values],
    keywords: Sequence[Values],
    *,
    bound: bool,
) -> None:
    """Hand the values of a call to the parameters of a function of the file."""
    facts.called = True
    arguments = facts.node.args
    listed = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args)][1 if bound else 0 :]
    scattered = any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords)
    if scattered:
        for name in facts.params:
            frame.flow.join(facts.params, name, OTHER)
    given: set[str] = set()
    for name, values in zip(listed, positional, strict=False):
        frame.flow.join(facts.params, name, values)
        given.add(name)
    for keyword, values in zip(node.keywords, keywords, strict=True):
        if keyword.arg is not None:
            frame.flow.join(facts.params, keyword.arg, values)
            given.add(keyword.arg)


def attribute_of(frame: Frame, value: Value, name: str) -> Values:
    """What `value.name` may stand for."""
    match value:
        case Named(path):
            return frozenset({frame.flow.context.resolve(f"{path}.{name}")})
        case Symbol(path):
            return frozenset({Member(path, name, unbound=True)})
        case Instance(symbol):
            return frozenset({Member(symbol, name)})
        case Result():
            return frozenset({ResultMember(value, name)})
        case Object() | Class() | Super():
            return _attribute_of_local(frame, value, name)
        case _:
            return OTHER


def _attribute_of_local(frame: Frame, value: Object | Class | Super, name: str) -> Values:
    facts = frame.flow.classes[value.node]
    found = EMPTY if isinstance(value, Super) else frame.flow.attribute(facts, name)
    if isinstance(value, Super):
        bases = (frame.flow.of_class(base) for values in facts.bases for base in values if isinstance(base, Class))
        found = frozenset().union(*(frame.flow.attribute(base, name) for base in bases))
    if found:
        return _bound(frame, found, through_object=not isinstance(value, Class))
    base_symbol = frame.flow.legacy_base(facts)
    return OTHER if base_symbol is None else frozenset({Member(base_symbol, name, unbound=isinstance(value, Class))})


def _bound(frame: Frame, values: Values, *, through_object: bool) -> Values:
    """Methods become bound when they are taken from an object; a property gives what it returns."""
    result: set[Value] = set()
    for value in values:
        if not isinstance(value, Function) or value.bound:
            result.add(value)
            continue
        facts = frame.flow.function(value)
        names = {ast.unparse(d) for d in getattr(facts.node, "decorator_list", [])}
        if names & {"property", "cached_property", "functools.cached_property"} and through_object:
            result |= facts.returns
        else:
            static = "staticmethod" in names
            takes_first = through_object or "classmethod" in names
            result.add(value if static or not takes_first or facts.owner is None else Function(value.node, True))
    return frozenset(result)
