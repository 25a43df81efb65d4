"""Giving values to targets, and what is known of them where a test holds or a function starts."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TypeAlias

from lossport.follow.annotations import TABLES, annotated, name_of
from lossport.follow.file_facts import ClassFacts, Env, FunctionFacts, FunctionNode
from lossport.follow.flow import Flow, Frame, decorator_names, evaluate, is_static
from lossport.follow.modules_of_torch import WRAPPERS
from lossport.follow.values import (
    EMPTY,
    OTHER,
    Class,
    Function,
    Handed,
    Instance,
    Named,
    Nothing,
    Object,
    Other,
    Result,
    Symbol,
    Table,
    TableMember,
    Text,
    Value,
    Values,
    Wrapped,
)

Entries: TypeAlias = dict[str | int | None, Values]
"""What a table holds, by literal key; under None what it holds under computed ones."""


NARROWED = "."
"""A variable that no program has: there is an attribute among the variables, of which a test said what it is."""


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
            owners = evaluate(frame, base, env)
            _store_attribute(frame, owners, attr, values)
            frame.flow.record(target, values | _replaced(frame, owners, attr))
            env.pop(place(target) or "", None)
        case ast.Subscript(value=base, slice=key):
            heat_holder(frame, base, values)
            _store_entry(frame, evaluate(frame, base, env), evaluate(frame, key, env), values)
        case _:
            pass


def store_name(frame: Frame, name: str, values: Values, env: Env, *, local: bool = False) -> None:
    """Give a variable its values where it is bound."""
    if NARROWED in env:
        for known in [key for key in env if key.startswith(f"{name}.")]:
            del env[known]
    flow, function = frame.flow, frame.function
    if local:
        env[name] = values
    elif frame.body_of is not None:
        env[name] = values
        flow.join_attribute(frame.body_of, name, values)
    elif function is not None and name in function.globals:
        _rebind(flow, flow.rebound, name)
        flow.join(flow, flow.globals, name, values)
    elif function is not None and name in function.nonlocals and function.parent is not None:
        owner = _owner_of(name, function.parent)
        _rebind(flow, owner.rebound, name)
        flow.join(flow, owner.bindings, name, values)
    else:
        env[name] = values
        flow.join(flow, flow.globals if function is None else function.bindings, name, values)


def _rebind(flow: Flow, rebound: set[str], name: str) -> None:
    if name not in rebound:
        rebound.add(name)
        flow.touch()


def _owner_of(name: str, function: FunctionFacts) -> FunctionFacts:
    """The nearest function, from this one outwards, that a `nonlocal` name belongs to."""
    while name in function.nonlocals or name not in function.bindings:
        if function.parent is None:
            break
        function = function.parent
    return function


def _replaced(frame: Frame, owners: Values, attr: str) -> Values:
    """The legacy symbol that a module offers under the name that is set: it is replaced there."""
    paths = (value.path for value in owners if isinstance(value, Named))
    found = frozenset().union(*(frame.world.resolve(frame.flow, f"{path}.{attr}") for path in paths))
    return frozenset(value for value in found if isinstance(value, Symbol))


def _store_attribute(frame: Frame, base: Values, attr: str, values: Values) -> None:
    for value in base:
        if isinstance(value, Object | Class):
            facts = frame.world.of_class(value)
            frame.flow.join_attribute(facts, attr, values)


def _store_entry(frame: Frame, base: Values, keys: Values, values: Values) -> None:
    """`table[key] = value` adds to what a literal dictionary or list of the project holds."""
    for value in base:
        if isinstance(value, Table):
            key = next((k.value for k in keys if isinstance(k, Text)), None) if len(keys) == 1 else None
            grow_table(frame, value.node, {key: values})
            if isinstance(key, str):
                _store_attribute(frame, frozenset(frame.world.attribute_tables.get(value.node, ())), key, values)


def heat_holder(frame: Frame, holder: ast.expr, values: Values) -> None:
    """What something legacy is put into is looked for, wherever it is made."""
    if isinstance(holder, ast.Name | ast.Attribute) and frame.world.carries(values):
        frame.flow.heat({name_of(holder)})


def grow_table(frame: Frame, node: ast.expr, entries: Entries) -> None:
    """Add entries to a table."""
    table = frame.world.tables.setdefault(node, {})
    for key, values in entries.items():
        before = table.get(key, EMPTY)
        if not values <= before:
            table[key] = before | values
            frame.world.hold(node, values)
            frame.flow.touch()


def _element(frame: Frame, values: Values, number: int) -> Values:
    result: set[Value] = set()
    for value in values:
        if isinstance(value, Result):
            result.add(value.part(number))
        elif isinstance(value, Table):
            entries = frame.world.tables[value.node]
            result |= entries.get(number, EMPTY) | entries.get(None, EMPTY) or OTHER
        elif isinstance(value, Nothing):
            continue  # it would fail
        elif isinstance(value, Object):
            result |= field_of(frame, value, number)
        elif isinstance(value, Handed):
            result |= {Other(), value}
        elif isinstance(value, TableMember) and value.name == "item" and number == 1:
            result |= frozenset().union(*frame.world.tables[value.table.node].values()) or OTHER
        else:
            result |= OTHER
    return frozenset(result)


def fields_of(facts: ClassFacts) -> list[str]:
    """The fields of a named tuple in their order; [] for other classes."""
    if [ast.unparse(base).rpartition(".")[2] for base in facts.node.bases] != ["NamedTuple"]:
        return []
    annotated = (member.target for member in facts.node.body if isinstance(member, ast.AnnAssign))
    return [target.id for target in annotated if isinstance(target, ast.Name)]


def field_of(frame: Frame, value: Object, number: int) -> Values:
    """A field of a named tuple by its number."""
    facts = frame.world.of_class(value)
    fields = fields_of(facts)
    return (frame.world.attribute(facts, fields[number]) or OTHER) if -len(fields) <= number < len(fields) else OTHER


def _is_mapping(table: Table, entries: Entries) -> bool:
    """Whether iterating gives keys. What a call makes is a mapping if its keys are names."""
    node = table.node
    if isinstance(node, ast.Subscript):
        return name_of(node.value) in TABLES
    named = bool(entries) and all(isinstance(key, str) for key in entries)
    return isinstance(node, ast.Dict | ast.DictComp | ast.Attribute) or (isinstance(node, ast.Call) and named)


def is_mapping(frame: Frame, table: Table) -> bool:
    """Whether iterating over a table gives its keys."""
    return _is_mapping(table, frame.world.tables[table.node])


def _keys(entries: Entries) -> Values:
    return OTHER if None in entries else frozenset(Text(key) for key in entries if key is not None)


def items_of(frame: Frame, values: Values) -> Values:
    """What iterating over something may give."""
    result: set[Value] = set()
    for value in values:
        if isinstance(value, Table):
            entries = frame.world.tables[value.node]
            result |= (_keys(entries) if _is_mapping(value, entries) else frozenset().union(*entries.values())) or OTHER
        elif isinstance(value, Nothing):
            continue  # it would fail
        elif isinstance(value, Object) and (fields := fields_of(frame.world.of_class(value))):
            result |= frozenset().union(*(frame.world.attribute(frame.world.of_class(value), field) for field in fields)) or OTHER
        elif isinstance(value, Handed):
            result |= {Other(), value}
        elif isinstance(value, TableMember) and value.name == "items()":
            result.add(TableMember(value.table, "item"))
        else:
            result |= OTHER
    return frozenset(result)


def place(node: ast.expr) -> str | None:
    """The name under which a narrowed attribute such as `self.criterion` is kept."""
    return f"{node.value.id}.{node.attr}" if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else None


def narrowed(frame: Frame, test: ast.expr, env: Env, *, holds: bool = True) -> Env:
    """The variables where a test holds, or where it does not: `isinstance(x, LegacyClass)` says what `x` is."""
    match test:
        case ast.BoolOp(op=ast.And(), values=parts) if holds:
            for part in parts:
                env = narrowed(frame, part, env)
        case ast.BoolOp(op=ast.Or(), values=parts) if not holds:
            for part in parts:
                env = narrowed(frame, part, env, holds=False)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            env = narrowed(frame, operand, env, holds=not holds)
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name() | ast.Attribute() as subject, kind]):
            name = subject.id if isinstance(subject, ast.Name) else place(subject)
            if name is not None:
                values = _of_kind(frame, frame.flow.values.get(subject, EMPTY), kind, holds=holds)
                env = {**env, name: values, **({NARROWED: EMPTY} if "." in name else {})} if values else env
        case ast.Call(func=ast.Name(id="hasattr"), args=[ast.Name(id=name), ast.Constant(value="module")]):
            values = frame.flow.values.get(test.args[0], EMPTY)
            env = {**env, name: _wrapped(values, holds=holds)} if values else env
        case _:
            pass
    return env


def _wrapped(values: Values, *, holds: bool) -> Values:
    """Those of the values that may have a `.module`, or need not."""
    return frozenset(v for v in values if isinstance(v, Wrapped) is holds or isinstance(v, Other | Handed))


def _of_kind(frame: Frame, values: Values, kind: ast.expr, *, holds: bool) -> Values:
    """The values that pass an `isinstance` test, or fail it; empty if the test says nothing about them."""
    held = frozenset(Instance(v.path) for v in frame.flow.values.get(kind, EMPTY) if isinstance(v, Symbol))
    if held:
        return held if holds else values - held
    if frame.flow.named.get(kind) in WRAPPERS:
        return _wrapped(values, holds=holds)
    is_dict = frame.flow.named.get(kind) in ("builtins.dict", "collections.abc.Mapping", "typing.Mapping")
    known: dict[Value, bool | None] = {v: frame.world.is_dict(v) for v in values if isinstance(v, Result)}
    if not is_dict or not known:
        return EMPTY
    return frozenset(v for v in values if known.get(v) in (None, holds)) or OTHER


def define_function(frame: Frame, node: FunctionNode, env: Env, *, run: bool = True) -> Values:
    """Register a function; its parameters start with what its defaults, annotations and fixtures say."""
    flow = frame.flow
    facts = frame.world.facts.get(node)
    if not isinstance(facts, FunctionFacts):
        owner = frame.body_of.node if frame.body_of is not None else None
        facts = FunctionFacts(node, flow, owner, frame.function)
        frame.world.facts[node] = facts
        flow.functions.append(facts)
    if run or facts.hot:
        facts.prepared = True
        me = _own_argument(node, facts.owner)
        given = _parametrized(frame, node, env)
        facts.typed.update(given)
        for arg, values in _first_values(frame, facts, env):
            facts.params.setdefault(arg, EMPTY if arg in me else facts.outside)
            flow.join(flow, facts.params, arg, me.get(arg, values | given.get(arg, EMPTY)))
    return frozenset({Function(node)})


def _own_argument(node: FunctionNode, owner: ast.ClassDef | None) -> dict[str, Values]:
    """`self` or `cls` of a method, with what it stands for."""
    listed = [*node.args.posonlyargs, *node.args.args]
    if owner is None or not listed or is_static(node):
        return {}
    return {listed[0].arg: frozenset({Class(owner, True) if "classmethod" in decorator_names(node) else Object(owner, True)})}


def _first_values(frame: Frame, facts: FunctionFacts, env: Env) -> Iterable[tuple[str, Values]]:
    node, arguments = facts.node, facts.node.args
    listed = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(listed) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [*zip(listed, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    tested = _is_run_by_pytest(node)
    for arg, default in pairs:
        values = evaluate(frame, default, env) if default is not None else EMPTY
        by_annotation = annotated(frame, arg.annotation, env) if arg.annotation is not None else EMPTY
        fixture = frame.world.fixture(frame.flow, arg.arg) if tested and default is None else None
        if by_annotation:
            facts.typed.add(arg.arg)
            yield arg.arg, by_annotation
        elif fixture is not None:
            facts.typed.add(arg.arg)
            yield arg.arg, fixture.returns | fixture.yields
        else:
            if frame.world.carries(values):
                facts.hot = True
                frame.flow.heat({facts.name, arg.arg})  # what callers give instead matters
            yield arg.arg, values
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            if rest.annotation is not None:
                annotated(frame, rest.annotation, env)
            yield rest.arg, OTHER


def _is_run_by_pytest(node: FunctionNode) -> bool:
    return not isinstance(node, ast.Lambda) and (node.name.startswith("test") or is_fixture(node))


def is_fixture(node: ast.AST) -> bool:
    """Whether a function is a pytest fixture."""
    return any(name in ("fixture", "pytest.fixture", "pytest_asyncio.fixture") for name in decorator_names(node))


def _parametrized(frame: Frame, node: FunctionNode, env: Env) -> dict[str, Values]:
    """What `pytest.mark.parametrize` gives to the parameters of a test."""
    found: dict[str, Values] = {}
    for decorator in getattr(node, "decorator_list", []):
        match decorator:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=[ast.Constant(value=str(names)), table, *_]):
                items = items_of(frame, evaluate(frame, table, env))
                listed = [name.strip() for name in names.split(",")]
                frame.flow.given_to_tests.add(table)
                for number, name in enumerate(listed):
                    found[name] = items if len(listed) == 1 else _element(frame, items, number)
            case _:
                pass
    return found
