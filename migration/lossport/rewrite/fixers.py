"""The registry of fixers: what to do about each kind of use, given the contracts of the losses being retired.

A fixer is a small function from a use to edits or a refusal; it registers itself for the kinds of use that it knows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from lossport.follow.file_facts import Interest
from lossport.follow.uses import Use
from lossport.follow.uses_by_syntax import UseKind
from lossport.follow.values import Instance, Legacy, Member, Prepared, Result, ResultMember, Symbol
from lossport.project.port import Gone
from lossport.rewrite.contract import Contract
from lossport.rewrite.debug_text import refuse_debug_text
from lossport.rewrite.handed_over import refuse_handed
from lossport.rewrite.hints import refuse_hints
from lossport.rewrite.outcome import Draft
from lossport.rewrite.results import read_value, rewrite_result

Fixer: TypeAlias = Callable[[Draft, Use, Contract], None]
FIXERS: dict[UseKind, Fixer] = {}
"""By kind of use. A kind without a fixer needs nothing: a name that is merely renamed, a value that is followed."""


def fixer(*kinds: UseKind) -> Callable[[Fixer], Fixer]:
    """Register a fixer for some kinds of use."""

    def register(function: Fixer) -> Fixer:
        FIXERS.update(dict.fromkeys(kinds, function))
        return function

    return register


def symbol_of(value: Legacy) -> str:
    """The legacy symbol that a value belongs to."""
    match value:
        case Symbol(path):
            return path
        case ResultMember(result):
            return result.symbol
        case Instance() | Member() | Result() | Prepared():
            return value.symbol


class Fixers(Interest):
    """The fixers with the contracts that they work from. `case` lets whole results go to the harness, as in a case file."""

    def __init__(self, contracts: Mapping[str, Contract], gone: Mapping[str, Gone], *, case: bool = False) -> None:
        self.contracts = contracts
        self.gone = gone
        self.case = case

    def matters(self, value: Legacy) -> bool:
        """Whether a value has to be followed: a symbol always, as its uses are sites; the rest if a port changes its use."""
        contract = self.contracts.get(symbol_of(value))
        if contract is None or isinstance(value, Symbol | Prepared):
            return True
        if isinstance(value, Member) and contract.legacy is not None and value.name in contract.legacy.attributes:
            return value.name in contract.legacy.methods and bool(contract.instance_changes)  # else a plain value
        if isinstance(value, Instance | Member):
            return bool(contract.instance_changes)
        result = value.result if isinstance(value, ResultMember) else value
        return not result.method and not contract.is_entry(result.path) and contract.changes_below(result.path)

    def lacks(self, symbol: str, name: str) -> bool:
        """Whether instances of a legacy class are known not to have an attribute or method."""
        contract = self.contracts.get(symbol)
        return contract is not None and contract.legacy is not None and not contract.legacy.offers(name)

    @property
    def changed_names(self) -> frozenset[str]:
        """The names that a port changes of what may be read of an instance or of a result."""
        return frozenset().union(*(contract.moved | contract.moved_keys for contract in self.contracts.values()))

    def is_dict(self, value: Result) -> bool | None:
        """Whether a result, or this part of it, is a dictionary on the legacy side."""
        contract = self.contracts.get(value.symbol)
        if contract is None or value.method or not contract.keys:
            return None
        if contract.is_entry(value.path):
            return False
        steps = [key.path[len(value.path)] for key in contract.keys.values() if key.path[: len(value.path)] == value.path]
        return None if not steps else not all(step.isdigit() for step in steps)

    def rewrite_all(self, drafts: Iterable[Draft]) -> None:
        """Calls, members and results of all files."""
        listed = tuple(drafts)
        added: dict[str, set[tuple[str, ...]]] = {}
        for draft in listed:
            for symbol, path in _added_keys(draft):
                added.setdefault(symbol, set()).add(path)
        for draft in listed:
            draft.added_keys = added
            self.rewrite(draft)

    def rewrite(self, draft: Draft) -> None:
        """Calls, members and results of one file."""
        for use in draft.view.uses:
            contract = self.contracts.get(symbol_of(use.value))
            if contract is None:
                continue
            if isinstance(use.value, Result | ResultMember):
                rewrite_result(draft, use, contract, whole_may_escape=self.case)
            elif use.kind in FIXERS:
                FIXERS[use.kind](draft, use, contract)
            if use.kind in ("call", "construct") and "" in contract.keys:
                read_value(draft, use, contract, case=self.case)
        refuse_handed(draft, self.contracts)
        refuse_hints(draft, self.contracts)
        refuse_debug_text(draft)


def _added_keys(draft: Draft) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The entries that a file adds to what losses return."""
    for use in draft.view.uses:
        if use.kind == "write" and isinstance(use.value, Result) and isinstance(use.around, ast.Subscript):
            key = use.around.slice
            if isinstance(key, ast.Constant):
                yield use.value.symbol, (*use.value.path, str(key.value))


def ambiguous(draft: Draft, use: Use, contract: Contract) -> None:
    """Refuse to rewrite what may stand for something else as well."""
    draft.refuse(
        use.node,
        f"may stand for {contract.port.name} or for something else, and the two have to be written differently",
        "give the two their own variables, or handle each where it is chosen",
        contract.port.legacy,
    )


def rename_attribute(draft: Draft, use: Use, contract: Contract, node: ast.Attribute, new: str) -> None:
    """Another name after the dot."""
    if node.attr == new:
        return
    if use.certain:
        end = draft.view.source.span(node)[1]
        draft.replace(end - len(node.attr), end, new)
    else:
        ambiguous(draft, use, contract)
