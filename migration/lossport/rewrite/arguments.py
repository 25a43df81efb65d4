"""The arguments of one call, mapped from a legacy signature to a new one.

Pure: a call and a binding in, a plan or a refusal out.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from lossport.port import Compute, Drop, Refuse
from lossport.rewrite.contract import Binding, literal
from lossport.rewrite.listing import Listing, argument_value, call_listing
from lossport.rewrite.purity import free_of_effects


@dataclass(frozen=True)
class Given:
    """One argument as the call gives it. `legacy` is the parameter it is bound to; None for `*` and `**`."""

    index: int
    node: ast.expr
    legacy: str | None
    keyword: str | None
    star: str = ""


@dataclass(frozen=True)
class Keep:
    """The argument stays as it is."""


@dataclass(frozen=True)
class Take:
    """The argument is removed."""


@dataclass(frozen=True)
class Name:
    """The argument is given by this keyword."""

    keyword: str


@dataclass(frozen=True)
class Write:
    """The argument is written anew."""

    text: str


Action = Keep | Take | Name | Write


@dataclass(frozen=True)
class ArgumentPlan:
    """What happens to each argument in the order of the source, and what is added at the end."""

    actions: tuple[Action, ...]
    added: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether anything happens at all."""
        return bool(self.added) or any(not isinstance(action, Keep) for action in self.actions)

    def apply(self, text: str) -> str:
        """The call expression with its arguments changed."""
        listing = call_listing(text)
        for index in reversed(range(len(self.actions))):
            listing = _act(listing, index, self.actions[index])
        for added in self.added:
            if len(listing.items) == 1 and "=" not in listing.items[0].text:
                listing = listing.change(0, _bracketed(listing.items[0].text))
            listing = listing.add(added)
        return listing.render()


def _act(listing: Listing, index: int, action: Action) -> Listing:
    match action:
        case Take():
            return listing.remove(index)
        case Name(keyword):
            return listing.change(index, f"{keyword}={argument_value(listing.items[index].text)}")
        case Write(text):
            return listing.change(index, text)
        case Keep():
            return listing


def _bracketed(text: str) -> str:
    """A lone generator expression needs its own brackets once there is a second argument."""
    value = argument_value(text)
    return value if value != text and value == f"({text})" else text


@dataclass(frozen=True)
class Unmapped:
    """Why the call cannot be mapped, and what a person should do; `node` is the place."""

    node: ast.expr
    reason: str
    todo: str


def map_arguments(call: ast.Call, binding: Binding, source_of: dict[ast.expr, str]) -> ArgumentPlan | Unmapped:
    """The plan for one call. `source_of` gives the source of every argument (what goes into computed ones)."""
    if binding.is_identity:
        return ArgumentPlan(tuple(Keep() for _ in (*call.args, *call.keywords)), ())
    given = bind(call, binding)
    if isinstance(given, Unmapped):
        return given
    return _Mapper(call, binding, given, source_of).plan()


def bind(call: ast.Call, binding: Binding) -> tuple[Given, ...] | Unmapped:
    """Which parameter each argument is for, in the order of the source."""
    order = sorted([*call.args, *(k.value for k in call.keywords)], key=lambda n: (n.lineno, n.col_offset))
    names = {k.value: k.arg for k in call.keywords}
    given: list[Given] = []
    positions = iter(range(len(call.args)))
    for index, node in enumerate(order):
        if node in names:
            keyword = names[node]
            given.append(Given(index, node, keyword, keyword, "" if keyword else "**"))
        elif isinstance(node, ast.Starred):
            given.append(Given(index, node, None, None, "*"))
        else:
            bound = _positional(binding, next(positions))
            if isinstance(bound, Unmapped):
                return Unmapped(node, bound.reason, bound.todo)
            given.append(Given(index, node, bound, None))
    for item in given:
        if item.star:
            what = "arguments unpacked with " + item.star
            return Unmapped(
                item.node,
                f"{what} cannot be seen, and the parameters of {binding.what} change",
                "write the arguments out by name",
            )
    return tuple(given)


def _positional(binding: Binding, position: int) -> str | Unmapped:
    place = ast.Constant(None)
    if binding.legacy is None:
        return Unmapped(
            place,
            f"the order of the parameters of {binding.what} is not known: its source is not in the project",
            "give the arguments by name",
        )
    listed = binding.legacy.positional
    if position >= len(listed):
        return Unmapped(
            place,
            f"more positional arguments than {binding.what} takes ({len(listed)})",
            "correct the call: it fails on the legacy side too",
        )
    return listed[position].name


