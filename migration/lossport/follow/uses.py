"""How a file uses what it has of a legacy symbol: each expression that may stand for something legacy, and what is done with it.

A use is a fact; what it means for a port is decided elsewhere.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lossport.follow.file_facts import FileFacts
from lossport.follow.uses_by_syntax import BY_SYNTAX, Usage, UsageRule, UseContext, UseKind, augmented, escapes
from lossport.follow.uses_in_calls import IN_CALLS
from lossport.follow.values import (
    NOTHING,
    Class,
    Function,
    Instance,
    Legacy,
    Member,
    Object,
    Result,
    Symbol,
    Table,
    TableMember,
    Value,
    Values,
    Wrapped,
    legacy,
    sure,
)
from lossport.source.nodes import children
from lossport.source.quoted import annotations_in


@dataclass(frozen=True)
class Use:
    """One use: the expression, the syntax around it that makes it this use, and whether it can stand for nothing else."""

    kind: UseKind
    node: ast.expr
    around: ast.AST
    value: Legacy
    certain: bool
    how: str = ""


HANDED_ON = frozenset({"escape", "prepare", "factory", "named"})
"""Uses of an heir that reach what it has of its legacy base. Its own calls, attributes and subclasses are seen to elsewhere."""


RULES: Mapping[type[ast.AST], UsageRule] = {**BY_SYNTAX, **IN_CALLS}
"""What is done with an expression, by the kind of syntax around it."""


class Uses:
    """All uses of one file."""

    def __init__(self, flow: FileFacts) -> None:
        self.flow = flow
        self.world = flow.world
        self.parents = parents_of(flow)
        self.context = UseContext(flow, self.parents)
        self.annotations = {part for parent in self.parents.values() for part in annotations_in(parent)}

    def all(self) -> Iterator[Use]:
        """The uses, in the order of the file."""
        for node, held_here in sorted(self.flow.values.items(), key=lambda item: (item[0].lineno, item[0].col_offset)):
            values = self._possible(node, held_here)
            only = sure(values)
            for held in legacy(values):
                usage = self.usage(node, held)
                if usage is not None:
                    kind, around, how = usage
                    yield Use(kind, node, around, held, held == only, how)
            yield from self._inherited_calls(node, values)
            yield from self._wrapped_calls(node, values)
            for carrier in values:
                if isinstance(carrier, Class | Object) and not carrier.mine:
                    yield from self._of_heir(node, carrier, certain=len(values - NOTHING) == 1)
                if isinstance(carrier, Function | Table | TableMember):
                    yield from self._carried(node, carrier)

    def _possible(self, node: ast.expr, values: Values) -> Values:
        """Without the results that would have failed here: a tuple has no string keys, a dictionary of strings no numbers."""
        parent = self.parents.get(node)
        if not isinstance(parent, ast.Subscript) or parent.value is not node or not isinstance(parent.slice, ast.Constant):
            return values
        key = parent.slice.value
        return frozenset(v for v in values if not (isinstance(v, Result) and self.world.has_no(v, key)))

    def _inherited_calls(self, node: ast.expr, values: Values) -> Iterator[Use]:
        """Calls of a subclass that has the constructor of its legacy base."""
        call = self.parents.get(node)
        if not isinstance(call, ast.Call) or call.func is not node:
            return
        for value in values:
            facts = self.world.of_class(value) if isinstance(value, Class) else None
            symbol = self.world.legacy_base(facts) if facts is not None else None
            if facts is not None and symbol is not None and not self.world.attribute(facts, "__init__"):
                yield Use("construct", node, call, Symbol(symbol), len(values - NOTHING) == 1)

    def _wrapped_calls(self, node: ast.expr, values: Values) -> Iterator[Use]:
        """Calls of what `DataParallel` made of an instance."""
        call = self.parents.get(node)
        if isinstance(call, ast.Call) and call.func is node:
            inside = (self.world.tables[value.node]["module"] for value in values if isinstance(value, Wrapped))
            for held in inside:
                yield from (
                    Use("call", node, call, value, len(values) == len(held) == 1) for value in held if isinstance(value, Instance)
                )

    def _of_heir(self, node: ast.expr, heir: Class | Object, *, certain: bool) -> Iterator[Use]:
        """What is done with a class that derives from a legacy class, or an object of one, where more than its own code matters.

        A class with its own constructor counts as its instances do: only they can still be used as the legacy class was.
        """
        value = self._inherited_from(heir)
        parent = self.parents.get(node)
        if value is None or (isinstance(parent, ast.Call) and parent.func is node):
            return
        if isinstance(parent, ast.Attribute):
            if not isinstance(parent.ctx, ast.Load) and isinstance(heir, Object):
                yield Use("set", node, parent, value, False)
            return
        usage = self.usage(node, value)
        if usage is not None and usage[0] in HANDED_ON and usage[2] != "passed to super()":
            yield Use(usage[0], node, usage[1], value, certain, usage[2])

    def _inherited_from(self, heir: Class | Object) -> Symbol | Instance | None:
        facts = self.world.of_class(heir)
        symbol = self.world.legacy_base(facts)
        if symbol is None:
            return None
        built = isinstance(heir, Object) or bool(self.world.attribute(facts, "__init__"))
        return Instance(symbol) if built else Symbol(symbol)

    def _carried(self, node: ast.expr, carrier: Function | Table | TableMember) -> Iterator[Use]:
        """What escapes along with a table that holds it, or a function that returns it."""
        table = carrier.table if isinstance(carrier, TableMember) else carrier
        if table.node in self.world.attribute_tables or not self.world.carries(frozenset({carrier})):
            return  # what an object holds may go where the object may
        usage = self.usage(node, carrier)
        if usage is None or usage[0] != "escape":
            return
        _, around, how = usage
        for content in sorted(self._contents(carrier), key=repr):
            what = (
                f"returned by {self.world.function(carrier).name}(), which is"
                if isinstance(carrier, Function)
                else "part of what is"
            )
            yield Use("escape", node, around, content, False, f"{what} {how}")

    def _contents(self, carrier: Function | Table | TableMember) -> set[Legacy]:
        if isinstance(carrier, Function):
            facts = self.world.function(carrier)
            return set(self._held([facts.returns, facts.yields], set(), heirs=False))
        table = carrier if isinstance(carrier, Table) else carrier.table
        return set(self._held(self.world.tables[table.node].values(), set(), heirs=True))

    def _held(self, groups: Iterable[Values], seen: set[ast.expr], *, heirs: bool) -> Iterator[Legacy]:
        """What tables hold, those inside them included; with `heirs`, also what the classes of the project inherit."""
        for values in groups:
            mine = (self._inherited_from(value) for value in values if heirs and isinstance(value, Class | Object))
            held = (*legacy(values), *(value for value in mine if value is not None))
            yield from (value for value in held if self.world.interest(value))
            for table in values:
                if isinstance(table, Table) and table.node not in seen:
                    seen.add(table.node)
                    yield from self._held(self.world.tables[table.node].values(), seen, heirs=heirs)

    def usage(self, node: ast.expr, value: Value) -> Usage:
        """What is done with the expression."""
        around = self.parents.get(node)
        if isinstance(around, ast.AugAssign) and node is around.target:
            return augmented(around, value)
        if isinstance(getattr(node, "ctx", None), ast.Store) and not isinstance(node, ast.Tuple | ast.List | ast.Attribute):
            return None
        if self._in_annotation(node):
            return ("name", self.parents[node], "annotation") if isinstance(value, Symbol) else None
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            replaces = isinstance(value, Symbol) and self.flow.named.get(node.value) is not None
            return ("set", node, "") if replaces else None  # any other a deleted or stored attribute is seen from its base: `set`
        if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
            return ("unpack", self.parents[node], "") if isinstance(value, Result) else None
        parent = self.parents.get(node)
        if isinstance(value, Member) and parent is not None and not (isinstance(parent, ast.Call) and parent.func is node):
            return ("unbound" if value.unbound else "attribute", node, "") if self.context.is_direct(node, value) else None
        return RULES.get(type(parent), escapes)(self.context, node, parent, value) if parent is not None else None

    def _in_annotation(self, node: ast.AST) -> bool:
        step: ast.AST | None = node
        while isinstance(step, ast.expr):
            if step in self.annotations:
                return True
            step = self.parents.get(step)
        return False


def parents_of(flow: FileFacts) -> dict[ast.AST, ast.AST]:
    """The syntax node around each syntax node, in the code of a file that has to do with something legacy."""
    if flow.parents is None:
        flow.parents = {}
        for statement in _touched(flow):
            flow.parents[statement] = flow.tree
            _adopt(flow, flow.parents, statement)
    return flow.parents


def _adopt(flow: FileFacts, parents: dict[ast.AST, ast.AST], root: ast.AST) -> None:
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        for child in children(parent):
            parents[child] = parent
            waiting.append(child)
            inside = flow.quoted(child) if isinstance(child, ast.Constant) else None
            if inside is not None:
                parents[inside] = child
                waiting.append(inside)


def _touched(flow: FileFacts) -> Iterator[ast.stmt]:
    """The top-level statements that can hold a use."""
    lines = sorted({node.lineno for node in flow.values})
    for statement in flow.tree.body:
        last = statement.end_lineno or statement.lineno
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        at = bisect_left(lines, first)
        if flow.is_hot(statement) or (at < len(lines) and lines[at] <= last):
            yield statement
