"""Giving values to targets, and what is known of them where a test holds or a function starts."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from lossport.tree.flow import Env, Frame, FunctionFacts, FunctionNode, evaluate
from lossport.tree.values import EMPTY, OTHER, Class, Function, Instance, Object, Result, Symbol, Table, Value, Values


def assign(frame: Frame, target: ast.expr, values: Values, env: Env, *, local: bool = False) -> None:
    """Give a target its values."""
    match target:
        case ast.Name(id=name):
            store_name(frame, name, values, env, local=local)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            frame.flow.record(target, values)
            for number, element in enumerate(elements):
                inner = element.value if isinstance(element, ast.Starred) else element
                part = OTHER if isinstance(element, ast.Starred) else _element(frame, values, number)
                assign(frame, inner, part, env, local=local)
        case ast.Attribute(value=base, attr=attr):
            _store_attribute(frame, evaluate(frame, base, env), attr, values)
            frame.flow.record(target, values)
            env.pop(place(target) or "", None)
        case ast.Subscript(value=base, slice=key):
            evaluate(frame, base, env)
            evaluate(frame, key, env)
        case _:
            pass


def store_name(frame: Frame, name: str, values: Values, env: Env, *, local: bool) -> None:
    for known in [key for key in env if key.startswith(f"{name}.")]:
        del env[known]
    if local:
        env[name] = values
        return
    if frame.body_of is not None:
        env[name] = values
        frame.flow.join(frame.body_of.attributes, name, values)
        return
    if frame.function is not None and name in frame.scope.redirected:
        frame.flow.join(frame.flow.globals, name, values)
        return
    env[name] = values
    shared = frame.flow.globals if frame.function is None else frame.function.bindings
    frame.flow.join(shared, name, values)


def _store_attribute(frame: Frame, base: Values, attr: str, values: Values) -> None:
    for value in base:
        if isinstance(value, Object | Class):
            frame.flow.join(frame.flow.of_class(value).attributes, attr, values)


def _element(frame: Frame, values: Values, number: int) -> Values:
    result: set[Value] = set()
    for value in values:
        if isinstance(value, Result):
            result.add(value.part(number))
        elif isinstance(value, Table):
            result |= frame.flow.tables[value.node].get(number, OTHER)
        else:
            result |= OTHER
    return frozenset(result) or OTHER


def items_of(frame: Frame, values: Values) -> Values:
    """What iterating over something may give."""
    result: set[Value] = set()
    for value in values:
        if isinstance(value, Table):
            entries = frame.flow.tables[value.node]
            result |= frozenset().union(*entries.values()) if entries else OTHER
        else:
            result |= OTHER
    return frozenset(result) or OTHER


def place(node: ast.expr) -> str | None:
    """The name under which a narrowed attribute such as `self.criterion` is kept."""
    return f"{node.value.id}.{node.attr}" if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else None


def narrowed(frame: Frame, test: ast.expr, env: Env) -> Env:
    """The variables where the test holds: `isinstance(x, LegacyClass)` says what `x` is."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            env = narrowed(frame, part, env)
        return env
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name() | ast.Attribute() as subject, kind]):
            name = subject.id if isinstance(subject, ast.Name) else place(subject)
            held = frozenset(Instance(v.path) for v in frame.flow.values.get(kind, EMPTY) if isinstance(v, Symbol))
            return {**env, name: held} if held and name else env
        case _:
            return env


def define_function(frame: Frame, node: FunctionNode, env: Env) -> Values:
    """Register a function of the file; its parameters start with what its defaults and annotations say."""
    owner = frame.body_of.node if frame.body_of is not None else None
    if node not in frame.flow.functions:
        facts = FunctionFacts(node, frame.flow.scopes.by_node[node], owner, frame.function)
        frame.flow.functions[node] = facts
        frame.flow.changed = True
    facts = frame.flow.functions[node]
    me = _own_argument(node, owner)
    for arg, values in _first_values(frame, node, env):
        frame.flow.join(facts.params, arg, me[arg] if arg in me else values)
    return frozenset({Function(node)})


def _own_argument(node: FunctionNode, owner: ast.ClassDef | None) -> dict[str, Values]:
    """`self` or `cls` of a method, with what it stands for."""
    listed = [*node.args.posonlyargs, *node.args.args]
    names = {ast.unparse(d) for d in getattr(node, "decorator_list", [])}
    if owner is None or not listed or "staticmethod" in names:
        return {}
    return {listed[0].arg: frozenset({Class(owner) if "classmethod" in names else Object(owner)})}


def _first_values(frame: Frame, node: FunctionNode, env: Env) -> Iterable[tuple[str, Values]]:
    arguments = node.args
    listed = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(listed) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [*zip(listed, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    name = getattr(node, "name", None)
    for arg, default in pairs:
        values = evaluate(frame, default, env) if default is not None else EMPTY
        by_annotation = instance_by(evaluate(frame, arg.annotation, env)) if arg.annotation is not None else EMPTY
        if by_annotation:
            yield arg.arg, by_annotation | (values & frozenset({*by_annotation}))
        elif name in frame.flow.called_names:
            yield arg.arg, values
        else:
            yield arg.arg, values | OTHER
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            if rest.annotation is not None:
                evaluate(frame, rest.annotation, env)
            yield rest.arg, OTHER


def instance_by(annotation: Values) -> Values:
    """What a variable annotated with a legacy class holds."""
    return frozenset(Instance(value.path) for value in annotation if isinstance(value, Symbol))
