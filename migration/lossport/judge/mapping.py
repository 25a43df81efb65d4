"""Legacy observations in the words of the new loss, through the port: what the new side has to show, place by place.

Applies `returns`, `state`, `attributes` and what the parameter rules imply. Does not compare values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from lossport.judge.mapped_losses import forms, legacy_places, new_places, state_name
from lossport.observe.observation import InstanceState, Step
from lossport.observe.value import Array, Call, Items, Node, Number, Plain, called_in, flatten
from lossport.project.port import Key, Port

Ports: TypeAlias = Mapping[str, Port]
"""Ports by their legacy symbol."""


@dataclass(frozen=True)
class Expected:
    """What the new side has to show at a place; `optional` where nothing may be there as well."""

    node: Node
    optional: bool = False


def expected_of(step: Step, new: Step, ports: Ports) -> dict[str, Expected]:
    """Every place of a legacy step, in the new words. The new step is needed to tell whole results from values read by key."""
    places: dict[str, Expected] = {}
    if step.raised is not None:
        places["raises"] = Expected(step.raised)
    if step.result is not None and new.raised is None:
        result = _result(step.result, new.result, ports)
        places.update({place: Expected(node) for place, node in _with_gradients(result, _parameter_names(step, ports))})
    for name, node in _changed(step, new).items():
        places.update({place: Expected(part) for place, part in flatten(node, f"inputs[{name}]")})
    if bool(step.raised) == bool(new.raised):
        rename = _parameter_names(step, ports)
        places.update({f"gradients[{rename(name) or name}.grad]": Expected(node) for name, node in step.fields.items()})
    if step.carried is not None:
        places["carried"] = Expected(step.carried)
    places.update(_legacy_losses(step, new, ports))
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
    for name, node in _changed(step, legacy).items():
        places.update(flatten(node, f"inputs[{name}]"))
    if bool(step.raised) == bool(legacy.raised):
        places.update({f"gradients[{name}.grad]": node for name, node in step.fields.items()})
    if step.carried is not None:
        places["carried"] = step.carried
    places.update(_new_losses(step, legacy, ports))
    if step.raised is None and legacy.raised is None:
        places.update({place: found.node for place, found in _process(step, _random_is_compared(legacy, ports))})
    return places


# ---- steps that raise


def _changed(step: Step, other: Step) -> Mapping[str, Node]:
    """The changed inputs that can be compared: where a side raises, it may not have come to draw the rest."""
    if step.raised is None and other.raised is None:
        return step.inputs
    if step.raised is None or other.raised is None:
        return {}
    return {name: node for name, node in step.inputs.items() if name in other.inputs}


def _losses(
    step: Step, other: Step
) -> Iterator[tuple[str, int | None, Mapping[str, InstanceState], Mapping[str, InstanceState]]]:
    """Losses as built and as they stand, how many there are, and those of the other side, as far as they can be compared.

    Where one side alone raises, that says it all: what the other one went on to do has no counterpart. Where both raise, they may
    do so early or late, which the number of losses tells; those that both have built are compared.
    """
    either, both = step.raised or other.raised, step.raised and other.raised
    for kind, mine, others in (("construction: ", step.built, other.built), ("", step.instances, other.instances)):
        if not either:
            yield kind, len(mine), mine, others
        elif both or kind:
            yield kind, None if kind else len(mine), {label: item for label, item in mine.items() if label in others}, others


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
        entries = tuple((key, _result(item, partners.get(key), ports)) for key, item in legacy.entries)
        return replace(legacy, entries=entries)
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
    ties = legacy.ties if isinstance(legacy, Items) else frozenset()
    return Items(kind if is_dict else "dict", tuple(found), ordered=is_dict, ties=ties)


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

    def __init__(self, instances: Mapping[str, InstanceState], ports: Ports) -> None:
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


# ---- losses


def _legacy_losses(step: Step, new: Step, ports: Ports) -> Iterator[tuple[str, Expected]]:
    for kind, count, instances, others in _losses(step, new):
        if count is not None:
            yield f"{kind}instances", Expected(Plain(count))
        for label, legacy in instances.items():
            port = ports.get(legacy.symbol)
            for place, told in legacy_places(legacy, port, label, kind):
                yield place, Expected(*told)
            if label in others:
                for place, old, _ in forms(legacy, others[label], port, label):
                    yield f"{kind}{place}", Expected(old)


def _new_losses(step: Step, legacy: Step, ports: Ports) -> Iterator[tuple[str, Node]]:
    for kind, count, instances, before in _losses(step, legacy):
        if count is not None:
            yield f"{kind}instances", Plain(count)
        for label, new in instances.items():
            old = before.get(label)
            port = ports.get(old.symbol) if old else None
            yield from new_places(new, old, port, label, kind)
            if old is not None:
                for place, _, found in forms(old, new, port, label):
                    yield f"{kind}{place}", found


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
