"""What a call may return: of something legacy, of a function or class of the project, of a few known functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lossport.follow.assign import grow_table, items_of
from lossport.follow.facts import ClassFacts, FunctionFacts
from lossport.follow.flow import Frame, decorator_names, escape
from lossport.follow.inheritance import inherited_symbols, member_of
from lossport.follow.instance_dicts import attributes_table
from lossport.follow.members import attribute_of
from lossport.follow.values import (
    EMPTY,
    NOTHING,
    OTHER,
    Class,
    Function,
    Instance,
    Member,
    Named,
    Nothing,
    Object,
    Prepared,
    Result,
    ResultMember,
    Super,
    Symbol,
    Table,
    TableMember,
    Text,
    Value,
    Values,
)
from lossport.source.modules import absolute

RETURN_THEMSELVES = frozenset(
    {"to", "cuda", "cpu", "xpu", "train", "eval", "half", "float", "double", "bfloat16", "type"}
    | {"to_empty", "requires_grad_", "share_memory", "apply"}
)
"""Methods of a torch module that return the module."""

PASS_THROUGH = frozenset({"copy.copy", "copy.deepcopy", "torch.compile", "torch.jit.script", "typing.cast"})
"""Functions whose result behaves as their first argument does, as far as it is followed (`cast`: the last)."""

CONTAINERS = frozenset(
    {"builtins.reversed", "builtins.dict", "builtins.list", "builtins.tuple", "builtins.set", "builtins.sorted"}
    | {"torch.nn.ModuleList", "torch.nn.ModuleDict", "types.MappingProxyType"}
)
"""Functions that give a table with the entries of the table that they are given."""


@dataclass(frozen=True)
class Arguments:
    """The call and what its arguments may stand for, in the order of the syntax tree."""

    node: ast.Call
    positional: Sequence[Values]
    keywords: Sequence[Values]

    @property
    def first(self) -> Values:
        """The first positional argument."""
        return self.positional[0] if self.positional else EMPTY

    def text(self, number: int) -> str | int | None:
        """The literal given at a position, or None."""
        values = self.positional[number] if number < len(self.positional) else EMPTY
        only = next(iter(values)) if len(values) == 1 else None
        return only.value if isinstance(only, Text) else None


def call(frame: Frame, function: Values, given: Arguments) -> Values:
    """What the call may return."""
    result: Values = EMPTY
    for value in function:
        result |= _call_value(frame, value, given)
    keeps = any(isinstance(value, Named) and value.path == "dataclasses.field" for value in function)
    if not keeps and not any(isinstance(value, Function | Class | Object) for value in function):
        for values in (*given.positional, *given.keywords):
            escape(frame, values)
    return result


def _call_value(frame: Frame, value: Value, given: Arguments) -> Values:
    if isinstance(value, Nothing):
        return EMPTY  # it would fail
    rule = _CALLS.get(type(value))
    return OTHER if rule is None else rule(frame, value, given)


def _made_by(frame: Frame, symbol: str) -> Values:
    return frozenset({Instance(symbol) if symbol in frame.world.classes else Result(symbol)})


def _call_symbol(frame: Frame, value: Symbol, given: Arguments) -> Values:
    _heat_options(frame, given)
    return _made_by(frame, value.path)


def _heat_options(frame: Frame, given: Arguments) -> None:
    """A dictionary that a legacy call unpacks is looked for, wherever it is made."""
    for keyword in given.node.keywords:
        if keyword.arg is None and isinstance(keyword.value, ast.Name | ast.Attribute):
            frame.flow.heat({keyword.value.id if isinstance(keyword.value, ast.Name) else keyword.value.attr})


def _call_prepared(frame: Frame, value: Prepared, given: Arguments) -> Values:
    _heat_options(frame, given)
    return _made_by(frame, value.symbol)


def _call_instance(frame: Frame, value: Instance, given: Arguments) -> Values:
    return frozenset({Result(value.symbol)})


def _call_member(frame: Frame, value: Member, given: Arguments) -> Values:
    if value.name in ("forward", "__call__"):
        return frozenset({Result(value.symbol)})
    if value.name in RETURN_THEMSELVES and not value.unbound:
        return frozenset({Instance(value.symbol)})
    return frozenset({Result(value.symbol, value.name)})


def _call_result_member(frame: Frame, value: ResultMember, given: Arguments) -> Values:
    if value.name == "copy":
        return frozenset({value.result})
    key = given.text(0)
    if value.name not in ("get", "pop") or key is None:
        return OTHER
    return frozenset({value.result.part(key)}) | (OTHER if len(given.positional) > 1 else EMPTY)


def _call_table_member(frame: Frame, value: TableMember, given: Arguments) -> Values:
    entries = frame.world.tables[value.table.node]
    if value.name == "values":
        grow_table(frame, given.node, {None: frozenset().union(*entries.values())})
        return frozenset({Table(given.node)})
    if value.name in ("copy", "items"):
        return frozenset({value.table if value.name != "items" else TableMember(value.table, "items()")})
    if value.name in ("get", "pop"):
        key = given.text(0)
        found = entries[key] if key in entries and key is not None else frozenset().union(OTHER, *entries.values())
        return found.union(*given.positional[1:])
    if value.name in GROWING and given.positional:
        return _grow(frame, value, given)
    return OTHER


GROWING = frozenset({"append", "add", "appendleft", "extend", "insert", "setdefault", "update"})
"""Methods that add to a list, a set or a dictionary."""


def _grow(frame: Frame, value: TableMember, given: Arguments) -> Values:
    last = given.positional[-1]
    added = items_of(frame, last) if value.name in ("extend", "update") else last
    key = given.text(0) if value.name == "setdefault" else None
    grow_table(frame, value.table.node, {key: added})
    return last if value.name == "setdefault" else NOTHING


def _call_object(frame: Frame, value: Object, given: Arguments) -> Values:
    """A call of an instance of a class of the project: its `__call__`, or `forward` as a torch module does."""
    for name in ("__call__", "forward"):
        functions = [f for f in member_of(frame.world, frame.flow, value, name) if isinstance(f, Function)]
        if functions:
            return frozenset().union(*(_call_function(frame, Function(f.node, True), given) for f in functions))
    return frozenset(Result(symbol) for symbol in inherited_symbols(frame.world, value)) or frame.unknown()


def _call_function(frame: Frame, value: Function, given: Arguments) -> Values:
    facts = frame.world.function(value)
    bind_arguments(frame, facts, given, bound=value.bound)
    return facts.returns or frame.unknown()


def _call_class(frame: Frame, value: Class, given: Arguments) -> Values:
    facts = frame.world.of_class(value)
    frame.flow.read(facts)
    constructors = [f for f in frame.world.attribute(facts, "__init__") if isinstance(f, Function)]
    for method in constructors:
        bind_arguments(frame, frame.world.function(method), given, bound=True)
    if not constructors and not any(isinstance(arg, ast.Starred) for arg in given.node.args):
        fields = record_fields(facts)
        for name, values in zip(fields, given.positional, strict=False):
            frame.flow.join_attribute(facts, name, values)
        for keyword, values in zip(given.node.keywords, given.keywords, strict=True):
            if keyword.arg in fields:
                frame.flow.join_attribute(facts, keyword.arg, values)
    return frozenset({Object(value.node)})


def record_fields(facts: ClassFacts) -> list[str]:
    """The fields of a dataclass or named tuple, in the order of its constructor; [] for other classes and those that inherit."""
    decorated = any(name.rpartition(".")[2] in ("dataclass", "define", "frozen") for name in decorator_names(facts.node))
    named = [ast.unparse(base).rpartition(".")[2] for base in facts.node.bases]
    if named != ["NamedTuple"] and (named or not decorated):
        return []
    annotated = (member.target for member in facts.node.body if isinstance(member, ast.AnnAssign))
    return [target.id for target in annotated if isinstance(target, ast.Name)]


def _call_named(frame: Frame, value: Named, given: Arguments) -> Values:
    path = value.path
    if path in PASS_THROUGH:
        return given.positional[-1 if path == "typing.cast" else 0] if given.positional else OTHER
    if path == "builtins.dict" and not given.positional and given.node.keywords:
        entries: dict[str | int | None, Values] = {k.arg: v for k, v in zip(given.node.keywords, given.keywords, strict=True)}
        grow_table(frame, given.node, entries)
        return frozenset({Table(given.node)})
    if path in CONTAINERS and not given.positional:
        grow_table(frame, given.node, {})
        return frozenset({Table(given.node)})
    if path in CONTAINERS:
        return frozenset(v for v in given.first if isinstance(v, Table)) or OTHER
    rule = _NAMED.get(path)
    if rule is not None:
        return rule(frame, given)
    if any(frame.world.carries(values) for values in (*given.positional, *given.keywords)):
        frame.world.pull(frame.flow, path)
    return OTHER


_Named: TypeAlias = Callable[[Frame, Arguments], Values]


def _partial(frame: Frame, given: Arguments) -> Values:
    symbols = {value: _constructor(frame, value) for value in given.first}
    if any(symbols.values()):
        _heat_options(frame, given)
    return frozenset(Prepared(symbol, given.node) if symbol else next(iter(OTHER)) for symbol in symbols.values())


def _constructor(frame: Frame, value: Value) -> str | None:
    """The legacy symbol that is built where a value is called: itself, or the base whose constructor a class has."""
    if isinstance(value, Class):
        facts = frame.world.of_class(value)
        return None if frame.world.attribute(facts, "__init__") else frame.world.legacy_base(facts)
    return value.path if isinstance(value, Symbol) else None


def _import_module(frame: Frame, given: Arguments) -> Values:
    names = {_absolute(frame, given, value.value) for value in given.first if isinstance(value, Text)}
    written_out = bool(given.node.args) and isinstance(given.node.args[0], ast.Constant)
    if not written_out and frame.function is not None:
        _ask_for_callers(frame.function)
    result: Values = EMPTY
    for name in names:
        if isinstance(name, str) and name and all(part.isidentifier() for part in name.split(".")):
            result |= frame.world.resolve(frame.flow, name)
    return result if len(names) == len(given.first) and result else result | OTHER


def _absolute(frame: Frame, given: Arguments, name: str | int) -> str | int:
    """The whole name of a module; a relative one starts from the package that is given beside it."""
    if not isinstance(name, str) or not name.startswith("."):
        return name
    package = given.text(1) or next((k.value for k in given.node.keywords if k.arg == "package"), None)
    if isinstance(package, ast.Constant):
        package = str(package.value)
    beside = given.node.args[1] if len(given.node.args) > 1 else package
    if isinstance(beside, ast.Name) and beside.id in ("__package__", "__name__"):
        package = frame.flow.info.package
    if not isinstance(package, str):
        return name
    level = len(name) - len(name.lstrip("."))
    return absolute(package, name[level:] or None, level) or name


def _ask_for_callers(facts: FunctionFacts) -> None:
    """A name is computed from what a function is given: whatever calls it says what that can be."""
    if not facts.hot:
        facts.hot = True
        facts.flow.heat({facts.name})
        facts.flow.touch()


def _getattr(frame: Frame, given: Arguments) -> Values:
    name = given.text(1)
    if not isinstance(name, str):
        return OTHER
    found = frozenset().union(*(attribute_of(frame, base, name) for base in given.first))
    return found.union(*given.positional[2:])


def _vars(frame: Frame, given: Arguments) -> Values:
    return attributes_table(frame, given.node, given.first)


def _super(frame: Frame, given: Arguments) -> Values:
    facts: FunctionFacts | None = frame.function
    while facts is not None:
        if facts.owner is not None:
            return frozenset({Super(facts.owner)})
        facts = facts.parent
    return OTHER


def _type(frame: Frame, given: Arguments) -> Values:
    found = frozenset().union(*(attribute_of(frame, value, "__class__") for value in given.first))
    return found if len(given.positional) == 1 and found else OTHER


def _enumerate(frame: Frame, given: Arguments) -> Values:
    return _pairs(frame, given, [OTHER, items_of(frame, given.first)])


def _zip(frame: Frame, given: Arguments) -> Values:
    if any(isinstance(arg, ast.Starred) for arg in given.node.args):
        return OTHER
    return _pairs(frame, given, [items_of(frame, values) for values in given.positional])


def _pairs(frame: Frame, given: Arguments, parts: list[Values]) -> Values:
    """An iterable of tuples. The tuple has no syntax of its own: the function of the call stands in for it."""
    grow_table(frame, given.node.func, dict(enumerate(parts)))
    grow_table(frame, given.node, {None: frozenset({Table(given.node.func)})})
    return frozenset({Table(given.node)})


def _field(frame: Frame, given: Arguments) -> Values:
    """A field of a dataclass holds its default, or what its factory makes."""
    held: Values = EMPTY
    for keyword, values in zip(given.node.keywords, given.keywords, strict=True):
        if keyword.arg == "default":
            held |= values
        elif keyword.arg == "default_factory":
            empty = ast.copy_location(ast.Call(keyword.value, [], []), keyword.value)
            held |= call(frame, values, Arguments(empty, (), ()))
    return held or frame.unknown()


_NAMED: dict[str, _Named] = {
    "functools.partial": _partial,
    "importlib.import_module": _import_module,
    "builtins.getattr": _getattr,
    "builtins.vars": _vars,
    "builtins.super": _super,
    "builtins.type": _type,
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "dataclasses.field": _field,
}

_CALLS: dict[type[Value], Callable[..., Values]] = {
    Symbol: _call_symbol,
    Prepared: _call_prepared,
    Instance: _call_instance,
    Member: _call_member,
    ResultMember: _call_result_member,
    TableMember: _call_table_member,
    Object: _call_object,
    Function: _call_function,
    Class: _call_class,
    Named: _call_named,
}


def bind_arguments(frame: Frame, facts: FunctionFacts, given: Arguments, *, bound: bool) -> None:
    """Hand the values of a call to the parameters of a function of the project."""
    flow = frame.flow
    flow.read(facts)
    if not facts.called:
        facts.called = True
    arguments = facts.node.args
    listed = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args)][1 if bound else 0 :]
    node = given.node
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords):
        for name in [*listed, *(arg.arg for arg in arguments.kwonlyargs)]:
            _hand(frame, facts, name, OTHER)
    for name, values in zip(listed, given.positional, strict=False):
        _hand(frame, facts, name, values)
    known = {*listed, *(arg.arg for arg in arguments.kwonlyargs)}
    for keyword, values in zip(node.keywords, given.keywords, strict=True):
        if keyword.arg in known:
            _hand(frame, facts, keyword.arg, values)


def _hand(frame: Frame, facts: FunctionFacts, name: str, values: Values) -> None:
    """One argument; a function that is handed something legacy is run, and so is whatever else calls it."""
    if name in facts.typed and values == OTHER:
        return  # the annotation knows better
    frame.flow.join(facts.flow, facts.params, name, values)
    if not facts.hot and frame.world.carries(values):
        facts.hot = True
        facts.flow.heat({facts.name, name})
        facts.flow.touch()
        frame.flow.heat({facts.name})
