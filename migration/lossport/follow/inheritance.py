"""What the classes of a project have of one another: `self` in a base class is an instance of whatever derives from it.

A base class reads what its subclasses set, a mixin what the other bases of a class set. So an attribute is looked for upwards, as
Python does, and, where an object may be of a subclass, downwards as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lossport.follow.flow import ClassFacts, Flow
from lossport.follow.values import EMPTY, Class, Member, Named, Object, Symbol, Values

if TYPE_CHECKING:
    from lossport.follow.world import World


def bases_of(world: World, facts: ClassFacts) -> Iterator[ClassFacts]:
    """The base classes that are in files that are run."""
    return (world.of_class(value) for values in facts.bases for value in values if isinstance(value, Class))


def lineage(world: World, facts: ClassFacts) -> list[ClassFacts]:
    """The class and its bases in the project, nearest first."""
    found: list[ClassFacts] = []
    waiting = [facts]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found.append(one)
            waiting += bases_of(world, one)
    return found


def kin_below(world: World, facts: ClassFacts) -> list[ClassFacts]:
    """Every class that an instance may have something from, when all that is known is that it is an instance of this class."""
    found: list[ClassFacts] = []
    waiting = list(facts.subclasses)
    while waiting:
        one = waiting.pop(0)
        if one not in found and one is not facts:
            found.append(one)
            waiting += [*one.subclasses, *bases_of(world, one)]
    return found


def member_of(world: World, flow: Flow, value: Object | Class, name: str) -> Values:
    """An attribute of a class or of an object, that of subclasses included where it may be one of theirs."""
    facts = world.of_class(value)
    flow.read(facts)
    found = world.attribute(facts, name)
    if value.mine:
        for kin in kin_below(world, facts):
            flow.read(kin)
            found |= kin.attributes.get(name, EMPTY)
    return found


def inherited_symbols(world: World, value: Object | Class) -> frozenset[str]:
    """The legacy classes that the class derives from, those of subclasses included where it may be one of theirs."""
    facts = world.of_class(value)
    listed = [facts, *(kin_below(world, facts) if value.mine else ())]
    return frozenset(symbol for one in listed if (symbol := world.legacy_base(one)) is not None)


def inherited_member(world: World, value: Object | Class, name: str) -> Values:
    """An attribute that only the legacy class can define."""
    unbound = isinstance(value, Class)
    return frozenset(Member(symbol, name, unbound=unbound) for symbol in inherited_symbols(world, value))


def meet_relatives(world: World, flow: Flow, facts: ClassFacts) -> None:
    """A class and its bases learn which attributes lead to something legacy; bases in files that were not run yet join."""
    legacy = world.legacy_base(facts) is not None
    mine = carrying(world, facts)
    for values in facts.bases:
        for value in values:
            if isinstance(value, Named) and (mine or legacy):
                world.pull(flow, value.path)
            elif isinstance(value, Class):
                _introduce(world, flow, facts, world.of_class(value))
            elif isinstance(value, Symbol):
                flow.heat({facts.node.name})


def _introduce(world: World, flow: Flow, facts: ClassFacts, base: ClassFacts) -> None:
    if facts not in base.subclasses:
        base.subclasses.append(facts)
        base.flow.touch()
    for one in lineage(world, base):
        words = {word for kin in (one, *kin_below(world, one)) for word in carrying(world, kin)}
        flow.heat(words)
        one.flow.heat(words)
        one.flow.readers.add(flow)
        if world.legacy_base(facts) is not None:
            one.flow.heat_methods(one)


def carrying(world: World, facts: ClassFacts) -> set[str]:
    """The attributes of a class that lead to something legacy."""
    return {name for name, values in facts.attributes.items() if world.carries(values)}


def is_shared(world: World, facts: ClassFacts) -> bool:
    """Whether a subclass has something legacy that the class may use."""
    return any(carrying(world, kin) or world.legacy_base(kin) for kin in kin_below(world, facts))
