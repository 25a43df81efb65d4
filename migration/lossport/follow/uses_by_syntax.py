"""What is done with an expression, told from the syntax around it: one small rule for each kind of parent."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lossport.follow.file_facts import FileFacts, FunctionFacts, SharedFacts
from lossport.follow.inheritance import member_of
from lossport.follow.values import Class, Instance, Member, Object, Result, ResultMember, Super, Symbol, Table, TableMember, Value
from lossport.source.variables import FUNCTIONS

UseKind: TypeAlias = Literal[
    "construct",  # the symbol is called (`node` is the call's function)
    "prepare",  # functools.partial(symbol, ...)
    "factory",  # called without arguments, by what it is given to
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

Usage: TypeAlias = tuple[UseKind, ast.AST, str] | None
"""Kind, the syntax around, words for an escape. None: the surrounding expression stands for the same and is looked at itself."""

TYPING = ("typing.", "typing_extensions.", "collections.abc.", "builtins.")
"""Where the words come from that types are put together with: `Union[A, B]`, `dict[str, A]`."""


@dataclass(frozen=True)
class UseContext:
    """What is needed to tell a use: the facts about its file and about all files, and the syntax around each expression."""

    flow: FileFacts
    parents: Mapping[ast.AST, ast.AST]

    @property
    def world(self) -> SharedFacts:
        """The facts that all files share."""
        return self.flow.world

    def is_direct(self, node: ast.expr, value: Member) -> bool:
        """Whether a member is taken here from what has it, and is not what a variable or another attribute holds."""
        if not isinstance(node, ast.Attribute) or node.attr != value.name:
            return False
        base = self.flow.values.get(node.value, frozenset())
        inherits = [v for v in base if isinstance(v, Object | Class | Super) and not self._defines(v, node.attr)]
        return bool(inherits) or any(isinstance(v, Instance | Symbol) for v in base)

    def _defines(self, value: Object | Class | Super, name: str) -> bool:
        return not isinstance(value, Super) and bool(member_of(self.world, self.flow, value, name))


UsageRule: TypeAlias = Callable[[UseContext, ast.expr, ast.AST, Value], Usage]
BY_SYNTAX: dict[type[ast.AST], UsageRule] = {}
"""What is done with an expression, by the kind of syntax around it; calls are told by `uses_in_calls`."""


def usage_in(*kinds: type[ast.AST]) -> Callable[[UsageRule], UsageRule]:
    """Register the rule for some kinds of syntax."""

    def register(function: UsageRule) -> UsageRule:
        BY_SYNTAX.update(dict.fromkeys(kinds, function))
        return function

    return register


def escapes(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    words = {
        ast.For: "iterated over",
        ast.comprehension: "iterated over",
        ast.Starred: "unpacked with *",
        ast.FormattedValue: "formatted into text",
        ast.BinOp: "used in an expression",
        ast.With: "used as a context manager",
    }
    return "escape", parent, words.get(type(parent), "used where it cannot be followed")


@usage_in(ast.Expr, ast.If, ast.While, ast.Assert, ast.Delete, ast.UnaryOp, ast.ExceptHandler)
def _looked_at(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    return "name", parent, "looked at"


@usage_in(ast.IfExp, ast.BoolOp, ast.Await)
def _passes_up(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    if isinstance(parent, ast.IfExp) and node is parent.test:
        return "name", parent, "looked at"
    return None


@usage_in(ast.Constant)
def _quoted(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    return ("name", parent, "quoted annotation") if isinstance(value, Symbol) else None


@usage_in(ast.Lambda)
def _lambda(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    facts = uses.world.facts.get(parent)
    followed = isinstance(facts, FunctionFacts) and facts.called and not facts.escapes
    return ("kept", parent, "") if followed else ("escape", parent, "returned by a lambda whose calls cannot be followed")


@usage_in(ast.Tuple, ast.List, ast.Set, ast.Dict)
def _display(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    if isinstance(parent, ast.Dict) and node in parent.keys:
        return "name", parent, "dictionary key"
    if isinstance(parent, ast.Dict) and parent.keys[parent.values.index(node)] is None:
        return "escape", parent, "unpacked into a dictionary"
    return None  # the table that holds it is looked at itself


@usage_in(ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
def _made_in_turn(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    return ("name", parent, "dictionary key") if isinstance(parent, ast.DictComp) and node is parent.key else None


@usage_in(ast.BinOp)
def _operand(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    if isinstance(value, Table) and any(isinstance(v, Table) for v in uses.flow.values.get(_expression(parent), ())):
        return None
    if isinstance(value, Symbol) and isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.BitOr):
        return "name", parent, "one of several types"
    return escapes(uses, node, parent, value)


def _expression(node: ast.AST) -> ast.expr:
    assert isinstance(node, ast.expr)
    return node


@usage_in(ast.Match)
def _subject(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    if isinstance(value, Result) and _matches_keys(uses, parent):
        return "name", parent, "matched by keys"
    return ("name", parent, "looked at") if isinstance(value, Instance | Symbol) else escapes(uses, node, parent, value)


def _matches_keys(uses: UseContext, statement: ast.AST) -> bool:
    """Whether a result is matched by keys alone that are the same on both sides."""
    assert isinstance(statement, ast.Match)
    parts = [
        part
        for case in statement.cases
        for part in ast.walk(case.pattern)
        if isinstance(part, ast.MatchMapping | ast.MatchSequence)
    ]
    plain = all(isinstance(part, ast.MatchMapping) and part.rest is None for part in parts)
    keys = {
        key.value for part in parts if isinstance(part, ast.MatchMapping) for key in part.keys if isinstance(key, ast.Constant)
    }
    bound = any(isinstance(case.pattern, ast.MatchAs) and case.pattern.name for case in statement.cases)
    return plain and not bound and not keys & uses.world.changed_names


@usage_in(ast.MatchClass)
def _pattern(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    assert isinstance(parent, ast.MatchClass)
    if parent.kwd_attrs or parent.patterns:
        return "escape", parent, "matched along with attributes"
    return "name", parent, "class pattern"


@usage_in(ast.For, ast.AsyncFor, ast.comprehension)
def _iterated(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    return ("kept", parent, "") if isinstance(value, TableMember | Table) else escapes(uses, node, parent, value)


@usage_in(ast.ClassDef)
def _class(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    assert isinstance(parent, ast.ClassDef)
    return ("base", parent, "") if node in parent.bases else ("escape", parent, "used as a decorator or metaclass")


@usage_in(ast.arguments)
def _default(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    return "kept", parent, "default argument"


@usage_in(ast.NamedExpr)
def _walrus(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    return "kept", parent, ""


@usage_in(ast.Assign, ast.AnnAssign)
def _assigned(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
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
            case ast.Subscript(value=base):
                holders = uses.flow.values.get(base, frozenset())
                if not holders or not all(isinstance(holder, Table) for holder in holders):
                    return "escape", parent, f"stored in {ast.unparse(target)}"
            case _:
                return "escape", parent, f"stored in {ast.unparse(target)}"
    return "kept", parent, ""


@usage_in(ast.Return, ast.Yield)
def _returned(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
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


@usage_in(ast.Attribute)
def _attribute(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    assert isinstance(parent, ast.Attribute)
    if not isinstance(parent.ctx, ast.Load) and isinstance(value, Instance | Symbol):
        return "set", parent, ""
    if isinstance(value, Instance | Symbol | Result | Table):
        return None
    return ("attribute", node, "") if isinstance(value, ResultMember) else ("escape", parent, "used by attribute")


@usage_in(ast.Subscript)
def _subscript(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    assert isinstance(parent, ast.Subscript)
    if isinstance(value, Symbol):
        return "name", parent, "subscript"
    if isinstance(value, Table) and node is parent.value:
        return ("kept", parent, "") if not isinstance(parent.slice, ast.Slice) else None
    if node is parent.slice and _takes_types(uses, parent.value):
        return "name", parent, "one of several types"
    if isinstance(value, Instance) and node is parent.value and uses.world.lacks(value.symbol, "__getitem__"):
        return None  # it would fail: here it is something else
    if node is parent.slice or not isinstance(value, Result):
        return "escape", parent, "used as a key"
    if isinstance(parent.ctx, ast.Store) and isinstance(parent.slice, ast.Constant):
        return "write", parent, ""
    if not isinstance(parent.ctx, ast.Load):
        return "escape", parent, "changed by a computed key"
    if not any(isinstance(v, Result) for v in uses.flow.values.get(parent, ())):
        return "escape", parent, "read by a computed key"
    return "read", parent, ""


def _takes_types(uses: UseContext, base: ast.expr) -> bool:
    """Whether what is subscripted is a word of `typing`, or a generic class of the project: `Trainer[Old]`."""
    generic = any(isinstance(value, Class) for value in uses.flow.values.get(base, ()))
    return generic or (uses.flow.named.get(base) or "").startswith(TYPING)


@usage_in(ast.Compare)
def _compared(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    assert isinstance(parent, ast.Compare)
    if isinstance(value, Result) and len(parent.ops) == 1 and isinstance(parent.ops[0], ast.In | ast.NotIn):
        literal = isinstance(parent.left, ast.Constant) and node is not parent.left
        return ("contains", parent, "") if literal else ("escape", parent, "compared")
    if isinstance(value, Result) and not all(isinstance(op, ast.Is | ast.IsNot) for op in parent.ops):
        return "escape", parent, "compared"
    return "name", parent, "compared"


def augmented(statement: ast.AugAssign, value: Value) -> Usage:
    if isinstance(value, Table) and isinstance(statement.op, ast.Add):
        return "kept", statement, ""
    if isinstance(value, Member):
        return None  # an attribute that is set is seen from its base
    return "escape", statement, "changed in place"
