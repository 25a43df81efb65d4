"""What a port changes, set against the signatures of both sides. Pure; `check` says whether it is complete."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lossport.project.port import Compute, Constant, Default, Drop, Key, Port, Refuse, Rename, Rule
from lossport.source.modules import Modules
from lossport.source.signatures import Parameter, Shape, Signature, shape_of


@dataclass(frozen=True)
class Binding:
    """One callable on both sides, and the rules between its arguments. A side that cannot be read is None."""

    legacy: Signature | None
    new: Signature | None
    rules: tuple[Rule, ...]
    what: str
    partial: bool = False
    """The call completes one made by `functools.partial`, which has said all that has to be said explicitly."""

    @cached_property
    def by_legacy(self) -> dict[str, Rename | Drop | Refuse]:
        """The rule for a legacy parameter."""
        found: dict[str, Rename | Drop | Refuse] = {}
        for rule in self.rules:
            if isinstance(rule, Rename):
                found[rule.old] = rule
            elif isinstance(rule, Drop | Refuse):
                found[rule.name] = rule
        return found

    @cached_property
    def computed(self) -> tuple[tuple[Compute, frozenset[str]], ...]:
        """Computed parameters with the legacy parameters that each is made from."""
        return tuple((rule, names_in(rule.expression)) for rule in self.rules if isinstance(rule, Compute))

    @cached_property
    def consumed(self) -> frozenset[str]:
        """Legacy parameters that go into a computed one."""
        return frozenset().union(*(names for _, names in self.computed))

    def new_name(self, legacy: str) -> str | None:
        """The new parameter that takes a legacy one's value as it is; None if there is none."""
        rule = self.by_legacy.get(legacy)
        if isinstance(rule, Rename):
            return rule.new
        if rule is not None:
            return None
        if self.new is None:
            return None if legacy in self.consumed else legacy
        taken = {r.name for r in self.rules if isinstance(r, Compute | Constant)}
        if legacy in taken:
            return None
        return legacy if self.new.get(legacy) is not None or self._positional_only(legacy) else None

    def _positional_only(self, name: str) -> bool:
        return self.new is not None and any(p.name == name and p.kind == "positional" for p in self.new.parameters)

    @cached_property
    def explicit(self) -> tuple[tuple[str, str], ...]:
        """New parameters that a call has to name where the legacy call leaves the value out, with their source."""
        return tuple(self._explicit())

    def _explicit(self) -> Iterator[tuple[str, str]]:
        if self.partial:
            return
        stated = {rule.name: repr(rule.value) for rule in self.rules if isinstance(rule, Default)}
        yield from stated.items()
        if self.legacy is None or self.new is None:
            return
        for parameter in self.legacy.parameters:
            name = self.new_name(parameter.name) if parameter.kind in ("either", "keyword", "positional") else None
            if name is None or name in stated or parameter.default is None:
                continue
            counterpart = next((p for p in self.new.parameters if p.name == name), None)
            if counterpart is not None and not same_default(parameter.default, counterpart.default):
                yield name, parameter.default

    @cached_property
    def constants(self) -> tuple[tuple[str, str], ...]:
        """New parameters that every call names."""
        if self.partial:
            return ()
        return tuple((rule.name, repr(rule.value)) for rule in self.rules if isinstance(rule, Constant))

    @cached_property
    def is_identity(self) -> bool:
        """Whether every legacy call means the same on the new side as it stands."""
        if self.rules or self.explicit:
            return False
        if self.legacy is None or self.new is None:
            return True
        old, new = self.legacy, self.new
        same_place = [p.name for p in new.positional[: len(old.positional)]] == [p.name for p in old.positional]
        named = all(self.new_name(p.name) == p.name for p in old.parameters if p.kind in ("either", "keyword"))
        rest = all(new.takes(kind) for kind in ("args", "kwargs") if old.takes(kind))
        return same_place and named and rest


def names_in(expression: str) -> frozenset[str]:
    """The names that an expression reads."""
    return frozenset(node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name))


def literal(source: str | None) -> tuple[bool, object]:
    """Whether the source is a literal, and its value with its type."""
    if source is None:
        return False, None
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return False, None
    return True, (type(value), value)


def same_default(first: str | None, second: str | None) -> bool:
    """Whether two defaults are the same: equal literals of one type, or the same source."""
    if first is None or second is None:
        return first is second
    a, b = literal(first), literal(second)
    return repr(_as_tuples(a[1])) == repr(_as_tuples(b[1])) if a[0] and b[0] else first == second


