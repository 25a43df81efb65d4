"""The arguments of one call, mapped from a legacy signature to a new one.

Pure: a call and a binding in, a plan or a refusal out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from lossport.project.port import Compute, Drop, Refuse
from lossport.rewrite.argument_listing import Listing, argument_value, call_listing, display_listing
from lossport.rewrite.contract import Binding, literal
from lossport.rewrite.expressions import decided, substitute
from lossport.rewrite.literals import like
from lossport.rewrite.purity import free_of_effects


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
    """The argument is written anew: the keyword, and the source of its value."""

    keyword: str
    text: str


Action: TypeAlias = Keep | Take | Name | Write


@dataclass(frozen=True)
class Options:
    """A dictionary that a call unpacks with `**`: its display (or call of `dict`), and its entries in order."""

    display: ast.Dict | ast.Call
    entries: tuple[tuple[str, ast.expr], ...]


@dataclass(frozen=True)
class Unmapped:
    """Why something cannot be mapped, and what a person should do; `node` is the place, None for the call itself."""

    node: ast.expr | None
    reason: str
    todo: str


OptionsOf: TypeAlias = Callable[[ast.expr], Options | Unmapped]


@dataclass(frozen=True)
class Place:
    """Where an argument stands: its number in the call, or in the display of an unpacked dictionary."""

    holder: ast.expr
    index: int


@dataclass(frozen=True)
class Given:
    """One argument, and the legacy parameter that it is for; `by_position` if no name is given."""

    place: Place
    node: ast.expr
    legacy: str
    by_position: bool


@dataclass(frozen=True)
class CallEdit:
    """What happens to the arguments of a call, in the order of the source, and what is added at the end."""

    actions: tuple[Action, ...]
    added: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything happens at all."""
        return bool(self.added) or any(not isinstance(action, Keep) for action in self.actions)

    def __call__(self, text: str) -> str:
        """The call expression with its arguments changed."""
        listing = call_listing(text)
        for index in reversed(range(len(self.actions))):
            listing = _act(listing, index, self.actions[index])
        for added in self.added:
            if len(listing.items) == 1:
                listing = listing.change(0, _bracketed(listing.items[0].text))
            listing = listing.add(added)
        return listing.render()


def _act(listing: Listing, index: int, action: Action) -> Listing:
    match action:
        case Take():
            return listing.remove(index)
        case Name(keyword):
            return listing.change(index, f"{keyword}={argument_value(listing.items[index].text)}")
        case Write(keyword, text):
            return listing.change(index, f"{keyword}={text}")
        case Keep():
            return listing


def _bracketed(text: str) -> str:
    """A lone generator expression needs its own brackets once there is a second argument."""
    value = argument_value(text)
    return value if value == f"({text})" else text


@dataclass(frozen=True)
class DisplayEdit:
    """What happens to the entries of a dictionary whose keys are the names of arguments."""

    actions: tuple[Action, ...]

    @property
    def changes(self) -> bool:
        """Whether anything happens at all."""
        return any(not isinstance(action, Keep) for action in self.actions)

    def __call__(self, text: str) -> str:
        """The display with its entries changed."""
        listing = display_listing(text)
        for index in reversed(range(len(self.actions))):
            action = self.actions[index]
            if isinstance(action, Take):
                listing = listing.remove(index)
            elif isinstance(action, Name | Write):
                key, colon, value = listing.items[index].text.partition(":")
                value = value if isinstance(action, Name) else f" {action.text}"
                listing = listing.change(index, like(key.rstrip(), action.keyword) + key[len(key.rstrip()) :] + colon + value)
        return listing.render()


