"""What takes a retired module's place for as long as the configuration asks: old names, arguments and results over new losses.

Generated from the port, for code outside the repository that still imports the legacy module. A symbol whose mapping cannot be
written down as plain code has no shim, and the reason is a value. Whether a shim behaves as the loss did is proven elsewhere.
"""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.project.config import Loss, Project
from lossport.project.port import Compute, Constant, Default, Drop, Gone, Port, Refuse, Rename, Rule
from lossport.source.modules import modules_of
from lossport.source.signatures import Kind, Parameter, Shape, Signature, shape_of

MARKER = "# A shim, written by lossport"
"""How a shim begins: what tells it from a legacy module."""

WARN = '''
def _warn(retired: str, successor: str) -> None:
    """Tell the caller of the caller."""
    message = f"{{__name__}}.{{retired}} is retired: use {{successor}}; this shim goes on {until}"
    warnings.warn(message, DeprecationWarning, stacklevel=3)
'''

AS_BEFORE = '''
def _as_before(out, places, numbers):
    """The new result with the keys, nesting and numbers of the retired one."""
    result = {}
    for name, value in out.items():
        *outer, last = places.get(name, (name,))
        inside = result
        for step in outer:
            inside = inside.setdefault(step, {})
        inside[last] = value.item() if name in numbers else value
    return result
'''

AS_TUPLE = '''
def _as_tuple(result):
    """The entries 0, 1 ... of a result that was a tuple; all others are new."""
    return tuple(result[str(n)] for n in range(len(result)) if str(n) in result)
'''


@dataclass(frozen=True)
class NoShim:
    """Why a legacy symbol can have no shim."""

    symbol: str
    reason: str


class _NotPlain(Exception):
    """A mapping that cannot be written down as plain code; the message says why."""


def is_shim(path: Path) -> bool:
    """Whether the file is a shim, not the legacy module that it stands for."""
    try:
        with path.open("rb") as file:
            return says_shim(file.readline())
    except OSError:
        return False


def says_shim(content: bytes) -> bool:
    """Whether this is the content of a shim."""
    return content.startswith(MARKER.encode())


def shims(project: Project, loss: Loss, until: dt.date) -> Mapping[Path, str] | NoShim:
    """The text of a shim for each legacy module that the loss retires, or the first symbol that can have none."""
    modules = modules_of(project)
    texts = {}
    for module in loss.modules:
        path = project.module_path(module)
        if path is None:
            continue
        parts: list[str] = []
        ports = [port for port in loss.ports if port.module == module]
        for port in ports:
            try:
                parts += _symbol(port, shape_of(modules, port.legacy), shape_of(modules, port.new))
            except _NotPlain as error:
                return NoShim(port.legacy, str(error))
        texts[path] = _module(ports, parts, [item for item in loss.gone if item.module == module], until)
    return texts


def _module(ports: Sequence[Port], parts: Sequence[str], gone: Sequence[Gone], until: dt.date) -> str:
    successors = sorted({port.new for port in ports})
    lines = [
        f"{MARKER} from the port: a retired module's names over the losses that took its place.",
        f'"""Retired: use {", ".join(successors)}. This shim goes on {until}."""',
        "",
        "import warnings",
        "",
        *(f"from {s.rpartition('.')[0]} import {s.rpartition('.')[2]} as {_alias(s)}" for s in successors),
        "",
        f"__all__ = {[port.name for port in ports]!r}",
        "",
        WARN.format(until=until),
    ]
    lines += [text for name, text in (("_as_before(", AS_BEFORE), ("_as_tuple(", AS_TUPLE)) if any(name in p for p in parts)]
    lines += parts
    if gone:
        lines += ["", f"_GONE = { ({item.name: item.reason for item in gone})!r}", "", *_REFUSING_WHAT_IS_GONE]
    return "\n".join(lines).rstrip() + "\n"


_REFUSING_WHAT_IS_GONE = (
    "",
    "def __getattr__(name):",
    "    if name in _GONE:",
    '        raise AttributeError(f"{__name__}.{name} has no successor: {_GONE[name]}")',
    '    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")',
)


def _alias(successor: str) -> str:
    """A private name: the retired one may be the same."""
    return "_" + successor.rpartition(".")[2]


