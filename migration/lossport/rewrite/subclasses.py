"""Classes that derive from a legacy class: safe as long as nothing that they override has another contract now."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lossport.follow.uses import Use
from lossport.follow.values import Function
from lossport.project.port import Rename
from lossport.rewrite.contract import Contract, parameters_text
from lossport.rewrite.fixers import fixer
from lossport.rewrite.outcome import Draft

MINE = frozenset({"__init__"})
"""Methods that a subclass may override freely: what it hands to `super().__init__` is mapped where it does."""


@fixer("base")
def base(draft: Draft, use: Use, contract: Contract) -> None:
    """Refuse overridden methods whose contract changed, and attributes of the base that go by another name."""
    node = use.around
    assert isinstance(node, ast.ClassDef)
    for place, reason in (*_faults(node, contract), *_decorated(draft, node, contract)):
        line, column = draft.view.place(draft.view.source.span(place)[0])
        draft.refuse_at(
            line,
            column,
            f"{node.name} derives from {contract.port.name} and {reason}",
            "derive from the new class by hand",
            contract.port.legacy,
        )


def _faults(node: ast.ClassDef, contract: Contract) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    for member in node.body:
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            reason = _override(member.name, contract)
            if reason:
                yield member, reason
            yield from _attributes(member, contract)


HARMLESS = frozenset({"dataclass", "final", "total_ordering", "runtime_checkable", "unique", "no_type_check", "deprecated"})
"""Decorators that build nothing and call nothing, by the last part of their names."""


def _decorated(draft: Draft, node: ast.ClassDef, contract: Contract) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """A decorator from elsewhere may build instances: registries do, from a configuration."""
    own = any(isinstance(member, ast.FunctionDef) and member.name == "__init__" for member in node.body)
    why = contract.instance_changes if own else contract.symbol_changes
    for decorator in node.decorator_list if why else ():
        name = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
        followed = any(isinstance(value, Function) for value in draft.view.flow.values.get(decorator, frozenset()))
        if not followed and name.rpartition(".")[2] not in HARMLESS:
            yield decorator, f"is handed to {name}, where it cannot be followed, and {why}"


def _override(name: str, contract: Contract) -> str:
    """Why a method must not be overridden as it is; empty if it may."""
    legacy, new = contract.legacy, contract.new
    if name in MINE or legacy is None or new is None or name not in legacy.methods:
        return ""
    if name == "forward":
        if contract.changes_below(()):
            return "overrides forward(), which returns something else now"
        return "" if contract.forward.is_identity else f"overrides forward(), which takes other arguments now{_takes(contract)}"
    renamed, binding = contract.method(name)
    if renamed != name:
        return f"overrides {name}(), which is called {renamed}() now"
    if name not in new.methods:
        return "" if new.offers(name) and not name.startswith("_") else f"overrides {name}(), which the new class does not call"
    return "" if binding.is_identity else f"overrides {name}(), which takes other arguments now"


def _takes(contract: Contract) -> str:
    new = contract.forward.new
    return f": {parameters_text(new.parameters)}" if new is not None else ""


def _attributes(method: ast.FunctionDef | ast.AsyncFunctionDef, contract: Contract) -> Iterator[tuple[ast.expr, str]]:
    """Attributes of the base that the subclass sets under the name they no longer have."""
    listed = [*method.args.posonlyargs, *method.args.args]
    moved = contract.attributes
    for node in ast.walk(method):
        match node:
            case ast.Attribute(value=ast.Name(id=me), attr=name, ctx=ast.Store()) if (
                listed and me == listed[0].arg and name in moved
            ):
                rule = moved[name]
                now = f"is called {rule.new!r} now" if isinstance(rule, Rename) else f"is gone: {rule.reason}"
                yield node, f"sets {name!r}, which {now}"
            case _:
                pass
