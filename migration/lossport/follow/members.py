"""What an attribute may give: of a module, of something legacy, of a class or object of the project."""

from __future__ import annotations

from lossport.follow.file_facts import ClassFacts
from lossport.follow.flow import Frame, decorator_names
from lossport.follow.inheritance import bases_of, inherited_member, lineage, member_of
from lossport.follow.modules_of_torch import inherited as from_torch
from lossport.follow.values import (
    EMPTY,
    HANDED,
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
    Result,
    ResultMember,
    Super,
    Symbol,
    Table,
    TableMember,
    Value,
    Values,
    Wrapped,
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
        case Instance(symbol):
            return frozenset({Symbol(symbol) if name == "__class__" else Member(symbol, name)})
        case Object(node, mine) if name == "__class__":
            return frozenset({Class(node, mine)})
        case Result():
            return frozenset({ResultMember(value, name)})
        case Object() | Class() | Super():
            return _attribute_of_local(frame, value, name)
        case Table():
            return frozenset({TableMember(value, name)})
        case _:
            return _attribute_of_unknown(frame, value, name)


def _attribute_of_unknown(frame: Frame, value: Value, name: str) -> Values:
    """What `value.name` may stand for, where the value is torch's, a library's, or nobody knows whose."""
    match value:
        case Wrapped() if name == "module":
            return frame.world.tables[value.node]["module"]
        case Wrapped():
            return from_torch(value, name, carries=frame.world.carries(frozenset({value}))) or OTHER
        case Inherited():
            return OTHER
        case Handed() if name not in frame.world.holding:
            return frozenset({Other(), value})
        case _:
            return HANDED if name in frame.world.holding else OTHER


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
    if not inherited and isinstance(value, Object) and _has_unknown_base(frame, facts):
        torch = from_torch(value, name, carries=frame.world.hands_over and frame.world.carries(frozenset({value})))
        if torch is not None:
            return torch
    if not inherited and name in frame.world.holding and frame.world.complete:
        return HANDED
    return inherited or frame.unknown()


def _has_unknown_base(frame: Frame, facts: ClassFacts) -> bool:
    """Whether a class derives, directly or not, from one that is not of the project: torch's, say."""
    return any(not isinstance(v, Class) for one in lineage(frame.world, facts) for values in one.bases for v in values)


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
