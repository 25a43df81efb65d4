"""How a file uses what it has of a legacy symbol: each expression that may stand for something legacy, and what is done with it.

A use is a fact; what it means for a port is decided elsewhere.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lossport.tree.calls import CONTAINERS, PASS_THROUGH
from lossport.tree.flow import Flow, FunctionFacts
from lossport.tree.inheritance import member_of
from lossport.tree.quoted import annotations_in
from lossport.tree.scopes import FUNCTIONS
from lossport.tree.values import (
    Class,
    Function,
    Instance,
    Legacy,
    Member,
    Object,
    Prepared,
    Result,
    ResultMember,
    Super,
    Symbol,
    Table,
    TableMember,
    Value,
    Values,
    legacy,
    sure,
)

UseKind: TypeAlias = Literal[
    "construct",  # the symbol is called (`node` is the call's function)
    "prepare",  # functools.partial(symbol, ...)
    "call",  # an instance is called
    "method",  # a method of an instance is called
    "attribute",  # an attribute of an instance is read
    "set",  # an attribute is set, or deleted
    "named",  # an attribute whose name is given as text: getattr, hasattr, setattr, delattr
    "unbound",  # an attribute of the class itself
    "write",  # an entry of a result is set by a literal key
    "read",  # an entry of a result is read by a literal key
    "get",  # ... by `.get`
    "contains",  # `"key" in result`
    "unpack",  # a result is taken apart by position
    "base",  # a base class
    "name",  # named without being used: annotation, isinstance, comparison
    "kept",  # stored where it is followed
    "escape",  # goes where it is not followed
]


@dataclass(frozen=True)
class Use:
    """One use: the expression, the syntax around it that makes it this use, and whether it can stand for nothing else."""

    kind: UseKind
    node: ast.expr
    around: ast.AST
    value: Legacy
    certain: bool
    how: str = ""


Verdict: TypeAlias = tuple[UseKind, ast.AST, str] | None
"""Kind, the syntax around, words for an escape. None: the surrounding expression stands for the same and is looked at itself."""

BY_NAME = frozenset({"builtins.getattr", "builtins.hasattr", "builtins.setattr", "builtins.delattr"})

NEUTRAL_CALLS = frozenset(
    f"builtins.{name}" for name in ("isinstance", "issubclass", "type", "id", "callable", "print", "repr", "bool")
)
"""Calls that look at a class or an instance without using what a port changes."""


class Uses:
    """All uses of one file."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.world = flow.world
        self.parents = parents_of(flow)
        self.annotations = {part for parent in self.parents.values() for part in annotations_in(parent)}

    def all(self) -> Iterator[Use]:
        """The uses, in the order of the file."""
        for node, held_here in sorted(self.flow.values.items(), key=lambda item: (item[0].lineno, item[0].col_offset)):
            values = self._possible(node, held_here)
            only = sure(values)
            for held in legacy(values):
                verdict = self.judge(node, held)
                if verdict is not None:
                    kind, around, how = verdict
                    yield Use(kind, node, around, held, held == only, how)
            yield from self._inherited_calls(node, values)
            for carrier in values:
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
                yield Use("construct", node, call, Symbol(symbol), len(values) == 1)

    def _carried(self, node: ast.expr, carrier: Function | Table | TableMember) -> Iterator[Use]:
        """What escapes along with a table that holds it, or a function that returns it."""
        if not self.world.carries(frozenset({carrier})):
            return
        verdict = self.judge(node, carrier)
        if verdict is None or verdict[0] != "escape":
            return
        _, around, how = verdict
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
            groups = [facts.returns, facts.yields]
        else:
            table = carrier if isinstance(carrier, Table) else carrier.table
            groups = list(self.world.tables[table.node].values())
        return {value for values in groups for value in legacy(values) if self.world.interest(value)}

    def judge(self, node: ast.expr, value: Value) -> Verdict:
        """What is done with the expression."""
        if isinstance(getattr(node, "ctx", None), ast.Store) and not isinstance(node, ast.Tuple | ast.List):
            return None
        if self._in_annotation(node):
            return ("name", self.parents[node], "annotation") if isinstance(value, Symbol) else None
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            return None  # a deleted or stored attribute is seen from its base: `set`
        if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
            return ("unpack", self.parents[node], "") if isinstance(value, Result) else None
        parent = self.parents.get(node)
        if isinstance(value, Member) and parent is not None and not (isinstance(parent, ast.Call) and parent.func is node):
            return ("unbound" if value.unbound else "attribute", node, "") if self.is_direct(node, value) else None
        judge = _JUDGES.get(type(parent), _escapes)
        return judge(self, node, parent, value) if parent is not None else None

    def is_direct(self, node: ast.expr, value: Member) -> bool:
        """Whether a member is taken here from what has it, and is not what a variable or another attribute holds."""
        if not isinstance(node, ast.Attribute) or node.attr != value.name:
            return False
        base = self.flow.values.get(node.value, frozenset())
        inherits = [v for v in base if isinstance(v, Object | Class | Super) and not self._defines(v, node.attr)]
        return bool(inherits) or any(isinstance(v, Instance | Symbol) for v in base)

    def _defines(self, value: Object | Class | Super, name: str) -> bool:
        return not isinstance(value, Super) and bool(member_of(self.world, self.flow, value, name))

    def _in_annotation(self, node: ast.AST) -> bool:
        step: ast.AST | None = node
        while isinstance(step, ast.expr):
            if step in self.annotations:
                return True
            step = self.parents.get(step)
        return False


