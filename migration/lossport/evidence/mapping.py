"""Legacy observations in the words of the new loss, through the port: what the new side has to show, place by place.

Applies `returns`, `state`, `attributes` and what the parameter rules imply. Does not compare values.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from lossport.evidence.observation import Instance, Step
from lossport.evidence.value import Array, Call, Items, Node, Number, Plain, called_in, flatten
from lossport.port import Compute, Drop, Key, Port, Refuse, Rename

Ports: TypeAlias = Mapping[str, Port]
"""Ports by their legacy symbol."""


@dataclass(frozen=True)
class Expected:
    """What the new side has to show at a place; `optional` where nothing may be there as well."""

    node: Node
    optional: bool = False


ABSENT = Plain(None)


def expected_of(step: Step, new: Step, ports: Ports) -> dict[str, Expected]:
    """Every place of a legacy step, in the new words. The new step is needed to tell whole results from values read by key."""
    places: dict[str, Expected] = {}
    if step.raised is not None:
        places["raises"] = Expected(step.raised)
    if step.result is not None and new.raised is None:
        result = _result(step.result, new.result, ports)
        places.update({place: Expected(node) for place, node in _with_gradients(result, _parameter_names(step, ports))})
    for name, node in step.inputs.items():
        places.update({place: Expected(part) for place, part in flatten(node, f"inputs[{name}]")})
    rename = _parameter_names(step, ports)
    places.update({f"gradients[{rename(name) or name}.grad]": Expected(node) for name, node in step.fields.items()})
    if step.carried is not None:
        places["carried"] = Expected(step.carried)
    for kind, instances, others in (("construction: ", step.built, new.built), ("", step.instances, new.instances)):
        places["instances" if not kind else "construction: instances"] = Expected(Plain(len(instances)))
        for label, legacy in instances.items():
            port = ports.get(legacy.symbol)
            places.update(_instance(legacy, port, label, kind))
            if label in others:
                places.update({f"{kind}{place}": Expected(old) for place, old, _ in _form(legacy, others[label], port, label)})
    if step.raised is None and new.raised is None:
        places.update(_process(step, _random_is_compared(step, ports)))
    return places


def actual_of(step: Step, legacy: Step, ports: Ports) -> dict[str, Node]:
    """Every place of a new step, named in the same way."""
    places: dict[str, Node] = {}
    if step.raised is not None:
        places["raises"] = step.raised
    if step.result is not None and legacy.raised is None:
        places.update(_with_gradients(step.result, lambda name: name))
    for name, node in step.inputs.items():
        places.update(flatten(node, f"inputs[{name}]"))
    places.update({f"gradients[{name}.grad]": node for name, node in step.fields.items()})
    if step.carried is not None:
        places["carried"] = step.carried
    for kind, instances, before in (("construction: ", step.built, legacy.built), ("", step.instances, legacy.instances)):
        places["instances" if not kind else "construction: instances"] = Plain(len(instances))
        for label, new in instances.items():
            old = before.get(label)
            port = ports.get(old.symbol) if old else None
            places.update(_new_instance(new, old, port, label, kind))
            if old is not None:
                places.update({f"{kind}{place}": found for place, _, found in _form(old, new, port, label)})
    if step.raised is None and legacy.raised is None:
        places.update({place: found.node for place, found in _process(step, _random_is_compared(legacy, ports))})
    return places


# ---- results


def _result(legacy: Node, new: Node | None, ports: Ports) -> Node:
    """The legacy result in new words, where the new result is a whole one too; a value that was read by key stays as it is."""
    if isinstance(legacy, Call):
        port = ports.get(legacy.symbol)
        if port is None or not port.returns or not isinstance(new, Call):
            return legacy.node
        return mapped_result(legacy.node, port)
    if isinstance(legacy, Items) and isinstance(new, Items):
        partners = dict(new.entries)
        return Items(legacy.kind, tuple((key, _result(item, partners.get(key), ports)) for key, item in legacy.entries))
    return legacy


def mapped_result(legacy: Node, port: Port) -> Node:
    """What one call returned, through the port's `returns`."""
    rules = {key.path: key for key in port.returns}
    if () in rules:
        return _root(legacy, rules[()])
    found: list[tuple[str | int, Node]] = []
    _collect(legacy, (), rules, found)
    whole = next((node for name, node in found if name == ""), None)
    if whole is not None:
        return whole
    kind = legacy.kind if isinstance(legacy, Items) else "dict"
    is_dict = kind not in ("tuple", "list")
    return Items(kind if is_dict else "dict", tuple(found), ordered=is_dict)


def _root(legacy: Node, rule: Key) -> Node:
    node = _typed(legacy, rule)
    if rule.new:
        return Items("dict", ((rule.new, node),), ordered=False)
    return node


