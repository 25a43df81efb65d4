"""What an expression may stand for: one small rule for each kind of expression. Statements are run elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from lossport.follow.assign import assign, define_function, field_of, grow_table, heat_holder, items_of, narrowed, place
from lossport.follow.calls import GROWING, Arguments, call
from lossport.follow.file_facts import Env
from lossport.follow.flow import Frame, escape, evaluate, rule
from lossport.follow.instance_dicts import attributes_table
from lossport.follow.members import attribute_of
from lossport.follow.values import (
    EMPTY,
    NOTHING,
    OTHER,
    Class,
    Handed,
    Instance,
    Nothing,
    Object,
    Other,
    Result,
    Symbol,
    Table,
    Text,
    Value,
    Values,
)
from lossport.source.quoted import annotations_in


@rule(ast.Constant)
def _constant(frame: Frame, node: ast.Constant, env: Env) -> Values:
    if node.value is None:
        return NOTHING
    inside = frame.flow.quoted(node) if isinstance(node.value, str) else None
    if inside is not None:
        return evaluate(frame, inside, env)
    if isinstance(node.value, str) or (isinstance(node.value, int) and not isinstance(node.value, bool)):
        return frozenset({Text(node.value)})
    return OTHER


@rule(ast.Name)
def _name(frame: Frame, node: ast.Name, env: Env) -> Values:
    return frame.flow.lookup(node.id, env, frame.function)


@rule(ast.Attribute)
def _attribute(frame: Frame, node: ast.Attribute, env: Env) -> Values:
    base = evaluate(frame, node.value, env)
    path = place(node)
    if path is not None and path in env:
        return env[path]
    objects = frozenset(value for value in base if node.attr == "__dict__" and isinstance(value, Object))
    table = attributes_table(frame, node, objects) if objects else EMPTY
    return table.union(*(attribute_of(frame, value, node.attr) for value in base - objects))


@rule(ast.Call)
def _call(frame: Frame, node: ast.Call, env: Env) -> Values:
    for annotation in annotations_in(node):
        frame.flow.quoted.note(annotation)
    function = evaluate(frame, node.func, env)
    positional = [evaluate(frame, arg.value if isinstance(arg, ast.Starred) else arg, env) for arg in node.args]
    keywords = [evaluate(frame, keyword.value, env) for keyword in node.keywords]
    if isinstance(node.func, ast.Attribute) and node.func.attr in GROWING:
        heat_holder(frame, node.func.value, frozenset().union(*positional))
    return call(frame, function, Arguments(node, positional, keywords))


@rule(ast.Subscript)
def _subscript(frame: Frame, node: ast.Subscript, env: Env) -> Values:
    base = evaluate(frame, node.value, env)
    if frame.flow.named.get(node.value, "").startswith(TYPES) and isinstance(node.ctx, ast.Load):
        frame.flow.quoted.note(node)  # an alias: `Losses = dict[str, "Old"]`
    key = evaluate(frame, node.slice, env)
    if isinstance(node.slice, ast.Slice):
        return frozenset(value for value in base if isinstance(value, Table)) or OTHER
    if frame.flow.named.get(node.value) in UNIONS:
        return frozenset(value for part in ast.walk(node.slice) for value in _symbols(frame, part)) or OTHER
    result: set[Value] = set()
    for value in base:
        result |= _entry(frame, value, key)
    return frozenset(result)


TYPES = ("typing.", "typing_extensions.", "collections.abc.", "builtins.")
"""Where the words come from that types are put together with."""

UNIONS = frozenset({"typing.Union", "typing.Optional"})
"""An alias of one of these, such as `AnyLoss = Union[A, B]`, stands for the classes in it, in `isinstance` as in annotations."""


def _symbols(frame: Frame, node: ast.AST) -> Iterable[Symbol]:
    values = frame.flow.values.get(node, EMPTY) if isinstance(node, ast.expr) else EMPTY
    return (value for value in values if isinstance(value, Symbol))


def _entry(frame: Frame, value: Value, key: Values) -> Values:
    literals = [k.value for k in key if isinstance(k, Text)]
    exact = literals[0] if len(key) == 1 and len(literals) == 1 else None
    match value:
        case Nothing():
            return EMPTY  # it would fail
        case Result() if exact is not None:
            return EMPTY if frame.world.has_no(value, exact) else frozenset({value.part(exact)})
        case Object() if isinstance(exact, int):
            return field_of(frame, value, exact)
        case Handed():
            return frozenset({Other(), value})
        case Class():
            return frozenset({value})  # `Trainer[Old]`
        case Instance() if frame.world.lacks(value.symbol, "__getitem__"):
            return EMPTY  # it would fail
        case Table(display):
            entries = frame.world.tables[display]
            if exact is not None and exact in entries:
                return entries[exact]
            return frozenset().union(*entries.values()) if entries else OTHER
        case _:
            return OTHER


MAX_TEXTS = 8
"""Texts that one expression may have before it counts as computed: a table of losses has a few dozen entries at the most, but
the sums of texts in a loop have no end."""

MAX_TEXT = 200
"""Length of a text that is put together; no dotted path is longer."""


@rule(ast.BinOp)
def _binary(frame: Frame, node: ast.BinOp, env: Env) -> Values:
    left, right = evaluate(frame, node.left, env), evaluate(frame, node.right, env)
    escape(frame, left | right)
    if isinstance(node.op, ast.Add) and any(isinstance(value, Table) for value in left | right):
        return _table(frame, node, {None: items_of(frame, left) | items_of(frame, right)})
    return _joined([left, right]) if isinstance(node.op, ast.Add) else OTHER


@rule(ast.JoinedStr)
def _formatted(frame: Frame, node: ast.JoinedStr, env: Env) -> Values:
    pieces = [evaluate(frame, part.value if isinstance(part, ast.FormattedValue) else part, env) for part in node.values]
    for part in node.values:
        if isinstance(part, ast.FormattedValue) and part.format_spec is not None:
            evaluate(frame, part.format_spec, env)
            return OTHER
    return _joined(pieces)


def _joined(pieces: list[Values]) -> Values:
    """Texts put together, if all pieces are known."""
    texts = [""]
    for piece in pieces:
        if not piece or not all(isinstance(value, Text) and isinstance(value.value, str) for value in piece):
            return OTHER
        texts = [text + str(value.value) for text in texts for value in piece if isinstance(value, Text)]
        if len(texts) > MAX_TEXTS or any(len(text) > MAX_TEXT for text in texts):
            return OTHER
    return frozenset(Text(text) for text in texts)


@rule(ast.IfExp)
def _if_expression(frame: Frame, node: ast.IfExp, env: Env) -> Values:
    evaluate(frame, node.test, env)
    then = evaluate(frame, node.body, narrowed(frame, node.test, env))
    return then | evaluate(frame, node.orelse, narrowed(frame, node.test, env, holds=False))


@rule(ast.BoolOp)
def _bool_operation(frame: Frame, node: ast.BoolOp, env: Env) -> Values:
    result: Values = EMPTY
    for value in node.values:
        result |= evaluate(frame, value, env)
        if isinstance(node.op, ast.And):
            env = narrowed(frame, value, env)
    return result


@rule(ast.NamedExpr)
def _walrus(frame: Frame, node: ast.NamedExpr, env: Env) -> Values:
    values = evaluate(frame, node.value, env)
    assign(frame, node.target, values, env)
    return values


@rule(ast.Await)
def _await(frame: Frame, node: ast.Await, env: Env) -> Values:
    return evaluate(frame, node.value, env)


@rule(ast.Yield)
def _yield(frame: Frame, node: ast.Yield, env: Env) -> Values:
    if node.value is not None:
        values = evaluate(frame, node.value, env)
        facts = frame.function
        if facts is not None and not values <= facts.yields:
            facts.yields |= values
            frame.world.hold(facts.node, values)
            facts.flow.touch()
            if facts.fixture and frame.world.carries(values):
                facts.flow.heat({facts.name})
    return OTHER


@rule(ast.Starred)
def _starred(frame: Frame, node: ast.Starred, env: Env) -> Values:
    evaluate(frame, node.value, env)
    return OTHER


@rule(ast.Tuple, ast.List, ast.Set)
def _display(frame: Frame, node: ast.Tuple | ast.List | ast.Set, env: Env) -> Values:
    entries: dict[str | int | None, Values] = {n: evaluate(frame, item, env) for n, item in enumerate(node.elts)}
    return _table(frame, node, entries)


@rule(ast.Dict)
def _dictionary(frame: Frame, node: ast.Dict, env: Env) -> Values:
    entries: dict[str | int | None, Values] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        values = evaluate(frame, item, env)
        keys = evaluate(frame, key, env) if key is not None else OTHER
        literal = next((k.value for k in keys if isinstance(k, Text)), None) if len(keys) == 1 else None
        entries[literal] = entries.get(literal, EMPTY) | values if literal is None else values
    return _table(frame, node, entries)


def _table(frame: Frame, node: ast.expr, entries: dict[str | int | None, Values]) -> Values:
    grow_table(frame, node, entries)
    return frozenset({Table(node)})


@rule(ast.Lambda)
def _lambda(frame: Frame, node: ast.Lambda, env: Env) -> Values:
    return define_function(frame, node, env)


@rule(ast.ListComp, ast.SetComp, ast.GeneratorExp)
def _comprehension(frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, env: Env) -> Values:
    inner = _generators(frame, node.generators, env)
    return _table(frame, node, {None: evaluate(frame, node.elt, inner)})


@rule(ast.DictComp)
def _dict_comprehension(frame: Frame, node: ast.DictComp, env: Env) -> Values:
    inner = _generators(frame, node.generators, env)
    evaluate(frame, node.key, inner)
    return _table(frame, node, {None: evaluate(frame, node.value, inner)})


def _generators(frame: Frame, generators: Iterable[ast.comprehension], env: Env) -> Env:
    inner = dict(env)
    for generator in generators:
        values = evaluate(frame, generator.iter, inner)
        assign(frame, generator.target, items_of(frame, values), inner, local=True)
        for test in generator.ifs:
            evaluate(frame, test, inner)
            inner = narrowed(frame, test, inner)
    return inner
