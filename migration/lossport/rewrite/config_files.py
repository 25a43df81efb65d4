"""Configuration files: the path of a class is rewritten where the arguments beside it mean the same on the new side."""

from __future__ import annotations

from lossport.follow.survey import ConfigFile
from lossport.rewrite.contract import Binding, Contract
from lossport.rewrite.edits import Replace
from lossport.rewrite.outcome import Refusal
from lossport.rewrite.references import Surroundings
from lossport.rewrite.strings import new_path
from lossport.source.configtext import Mention


def rewrite_config(config: ConfigFile, around: Surroundings) -> tuple[list[Replace], list[Refusal]]:
    """The edits and refusals of one file."""
    edits: list[Replace] = []
    refusals: list[Refusal] = []
    for mention in config.mentions:
        if around.elsewhere(mention.meaning.target):
            continue
        reason, todo = _fault(mention, around) if not config.prose else ("", "")
        if reason:
            line, column = config.source.position(mention.start)
            code = config.source.line(line).strip()
            refusals.append(Refusal(config.shown, line, column, code, reason, todo, mention.meaning.target))
        contract = around.contracts.get(mention.meaning.target)
        if mention.meaning.kind == "symbol" and contract is not None:
            # A refused path is rewritten, too: the file is left alone unless the refusal is acknowledged.
            edits.append(Replace(mention.start, mention.end, new_path(mention.meaning, around, contract)))
    return edits, refusals


def _fault(mention: Mention, around: Surroundings) -> tuple[str, str]:
    """Why a path cannot be rewritten, and what to do; empty if it can."""
    meaning = mention.meaning
    if meaning.target in around.gone:
        return f"{meaning.target} is gone: {around.gone[meaning.target].reason}", "remove it"
    if meaning.kind != "symbol" or meaning.target not in around.contracts:
        what = "a part of a class that is replaced" if meaning.kind == "member" else "a legacy module"
        return f"names {meaning.provider}.{meaning.name}".rstrip(".") + f", {what}", "write what it should name instead"
    contract = around.contracts[meaning.target]
    reason, todo = _arguments(mention, contract)
    if contract.instance_changes:
        built = f"names {contract.port.name}, which is built where it cannot be followed, and {contract.instance_changes}"
        look = "look at what is done with it; then acknowledge this place in the port, or rewrite it by hand"
        return (f"{built}; it also {reason}" if reason else built), (f"{todo}, and {look}" if reason else look)
    return reason, todo


def _arguments(mention: Mention, contract: Contract) -> tuple[str, str]:
    binding = contract.constructor
    if binding.is_identity:
        return "", ""
    if mention.beside is None:
        reason = f"names {contract.port.name}, whose arguments are given elsewhere, and its parameters change"
        return reason, "rewrite it and its arguments by hand"
    wrong = _changes(binding, mention.beside)
    if not wrong:
        return "", ""
    return f"names {contract.port.name}, and the arguments beside it change: {'; '.join(wrong)}", "make these changes by hand"


def _changes(binding: Binding, beside: tuple[str, ...]) -> list[str]:
    """What would have to change among the arguments beside the path."""
    given = [key for key in beside if not key.startswith("_")]
    found: list[str] = []
    for name in given:
        new = binding.new_name(name)
        if name in binding.consumed:
            found.append(f"{name} goes into a computed one")
        elif new is None:
            found.append(f"{name} is gone")
        elif new != name:
            found.append(f"{name} is called {new}")
    filled = {binding.new_name(name) for name in given}
    explicit = (*binding.explicit, *binding.constants)
    return [*found, *(f"{name}={value} has to be said" for name, value in explicit if name not in filled)]