class _Mapper:
    """Goes through the arguments of one call in order."""

    def __init__(self, call: ast.Call, binding: Binding, given: Sequence[Given], source_of: dict[ast.expr, str]) -> None:
        self.binding = binding
        self.given = given
        self.source_of = source_of
        self.keep_position = True
        self.position = 0
        self.filled: set[str] = set()

    def plan(self) -> ArgumentPlan | Unmapped:
        actions: list[Action] = []
        for item in self.given:
            action = self.action(item)
            if isinstance(action, Unmapped):
                return action
            actions.append(action)
        computed = self.compute(actions)
        if isinstance(computed, Unmapped):
            return computed
        added = [
            f"{name}={value}" for name, value in (*self.binding.explicit, *self.binding.constants) if name not in self.filled
        ]
        return ArgumentPlan(tuple(actions), (*computed, *added))

    def action(self, item: Given) -> Action | Unmapped:
        """What happens to one argument, by the rule for it or by its name."""
        assert item.legacy is not None
        rule = self.binding.by_legacy.get(item.legacy)
        if isinstance(rule, Refuse):
            return Unmapped(item.node, f"gives {item.legacy!r}: {rule.reason}", "decide what the new call should say instead")
        if isinstance(rule, Drop):
            return self.drop(item, rule)
        name = self.binding.new_name(item.legacy)
        if name is None and item.legacy in self.binding.consumed:
            self.keep_position = False
            return Take()
        return self.unknown(item) if name is None or self.swallowed(item, name) else self.give(item, name)

    def give(self, item: Given, name: str) -> Action:
        """The argument goes to a new parameter: by position as long as the order is the same, else by name."""
        self.filled.add(name)
        if item.keyword is not None:
            return Keep() if item.keyword == name else Name(name)
        if self.keep_position and self.stays_in_place(name):
            self.position += 1
            return Keep()
        self.keep_position = False
        return Name(name)

    def stays_in_place(self, name: str) -> bool:
        if self.binding.new is None:
            return not self.binding.rules
        listed = self.binding.new.positional
        return self.position < len(listed) and listed[self.position].name == name

    def swallowed(self, item: Given, name: str) -> bool:
        """A keyword that only the legacy `**kwargs` took and the new signature does not take."""
        legacy, new = self.binding.legacy, self.binding.new
        if legacy is None or new is None or any(p.name == item.legacy for p in legacy.parameters):
            return False
        return not new.takes("kwargs") and all(p.name != name for p in new.parameters)

    def unknown(self, item: Given) -> Unmapped:
        legacy = self.binding.legacy
        swallowed = legacy is not None and legacy.takes("kwargs")
        reason = f"gives {item.legacy!r}, which the new side does not take"
        return Unmapped(
            item.node,
            reason + (" (the legacy side accepts any keyword)" if swallowed else ""),
            f"remove the argument, or add a rule for {item.legacy!r} to the port",
        )

    def drop(self, item: Given, rule: Drop) -> Action | Unmapped:
        self.keep_position = False
        if rule.only is not None:
            known, value = literal(ast.unparse(item.node))
            if not known or value not in [literal(repr(allowed))[1] for allowed in rule.only]:
                allowed = ", ".join(map(repr, rule.only))
                return Unmapped(
                    item.node,
                    f"gives {rule.name!r} another value than {allowed}: {rule.reason}",
                    "decide what the new call should say instead",
                )
        elif not free_of_effects(item.node):
            return Unmapped(
                item.node,
                f"{rule.name!r} is dropped ({rule.reason}), but its value may have effects that would be lost",
                "compute the value in a statement of its own before the call, then remove the argument",
            )
        return Take()

    def compute(self, actions: list[Action]) -> tuple[str, ...] | Unmapped:
        added: list[str] = []
        for rule, names in self.binding.computed:
            parts = [item for item in self.given if item.legacy in names]
            if not parts:
                continue
            text = self.expression(rule, names, parts)
            if isinstance(text, Unmapped):
                return text
            self.filled.add(rule.name)
            place = next((p.index for p in parts if isinstance(actions[p.index], Take)), None)
            if place is None:
                added.append(f"{rule.name}={text}")
            else:
                actions[place] = Write(f"{rule.name}={text}")
        return tuple(added)

    def expression(self, rule: Compute, names: frozenset[str], parts: list[Given]) -> str | Unmapped:
        """The rule's expression with the arguments, or the legacy defaults, in the place of the parameters."""
        values = {item.legacy: item.node for item in parts if item.legacy is not None}
        reads = [n.id for n in ast.walk(ast.parse(rule.expression, mode="eval")) if isinstance(n, ast.Name)]
        for name, node in values.items():
            if not free_of_effects(node) and (reads.count(name) > 1 or len(values) > 1):
                return Unmapped(
                    node,
                    f"{rule.name!r} is computed from {name!r}, whose value may have effects",
                    "put the value into a variable before the call",
                )
        texts = {name: self.source_of[node] for name, node in values.items()}
        for parameter in self.binding.legacy.parameters if self.binding.legacy else ():
            if parameter.name in names and parameter.name not in texts and parameter.default is not None:
                texts[parameter.name] = parameter.default
        known = {p.name for p in self.binding.legacy.parameters} if self.binding.legacy else names
        missing = sorted(name for name in names & known if name not in texts)
        if missing:
            return Unmapped(parts[0].node, f"{rule.name!r} is computed from {missing[0]!r}, which is not given", "give it")
        return substitute(rule.expression, texts)


def substitute(expression: str, texts: dict[str, str]) -> str:
    """An expression with source text in the place of some names, bracketed where it needs to be.

    >>> substitute("1 / T", {"T": "a + b"})
    '1 / (a + b)'
    """
    tree = ast.parse(expression, mode="eval")
    names = sorted(
        (n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in texts), key=lambda n: n.col_offset, reverse=True
    )
    for node in names:
        text = texts[node.id]
        alone = expression.strip() == node.id
        simple = isinstance(ast.parse(text, mode="eval").body, ast.Name | ast.Constant | ast.Attribute | ast.Call | ast.Subscript)
        shown = text if simple or alone else f"({text})"
        expression = expression[: node.col_offset] + shown + expression[node.end_col_offset :]
    return expression
