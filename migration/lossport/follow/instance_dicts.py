"""`vars(object)` and `object.__dict__`: what an object of a class of the project holds, as a table by name."""

from __future__ import annotations

import ast

from lossport.follow.assign import grow_table
from lossport.follow.flow import Frame
from lossport.follow.inheritance import kin_below, lineage, member_of
from lossport.follow.values import OTHER, Function, Object, Table, Values


def attributes_table(frame: Frame, node: ast.expr, owners: Values) -> Values:
    """The table, for which the expression stands in; of anything but such an object, nothing is known.

    What is stored in the table becomes an attribute of the object.
    """
    objects = [value for value in owners if isinstance(value, Object)]
    if not objects:
        return OTHER
    grow_table(frame, node, {})
    frame.world.attribute_tables.setdefault(node, set()).update(objects)
    for value in objects:
        facts = frame.world.of_class(value)
        related = [*lineage(frame.world, facts), *(kin_below(frame.world, facts) if value.mine else ())]
        for name in {name for one in related for name in one.attributes}:
            held = member_of(frame.world, frame.flow, value, name)
            grow_table(frame, node, {name: frozenset(item for item in held if not isinstance(item, Function))})
    return frozenset({Table(node)})