def _collect(
    node: Node, path: tuple[str, ...], rules: Mapping[tuple[str, ...], Key], found: list[tuple[str | int, Node]]
) -> None:
    """Gather the entries of the flat new dictionary, in legacy order; what no rule names keeps its name."""
    rule = rules.get(path)
    if rule is not None:
        if rule.new is not None:
            found.append((rule.new, _typed(node, rule)))
    elif isinstance(node, Items) and (not path or any(known[: len(path)] == path for known in rules)):
        for key, item in node.entries:
            _collect(item, (*path, *str(key).split(".")), rules, found)
    else:
        found.append((".".join(path), node))


def _typed(node: Node, rule: Key) -> Node:
    if rule.kind == "number" and isinstance(node, Plain | Array):
        return Number(node)
    return node


def _with_gradients(result: Node, rename: Callable[[str], str | None]) -> Iterator[tuple[str, Node]]:
    for place, node in flatten(result, "returns"):
        yield place, node
        inner = node.node if isinstance(node, Number) else node
        if isinstance(inner, Array) and not isinstance(node, Number):
            of = "" if place in ("returns", 'returns["loss"]') else f" of {place}"
            for name, gradient in inner.gradients.items():
                new_name = rename(name)
                if new_name is not None:
                    yield f"gradients[{new_name}{of}]", gradient


class Renaming:
    """From a legacy gradient's name to the new one; None where the port drops it."""

    def __init__(self, instances: Mapping[str, Instance], ports: Ports) -> None:
        self._instances, self._ports = instances, ports

    def __call__(self, name: str) -> str | None:
        if name.startswith("second "):
            renamed = self(name.removeprefix("second "))
            return None if renamed is None else f"second {renamed}"
        if not name.startswith("parameter "):
            return name
        full = name.removeprefix("parameter ")
        for label, legacy in sorted(self._instances.items(), key=lambda item: -len(item[0])):
            if full.startswith(label) and full.removeprefix(label) in legacy.state:
                renamed = state_name(self._ports.get(legacy.symbol), full.removeprefix(label))
                return None if renamed is None else f"parameter {label}{renamed}"
        return name


def _parameter_names(step: Step, ports: Ports) -> Renaming:
    return Renaming(step.instances, ports)


# ---- losses as they stand


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


def _instance(legacy: Instance, port: Port | None, label: str, kind: str) -> Iterator[tuple[str, Expected]]:
    for name, node in legacy.state.items():
        renamed = state_name(port, name)
        if renamed is not None:
            for place, part in flatten(node, f"{kind}state[{label}{renamed}]"):
                yield place, Expected(part, optional=name in legacy.transient)
    for name, node in legacy.attributes.items():
        renamed = attribute_name(port, name)
        if renamed is not None:
            for place, part in flatten(node, f"{kind}attributes[{label}{renamed}]"):
                yield place, Expected(part)
    if legacy.training is not None:
        yield f"{kind}attributes[{label}training]", Expected(Plain(legacy.training))


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


def _new_instance(new: Instance, old: Instance | None, port: Port | None, label: str, kind: str) -> Iterator[tuple[str, Node]]:
    for name, node in new.state.items():
        if name not in new.transient or (old is not None and name in {state_name(port, known) for known in old.state}):
            yield from flatten(node, f"{kind}state[{label}{name}]")
    wanted = {attribute_name(port, known) for known in old.attributes} if old is not None else set()
    for name in sorted(item for item in wanted if item is not None):
        if name in new.attributes or name in new.state:
            yield from flatten(_readable(new, name), f"{kind}attributes[{label}{name}]")
    if new.training is not None:
        yield f"{kind}attributes[{label}training]", Plain(new.training)


def _readable(new: Instance, name: str) -> Node:
    """What training code reads under a name: a buffer or parameter is a tensor like any other to it."""
    node = new.attributes.get(name, new.state.get(name, ABSENT))
    return replace(node, holder="torch") if isinstance(node, Array) and name not in new.attributes else node


def _form(legacy: Instance, new: Instance, port: Port | None, label: str) -> Iterator[tuple[str, Node, Node]]:
    """How two losses are made, where it differs: place, legacy and new.

    The order of parameters, which an optimiser's saved state goes by; what `state_dict` keeps of that which both have; parts that
    both have, in training or evaluation mode; and a graph that the new loss alone keeps alive.
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
    if new.graphs and not legacy.graphs:
        yield f"{label}graph", Plain("not kept"), Plain(f"kept alive by {', '.join(new.graphs)}")


# ---- the process


def _random_is_compared(step: Step, ports: Ports) -> bool:
    """Not where a loss that this step uses draws another stream by declaration."""
    used = {instance.symbol for instance in step.instances.values()} | set(called_in(step.result))
    return not any(port.random == "distribution" for symbol, port in ports.items() if symbol in used)


def _process(step: Step, with_random: bool) -> Iterator[tuple[str, Expected]]:
    if with_random:
        for name, state in step.random.items():
            yield f"random.{name}", Expected(Plain(state))
    if step.warnings.kinds:
        yield "warnings", Expected(step.warnings)
    for name, value in step.settings.items():
        yield f"settings[{name}]", Expected(Plain(value))
