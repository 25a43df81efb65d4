"""Symbols and instances that go where they cannot be followed."""

from __future__ import annotations

import ast

from lossport.follow.uses import Use
from lossport.follow.values import Prepared, Symbol
from lossport.rewrite.contract import Contract
from lossport.rewrite.fixers import fixer
from lossport.rewrite.outcome import Draft

PATCHING = ("patch.object", "monkeypatch.setattr", "monkeypatch.delattr", "patch.multiple", "mocker.spy")
"""Functions that replace a part of what they are given, by the ends of their names."""


@fixer("escape")
def escape(draft: Draft, use: Use, contract: Contract) -> None:
    """Refused if anything about the symbol changes but its name; patching a part of it is refused always."""
    name = contract.port.name
    if isinstance(use.around, ast.Call) and ast.unparse(use.around.func).endswith(PATCHING):
        draft.refuse(
            use.node,
            f"replaces a part of {name} (monkeypatching)",
            "subclass the new loss, or pass what varies as an argument",
            contract.port.legacy,
        )
        return
    if isinstance(use.value, Symbol | Prepared):
        why, what = contract.symbol_changes, name
    else:
        why, what = contract.instance_changes, f"an instance of {name}"
    if why and use.how != "formatted into text":
        draft.refuse(
            use.node,
            f"{what} is {use.how}{'' if 'followed' in use.how else ', where it cannot be followed'}, and {why}",
            "look at what happens to it there; then acknowledge this place in the port, or rewrite it by hand",
            contract.port.legacy,
        )
