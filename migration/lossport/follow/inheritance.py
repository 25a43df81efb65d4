"""What the classes of a project have of one another: `self` in a base class is an instance of whatever derives from it.

A base class reads what its subclasses set, a mixin what the other bases of a class set. So an attribute is looked for upwards, as
Python does, and, where an object may be of a subclass, downwards as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from lossport.follow.file_facts import ClassFacts, FileFacts, SharedFacts
from lossport.follow.values import EMPTY, Class, Member, Object, Values


def bases_of(world: SharedFacts, facts: ClassFacts) -> Iterator[ClassFacts]:
    """The base classes that are in files that are run."""
    return (world.of_class(value) for values in facts.bases for value in values if isinstance(value, Class))


def lineage(world: SharedFacts, facts: ClassFacts) -> list[ClassFacts]:
    """The class and its bases in the project, nearest first."""
    found: list[ClassFacts] = []
    waiting = [facts]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            waiting += bases_of(world, one)
    return found


def kin_below(world: SharedFacts, facts: ClassFacts) -> list[ClassFacts]:
    """Every class that an instance may have something from, when all that is known is that it is an instance of this class."""
    found: list[ClassFacts] = []
    waiting = list(facts.subclasses)
    while waiting:
        one = waiting.pop(0)
        if one not in found and one is not facts:
            found.append(one)
            waiting += [*one.subclasses, *bases_of(world, one)]
    return found


def member_of(world: SharedFacts, flow: FileFacts, value: Object | Class, name: str) -> Values:
    """An attribute of a class or of an object, that of subclasses included where it may be one of theirs."""
    facts = world.of_class(value)
    flow.read(facts)
    found = world.attribute(facts, name)
    if value.mine:
        for kin in kin_below(world, facts):
            flow.read(kin)
            found |= kin.attributes.get(name, EMPTY)
    return found


def inherited_symbols(world: SharedFacts, value: Object | Class) -> frozenset[str]:
    """The legacy classes that the class derives from, those of subclasses included where it may be one of theirs."""
    facts = world.of_class(value)
    listed = [facts, *(kin_below(world, facts) if value.mine else ())]
    return frozenset(symbol for one in listed if (symbol := world.legacy_base(one)) is not None)


def inherited_member(world: SharedFacts, value: Object | Class, name: str) -> Values:
    """An attribute that only the legacy class can define."""
    unbound = isinstance(value, Class)
    return frozenset(Member(symbol, name, unbound=unbound) for symbol in inherited_symbols(world, value))


def carrying(world: SharedFacts, facts: ClassFacts) -> set[str]:
    """The attributes of a class that lead to something legacy."""
    return {name for name, values in facts.attributes.items() if world.carries(values)}


def is_shared(world: SharedFacts, facts: ClassFacts) -> bool:
    """Whether a subclass has something legacy that the class may use."""
    return any(carrying(world, kin) or world.legacy_base(kin) for kin in kin_below(world, facts))