def _as_tuples(value: object) -> object:
    """The literal with its lists as tuples: a default is read, and no call site tells the two apart."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], type):  # as `literal` gives it
        return _as_tuples(value[1]) if isinstance(value[1], list | tuple) else value
    if isinstance(value, list | tuple):
        return tuple(_as_tuples(item) for item in value)
    return value


@dataclass(frozen=True)
class Contract:
    """A port with what the sources of both sides say."""

    port: Port
    legacy: Shape | None
    new: Shape | None
    settable: frozenset[str] = frozenset()
    """Properties of the legacy class that can be set."""

    @cached_property
    def constructor(self) -> Binding:
        """The symbol's own call."""
        legacy = self.legacy.signature if self.legacy else None
        new = self.new.signature if self.new else None
        return Binding(legacy, new, self.port.parameters, self.port.name)

    @cached_property
    def forward(self) -> Binding:
        """A call of an instance."""
        return self._method("forward", "forward", self.port.forward)

    def method(self, name: str) -> tuple[str, Binding]:
        """The new name of a method, and its arguments."""
        declared = self.port.methods.get(name)
        new = declared.new if declared else name
        return new, self._method(name, new, declared.rules if declared else ())

    def _method(self, legacy: str, new: str, rules: tuple[Rule, ...]) -> Binding:
        old_signature = self.legacy.methods.get(legacy) if self.legacy else None
        new_signature = self.new.methods.get(new) if self.new else None
        return Binding(old_signature, new_signature, rules, f"{self.port.name}.{legacy}")

    @cached_property
    def keys(self) -> dict[str, Key]:
        """What a call returns, by legacy path."""
        return {key.legacy: key for key in self.port.returns}

    def is_entry(self, path: tuple[str, ...]) -> bool:
        """Whether the path is an entry of the result that the port lists, or lies inside one."""
        return "" in self.keys or any(".".join(path[: cut + 1]) in self.keys for cut in range(len(path)))

    def changes_below(self, path: tuple[str, ...]) -> bool:
        """Whether a result, or this part of it, differs between the two sides."""
        start = ".".join(path)
        return any(changed(key) for name, key in self.keys.items() if not start or name == start or name.startswith(start + "."))

    @cached_property
    def attributes(self) -> dict[str, Rename | Drop]:
        """The rule for an attribute that changes. One for a parameter speaks for the attribute of the same name as well."""
        found = {_old_name(rule): rule for rule in self.port.attributes}
        own = (self.legacy.attributes if self.legacy else frozenset()) - (self.legacy.methods.keys() if self.legacy else set())
        for rule in self.port.parameters:
            if isinstance(rule, Rename | Drop) and _old_name(rule) in own and not self._has_both(rule):
                found.setdefault(_old_name(rule), rule)
        return found

    def _has_both(self, rule: Rename | Drop) -> bool:
        """Whether the new class has the attribute as it was, whatever became of the parameter."""
        if self.new is None or _old_name(rule) not in self.new.attributes:
            return False
        return isinstance(rule, Drop) or rule.new not in self.new.attributes

    @cached_property
    def moved(self) -> frozenset[str]:
        """Attributes and methods of an instance that are gone, or called or used otherwise."""
        methods = {name for name, method in self.port.methods.items() if method.new != name or method.rules}
        lost: set[str] = set()
        if self.legacy is not None and self.new is not None:
            known = {*self.legacy.methods, *self.legacy.attributes}
            lost = {name for name in known if not name.startswith("_") and not self.new.offers(name)}
        return frozenset({*self.attributes, *methods, *lost})

    @cached_property
    def moved_keys(self) -> frozenset[str]:
        """Entries of a result, and of what is inside one, that are gone or read otherwise."""
        paths = (key.path for key in self.keys.values() if changed(key) and not key.legacy.isdigit())
        return frozenset(step for path in paths for step in path if not step.isdigit())

    @cached_property
    def instance_changes(self) -> str:
        """Why an instance must not go where its uses cannot be followed; empty if any use of it stays right."""
        port = self.port
        if self.changes_below(()):
            return "what a call of it returns changes"
        if not self.forward.is_identity:
            return "how it is called changes"
        if port.methods or self.attributes:
            return "its methods or attributes change"
        return ""

    @cached_property
    def symbol_changes(self) -> str:
        """Why the symbol itself must not go where its calls cannot be followed; empty if any use of it stays right."""
        if not self.constructor.is_identity:
            return "its parameters change"
        return self.instance_changes


def _old_name(rule: Rename | Drop) -> str:
    return rule.old if isinstance(rule, Rename) else rule.name


def changed(key: Key) -> bool:
    """Whether an entry of a result is read differently on the new side."""
    return key.kind == "number" or key.new != key.legacy or "." in key.legacy or key.legacy.isdigit()


def contract_of(modules: Modules, port: Port) -> Contract:
    """The port with the sources of both sides."""
    return Contract(port, shape_of(modules, port.legacy), shape_of(modules, port.new), _settable(modules, port))


def _settable(modules: Modules, port: Port) -> frozenset[str]:
    """The names that the legacy class has a setter for: `@scale.setter`."""
    info = modules.load(port.module)
    body = info.tree.body if info is not None else []
    members = (member for node in body if isinstance(node, ast.ClassDef) and node.name == port.name for member in node.body)
    decorated = (d for member in members for d in getattr(member, "decorator_list", []))
    return frozenset(
        d.value.id for d in decorated if isinstance(d, ast.Attribute) and d.attr == "setter" and isinstance(d.value, ast.Name)
    )


def parameters_text(parameters: tuple[Parameter, ...]) -> str:
    """A signature as messages show it."""
    marks = {"args": "*", "kwargs": "**"}
    shown = [marks.get(p.kind, "") + p.name + (f"={p.default}" if p.default is not None else "") for p in parameters]
    return f"({', '.join(shown)})"
