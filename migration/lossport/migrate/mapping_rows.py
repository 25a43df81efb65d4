"""A port as rows that a person can read: what becomes of each argument, key, attribute and state entry. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lossport.project.port import Compute, Constant, Default, Drop, Gone, Key, Port, Refuse, Rename, Rule
from lossport.report import Declared, MappingRow

_KINDS = {
    "tensor": "a tensor, as before",
    "number": "was a Python number, is a 0-d tensor: reading it gains .item()",
    "same": "as before",
}


def mapping_rows(ports: Sequence[Port], gone: Sequence[Gone]) -> tuple[MappingRow, ...]:
    """Every rule of the ports of a loss, in the order in which a call site meets them."""
    rows: list[MappingRow] = []
    for port in ports:
        rows.append(MappingRow("symbol", port.legacy, port.new))
        rows += (_rule("argument", rule) for rule in port.parameters)
        rows += (_rule("argument of a call", rule) for rule in port.forward)
        for name, method in port.methods.items():
            rows.append(MappingRow("method", f"{name}()", f"{method.new}()"))
            rows += (_rule(f"argument of {name}()", rule) for rule in method.rules)
        rows += map(_key, port.returns)
        rows += (_rule("attribute", rule) for rule in port.attributes)
        rows += (_rule("state", rule) for rule in port.state)
        if port.random == "distribution":
            rows.append(MappingRow("random numbers", "its stream", "the same distribution", port.random_reason))
    rows += (MappingRow("symbol", item.legacy, "gone", item.reason) for item in gone)
    return tuple(rows)


def declared(ports: Sequence[Port]) -> tuple[Declared, ...]:
    """The intended differences of the ports of a loss, with what shows them."""
    return tuple(_declared(ports))


def _declared(ports: Sequence[Port]) -> Iterator[Declared]:
    for port in ports:
        for item in port.divergences:
            yield Declared(item.id, item.reason, item.cases, item.places, item.devices)


def _rule(role: str, rule: Rule) -> MappingRow:
    match rule:
        case Rename(old, new):
            return MappingRow(role, old, new)
        case Drop(name, reason, only):
            limit = f" (only for {', '.join(map(repr, only))})" if only is not None else ""
            return MappingRow(role, name, f"gone{limit}", reason)
        case Refuse(name, reason):
            return MappingRow(role, name, "stops the migration", reason)
        case Default(name, value):
            return MappingRow(role, name, f"{name}={value!r} where a call left it out")
        case Constant(name, value):
            return MappingRow(role, "", f"{name}={value!r} in every call")
        case Compute(name, expression):
            return MappingRow(role, "", f"{name}={expression}")


def _key(key: Key) -> MappingRow:
    old = key.legacy or "the result"
    if key.new is None:
        return MappingRow("result", old, "gone", key.reason)
    return MappingRow("result", old, key.new or "the result", key.reason or _KINDS[key.kind])