def parents_of(flow: Flow) -> dict[ast.AST, ast.AST]:
    """The syntax node around each syntax node, in the code of a file that has to do with something legacy."""
    if flow.parents is None:
        flow.parents = {}
        for statement in _touched(flow):
            flow.parents[statement] = flow.tree
            for parent in ast.walk(statement):
                _adopt(flow, flow.parents, parent)
    return flow.parents


def _adopt(flow: Flow, parents: dict[ast.AST, ast.AST], parent: ast.AST) -> None:
    for child in ast.iter_child_nodes(parent):
        parents[child] = parent
        inside = flow.quoted(child) if isinstance(child, ast.Constant) else None
        if inside is not None:
            parents[inside] = child
            for part in ast.walk(inside):
                _adopt(flow, parents, part)


def _touched(flow: Flow) -> Iterator[ast.stmt]:
    """The top-level statements that can hold a use."""
    lines = sorted({node.lineno for node in flow.values})
    for statement in flow.tree.body:
        last = statement.end_lineno or statement.lineno
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        at = bisect_left(lines, first)
        if flow.is_hot(statement) or (at < len(lines) and lines[at] <= last):
            yield statement


Judge: TypeAlias = Callable[[Uses, ast.expr, ast.AST, Value], Verdict]
_JUDGES: dict[type | None, Judge] = {}


def _judge(*kinds: type[ast.AST]) -> Callable[[Judge], Judge]:
    def register(function: Judge) -> Judge:
        _JUDGES.update(dict.fromkeys(kinds, function))
        return function

    return register


