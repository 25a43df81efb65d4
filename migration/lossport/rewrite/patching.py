"""`mock.patch("app.Old")`: the patched name follows the import, unless the test says how the legacy symbol was called.

A replacement, or a question to the mock about its calls, speaks of legacy arguments and results.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lossport.rewrite.contract import Contract
from lossport.rewrite.literals import like
from lossport.rewrite.names import Names
from lossport.rewrite.references import Surroundings
from lossport.source.variables import FUNCTIONS

PATCHES = ("patch", "setattr", "delattr", "patch.multiple", "spy")
"""Last parts of the functions of `unittest.mock` and pytest that take the path of what they replace."""

STANDS_IN = frozenset({"new", "side_effect", "return_value", "new_callable", "wraps"})
"""Arguments of `patch` that say what a call does instead."""

MEMBER_CALLS = ("patch.object", "setattr", "delattr", "hasattr")
"""Calls that name a member of their first argument as text."""

WHAT_TO_DO = "let the test speak of the new arguments and results; then acknowledge this place in the port"

ASKS = frozenset(
    {"assert_called_with", "assert_called_once_with", "assert_any_call", "assert_has_calls", "call_args", "call_args_list"}
    | {"mock_calls", "method_calls", "side_effect"}
)
"""Attributes of a mock that speak of the arguments or results of its calls."""


def is_patch(call: ast.Call, node: ast.Constant) -> bool:
    """Whether the text is the path of what a call replaces."""
    written = ast.unparse(call.func)
    first = bool(call.args) and call.args[0] is node
    return first and any(written == tail or written.endswith(f".{tail}") for tail in PATCHES)


def speaks_of_calls(names: Names, call: ast.Call, contract: Contract, *, path_ends: int = 1) -> str:
    """What in a test speaks of how the patched symbol is called, in words; empty if nothing does.

    The arguments from `path_ends` on say what it is replaced by.
    """
    stand_ins = [*call.args[path_ends:], *(k.value for k in call.keywords if k.arg in STANDS_IN)]
    if any(not isinstance(value, ast.Constant) for value in stand_ins):
        return "replaced by something that is called as it was"
    function = contract.legacy is not None and not contract.legacy.is_class
    asked = next((node.attr for node in _near(names, call) if _speaks(names, node, contract, of_results=function)), "")
    return f"replaced by a mock that speaks of its {asked}" if asked else ""


def _speaks(names: Names, node: ast.Attribute, contract: Contract, *, of_results: bool) -> bool:
    """Whether a mock is asked about calls, or told what a call of the instance gives (`return_value.return_value`)."""
    if node.attr != "return_value":
        return node.attr in ASKS
    above = names.view.parents.get(node)
    return of_results or (isinstance(above, ast.Attribute) and not _stays(names.view.parents.get(above), contract))


def _stays(statement: ast.AST | None, contract: Contract) -> bool:
    """Whether a mock is given a dictionary of entries that are the same on both sides."""
    match statement:
        case ast.Assign(targets=[_], value=ast.Dict(keys=keys)):
            known = [key.value for key in keys if isinstance(key, ast.Constant) and key.value in contract.keys]
            return len(known) == len(keys) and not any(contract.changes_below((str(key),)) for key in known)
    return False


def module_members(names: Names, around: Surroundings, call: ast.Call) -> None:
    """`mock.patch.object(app, "Old")`, `setattr(app, "Old", ...)`, `hasattr(app, "Old")`: the name in the module follows it."""
    written = ast.unparse(call.func)
    if len(call.args) < 2 or not written.endswith(MEMBER_CALLS):
        return
    base, literal = call.args[:2]
    module = names.view.flow.named.get(base)
    if module is None or not isinstance(literal, ast.Constant) or not isinstance(literal.value, str):
        return
    near = names.view.path.parent
    symbol = names.view.modules.member(module, literal.value, near)
    if names.view.modules.path(module, near) is None or symbol not in around.contracts:
        return
    contract = around.contracts[symbol]
    new = around.kept(names.view.modules.canonical(module, near), literal.value)
    replaces = not written.endswith("hasattr")
    how = speaks_of_calls(names, call, contract, path_ends=2) if replaces else ""
    if new is None:
        reason = f"names {literal.value} in {module}, which retires"
        names.draft.refuse(literal, reason, "name it where it is used", symbol)
    elif how and contract.symbol_changes:
        names.draft.refuse(literal, f"{contract.port.name} is {how}, and {contract.symbol_changes}", WHAT_TO_DO, symbol)
    elif new != literal.value:
        names.draft.replace(*names.view.source.span(literal), like(names.draft.text_of(literal), new))


def _near(names: Names, call: ast.Call) -> Iterator[ast.Attribute]:
    """The attributes that are read where the mock is at hand: in the function around the call, or the one that it decorates."""
    node: ast.AST = call
    while not isinstance(node, (*FUNCTIONS, ast.With, ast.AsyncWith, ast.ClassDef, ast.Module)):
        above = names.view.parents.get(node)
        if above is None:
            break
        node = above
    return (part for part in ast.walk(node) if isinstance(part, ast.Attribute))