def _symbol(port: Port, legacy: Shape | None, new: Shape | None) -> Iterator[str]:
    if legacy is None or legacy.signature is None:
        raise _NotPlain("it is not there, or its parameters cannot be read")
    if new is None or new.signature is None or legacy.is_class is not new.is_class:
        raise _NotPlain(f"{port.new} is not of the same kind, or its parameters cannot be read")
    yield ""
    if legacy.is_class:
        yield from _class(port, legacy, new)
    else:
        yield from _function(port, legacy.signature, new.signature)


def _function(port: Port, legacy: Signature, new: Signature) -> Iterator[str]:
    call = _Call(legacy, new, port.parameters)
    yield f"def {port.name}({call.parameters()}):"
    yield f'    """Retired: use `{port.new}`."""'
    yield f"    _warn({port.name!r}, {port.new!r})"
    yield from call.checks("    ")
    yield f"    return {_result(port, f'{_alias(port.new)}({call.arguments()})')}"
    yield ""


def _class(port: Port, legacy: Shape, new: Shape) -> Iterator[str]:
    if legacy.signature is None or new.signature is None:
        raise _NotPlain("its parameters cannot be read")
    yield f"class {port.name}({_alias(port.new)}):"
    yield f'    """Retired: use `{port.new}`."""'
    yield ""
    call = _Call(legacy.signature, new.signature, port.parameters)
    yield f"    def __init__(self{_after_self(call.parameters())}):"
    yield f"        _warn({port.name!r}, {port.new!r})"
    yield from call.checks("        ")
    yield f"        super().__init__({call.arguments()})"
    if port.forward or port.returns:
        yield from _method(port, legacy, new, "forward", "forward", port.forward)
    for name, method in port.methods.items():
        yield from _method(port, legacy, new, name, method.new, method.rules)
    for rule in port.attributes:
        if isinstance(rule, Rename):
            yield from _attribute(rule)
    yield ""


def _method(port: Port, legacy: Shape, new: Shape, name: str, successor: str, rules: Sequence[Rule]) -> Iterator[str]:
    if name not in legacy.methods or successor not in new.methods:
        raise _NotPlain(f"its method {name} cannot be read on both sides")
    call = _Call(legacy.methods[name], new.methods[successor], rules)
    called = f"super().{successor}({call.arguments()})"
    yield ""
    yield f"    def {name}(self{_after_self(call.parameters())}):"
    yield from call.checks("        ")
    yield f"        return {_result(port, called) if name == 'forward' else called}"


def _attribute(rule: Rename) -> Iterator[str]:
    yield ""
    yield "    @property"
    yield f"    def {rule.old}(self):"
    yield f"        return self.{rule.new}"
    yield ""
    yield f"    @{rule.old}.setter"
    yield f"    def {rule.old}(self, value):"
    yield f"        self.{rule.new} = value"


def _after_self(parameters: str) -> str:
    return f", {parameters}" if parameters else ""


