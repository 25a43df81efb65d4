"""The rewrite of one file: imports, names, calls, members and results, each by its own small fixer. Pure."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TypeAlias

from lossport.port import Drop, Gone, Rename
from lossport.rewrite.arguments import Unmapped, map_arguments
from lossport.rewrite.contract import Binding, Contract
from lossport.rewrite.edits import Transform
from lossport.rewrite.outcome import Draft
from lossport.rewrite.results import rewrite_result
from lossport.tree.uses import Use, UseKind
from lossport.tree.values import Instance, Legacy, Member, Prepared, Result, ResultMember, Symbol

OF_EVERY_MODULE = frozenset(
    {"train", "eval", "to", "cpu", "cuda", "half", "float", "double", "apply", "zero_grad", "requires_grad_"}
    | {"parameters", "named_parameters", "buffers", "named_buffers", "children", "modules", "state_dict", "load_state_dict"}
)
"""Methods that a legacy loss may override and a new one inherits from `torch.nn.Module`, whose source is not in the project."""


class Fixers:
    """What to do about each kind of use, given the contracts of the losses being retired."""

    def __init__(self, contracts: Mapping[str, Contract], gone: Mapping[str, Gone], *, case: bool = False) -> None:
        self.contracts = contracts
        self.gone = gone
        self.case = case

    def interest(self, value: Legacy) -> bool:
        """Whether a value has to be followed: whether a port changes how it is used."""
        contract = self.contracts.get(symbol_of(value))
        if contract is None:
            return True
        if isinstance(value, Symbol | Prepared):
            return bool(contract.symbol_changes)
        if isinstance(value, Instance | Member):
            return bool(contract.instance_changes)
        result = value.result if isinstance(value, ResultMember) else value
        return not result.method and not contract.is_entry(result.path) and contract.changes_below(result.path)

    def rewrite(self, draft: Draft) -> None:
        """Calls, members and results of one file."""
        for use in draft.view.uses:
            symbol = symbol_of(use.value)
            if symbol in self.contracts:
                self._fix(draft, use, self.contracts[symbol])

    def _fix(self, draft: Draft, use: Use, contract: Contract) -> None:
        if isinstance(use.value, Result | ResultMember):
            rewrite_result(draft, use, contract, whole_may_escape=self.case)
        else:
            _FIXERS.get(use.kind, _nothing)(draft, use, contract)


def symbol_of(value: Legacy) -> str:
    """The legacy symbol that a value belongs to."""
    match value:
        case Symbol(path):
            return path
        case ResultMember(result):
            return result.symbol
        case Instance() | Member() | Result() | Prepared():
            return value.symbol


Fixer: TypeAlias = Callable[[Draft, Use, Contract], None]
_FIXERS: dict[UseKind, Fixer] = {}


def _fixer(*kinds: UseKind) -> Callable[[Fixer], Fixer]:
    def register(function: Fixer) -> Fixer:
        _FIXERS.update(dict.fromkeys(kinds, function))
        return function

    return register


def _nothing(draft: Draft, use: Use, contract: Contract) -> None:
    """Names that are merely renamed, and values that are followed, need nothing here."""


def _arguments(draft: Draft, use: Use, contract: Contract, call: ast.Call, binding: Binding) -> None:
    """Map the arguments of one call."""
    texts = {node: draft.text_of(node) for node in (*call.args, *(k.value for k in call.keywords))}
    plan = map_arguments(call, binding, texts)
    if isinstance(plan, Unmapped):
        place = plan.node if hasattr(plan.node, "lineno") else use.node
        draft.refuse(place, plan.reason, plan.todo, contract.port.legacy)
    elif plan.changes:
        if not use.certain:
            _ambiguous(draft, use, contract)
        else:
            draft.edits.append(Transform(*draft.view.source.span(call), plan.apply))


def _ambiguous(draft: Draft, use: Use, contract: Contract) -> None:
    draft.refuse(
        use.node,
        f"may stand for {contract.port.name} or for something else, and the two have to be called differently",
        "give the two their own variables, or call each where it is chosen",
        contract.port.legacy,
    )


@_fixer("construct")
def _construct(draft: Draft, use: Use, contract: Contract) -> None:
    assert isinstance(use.around, ast.Call)
    _arguments(draft, use, contract, use.around, contract.constructor)
    if contract.legacy is None or not contract.legacy.is_class:
        _returned_value(draft, use, contract, use.around)


@_fixer("call")
def _call(draft: Draft, use: Use, contract: Contract) -> None:
    assert isinstance(use.around, ast.Call)
    _arguments(draft, use, contract, use.around, contract.forward)
    _returned_value(draft, use, contract, use.around)


def _returned_value(draft: Draft, use: Use, contract: Contract, call: ast.Call) -> None:
    """A call whose value itself became an entry of a dictionary, or a number that became a tensor, is read where it stands."""
    key = contract.keys.get("")
    if key is None or isinstance(draft.view.parents.get(call), ast.Expr):
        return
    read = (f'["{key.new}"]' if key.new else "") + (".item()" if key.kind == "number" else "")
    if read and not use.certain:
        _ambiguous(draft, use, contract)
    elif read:
        end = draft.view.source.span(call)[1]
        draft.replace(end, end, read)


@_fixer("method")
def _method(draft: Draft, use: Use, contract: Contract) -> None:
    assert isinstance(use.value, Member)
    assert isinstance(use.around, ast.Call)
    new, binding = contract.method(use.value.name)
    if not _offered(draft, use, contract, use.value.name, new):
        return
    _rename_member(draft, use, new)
    _arguments(draft, use, contract, use.around, binding)


@_fixer("attribute")
def _attribute(draft: Draft, use: Use, contract: Contract) -> None:
    assert isinstance(use.value, Member)
    name = use.value.name
    if name in contract.port.methods or (contract.legacy and name in contract.legacy.methods):
        new, binding = contract.method(name)
        if not binding.is_identity:
            draft.refuse(
                use.node,
                f"the method {name!r} goes where its calls cannot be followed, and its arguments change",
                "call it here, or wrap the call in a function",
                contract.port.legacy,
            )
            return
    else:
        new = attribute_name(draft, use, contract, name)
    if new and _offered(draft, use, contract, name, new):
        _rename_member(draft, use, new)


def attribute_name(draft: Draft, use: Use, contract: Contract, name: str) -> str:
    """The new name of an attribute; empty (and refused) if it is gone."""
    for rule in contract.port.attributes:
        if isinstance(rule, Rename) and rule.old == name:
            return rule.new
        if isinstance(rule, Drop) and rule.name == name:
            draft.refuse(use.node, f"the attribute {name!r} is gone: {rule.reason}", "stop using it", contract.port.legacy)
            return ""
    return name


def _offered(draft: Draft, use: Use, contract: Contract, name: str, new: str) -> bool:
    """Refuse a member that the legacy class defines and the new class does not."""
    legacy, other = contract.legacy, contract.new
    if legacy is None or other is None or (name not in legacy.methods and name not in legacy.attributes):
        return True
    if new in other.methods or new in other.attributes or new in OF_EVERY_MODULE:
        return True
    field = "methods" if name in legacy.methods else "attributes"
    draft.refuse(
        use.node,
        f"uses {contract.port.name}.{name}, and {contract.port.new} has no {new!r}",
        f"stop using it, or map it in {field}= of the port",
        contract.port.legacy,
    )
    return False


def _rename_member(draft: Draft, use: Use, new: str) -> None:
    node = use.node
    if not isinstance(node, ast.Attribute):
        return
    if node.attr != new:
        if not use.certain:
            draft.refuse(use.node, f"may be {node.attr!r} of something else, and it is renamed to {new!r}", "rename it by hand")
            return
        end = draft.view.source.span(node)[1]
        draft.replace(end - len(node.attr), end, new)


@_fixer("set")
def _set(draft: Draft, use: Use, contract: Contract) -> None:
    target = use.around
    assert isinstance(target, ast.Attribute)
    legacy = contract.legacy
    if isinstance(use.value, Symbol) or (legacy is not None and target.attr in legacy.methods):
        draft.refuse(
            use.node,
            f"replaces {target.attr!r} of {contract.port.name} (monkeypatching)",
            "subclass the new loss, or pass what varies as an argument",
            contract.port.legacy,
        )
        return
    new = attribute_name(draft, use, contract, target.attr)
    if new and _offered(draft, use, contract, target.attr, new) and new != target.attr:
        end = draft.view.source.span(target)[1]
        draft.replace(end - len(target.attr), end, new)


@_fixer("escape")
def _escape(draft: Draft, use: Use, contract: Contract) -> None:
    if isinstance(use.value, Symbol | Prepared):
        why, what = contract.symbol_changes, contract.port.name
    else:
        why, what = contract.instance_changes, f"an instance of {contract.port.name}"
    if why and use.how != "formatted into text":
        draft.refuse(
            use.node,
            f"{what} is {use.how}, where it cannot be followed, and {why}",
            "look at what happens to it there; then acknowledge this place in the port, or rewrite it by hand",
            contract.port.legacy,
        )


@_fixer("prepare")
def _prepare(draft: Draft, use: Use, contract: Contract) -> None:
    if contract.symbol_changes:
        draft.refuse(use.node, "functools.partial of a symbol whose call changes", "write a function that makes the call")


@_fixer("unbound")
def _unbound(draft: Draft, use: Use, contract: Contract) -> None:
    draft.refuse(
        use.node,
        f"uses {ast.unparse(use.node)} of the class itself",
        "use an instance, or rewrite it by hand",
        contract.port.legacy,
    )


@_fixer("base")
def _base(draft: Draft, use: Use, contract: Contract) -> None:
    draft.refuse(use.node, f"derives from {contract.port.name}", "derive from the new class by hand", contract.port.legacy)
