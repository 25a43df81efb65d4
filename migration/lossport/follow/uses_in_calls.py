"""What becomes of the function and of the arguments of a call: constructed, called, kept in a parameter, or out of sight."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from lossport.follow.calls import APPLYING, CONTAINERS, GROWING, ITERATING, PASS_THROUGH, record_fields
from lossport.follow.file_facts import FunctionFacts
from lossport.follow.inheritance import member_of
from lossport.follow.modules_of_torch import WRAPPERS
from lossport.follow.uses_by_syntax import Usage, UsageRule, UseContext
from lossport.follow.values import (
    Class,
    Function,
    Instance,
    Member,
    Object,
    Prepared,
    Result,
    ResultMember,
    Symbol,
    Table,
    TableMember,
    Value,
    Values,
)

BY_NAME = frozenset({"builtins.getattr", "builtins.hasattr", "builtins.setattr", "builtins.delattr"})

NEUTRAL_CALLS = frozenset(
    f"builtins.{name}" for name in ("len", "isinstance", "issubclass", "type", "id", "callable", "print", "repr", "bool")
) | {"typing.TypeVar", "typing.NewType"}
"""Calls that look at a class or an instance without using what a port changes."""


MAPPINGS = frozenset({"builtins.dict", "collections.abc.Mapping", "typing.Mapping"})

PAIRING = frozenset({"builtins.enumerate", "builtins.zip"})
"""Calls that give a table of tuples with the entries of the tables that they are given."""

TABLE_READS = frozenset({"get", "pop", "keys", "clear", "index", "remove", "count", "sort", "reverse"})
"""Methods of a table after which its entries are what they were."""


def called(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    assert isinstance(parent, ast.Call)
    if node is parent.func:
        usage = _call_of(parent, value)
        indirect = isinstance(value, Member) and not uses.is_direct(node, value)
        return (usage[0], parent, "indirect") if usage is not None and indirect else usage
    return _argument(uses, parent, node, value)


def _call_of(call: ast.Call, value: Value) -> Usage:
    match value:
        case ResultMember() | Function() | TableMember():
            return _call_of_held(call, value)
        case Symbol() | Prepared():
            return "construct", call, ""
        case Table():
            return None  # it would fail: here it is something else
        case Instance():
            return "call", call, ""
        case Member(name="forward" | "__call__", unbound=False):
            return "call", call, ""
        case Member(unbound=False):
            return "method", call, ""
        case Member():
            return "unbound", call, ""
        case _:
            return "escape", call, "called"


def _call_of_held(call: ast.Call, value: ResultMember | Function | TableMember) -> Usage:
    """A method of a result or of a table, or a function of the project."""
    match value:
        case Function():
            return "kept", call, ""
        case TableMember(name="items" | "values" | "copy"):
            return None
        case TableMember(name=name):
            return ("kept", call, "") if name in GROWING or name in TABLE_READS else ("escape", call, "called")
        case ResultMember(name=name):
            return ("get", call, "") if name == "get" else ("escape", call, f"used through .{name}()")


def keyword_of(uses: UseContext, node: ast.expr, parent: ast.AST, value: Value) -> Usage:
    call = uses.parents[parent]
    return _argument(uses, call, node, value) if isinstance(call, ast.Call) else ("escape", call, "given to a class statement")


def _argument(uses: UseContext, call: ast.Call, node: ast.expr, value: Value) -> Usage:
    path = uses.flow.named.get(call.func) or ""
    first = bool(call.args) and node is call.args[0]
    if first and path == "functools.partial" and isinstance(value, Symbol):
        return "prepare", call, ""
    if _stands_for_it(path, call, node, value):
        return None
    holders = uses.flow.values.get(call.func, frozenset())
    if (call.args and node is call.args[-1] and _is_put(holders, value)) or (path in WRAPPERS and first):
        return "kept", call, ""
    if path == "dataclasses.field":
        return _field(call, node, value)
    if first and path in BY_NAME and isinstance(value, Instance | Symbol):
        return _by_name(call, value)
    asks = _asked_for_its_type(uses, call, value) if path == "builtins.isinstance" and isinstance(value, Result) else None
    if asks is not None or path in ITERATING:
        return asks or _gone_through(uses, path, call, node, value)
    if (path in NEUTRAL_CALLS or _logs(call, node)) and not isinstance(value, Result):
        return "name", call, path.partition(".")[2]
    if _is_bound(uses, call, node) or node in uses.flow.given_to_tests:
        return "kept", call, ""
    return "escape", call, f"passed to {ast.unparse(call.func)}()"


LOGS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})
"""Methods of a logger: what they are given behind the message is shown as `print` shows it."""


def _logs(call: ast.Call, node: ast.expr) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in LOGS and node in call.args[1:]


def _gone_through(uses: UseContext, path: str, call: ast.Call, node: ast.expr, value: Value) -> Usage:
    """`sorted(outs, key=f)`, `map(f, outs)`: entries go to the parameters of f, if that is a function of the project."""
    key = next((keyword.value for keyword in call.keywords if keyword.arg == "key"), None)
    function = call.args[0] if path in APPLYING and call.args else key
    known = uses.flow.values.get(function, frozenset()) if function is not None else frozenset()
    followed = function is None or (bool(known) and all(isinstance(one, Function) for one in known))
    if followed and (node is function or isinstance(value, Table | TableMember)):
        return "kept", call, ""
    return "escape", call, f"passed to {ast.unparse(call.func)}()"


def _stands_for_it(path: str, call: ast.Call, node: ast.expr, value: Value) -> bool:
    """Whether the call gives what the argument is, or a table with the same entries, so that it is looked at itself."""
    if not call.args:
        return False
    if path in PASS_THROUGH:
        return node is call.args[-1 if path == "typing.cast" else 0]
    if not isinstance(value, Table):
        return False
    return (path in CONTAINERS and path not in ITERATING and node is call.args[0]) or (path in PAIRING and node in call.args)


def _is_put(holders: Values, value: Value) -> bool:
    """Whether a value is put into tables that are followed: by itself, or entry by entry if it is a table."""
    return bool(holders) and all(
        isinstance(v, TableMember) and v.name in GROWING and (isinstance(value, Table) or v.name not in ("extend", "update"))
        for v in holders
    )


def _asked_for_its_type(uses: UseContext, call: ast.Call, value: Result) -> Usage:
    """`isinstance(out, dict)` is followed; what was a tuple must not be asked whether it is one."""
    kind = uses.flow.named.get(call.args[1]) if len(call.args) > 1 else None
    stays = kind in MAPPINGS or uses.world.is_dict(value) is True or not uses.world.interest(value)
    return ("name", call, "isinstance") if stays else ("escape", call, "asked for its type")


def _field(call: ast.Call, node: ast.expr, value: Value) -> Usage:
    """`field(default_factory=Old)` calls it without arguments; `field(default=...)` keeps it."""
    name = next((keyword.arg for keyword in call.keywords if keyword.value is node), None)
    if name == "default_factory" and isinstance(value, Symbol):
        return "factory", call, ""
    return ("kept", call, "") if name in ("default", "default_factory") else ("escape", call, "passed to field()")


def _by_name(call: ast.Call, value: Value) -> Usage:
    """`getattr(x, "name")` and its like: an attribute whose name is text."""
    literal = len(call.args) > 1 and isinstance(call.args[1], ast.Constant) and isinstance(call.args[1].value, str)
    if not literal:
        return "escape", call, f"asked for a computed attribute by {ast.unparse(call.func)}()"
    return "named", call, ""


def _is_bound(uses: UseContext, call: ast.Call, node: ast.expr) -> bool:
    """Whether an argument goes to a parameter of a function or class of the project, and to nothing else."""
    callees = uses.flow.values.get(call.func, frozenset())
    if not callees or any(isinstance(arg, ast.Starred) for arg in call.args):
        return False
    return all(_has_parameter(uses, callee, call, node) for callee in callees)


def _has_parameter(uses: UseContext, callee: Value, call: ast.Call, node: ast.expr) -> bool:
    functions = [(callee, False)] if isinstance(callee, Function) else []
    if isinstance(callee, Class) and not member_of(uses.world, uses.flow, callee, "__init__"):
        fields = record_fields(uses.world.of_class(callee))
        at = call.args.index(node) if node in call.args else len(fields)
        return at < len(fields) or any(k.value is node and k.arg in fields for k in call.keywords)
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


IN_CALLS: Mapping[type[ast.AST], UsageRule] = {ast.Call: called, ast.keyword: keyword_of}
"""What is done with the function of a call and with its arguments."""
