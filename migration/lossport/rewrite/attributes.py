"""Attributes and methods that are read, set, deleted, replaced, or named as text."""

from __future__ import annotations

import ast

from lossport.follow.uses import Use
from lossport.follow.values import Member, Symbol
from lossport.project.port import Drop, Rename
from lossport.rewrite.contract import Contract
from lossport.rewrite.fixers import ambiguous, fixer, rename_attribute
from lossport.rewrite.literals import like
from lossport.rewrite.outcome import Draft


def new_name(draft: Draft, use: Use, contract: Contract, name: str) -> str | None:
    """The new name of an attribute or method; None (and a refusal) if it is gone."""
    declared = contract.port.methods.get(name)
    if declared is not None:
        return declared.new
    rule = contract.attributes.get(name)
    if isinstance(rule, Rename):
        return rule.new
    if isinstance(rule, Drop):
        draft.refuse(use.node, f"the attribute {name!r} is gone: {rule.reason}", "stop using it", contract.port.legacy)
        return None
    return name if is_offered(draft, use, contract, name, name) else None


def is_offered(draft: Draft, use: Use, contract: Contract, name: str, new: str) -> bool:
    """Refuse a member that the legacy class defines and the new class does not offer."""
    legacy, other = contract.legacy, contract.new
    if legacy is None or other is None or (name not in legacy.methods and name not in legacy.attributes):
        return True
    if other.offers(new):
        return True
    kind = "methods" if name in legacy.methods else "attributes"
    draft.refuse(
        use.node,
        f"uses {contract.port.name}.{name}, and {contract.port.new} has no {new!r}",
        f"stop using it, or map it in {kind}= of the port",
        contract.port.legacy,
    )
    return False


def is_method(contract: Contract, name: str) -> bool:
    """Whether the legacy class defines a method of that name."""
    return contract.legacy is not None and name in contract.legacy.methods


@fixer("attribute")
def attribute(draft: Draft, use: Use, contract: Contract) -> None:
    """`criterion.T`, or a method that is passed on instead of called."""
    assert isinstance(use.value, Member)
    name = use.value.name
    if name == "__dict__" and contract.attributes:
        draft.refuse(use.node, "reads attributes by __dict__, and some change", "read each by its name", contract.port.legacy)
        return
    if is_method(contract, name) and not _method_may_go(draft, use, contract, name):
        return
    new = new_name(draft, use, contract, name)
    if new is not None and isinstance(use.node, ast.Attribute):
        rename_attribute(draft, use, contract, use.node, new)


def _method_may_go(draft: Draft, use: Use, contract: Contract, name: str) -> bool:
    """A method that goes where its calls cannot be followed has to take and return what it did."""
    binding = contract.forward if name == "forward" else contract.method(name)[1]
    if binding.is_identity and not (name == "forward" and contract.changes_below(())):
        return True
    draft.refuse(
        use.node,
        f"the method {name!r} goes where its calls cannot be followed, and how it is called changes",
        "call it here, or wrap the call in a function",
        contract.port.legacy,
    )
    return False


@fixer("set")
def set_attribute(draft: Draft, use: Use, contract: Contract) -> None:
    """`criterion.T = 2`, `del criterion.cache`; `Old.forward = ...` is monkeypatching."""
    target = use.around
    assert isinstance(target, ast.Attribute)
    if isinstance(use.value, Symbol) or (is_method(contract, target.attr) and target.attr not in contract.settable):
        _monkeypatching(draft, use, contract, target.attr)
        return
    new = new_name(draft, use, contract, target.attr)
    if new is not None:
        rename_attribute(draft, use, contract, target, new)


def _monkeypatching(draft: Draft, use: Use, contract: Contract, name: str) -> None:
    draft.refuse(
        use.node,
        f"replaces {name!r} of {contract.port.name} (monkeypatching)",
        "subclass the new loss, or pass what varies as an argument",
        contract.port.legacy,
    )


@fixer("named")
def named(draft: Draft, use: Use, contract: Contract) -> None:
    """`getattr(criterion, "T")` and its like."""
    call = use.around
    assert isinstance(call, ast.Call)
    literal = call.args[1]
    assert isinstance(literal, ast.Constant)
    name = str(literal.value)
    changes_it = isinstance(call.func, ast.Name) and call.func.id in ("setattr", "delattr")
    if changes_it and (isinstance(use.value, Symbol) or is_method(contract, name)):
        _monkeypatching(draft, use, contract, name)
        return
    if isinstance(use.value, Symbol):
        return
    if _is_new_alone(contract, name):
        reason = f"asks for {name!r}, which {contract.port.name} does not have and {contract.port.new} has"
        draft.refuse(use.node, reason, "decide what holds now, and write that", contract.port.legacy)
        return
    new = new_name(draft, use, contract, name)
    if new is None or new == name:
        return
    if use.certain:
        draft.replace(*draft.view.source.span(literal), like(draft.text_of(literal), new))
    else:
        ambiguous(draft, use, contract)


def _is_new_alone(contract: Contract, name: str) -> bool:
    """Whether only the new class has an attribute, as far as both sources say: `hasattr` would change its answer."""
    legacy, new = contract.legacy, contract.new
    if legacy is None or new is None or name in legacy.methods or name in legacy.attributes:
        return False
    return name in new.methods or name in new.attributes


@fixer("unbound")
def unbound(draft: Draft, use: Use, contract: Contract) -> None:
    """`Old.something`: harmless for `__name__` and the like, and for class attributes that stay."""
    assert isinstance(use.value, Member)
    name = use.value.name
    if name.startswith("__") and name not in ("__init__", "__call__", "__dict__"):
        return
    if not contract.symbol_changes and contract.new is not None and name in contract.new.methods.keys() | contract.new.attributes:
        return  # only the name of the class changes: `Old.from_config(...)`
    called = isinstance(use.around, ast.Call) and use.around.func is use.node
    if called or is_method(contract, name) or name in ("forward", "__init__", "__call__", "__dict__"):
        draft.refuse(
            use.node,
            f"uses {contract.port.name}.{name} without an instance, where its calls cannot be followed",
            "use an instance, or rewrite it by hand",
            contract.port.legacy,
        )
        return
    new = new_name(draft, use, contract, name)
    if new is not None and isinstance(use.node, ast.Attribute):
        rename_attribute(draft, use, contract, use.node, new)
