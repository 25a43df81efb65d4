"""Losses as they stand, place by place: state, attributes and form of a legacy loss in the words of the new one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from lossport.observe.instance import BURDENS
from lossport.observe.observation import InstanceState
from lossport.observe.value import Array, Node, Plain, flatten
from lossport.project.port import Compute, Drop, Port, Refuse, Rename

ABSENT = Plain(None)


def state_name(port: Port | None, name: str) -> str | None:
    """The new name of a state entry; None if it is dropped. The longest matching rule wins; one ending in `.` is a prefix."""
    best: Rename | Drop | None = None
    for rule in port.state if port is not None else ():
        old = rule.old if isinstance(rule, Rename) else rule.name
        longer = best is None or len(old) > len(best.old if isinstance(best, Rename) else best.name)
        if (name == old or (old.endswith(".") and name.startswith(old))) and longer:
            best = rule
    if best is None:
        return name
    return None if isinstance(best, Drop) else best.new + name[len(best.old) :]


def legacy_places(legacy: InstanceState, port: Port | None, label: str, kind: str) -> Iterator[tuple[str, tuple[Node, bool]]]:
    """What the new loss has to show at each place, and whether nothing may be there as well."""
    for name, node in legacy.state.items():
        renamed = state_name(port, name)
        if renamed is not None:
            for place, part in flatten(node, f"{kind}state[{label}{renamed}]"):
                yield place, (part, name in legacy.transient)
    for name, node in legacy.attributes.items():
        renamed = attribute_name(port, name)
        if renamed is not None:
            for place, part in flatten(node, f"{kind}attributes[{label}{renamed}]"):
                yield place, (part, False)
    if legacy.training is not None:
        yield f"{kind}attributes[{label}training]", (Plain(legacy.training), False)


def attribute_name(port: Port | None, name: str) -> str | None:
    """The new name of a legacy attribute; None where nothing need be there.

    Private attributes count only if a rule names them. A parameter rule speaks for the attribute of the same name too: training
    code has no other use for the attribute of a parameter that is gone.
    """
    private = None if name.startswith("_") else name
    for rule in (*port.attributes, *port.parameters) if port is not None else ():
        match rule:
            case Rename(old, new) if old == name:
                return new
            case Drop(old) | Refuse(old) if old == name:
                return None
            case Compute(_, expression) if name in _names(expression):
                return None
    return private


def _names(expression: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)}


def new_places(
    new: InstanceState, old: InstanceState | None, port: Port | None, label: str, kind: str
) -> Iterator[tuple[str, Node]]:
    """What it does show."""
    for name, node in new.state.items():
        if name not in new.transient or (old is not None and name in {state_name(port, known) for known in old.state}):
            yield from flatten(node, f"{kind}state[{label}{name}]")
    wanted = {attribute_name(port, known) for known in old.attributes} if old is not None else set()
    for name in sorted(item for item in wanted if item is not None):
        if name in new.attributes or name in new.state:
            yield from flatten(_readable(new, name), f"{kind}attributes[{label}{name}]")
    if new.training is not None:
        yield f"{kind}attributes[{label}training]", Plain(new.training)


def _readable(new: InstanceState, name: str) -> Node:
    """What training code reads under a name: a buffer or parameter is a tensor like any other to it."""
    node = new.attributes.get(name, new.state.get(name, ABSENT))
    return replace(node, holder="torch") if isinstance(node, Array) and name not in new.attributes else node


def forms(legacy: InstanceState, new: InstanceState, port: Port | None, label: str) -> Iterator[tuple[str, Node, Node]]:
    """How two losses are made, where it differs: place, legacy and new.

    The order of parameters, which an optimiser's saved state goes by; what `state_dict` keeps of that which both have; parts that
    both have, in training or evaluation mode, and of which classes; and burdens that the new loss alone has.
    """
    renamed = {name: state_name(port, name) for name in legacy.state}
    old = [renamed[name] for name in legacy.parameters if renamed[name] in new.parameters]
    found = [name for name in new.parameters if name in old]
    if old != found:
        yield f"{label}parameters", Plain(", ".join(map(str, old))), Plain(", ".join(found))
    for name, other in renamed.items():
        if other in new.state and (name in legacy.transient) != (other in new.transient):
            kept, left_out = Plain("kept by state_dict"), Plain("left out by state_dict")
            of = (left_out, kept) if name in legacy.transient else (kept, left_out)
            yield f"state_dict[{label}{other}]", *of
    for name, training in legacy.modes.items():
        part = (state_name(port, f"{name}.") or "").removesuffix(".")
        if part in new.modes and new.modes[part] != training:
            yield f"attributes[{label}{part}.training]", Plain(training), Plain(new.modes[part])
        kinds = legacy.layers.get(name, ())
        if part in new.modes and not set(kinds) <= set(new.layers.get(part, ())):
            yield f"layers[{label}{part}]", Plain(kinds[0]), Plain(", ".join(new.layers.get(part, ())) or "no layer of torch")
    for burden, (without, within) in BURDENS.items():
        if burden in new.burdens and burden not in legacy.burdens:
            yield f"{label}{burden}", Plain(without), Plain(f"{within} {', '.join(new.burdens[burden])}")