@dataclass(frozen=True)
class ArgumentPlan:
    """The edit of a call, and those of the dictionaries that it unpacks."""

    call: CallEdit
    displays: Mapping[ast.expr, CallEdit | DisplayEdit] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether anything happens at all."""
        return self.call.changes or any(edit.changes for edit in self.displays.values())


def map_arguments(
    call: ast.Call, binding: Binding, text_of: Callable[[ast.expr], str], options_of: OptionsOf, *, bound_first: int = 0
) -> ArgumentPlan | Unmapped:
    """The plan for one call.

    Args:
        call: the call.
        binding: both signatures and the rules between them.
        text_of: the source of an argument.
        options_of: the literal dictionary that an argument unpacked with `**` is, or why it is none in reach.
        bound_first: how many of the first positional arguments are not for the parameters (`functools.partial(Loss, ...)`: 1).
    """
    count = len(call.args) + len(call.keywords)
    if binding.is_identity:
        return ArgumentPlan(CallEdit((Keep(),) * count))
    return _Mapper(call, binding, text_of, options_of, bound_first).plan()


class _Mapper:
    """Goes through the arguments of one call in order."""

    def __init__(
        self, call: ast.Call, binding: Binding, text_of: Callable[[ast.expr], str], options_of: OptionsOf, bound_first: int
    ) -> None:
        self.call = call
        self.binding = binding
        self.text_of = text_of
        self.options_of = options_of
        self.bound_first = bound_first
        self.in_order = not binding.partial
        self.position = 0
        self.filled: set[str] = set()
        self.actions: dict[Place, Action] = {}
        self.given: list[Given] = []
        self.displays: dict[ast.expr, Options] = {}

    def plan(self) -> ArgumentPlan | Unmapped:
        """The whole call."""
        fault = self.collect()
        if fault is not None:
            return fault
        for item in self.given:
            action = self.action(item)
            if isinstance(action, Unmapped):
                return action
            self.actions[item.place] = action
        computed = self.compute()
        if isinstance(computed, Unmapped):
            return computed
        added = [
            f"{name}={value}" for name, value in (*self.binding.explicit, *self.binding.constants) if name not in self.filled
        ]
        displays = {display: self.edit_of(display, len(options.entries)) for display, options in self.displays.items()}
        return ArgumentPlan(CallEdit(self.actions_of(self.call, len(self.ordered())), (*computed, *added)), displays)

    def actions_of(self, holder: ast.expr, count: int) -> tuple[Action, ...]:
        """The actions for the entries of a call or a dictionary."""
        return tuple(self.actions.get(Place(holder, index), Keep()) for index in range(count))

    def edit_of(self, display: ast.expr, count: int) -> CallEdit | DisplayEdit:
        """The edit of an unpacked dictionary: a display, or a call of `dict`."""
        actions = self.actions_of(display, count)
        return CallEdit(actions) if isinstance(display, ast.Call) else DisplayEdit(actions)

    def ordered(self) -> list[ast.expr]:
        """The arguments in the order of the source."""
        return sorted([*self.call.args, *(k.value for k in self.call.keywords)], key=lambda n: (n.lineno, n.col_offset))

    def collect(self) -> Unmapped | None:
        """Find the legacy parameter of each argument."""
        names = {keyword.value: keyword.arg for keyword in self.call.keywords}
        position = -self.bound_first
        for index, node in enumerate(self.ordered()):
            place = Place(self.call, index)
            fault: Unmapped | None = None
            if node in names:
                name = names[node]
                if name is None:
                    fault = self.unpack(node)
                else:
                    self.given.append(Given(place, node, name, by_position=False))
            elif isinstance(node, ast.Starred):
                fault = self.starred(node, position)
            else:
                fault = self.positional(place, node, position) if position >= 0 else None
                position += 1
            if fault is not None:
                return fault
        return None

    def positional(self, place: Place, node: ast.expr, position: int) -> Unmapped | None:
        """An argument given by position."""
        legacy = self.binding.legacy
        if legacy is None:
            reason = f"the order of the parameters of {self.binding.what} is not known: its source is not in the project"
            return Unmapped(node, reason, "give the arguments by name")
        listed = legacy.positional
        if position >= len(listed):
            reason = f"more positional arguments than {self.binding.what} takes ({len(listed)})"
            return Unmapped(node, reason, "correct the call: it fails on the legacy side too")
        self.given.append(Given(place, node, listed[position].name, by_position=True))
        return None

    def starred(self, node: ast.expr, position: int) -> Unmapped | None:
        """`*values`: harmless as long as the positional parameters from there on are the same on both sides."""
        legacy, new = self.binding.legacy, self.binding.new
        if legacy is not None and new is not None and position >= 0 and self.in_order:
            rest = [p.name for p in legacy.positional[position:]]
            same = rest == [p.name for p in new.positional[position : position + len(rest)]]
            touched = {*self.binding.by_legacy, *self.binding.consumed, *(name for name, _ in self.binding.explicit)}
            if same and not touched & set(rest) and not legacy.takes("args"):
                return None
        reason = f"arguments unpacked with * cannot be seen, and the parameters of {self.binding.what} change"
        return Unmapped(node, reason, "write the arguments out by name")

    def unpack(self, node: ast.expr) -> Unmapped | None:
        """`**options`: the entries of a literal dictionary in reach count as arguments."""
        options = self.options_of(node)
        if isinstance(options, Unmapped):
            reason = f"{options.reason}, and the parameters of {self.binding.what} change"
            return Unmapped(node, reason, options.todo)
        self.displays[options.display] = options
        for index, (name, value) in enumerate(options.entries):
            self.given.append(Given(Place(options.display, index), value, name, by_position=False))
        return None

    def action(self, item: Given) -> Action | Unmapped:
        """What happens to one argument, by the rule for it or by its name."""
        rule = self.binding.by_legacy.get(item.legacy)
        if isinstance(rule, Refuse):
            return Unmapped(item.node, f"gives {item.legacy!r}: {rule.reason}", "decide what the new call should say instead")
        if isinstance(rule, Drop):
            return self.drop(item, rule)
        name = self.binding.new_name(item.legacy)
        if name is None and item.legacy in self.binding.consumed:
            self.in_order = False
            return Take()
        return self.unknown(item) if name is None or self.swallowed(item, name) else self.give(item, name)

    def give(self, item: Given, name: str) -> Action:
        """The argument goes to a new parameter: by position as long as the order is the same, else by name."""
        self.filled.add(name)
        if not item.by_position:
            return Keep() if item.legacy == name else Name(name)
        if self.in_order and self.stays_in_place(name):
            self.position += 1
            return Keep()
        self.in_order = False
        return Name(name)

    def stays_in_place(self, name: str) -> bool:
        """Whether the new signature has the parameter at this very position."""
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
        """An argument that neither a rule nor the new signature takes up."""
        legacy = self.binding.legacy
        swallowed = legacy is not None and legacy.takes("kwargs")
        reason = f"gives {item.legacy!r}, which the new side does not take"
        return Unmapped(
            item.node,
            reason + (" (the legacy side accepts any keyword)" if swallowed else ""),
            f"remove the argument, or add a rule for {item.legacy!r} to the port",
        )

    def drop(self, item: Given, rule: Drop) -> Action | Unmapped:
        """Remove the argument if its value is allowed, and free of effects."""
        if item.by_position:
            self.in_order = False
        if rule.only is not None:
            known, value = literal(self.text_of(item.node))
            if not known or value not in [literal(repr(allowed))[1] for allowed in rule.only]:
                allowed = ", ".join(map(repr, rule.only))
                reason = f"gives {rule.name!r} another value than {allowed}: {rule.reason}"
                return Unmapped(item.node, reason, "decide what the new call should say instead")
        elif not free_of_effects(item.node):
            reason = f"{rule.name!r} is dropped ({rule.reason}), but its value may have effects that would be lost"
            return Unmapped(item.node, reason, "compute the value in a statement of its own, then remove the argument")
        return Take()

    def compute(self) -> tuple[str, ...] | Unmapped:
        """Computed parameters: in the place of the first argument that goes into them, else at the end."""
        added: list[str] = []
        for rule, names in self.binding.computed:
            parts = [item for item in self.given if item.legacy in names]
            if not parts:
                continue
            text = self.expression(rule, names, parts)
            if isinstance(text, Unmapped):
                return text
            self.filled.add(rule.name)
            place = next((p.place for p in parts if isinstance(self.actions[p.place], Take)), None)
            if place is None:
                added.append(f"{rule.name}={text}")
            else:
                self.actions[place] = Write(rule.name, text)
        return tuple(added)

    def expression(self, rule: Compute, names: frozenset[str], parts: Sequence[Given]) -> str | Unmapped:
        """The rule's expression with the arguments, or the legacy defaults, in the place of the parameters."""
        values = {item.legacy: item.node for item in parts}
        reads = [n.id for n in ast.walk(ast.parse(rule.expression, mode="eval")) if isinstance(n, ast.Name)]
        for name, node in values.items():
            if not free_of_effects(node) and (reads.count(name) > 1 or len(values) > 1):
                reason = f"{rule.name!r} is computed from {name!r}, whose value may have effects"
                return Unmapped(node, reason, "put the value into a variable before the call")
        texts = {name: self.text_of(node) for name, node in values.items()}
        for parameter in self.binding.legacy.parameters if self.binding.legacy else ():
            if parameter.name in names and parameter.name not in texts and parameter.default is not None:
                texts[parameter.name] = parameter.default
        known = {p.name for p in self.binding.legacy.parameters} if self.binding.legacy else names
        missing = sorted(name for name in names & known if name not in texts)
        if missing:
            return Unmapped(parts[0].node, f"{rule.name!r} is computed from {missing[0]!r}, which is not given", "give it")
        return decided(substitute(rule.expression, texts))