def _escapes(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    words = {
        ast.For: "iterated over",
        ast.comprehension: "iterated over",
        ast.Starred: "unpacked with *",
        ast.FormattedValue: "formatted into text",
        ast.BinOp: "used in an expression",
        ast.With: "used as a context manager",
    }
    return "escape", parent, words.get(type(parent), "used where it cannot be followed")


@_judge(ast.Expr, ast.If, ast.While, ast.Assert, ast.Delete, ast.UnaryOp, ast.ExceptHandler)
def _looked_at(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    return "name", parent, "looked at"


@_judge(ast.IfExp, ast.BoolOp, ast.Await)
def _passes_up(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    if isinstance(parent, ast.IfExp) and node is parent.test:
        return "name", parent, "looked at"
    return None


@_judge(ast.Lambda)
def _lambda(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    facts = uses.world.facts.get(parent)
    followed = isinstance(facts, FunctionFacts) and facts.called and not facts.escapes
    return ("kept", parent, "") if followed else ("escape", parent, "returned by a lambda whose calls cannot be followed")


@_judge(ast.Tuple, ast.List, ast.Set, ast.Dict)
def _display(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    if isinstance(parent, ast.Dict) and node in parent.keys:
        return "name", parent, "dictionary key"
    if isinstance(parent, ast.Dict) and parent.keys[parent.values.index(node)] is None:
        return "escape", parent, "unpacked into a dictionary"
    return None  # the table that holds it is looked at itself


@_judge(ast.For, ast.AsyncFor, ast.comprehension)
def _iterated(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    return ("kept", parent, "") if isinstance(value, TableMember | Table) else _escapes(uses, node, parent, value)


@_judge(ast.ClassDef)
def _class(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    assert isinstance(parent, ast.ClassDef)
    return ("base", parent, "") if node in parent.bases else ("escape", parent, "used as a decorator or metaclass")


@_judge(ast.arguments)
def _default(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    return "kept", parent, "default argument"


@_judge(ast.NamedExpr)
def _walrus(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    return "kept", parent, ""


@_judge(ast.Assign, ast.AnnAssign)
def _assigned(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target] if isinstance(parent, ast.AnnAssign) else []
    for target in targets:
        match target:
            case ast.Name():
                continue
            case ast.Tuple() | ast.List():
                if not isinstance(value, Result | Table):
                    return "escape", parent, "taken apart"
            case ast.Attribute(value=base):
                owners = uses.flow.values.get(base, frozenset())
                if not owners or not all(isinstance(owner, Object) for owner in owners):
                    return "escape", parent, f"stored as {ast.unparse(target)}"
            case _:
                return "escape", parent, f"stored in {ast.unparse(target)}"
    return "kept", parent, ""


@_judge(ast.Return, ast.Yield)
def _returned(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    step: ast.AST = parent
    while not isinstance(step, FUNCTIONS):
        step = uses.parents[step]
    facts = uses.world.facts.get(step)
    if not isinstance(facts, FunctionFacts):
        return "escape", parent, "returned"
    if facts.fixture:
        return "kept", parent, ""
    if isinstance(parent, ast.Yield):
        return "escape", parent, "yielded"
    if facts.escapes:
        return "escape", parent, f"returned by {facts.name}(), which goes where its calls cannot be followed"
    return ("kept", parent, "") if facts.called else ("escape", parent, f"returned by {facts.name}(), which nothing here calls")


@_judge(ast.Attribute)
def _attribute(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    assert isinstance(parent, ast.Attribute)
    if not isinstance(parent.ctx, ast.Load) and isinstance(value, Instance | Symbol):
        return "set", parent, ""
    if isinstance(value, Instance | Symbol | Result | Table):
        return None
    return ("attribute", node, "") if isinstance(value, ResultMember) else ("escape", parent, "used by attribute")


@_judge(ast.Subscript)
def _subscript(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    assert isinstance(parent, ast.Subscript)
    if isinstance(value, Symbol):
        return "name", parent, "subscript"
    if isinstance(value, Table) and node is parent.value:
        return "kept", parent, ""
    if node is parent.slice or not isinstance(value, Result):
        return "escape", parent, "used as a key"
    if isinstance(parent.ctx, ast.Store) and isinstance(parent.slice, ast.Constant):
        return "write", parent, ""
    if not isinstance(parent.ctx, ast.Load):
        return "escape", parent, "changed by a computed key"
    if not any(isinstance(v, Result) for v in uses.flow.values.get(parent, ())):
        return "escape", parent, "read by a computed key"
    return "read", parent, ""


@_judge(ast.Compare)
def _compared(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    assert isinstance(parent, ast.Compare)
    if isinstance(value, Result) and len(parent.ops) == 1 and isinstance(parent.ops[0], ast.In | ast.NotIn):
        literal = isinstance(parent.left, ast.Constant) and node is not parent.left
        return ("contains", parent, "") if literal else ("escape", parent, "compared")
    if isinstance(value, Result) and not all(isinstance(op, ast.Is | ast.IsNot) for op in parent.ops):
        return "escape", parent, "compared"
    return "name", parent, "compared"


@_judge(ast.Call)
def _called(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    assert isinstance(parent, ast.Call)
    if node is parent.func:
        verdict = _call_of(parent, value)
        indirect = isinstance(value, Member) and not uses.is_direct(node, value)
        return (verdict[0], parent, "indirect") if verdict is not None and indirect else verdict
    return _argument(uses, parent, node, value)


def _call_of(call: ast.Call, value: Value) -> Verdict:
    match value:
        case Symbol() | Prepared():
            return "construct", call, ""
        case Instance():
            return "call", call, ""
        case Member(name="forward" | "__call__", unbound=False):
            return "call", call, ""
        case Member(unbound=False):
            return "method", call, ""
        case Member():
            return "unbound", call, ""
        case ResultMember(name="get"):
            return "get", call, ""
        case ResultMember(name=name):
            return "escape", call, f"used through .{name}()"
        case Function():
            return "kept", call, ""
        case TableMember(name="items" | "values" | "get" | "pop" | "keys" | "copy"):
            return None if value.name in ("items", "values", "copy") else ("kept", call, "")
        case _:
            return "escape", call, "called"


@_judge(ast.keyword)
def _keyword(uses: Uses, node: ast.expr, parent: ast.AST, value: Value) -> Verdict:
    call = uses.parents[parent]
    return _argument(uses, call, node, value) if isinstance(call, ast.Call) else ("escape", call, "given to a class statement")


def _argument(uses: Uses, call: ast.Call, node: ast.expr, value: Value) -> Verdict:
    path = uses.flow.named.get(call.func)
    if path == "functools.partial" and isinstance(value, Symbol) and call.args and node is call.args[0]:
        return "prepare", call, ""
    if path in PASS_THROUGH and call.args and node is call.args[-1 if path == "typing.cast" else 0]:
        return None
    if path in CONTAINERS and isinstance(value, Table) and call.args and node is call.args[0]:
        return None
    if path in BY_NAME and isinstance(value, Instance | Symbol) and call.args and node is call.args[0]:
        return _by_name(call, value)
    if path in NEUTRAL_CALLS and (not isinstance(value, Result) or path == "builtins.isinstance"):
        return "name", call, path.partition(".")[2] if path else ""
    if _is_bound(uses, call, node) or node in uses.flow.given_to_tests:
        return "kept", call, ""
    return "escape", call, f"passed to {ast.unparse(call.func)}()"


def _by_name(call: ast.Call, value: Value) -> Verdict:
    """`getattr(x, "name")` and its like: an attribute whose name is text."""
    literal = len(call.args) > 1 and isinstance(call.args[1], ast.Constant) and isinstance(call.args[1].value, str)
    if not literal:
        return "escape", call, f"asked for a computed attribute by {ast.unparse(call.func)}()"
    return "named", call, ""


def _is_bound(uses: Uses, call: ast.Call, node: ast.expr) -> bool:
    """Whether an argument goes to a parameter of a function or class of the project, and to nothing else."""
    callees = uses.flow.values.get(call.func, frozenset())
    if not callees or any(isinstance(arg, ast.Starred) for arg in call.args):
        return False
    return all(_has_parameter(uses, callee, call, node) for callee in callees)


def _has_parameter(uses: Uses, callee: Value, call: ast.Call, node: ast.expr) -> bool:
    functions = [(callee, False)] if isinstance(callee, Function) else []
    if isinstance(callee, Class | Object):
        names = ("__init__",) if isinstance(callee, Class) else ("__call__", "forward")
        found = (member_of(uses.world, uses.flow, callee, name) for name in names)
        functions = [(value, True) for values in found for value in values if isinstance(value, Function)]
    return bool(functions) and all(_takes(uses.world.function(f), call, node, bound or f.bound) for f, bound in functions)


def _takes(facts: FunctionFacts, call: ast.Call, node: ast.expr, bound: bool) -> bool:
    arguments = facts.node.args
    listed = [*arguments.posonlyargs, *arguments.args][1 if bound else 0 :]
    if node in call.args:
        return call.args.index(node) < len(listed)
    name = next((k.arg for k in call.keywords if k.value is node), None)
    return any(arg.arg == name for arg in (*listed, *arguments.kwonlyargs))
