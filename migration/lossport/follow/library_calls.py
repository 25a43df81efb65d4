"""What calls of a few known functions give: builtins, `functools`, `itertools`, `importlib`, `dataclasses`."""

from __future__ import annotations

import ast

from lossport.follow.assign import grow_table, items_of
from lossport.follow.calls import NAMED, Arguments, by_key, call, call_with, container, heat_options, table_of
from lossport.follow.file_facts import FunctionFacts
from lossport.follow.flow import Frame, escape
from lossport.follow.instance_dicts import attributes_table
from lossport.follow.members import attribute_of
from lossport.follow.values import EMPTY, HANDED, OTHER, Class, Prepared, Super, Symbol, Table, Text, Value, Values
from lossport.source.modules import absolute


def _partial(frame: Frame, given: Arguments) -> Values:
    symbols = {value: _constructor(frame, value) for value in given.first}
    if frame.world.hands_over:
        escape(frame, given.first, HANDED)  # what calls it later may give it anything
    if any(symbols.values()):
        heat_options(frame, given)
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


def _sorted(frame: Frame, given: Arguments) -> Values:
    by_key(frame, given, items_of(frame, given.first))
    return container(frame, "builtins.sorted", given)


def _chosen(frame: Frame, given: Arguments) -> Values:
    """`max(entries, key=f)`, `max(first, second)`."""
    several = len(given.positional) > 1
    entries = frozenset().union(*given.positional) if several else items_of(frame, given.first)
    by_key(frame, given, entries)
    return entries or OTHER


def _map(frame: Frame, given: Arguments) -> Values:
    entries = [items_of(frame, values) for values in given.positional[1:]]
    return table_of(frame, given, call_with(frame, given.first, given.node, entries))


def _filter(frame: Frame, given: Arguments) -> Values:
    entries = items_of(frame, given.positional[1]) if len(given.positional) > 1 else OTHER
    call_with(frame, given.first, given.node, [entries])
    return table_of(frame, given, entries)


def _reduce(frame: Frame, given: Arguments) -> Values:
    entries = items_of(frame, given.positional[1]) if len(given.positional) > 1 else OTHER
    so_far = given.positional[2] if len(given.positional) > 2 else entries
    so_far |= call_with(frame, given.first, given.node, [so_far, entries])
    return so_far | call_with(frame, given.first, given.node, [so_far, entries])


def _next(frame: Frame, given: Arguments) -> Values:
    return items_of(frame, given.first).union(*given.positional[1:]) or OTHER


def _chain(frame: Frame, given: Arguments) -> Values:
    return table_of(frame, given, frozenset().union(*(items_of(frame, values) for values in given.positional)))


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


NAMED.update(
    {
        "functools.partial": _partial,
        "importlib.import_module": _import_module,
        "builtins.getattr": _getattr,
        "builtins.vars": _vars,
        "builtins.super": _super,
        "builtins.type": _type,
        "builtins.enumerate": _enumerate,
        "builtins.zip": _zip,
        "dataclasses.field": _field,
        "builtins.sorted": _sorted,
        "builtins.min": _chosen,
        "builtins.max": _chosen,
        "builtins.map": _map,
        "builtins.filter": _filter,
        "builtins.next": _next,
        "builtins.iter": _chain,
        "itertools.chain": _chain,
        "functools.reduce": _reduce,
    }
)
