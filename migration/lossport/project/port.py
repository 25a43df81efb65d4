"""The port: how one legacy symbol becomes a new one.

A port file (`migration/ports/<loss>.py`) holds one tuple, `PORTS`, of `Port` and `Gone` values built from the small
vocabulary below. It is the only mapping there is: the codemod rewrites call sites from it, and parity compares through it.

    PORTS = (
        Port(
            legacy="legacy.clip_style_loss.CLIPStyleLoss",
            new="losses.CLIPLoss",
            parameters=(drop("use_hard_negatives", reason="clip-3: stored, never read"),),
            returns=(tensor("loss"), number("v2t_loss"), number("recalls.v2t_recall@1", "v2t_recall@1")),
        ),
        Gone("legacy.clip_style_loss.extract_file_metadata", reason="clip-15: prose about the file; nothing reads it"),
    )

A parameter, attribute, method or state entry that no rule names keeps its name and meaning. Nothing here imports torch.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
"""A value that a port may write into source code: its `repr` is its literal."""


class PortError(ValueError):
    """A port that contradicts itself or the sources it maps; the message says which rule and what was expected."""


def _check_name(name: str, role: str) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise PortError(f"{role}: {name!r} is not a Python name")


@dataclass(frozen=True)
class Rename:
    """`old` becomes `new`, same meaning."""

    old: str
    new: str


@dataclass(frozen=True)
class Drop:
    """`name` is gone. Given at a call site it is removed when its value is free of effects, and refused otherwise.

    With `only`, it is removed for those literal values alone; any other value is refused with the reason.
    """

    name: str
    reason: str
    only: tuple[Scalar, ...] | None = None


@dataclass(frozen=True)
class Refuse:
    """`name` has no successor: a call site that gives it needs a person."""

    name: str
    reason: str


@dataclass(frozen=True)
class Default:
    """Where the legacy call leaves `name` (the new parameter) out, the new call says `name=value`.

    Needed only where the codemod cannot see it: two literal defaults that differ are made explicit without a rule.
    """

    name: str
    value: Scalar


@dataclass(frozen=True)
class Constant:
    """Every new call says `name=value`."""

    name: str
    value: Scalar


@dataclass(frozen=True)
class Compute:
    """The new parameter `name` is `expression`, Python source over legacy parameters, when any of those is given."""

    name: str
    expression: str


Rule: TypeAlias = Rename | Drop | Refuse | Default | Constant | Compute


def rename(old: str, new: str) -> Rename:
    """Map `old` to `new`: a parameter, attribute, method or state entry.

    >>> rename("T", "temperature")
    Rename(old='T', new='temperature')
    """
    return Rename(old, new)


def drop(name: str, *, reason: str, only: tuple[Scalar, ...] | None = None) -> Drop:
    """Remove `name` at call sites; see `Drop`."""
    return Drop(name, reason, only)


def refuse(name: str, *, reason: str) -> Refuse:
    """Stop the migration at call sites that give `name`; see `Refuse`."""
    return Refuse(name, reason)


def default(name: str, value: Scalar) -> Default:
    """Make a default explicit; see `Default`."""
    return Default(name, value)


def constant(name: str, value: Scalar) -> Constant:
    """Pass `name=value` in every call; see `Constant`."""
    return Constant(name, value)


def compute(name: str, expression: str) -> Compute:
    """Pass `name=<expression over the legacy arguments>`; see `Compute`."""
    return Compute(name, expression)


@dataclass(frozen=True)
class Key:
    """One entry of what a call returns.

    `legacy` is a path into the legacy result: keys and tuple indices joined by dots (`"recalls.v2t_recall@1"`,
    `"1.diagonal_loss"`; `""` is the result itself). `new` is the key of the new result, a flat dictionary; None if the
    entry is gone, and `""` if the new result is not a dictionary. `kind` says how the legacy type became the new one:
    `tensor` is unchanged; `number` was a Python number and is now a detached 0-d tensor, so reading it gains `.item()`;
    `same` is any other object, unchanged.
    """

    legacy: str
    new: str | None
    kind: Literal["tensor", "number", "same"]
    reason: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The steps into the legacy result."""
        return tuple(self.legacy.split(".")) if self.legacy else ()


def tensor(legacy: str, new: str | None = None) -> Key:
    """An entry that is a tensor on both sides.

    >>> tensor("0", "loss").path
    ('0',)
    """
    return Key(legacy, legacy if new is None else new, "tensor")


def number(legacy: str, new: str | None = None) -> Key:
    """An entry that was a Python number and is a detached 0-d tensor now."""
    return Key(legacy, legacy if new is None else new, "number")


def same(legacy: str, new: str | None = None) -> Key:
    """An entry of any other type (a string, a list ...), equal on both sides."""
    return Key(legacy, legacy if new is None else new, "same")


def gone_key(legacy: str, *, reason: str) -> Key:
    """An entry that the new result does not have."""
    return Key(legacy, None, "same", reason)


@dataclass(frozen=True)
class Divergence:
    """An intended difference: `id` and `reason`, and exactly where it may show.

    `cases` are glob patterns over case names (a derived variant is `case@variant`), `places` over what is observed, such as
    `returns["loss"]`, `gradients[*]`, `state[*]`, `attributes[*]`, `random.torch`, `raises`, `warnings`, `*`. Where a dtype or a
    graph differs, the numbers have a place of their own: `values of returns["loss"]`.
    A difference elsewhere is a failure, and so is a divergence that no case shows any more. `cases` and `places` are matched with
    `[` and `]` literal: only `*` and `?` are special.
    """

    id: str
    reason: str
    cases: tuple[str, ...]
    places: tuple[str, ...] = ("*",)
    devices: tuple[str, ...] = ("*",)


