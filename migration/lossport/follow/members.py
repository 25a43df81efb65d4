"""What an attribute may give: of a module, of something legacy, of a class or object of the project."""

from __future__ import annotations

from lossport.follow.flow import Frame, decorator_names
from lossport.follow.inheritance import bases_of, inherited_member, member_of
from lossport.follow.values import (
    EMPTY,
    OTHER,
    Class,
    Function,
    Instance,
    Member,
    Named,
    Nothing,
    Object,
    Result,
    ResultMember,
    Super,
    Symbol,
    Table,
    TableMember,
    Value,
    Values,
)

PROPERTIES = frozenset({"property", "cached_property", "functools.cached_property"})


def attribute_of(frame: Frame, value: Value, name: str) -> Values:
    """What `value.name` may stand for."""
    match value:
        case Nothing():
            return EMPTY  # it would fail
        case Named(path):
            return frame.world.resolve(frame.flow, f"{path}.{name}")
        case Symbol(path):
            return frozenset({Member(path, name, unbound=True)})
        case Instance(symbol) if name == "__class__":
            return frozenset({Symbol(symbol)})
        case Object(node, mine) if name == "__class__":
            return frozenset({Class(node, mine)})
        case Instance(symbol):
            return frozenset({Member(symbol, name)})
        case Result():
            return frozenset({ResultMember(value, name)})
        case Object() | Class() | Super():
            return _attribute_of_local(frame, value, name)
        case Table():
            return frozenset({TableMember(value, name)})
        case _:
            return OTHER


def _attribute_of_local(frame: Frame, value: Object | Class | Super, name: str) -> Values:
    facts = frame.world.of_class(value)
    frame.flow.read(facts)
    if isinstance(value, Super):
        found = frozenset().union(*(frame.world.attribute(base, name) for base in bases_of(frame.world, facts)))
        symbol = frame.world.legacy_base(facts)
        inherited = EMPTY if symbol is None else frozenset({Member(symbol, name)})
    else:
        found = member_of(frame.world, frame.flow, value, name)
        inherited = inherited_member(frame.world, value, name)
    if found:
        return _bound(frame, found, through_object=not isinstance(value, Class))
    return inherited or frame.unknown()


def _bound(frame: Frame, values: Values, *, through_object: bool) -> Values:
    """Methods become bound when they are taken from an object; a property gives what it returns."""
    result: set[Value] = set()
    for value in values:
        if not isinstance(value, Function) or value.bound:
            result.add(value)
            continue
        facts = frame.world.function(value)
        names = set(decorator_names(facts.node))
        if names & PROPERTIES and through_object:
            facts.called = True
            frame.flow.read(facts)
            result |= facts.returns
        else:
            static = "staticmethod" in names
            takes_first = through_object or "classmethod" in names
            result.add(value if static or not takes_first or facts.owner is None else Function(value.node, True))
    return frozenset(result)
