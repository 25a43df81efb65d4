"""How a file uses what it has of a legacy symbol: each expression that may stand for something legacy, and what is done with it.

A use is a fact; what it means for a port is decided elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lossport.tree.flow import Flow
from lossport.tree.values import Function, Instance, Legacy, Member, Object, Prepared, Result, ResultMember, Symbol, legacy, sure

UseKind: TypeAlias = Literal[
    "construct",  # the symbol is called (`node` is the call's function)
    "prepare",  # functools.partial(symbol, ...)
    "call",  # an instance is called
    "method",  # a method of an instance is called
    "attribute",  # an attribute of an instance is read
    "set",  # an attribute is set, or deleted
    "unbound",  # an attribute of the class itself
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

NEUTRAL_CALLS = frozenset(
    f"builtins.{name}"
    for name in ("isinstance", "issubclass", "type", "id", "hasattr", "getattr", "callable", "print", "repr", "bool")
)
"""Calls that look at a class or an instance without using what a port changes. (`getattr` is followed by its own value.)"""

FOLLOWED_CALLS = frozenset(
    {"copy.copy", "copy.deepcopy", "torch.compile", "torch.jit.script", "typing.cast", "builtins.reversed"}
)


class Uses:
    """All uses of one file."""

    def __init__(self, flow: Flow, tree: ast.Module) -> None:
        self.flow = flow
        self.parents: dict[ast.AST, ast.AST] = {}
        self.annotations: set[ast.AST] = set()
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent
            self.annotations.update(_annotations(parent))

    def all(self) -> Iterator[Use]:
        """The uses, in the order of the file."""
        nodes = [(node, values) for node, values in self.flow.values.items() if legacy(values)]
        for node, values in sorted(nodes, key=lambda item: (item[0].lineno, item[0].col_offset)):
            only = sure(values)
            for value in legacy(values):
                verdict = self.judge(node, value)
                if verdict is not None:
                    kind, around, how = verdict
                    yield Use(kind, node, around, value, value == only, how)

    def judge(self, node: ast.expr, value: Legacy) -> Verdict:
        """What is done with the expression."""
        if self._in_annotation(node):
            return ("name", self.parents[node], "annotation") if isinstance(value, Symbol) else None
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            return None  # seen from its base: `set`
        if isinstance(node, ast.Tuple | ast.List) and isinstance(node.ctx, ast.Store):
            return ("unpack", self.parents[node], "") if isinstance(value, Result) else None
        parent = self.parents.get(node)
        judge = _JUDGES.get(type(parent), _escapes)
        return judge(self, node, parent, value) if parent is not None else None

    def _in_annotation(self, node: ast.AST) -> bool:
        step: ast.AST | None = node
        while isinstance(step, ast.expr):
            if step in self.annotations:
                return True
            step = self.parents.get(step)
        return False


def _annotations(parent: ast.AST) -> Iterator[ast.AST]:
    match parent:
        case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.FunctionDef(returns=ast.expr() as returns) | ast.AsyncFunctionDef(returns=ast.expr() as returns):
            yield returns
        case _:
            pass


Judge: TypeAlias = Callable[[Uses, ast.expr, "ast.AST", Legacy], Verdict]
_JUDGES: dict[type | None, Judge] = {}


def _judge(*kinds: type[ast.AST]) -> Callable[[Judge], Judge]:
    def register(function: Judge) -> Judge:
        _JUDGES.update(dict.fromkeys(kinds, function))
        return function

    return register


def _escapes(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    words = {
        ast.Yield: "yielded",
        ast.For: "iterated over",
        ast.comprehension: "iterated over",
        ast.Starred: "unpacked with *",
        ast.FormattedValue: "formatted into text",
        ast.BinOp: "used in an expression",
        ast.With: "used as a context manager",
    }
    return "escape", parent, words.get(type(parent), "used where it cannot be followed")


@_judge(ast.Expr, ast.If, ast.While, ast.Assert, ast.Delete, ast.UnaryOp, ast.ExceptHandler)
def _looked_at(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    return "name", parent, "looked at"


@_judge(ast.IfExp, ast.BoolOp, ast.Await)
def _passes_up(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    if isinstance(parent, ast.IfExp) and node is parent.test:
        return "name", parent, "looked at"
    return None


@_judge(ast.ClassDef)
def _class(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    assert isinstance(parent, ast.ClassDef)
    return ("base", parent, "") if node in parent.bases else ("escape", parent, "used as a decorator or metaclass")


@_judge(ast.arguments)
def _default(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    return "kept", parent, "default argument"


@_judge(ast.NamedExpr)
def _walrus(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    return "kept", parent, ""


@_judge(ast.Assign, ast.AnnAssign)
def _assigned(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target] if isinstance(parent, ast.AnnAssign) else []
    for target in targets:
        match target:
            case ast.Name():
                continue
            case ast.Tuple() | ast.List():
                if not isinstance(value, Result):
                    return "escape", parent, "taken apart"
            case ast.Attribute(value=base):
                owners = uses.flow.values.get(base, frozenset())
                if not owners or not all(isinstance(owner, Object) for owner in owners):
                    return "escape", parent, f"stored as {ast.unparse(target)}"
            case _:
                return "escape", parent, f"stored in {ast.unparse(target)}"
    return "kept", parent, ""


@_judge(ast.Return)
def _returned(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    step: ast.AST = parent
    while not isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef):
        step = uses.parents[step]
    facts = uses.flow.functions.get(step)
    followed = facts is not None and facts.called and not facts.escapes and facts.owner is None and not step.decorator_list
    return ("kept", parent, "") if followed else ("escape", parent, f"returned by {step.name}()")


@_judge(ast.Attribute)
def _attribute(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    assert isinstance(parent, ast.Attribute)
    if not isinstance(parent.ctx, ast.Load) and isinstance(value, Instance | Symbol):
        return "set", parent, ""
    if isinstance(value, Instance | Symbol | Result):
        return None
    return "attribute", node, ""


@_judge(ast.Subscript)
def _subscript(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    assert isinstance(parent, ast.Subscript)
    if isinstance(value, Symbol):
        return "name", parent, "subscript"
    if node is parent.slice or not isinstance(value, Result):
        return _member_read(node, parent, value, "used as a key")
    if not isinstance(parent.ctx, ast.Load):
        return "escape", parent, "an entry of it is set"
    if not any(isinstance(v, Result) for v in uses.flow.values.get(parent, ())):
        return "escape", parent, "read by a computed key"
    return "read", parent, ""


@_judge(ast.Compare)
def _compared(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    assert isinstance(parent, ast.Compare)
    if isinstance(value, Result) and len(parent.ops) == 1 and isinstance(parent.ops[0], ast.In | ast.NotIn):
        literal = isinstance(parent.left, ast.Constant) and node is not parent.left
        return ("contains", parent, "") if literal else ("escape", parent, "compared")
    if isinstance(value, Result) and not all(isinstance(op, ast.Is | ast.IsNot) for op in parent.ops):
        return "escape", parent, "compared"
    return _member_read(node, parent, value, "") if isinstance(value, Member) else ("name", parent, "compared")


def _member_read(node: ast.expr, parent: ast.AST, value: Legacy, how: str) -> Verdict:
    if isinstance(value, Member):
        return "unbound" if value.unbound else "attribute", node, how
    return "escape", parent, how


@_judge(ast.Call)
def _called(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    assert isinstance(parent, ast.Call)
    if node is parent.func:
        return _call_of(parent, value)
    return _argument(uses, parent, node, value)


def _call_of(call: ast.Call, value: Legacy) -> Verdict:
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
        case _:
            return "escape", call, "called"


@_judge(ast.keyword)
def _keyword(uses: Uses, node: ast.expr, parent: ast.AST, value: Legacy) -> Verdict:
    call = uses.parents[parent]
    return _argument(uses, call, node, value) if isinstance(call, ast.Call) else ("escape", call, "given to a class statement")


def _argument(uses: Uses, call: ast.Call, node: ast.expr, value: Legacy) -> Verdict:
    path = uses.flow.named.get(call.func)
    if isinstance(value, Member):
        return "unbound" if value.unbound else "attribute", node, ""
    if path == "functools.partial" and isinstance(value, Symbol) and call.args and node is call.args[0]:
        return "prepare", call, ""
    if path in FOLLOWED_CALLS or path == "builtins.getattr":
        return None if path in FOLLOWED_CALLS or not isinstance(value, Result) else ("escape", call, "passed to getattr()")
    if path in NEUTRAL_CALLS and not isinstance(value, Result):
        return "name", call, path.partition(".")[2] if path else ""
    callees = uses.flow.values.get(call.func, frozenset())
    scattered = any(isinstance(arg, ast.Starred) for arg in call.args) or any(k.arg is None for k in call.keywords)
    if callees and all(isinstance(callee, Function) for callee in callees) and not scattered:
        return "kept", call, "passed to a function of this file"
    return "escape", call, f"passed to {ast.unparse(call.func)}()"
