"""Calls: of the symbol, of an instance, of a method, and calls that `functools.partial` prepares."""

from __future__ import annotations

import ast
from dataclasses import replace

from lossport.follow.uses import Use
from lossport.follow.values import Member, Prepared
from lossport.rewrite.arguments import Unmapped, map_arguments
from lossport.rewrite.attributes import is_offered
from lossport.rewrite.contract import Binding, Contract
from lossport.rewrite.edits import Transform
from lossport.rewrite.fixers import ambiguous, fixer, rename_attribute
from lossport.rewrite.options import options_in_reach
from lossport.rewrite.outcome import Draft


def map_call(draft: Draft, use: Use, contract: Contract, binding: Binding, *, bound_first: int = 0) -> None:
    """Map the arguments of the call around a use."""
    call = use.around
    assert isinstance(call, ast.Call)
    symbol = contract.port.legacy
    plan = map_arguments(
        call,
        binding,
        draft.text_of,
        lambda node: options_in_reach(draft.view, node, symbol),
        bound_first=bound_first,
    )
    if isinstance(plan, Unmapped):
        draft.refuse(plan.node or use.node, plan.reason, plan.todo, symbol)
    elif plan.changes and not use.certain:
        ambiguous(draft, use, contract)
    elif plan.changes:
        if plan.call.changes:
            draft.edits.append(Transform(*draft.view.source.span(call), plan.call))
        for display, edit in plan.displays.items():
            if edit.changes:
                draft.edits.append(Transform(*draft.view.source.span(display), edit))


@fixer("construct")
def construct(draft: Draft, use: Use, contract: Contract) -> None:
    """`Old(...)`, or the call of what `functools.partial(Old, ...)` gave."""
    prepared = isinstance(use.value, Prepared)
    map_call(draft, use, contract, replace(contract.constructor, partial=prepared))


@fixer("prepare")
def prepare(draft: Draft, use: Use, contract: Contract) -> None:
    """`functools.partial(Old, ...)`: it says what a call would have to say explicitly."""
    if contract.constructor.computed:
        draft.refuse(
            use.node,
            "functools.partial of a symbol with computed parameters",
            "write a function that makes the call",
            contract.port.legacy,
        )
        return
    map_call(draft, use, contract, contract.constructor, bound_first=1)


@fixer("factory")
def factory(draft: Draft, use: Use, contract: Contract) -> None:
    """`field(default_factory=Old)`: a default that changed has to be said in a call of its own."""
    explicit = [*contract.constructor.explicit, *contract.constructor.constants]
    if explicit and not use.certain:
        ambiguous(draft, use, contract)
    elif explicit:
        arguments = ", ".join(f"{name}={value}" for name, value in explicit)
        draft.edits.append(Transform(*draft.view.source.span(use.node), lambda text: f"lambda: {text}({arguments})"))


@fixer("call")
def call(draft: Draft, use: Use, contract: Contract) -> None:
    """`criterion(...)`."""
    map_call(draft, use, contract, contract.forward)


@fixer("method")
def method(draft: Draft, use: Use, contract: Contract) -> None:
    """`criterion.set_epoch(...)`, and `super().__init__(...)` in a subclass."""
    assert isinstance(use.value, Member)
    name = use.value.name
    if name == "__init__":
        map_call(draft, use, contract, contract.constructor)
        return
    if name == "load_state_dict" and contract.port.state:
        draft.refuse(
            use.node,
            f"loads the state of {contract.port.name}, and names in its state change",
            "convert the checkpoint, then acknowledge this place in the port",
            contract.port.legacy,
        )
        return
    new, binding = contract.method(name)
    if is_offered(draft, use, contract, name, new):
        if isinstance(use.node, ast.Attribute) and use.how != "indirect":
            rename_attribute(draft, use, contract, use.node, new)
        map_call(draft, use, contract, binding)