@dataclass(frozen=True)
class _Call:
    """The call of a successor from within a function that has the retired signature."""

    legacy: Signature
    new: Signature
    rules: Sequence[Rule]

    def parameters(self) -> str:
        """The retired signature; where the port makes another default explicit, that one."""
        named = {self._successor(p): p.name for p in self.legacy.parameters}
        changed = {named[rule.name]: repr(rule.value) for rule in self.rules if isinstance(rule, Default) and rule.name in named}
        shown, kinds = [], [p.kind for p in self.legacy.parameters]
        for number, parameter in enumerate(self.legacy.parameters):
            if parameter.kind == "keyword" and not {"keyword", "args"} & set(kinds[:number]):
                shown.append("*")
            shown.append(_declared(parameter, changed.get(parameter.name)))
            if parameter.kind == "positional" and "positional" not in kinds[number + 1 :]:
                shown.append("/")
        return ", ".join(shown)

    def arguments(self) -> str:
        """The arguments of the successor: by name, but for those in front of `*args`."""
        given = self._given()
        for name in given:
            if self.new.get(name) is None:
                raise _NotPlain(f"{self.new.symbol} takes no {name} by name")
        rest = self._of_kind("args")
        first = [self._successor(p) for p in self.legacy.positional] if rest else []
        if rest and first != [p.name for p in self.new.positional]:
            raise _NotPlain(f"the parameters before *{rest} are not those of {self.new.symbol}")
        texts = [given.pop(str(name)) for name in first] + ([f"*{rest}"] if rest else [])
        texts += [f"{name}={value}" for name, value in given.items()]
        return ", ".join([*texts, *self._rest_by_name()])

    def _rest_by_name(self) -> Iterator[str]:
        """What the retired `**kwargs` took: all but what the port drops, for the successor to take or to refuse."""
        more = self._of_kind("kwargs")
        gone = {rule.name for rule in self.rules if isinstance(rule, Drop)} - {p.name for p in self.legacy.parameters}
        if more and gone:
            yield f"**{{name: value for name, value in {more}.items() if name not in {sorted(gone)!r}}}"
        elif more:
            yield f"**{more}"

    def _given(self) -> dict[str, str]:
        """What each new parameter is given, as source."""
        named = [p for p in self.legacy.parameters if p.kind not in ("args", "kwargs")]
        given = {new: p.name for p in named if (new := self._successor(p)) is not None}
        for rule in self.rules:
            match rule:
                case Compute(name, expression):
                    given[name] = expression
                case Constant(name, value):
                    given[name] = repr(value)
                case Default(name, value) if name not in given:
                    given[name] = repr(value)
                case _:
                    pass
        return given

    def _of_kind(self, kind: Kind) -> str:
        """The name of `*args` or `**kwargs`, empty if there is none."""
        found = next((p.name for p in self.legacy.parameters if p.kind == kind), "")
        if found and kind == "args" and not self.new.takes("args"):
            raise _NotPlain(f"it takes any number of arguments, *{found}, and {self.new.symbol} does not")
        return found

    def _successor(self, parameter: Parameter) -> str | None:
        """The new name of a retired parameter; None where none takes its value."""
        for rule in self.rules:
            match rule:
                case Rename(old, new) if old == parameter.name:
                    return new
                case Drop(name) | Refuse(name) if name == parameter.name:
                    return None
                case Compute(_, expression) if parameter.name in _names(expression) and self.new.get(parameter.name) is None:
                    return None
                case _:
                    pass
        return parameter.name

    def checks(self, indent: str) -> Iterator[str]:
        """Statements that refuse the values that have no successor, as the codemod would."""
        for rule in self.rules:
            match rule:
                case Refuse(name, reason):
                    yield from _refusing(indent, f"{name} != {self._default(name)}", name, reason)
                case Drop(name, reason, only) if only is not None:
                    harmless = (*only, ast.literal_eval(self._default(name)))
                    yield from _refusing(indent, f"{name} not in {harmless!r}", name, reason)
                case _:
                    pass

    def _default(self, name: str) -> str:
        parameter = self.legacy.get(name)
        if parameter is None or parameter.default is None:
            raise _NotPlain(f"{name} has no successor and no default")
        return parameter.default


def _refusing(indent: str, condition: str, name: str, reason: str) -> Iterator[str]:
    yield f"{indent}if {condition}:"
    yield f"{indent}    raise ValueError(f'{name}={{{name}!r}} has no successor: ' {reason!r})"


def _declared(parameter: Parameter, default: str | None) -> str:
    if parameter.kind in ("args", "kwargs"):
        return f"{'*' if parameter.kind == 'args' else '**'}{parameter.name}"
    found = parameter.default if default is None else default
    if found is None:
        return parameter.name
    try:
        ast.literal_eval(found)
    except ValueError as error:
        raise _NotPlain(f"the default of {parameter.name}, {found}, is no literal") from error
    return f"{parameter.name}={found}"


def _names(expression: str) -> Iterable[str]:
    return {node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)}


def _result(port: Port, call: str) -> str:
    """The expression that turns what the successor returns into what the retired symbol did."""
    keys = [key for key in port.returns if key.new is not None]
    if not keys:
        return call
    whole = next((key for key in keys if not key.path), None)
    if whole is not None:
        entry = f"[{whole.new!r}]" if whole.new else ""
        return f"{call}{entry}{'.item()' if whole.kind == 'number' else ''}"
    places = {key.new: key.path for key in keys if key.path != (key.new,)}
    numbers = tuple(key.new for key in keys if key.kind == "number")
    shaped = f"_as_before({call}, {places!r}, {numbers!r})"
    indices = [key.path[0].isdecimal() for key in keys]
    if any(step.isdecimal() for key in keys for step in key.path[1:]) or (any(indices) and not all(indices)):
        raise _NotPlain("a tuple inside its result cannot be put together again")
    if not any(indices):
        return shaped
    if any(key.new is None and len(key.path) == 1 for key in port.returns):
        raise _NotPlain("an entry of the tuple that it returns is gone")
    return f"_as_tuple({shaped})"
