"""What a call may return: of something legacy, of a function or class of the project, of a few known functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lossport.follow.assign import grow_table, is_mapping, items_of
from lossport.follow.file_facts import ClassFacts, FunctionFacts
from lossport.follow.flow import Frame, decorator_names, escape
from lossport.follow.inheritance import inherited_symbols, member_of
from lossport.follow.modules_of_torch import HOOKS, LOADS, RETURN_THEMSELVES, WRAPPERS, hook_arguments
from lossport.follow.values import (
    EMPTY,
    HANDED,
    NOTHING,
    OTHER,
    Class,
    Function,
    Handed,
    Inherited,
    Instance,
    Member,
    Named,
    Nothing,
    Object,
    Other,
    Prepared,
    Result,
    ResultMember,
    Symbol,
    Table,
    TableMember,
    Text,
    Value,
    Values,
    Wrapped,
)

PASS_THROUGH = frozenset({"copy.copy", "copy.deepcopy", "torch.compile", "torch.jit.script", "typing.cast"})
"""Functions whose result behaves as their first argument does, as far as it is followed (`cast`: the last)."""

MAPPINGS = frozenset({"builtins.dict", "torch.nn.ModuleDict", "types.MappingProxyType", "collections.OrderedDict"})
CONTAINERS = MAPPINGS | {
    "builtins.reversed",
    "builtins.list",
    "builtins.tuple",
    "builtins.set",
    "builtins.sorted",
    "torch.nn.ModuleList",
}
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
    if not any(_binds(value) for value in function):
        result |= _call_unknown(frame, function, given)
    return result


def _binds(value: Value) -> bool:
    """Whether what a call of the value is given goes to parameters that are followed."""
    if isinstance(value, Member | TableMember):
        return value.name in HOOKS or value.name in ("apply", "sort")
    return isinstance(value, KNOWN) or (isinstance(value, Named) and value.path in BINDING)


KNOWN = (Function, Class, Object, Inherited, Wrapped)
"""Values whose calls are followed: what they are given does not escape."""


def _call_unknown(frame: Frame, function: Values, given: Arguments) -> Values:
    """What comes of handing arguments to a function that is not followed, beside what is known to come of it."""
    everything = (*given.positional, *given.keywords)
    leads = any(isinstance(value, Handed) for value in function) or any(_is_held(frame, values) for values in everything)
    leads = leads and frame.world.hands_over
    for values in everything:
        escape(frame, values, HANDED if leads else OTHER)
        if leads:
            _escape_methods(frame, values)
    gives_it = leads and any(isinstance(value, Other | Handed) or _is_unknown(value) for value in function)
    return HANDED if gives_it else EMPTY


def _is_held(frame: Frame, values: Values) -> bool:
    return any(not isinstance(value, Function) and frame.world.carries(frozenset({value})) for value in values)


def _is_unknown(value: Value) -> bool:
    return isinstance(value, Named) and value.path not in SCALARS and value.path not in NAMED and value.path not in FOLLOWED_CALLS


def _escape_methods(frame: Frame, values: Values) -> None:
    """An object that a library gets along with a model is called back: `on_epoch_end(trainer, model)`."""
    for value in values:
        held = frozenset().union(*frame.world.tables[value.node].values()) if isinstance(value, Table) else frozenset({value})
        for one in held:
            if isinstance(one, Object):
                facts = frame.world.of_class(one)
                for name, methods in list(facts.attributes.items()):
                    if name.startswith("on_") or name == "__call__" or name.endswith("_hook"):
                        escape(frame, frozenset(Function(m.node, True) for m in methods if isinstance(m, Function)), HANDED)


def _call_value(frame: Frame, value: Value, given: Arguments) -> Values:
    if isinstance(value, Nothing):
        return EMPTY  # it would fail
    rule = _CALLS.get(type(value))
    return OTHER if rule is None else rule(frame, value, given)


def _made_by(frame: Frame, symbol: str) -> Values:
    return frozenset({Instance(symbol) if symbol in frame.world.classes else Result(symbol)})


def _call_symbol(frame: Frame, value: Symbol, given: Arguments) -> Values:
    heat_options(frame, given)
    return _made_by(frame, value.path)


def heat_options(frame: Frame, given: Arguments) -> None:
    """A dictionary that a legacy call unpacks is looked for, wherever it is made."""
    for keyword in given.node.keywords:
        if keyword.arg is None and isinstance(keyword.value, ast.Name | ast.Attribute):
            frame.flow.heat({keyword.value.id if isinstance(keyword.value, ast.Name) else keyword.value.attr})


def _call_prepared(frame: Frame, value: Prepared, given: Arguments) -> Values:
    heat_options(frame, given)
    return _made_by(frame, value.symbol)


def _call_instance(frame: Frame, value: Instance, given: Arguments) -> Values:
    return frozenset({Result(value.symbol)})


def _call_member(frame: Frame, value: Member, given: Arguments) -> Values:
    if value.name in ("forward", "__call__"):
        return frozenset({Result(value.symbol)})
    if value.name in RETURN_THEMSELVES and not value.unbound:
        _call_back(frame, Instance(value.symbol), value.name, frozenset({Result(value.symbol)}), given)
        return frozenset({Instance(value.symbol)})
    if value.name in HOOKS and not value.unbound:
        _call_back(frame, Instance(value.symbol), value.name, frozenset({Result(value.symbol)}), given)
        return OTHER
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
    if value.name == "sort":
        by_key(frame, given, items_of(frame, frozenset({value.table})))
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


def _call_inherited(frame: Frame, value: Inherited, given: Arguments) -> Values:
    """`net.apply(f)`, `net.register_forward_hook(f)`, `net.cuda()`."""
    if value.name in HOOKS or value.name == "apply":
        _call_back(frame, value.owner, value.name, OTHER, given)
    return frozenset({value.owner}) if value.name in RETURN_THEMSELVES else OTHER


def _call_back(frame: Frame, owner: Value, name: str, result: Values, given: Arguments) -> None:
    """A function that a module is given to be called with it: what it is given is bound to its parameters."""
    if name not in HOOKS and name != "apply":
        return
    for function in (*given.positional[:1], *given.keywords[:1]):
        call_with(frame, function, given.node, hook_arguments(name, owner, result))


def call_with(frame: Frame, function: Values, node: ast.Call, values: Sequence[Values]) -> Values:
    """A call that a library makes of what it is given at a node: by position, with these values."""
    placed = [ast.copy_location(ast.Constant(...), node) for _ in values]
    made = ast.copy_location(ast.Call(node.func, list(placed), []), node)
    return call(frame, function, Arguments(made, values, ()))


def _call_wrapped(frame: Frame, value: Wrapped, given: Arguments) -> Values:
    """A call of what `DataParallel` made is one of the module inside."""
    return call(frame, frame.world.tables[value.node]["module"], given)


def _call_handed(frame: Frame, value: Handed, given: Arguments) -> Values:
    return frozenset({Other(), value})


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
    rule = NAMED.get(path)
    if rule is not None:
        return rule(frame, given)
    if path in PASS_THROUGH:
        return given.positional[-1 if path == "typing.cast" else 0] if given.positional else OTHER
    if path == "builtins.dict" and not given.positional and given.node.keywords:
        entries: dict[str | int | None, Values] = {k.arg: v for k, v in zip(given.node.keywords, given.keywords, strict=True)}
        grow_table(frame, given.node, entries)
        return frozenset({Table(given.node)})
    if path in WRAPPERS and given.positional:
        grow_table(frame, given.node, {"module": given.first})
        return frozenset({Wrapped(given.node)})
    if path in LOADS and frame.world.hands_over:
        return frozenset({Other(), Handed(entries=False)})
    if path in CONTAINERS and not given.positional:
        grow_table(frame, given.node, {})
        return frozenset({Table(given.node)})
    if path in CONTAINERS:
        return container(frame, path, given)
    if any(frame.world.carries(values) for values in (*given.positional, *given.keywords)):
        frame.world.pull(frame.flow, path)
    return OTHER


def container(frame: Frame, path: str, given: Arguments) -> Values:
    """`list(table)` and its like: the table itself; of a dictionary its keys, unless it becomes one again."""
    tables = frozenset(v for v in given.first if isinstance(v, Table))
    series = frozenset(v for v in tables if path not in MAPPINGS and is_mapping(frame, v))
    if not series and any(isinstance(value, TableMember | Handed) for value in given.first):
        return table_of(frame, given, items_of(frame, given.first))
    return (tables - series) | (table_of(frame, given, items_of(frame, series)) if series else EMPTY) or OTHER


def table_of(frame: Frame, given: Arguments, entries: Values) -> Values:
    """An iterable of the entries, for which the call stands in."""
    grow_table(frame, given.node, {None: entries})
    return frozenset({Table(given.node)})


def by_key(frame: Frame, given: Arguments, entries: Values) -> None:
    """`key=` is called with each entry."""
    for keyword, function in zip(given.node.keywords, given.keywords, strict=True):
        if keyword.arg == "key":
            call_with(frame, function, given.node, [entries])


NAMED: dict[str, Callable[[Frame, Arguments], Values]] = {}
"""What calls of known functions give, by dotted path; filled by `library_calls`."""

KEYED = frozenset({"builtins.sorted", "builtins.min", "builtins.max"})
"""Functions that call what they are given as `key=` with each entry."""

APPLYING = frozenset({"builtins.map", "builtins.filter", "functools.reduce"})
"""Functions that call what they are given first with each entry."""

ITERATING = KEYED | APPLYING | {"builtins.next", "builtins.iter", "itertools.chain"}
"""Functions that give what they find in what they are given."""

BINDING = ITERATING | WRAPPERS | PASS_THROUGH | {"dataclasses.field"}
"""Calls of which what they are given does not escape."""

SCALARS = frozenset(
    f"builtins.{name}"
    for name in (
        "len",
        "isinstance",
        "issubclass",
        "print",
        "repr",
        "str",
        "int",
        "float",
        "bool",
        "id",
        "hash",
        "format",
        "hasattr",
    )
) | {"dataclasses.dataclass", "typing.TypeVar"}
"""Calls whose value leads to nothing."""

FOLLOWED_CALLS = PASS_THROUGH | CONTAINERS | LOADS

_CALLS: dict[type[Value], Callable[..., Values]] = {
    Handed: _call_handed,
    Inherited: _call_inherited,
    Wrapped: _call_wrapped,
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