def divergence(
    id: str,
    reason: str,
    *,
    cases: tuple[str, ...] | str,
    places: tuple[str, ...] | str = ("*",),
    devices: tuple[str, ...] | str = ("*",),
) -> Divergence:
    """Declare an intended difference; see `Divergence`."""

    def as_tuple(value: tuple[str, ...] | str) -> tuple[str, ...]:
        return (value,) if isinstance(value, str) else tuple(value)

    return Divergence(id, reason, as_tuple(cases), as_tuple(places), as_tuple(devices))


@dataclass(frozen=True)
class Acknowledged:
    """A refusal that a person has looked at: `path` (glob), a piece of its code line, and why it may stand."""

    path: str
    code: str
    reason: str


def acknowledge(path: str, code: str, *, reason: str) -> Acknowledged:
    """Let one refused call site stand; see `Acknowledged`."""
    return Acknowledged(path, code, reason)


@dataclass(frozen=True)
class Method:
    """What happens to one method: its new name and the rules for its arguments."""

    new: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Port:
    """How one legacy class or function becomes a new one.

    Args:
        legacy: dotted path of the legacy symbol, module and name.
        new: dotted path by which call sites import the new one.
        parameters: rules for the arguments of the symbol's own call (the constructor, or the function).
        forward: rules for the arguments of a call of an instance.
        methods: methods by legacy name that were renamed or whose arguments changed.
        returns: what a call of the instance (or of the function) returns, entry by entry; empty if unchanged.
        attributes: rules for attributes that call sites read or set.
        state: rules for the names of `state_dict`; a name ending in `.` is a prefix.
        random: `stream` if the new loss draws the same numbers, `distribution` if only their distribution is equal.
        random_reason: why the stream differs; required with `distribution`.
        divergences: the intended differences.
        acknowledged: refusals that may stand.
    """

    legacy: str
    new: str
    parameters: tuple[Rule, ...] = ()
    forward: tuple[Rule, ...] = ()
    methods: Mapping[str, Method] = field(default_factory=lambda: MappingProxyType({}))
    returns: tuple[Key, ...] = ()
    attributes: tuple[Rename | Drop, ...] = ()
    state: tuple[Rename | Drop, ...] = ()
    random: Literal["stream", "distribution"] = "stream"
    random_reason: str = ""
    divergences: tuple[Divergence, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()

    def __post_init__(self) -> None:
        for path, role in ((self.legacy, "legacy"), (self.new, "new")):
            if path.count(".") < 1:
                raise PortError(f"{role}={path!r}: expected a dotted path, module and name, such as 'package.module.Name'")
            for part in path.split("."):
                _check_name(part, f"{role}={path!r}")
        for rules, role in ((self.parameters, "parameters"), (self.forward, "forward")):
            _check_rules(rules, f"port of {self.legacy}, {role}")
        for name, method in self.methods.items():
            _check_name(name, f"port of {self.legacy}, methods")
            _check_name(method.new, f"port of {self.legacy}, method {name}")
            _check_rules(method.rules, f"port of {self.legacy}, method {name}")
        if self.random == "distribution" and not self.random_reason:
            raise PortError(f"port of {self.legacy}: random='distribution' needs random_reason: why the stream differs")
        seen: set[str] = set()
        for key in self.returns:
            if key.legacy in seen:
                raise PortError(f"port of {self.legacy}: returns names {key.legacy!r} twice")
            seen.add(key.legacy)
        ids = [item.id for item in self.divergences]
        if len(set(ids)) != len(ids):
            raise PortError(f"port of {self.legacy}: two divergences share an id: {sorted(ids)}")

    @property
    def module(self) -> str:
        """The legacy module."""
        return self.legacy.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The legacy name in its module."""
        return self.legacy.rpartition(".")[2]


@dataclass(frozen=True)
class Gone:
    """A public legacy symbol without a successor; a call site that uses it needs a person."""

    legacy: str
    reason: str

    @property
    def module(self) -> str:
        """The legacy module."""
        return self.legacy.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The legacy name in its module."""
        return self.legacy.rpartition(".")[2]


def _check_rules(rules: tuple[Rule, ...], where: str) -> None:
    """Reject two rules for one name, names that are none, and expressions that do not parse."""
    taken: set[tuple[str, str]] = set()

    def claim(side: str, name: str) -> None:
        _check_name(name, where)
        if (side, name) in taken:
            raise PortError(f"{where}: two rules for the {side} parameter {name!r}")
        taken.add((side, name))

    for rule in rules:
        match rule:
            case Rename(old, new):
                claim("legacy", old)
                claim("new", new)
            case Drop(name) | Refuse(name):
                claim("legacy", name)
            case Default(name) | Constant(name):
                claim("new", name)
            case Compute(name, expression):
                claim("new", name)
                try:
                    ast.parse(expression, mode="eval")
                except SyntaxError as error:
                    raise PortError(f"{where}: {expression!r} is not a Python expression: {error.msg}") from error
