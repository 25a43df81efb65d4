"""What a class or function accepts and offers, read from its source: parameters, methods, attributes. Imports nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lossport.project.config import Project
from lossport.source.modules import ModuleInfo, Modules, dotted_chain, modules_of

Kind: TypeAlias = Literal["positional", "either", "keyword", "args", "kwargs"]


@dataclass(frozen=True)
class Parameter:
    """One parameter; `default` is the source of its default value, None if it has to be given."""

    name: str
    kind: Kind
    default: str | None = None


@dataclass(frozen=True)
class Signature:
    """The parameters of a class's constructor or of a function, `self` left out. `symbol` is what defines them."""

    symbol: str
    is_class: bool
    parameters: tuple[Parameter, ...]

    def get(self, name: str) -> Parameter | None:
        """The parameter that a call can give by that name."""
        return next((p for p in self.parameters if p.name == name and p.kind in ("either", "keyword")), None)

    @property
    def positional(self) -> tuple[Parameter, ...]:
        """The parameters that a call can give by position, in order."""
        return tuple(p for p in self.parameters if p.kind in ("positional", "either"))

    def takes(self, kind: Kind) -> bool:
        """Whether there is a parameter of that kind (`args` or `kwargs`)."""
        return any(p.kind == kind for p in self.parameters)


@dataclass(frozen=True)
class Shape:
    """A class or function as its source shows it.

    `attributes` and `methods` are those that the project's own classes in its line of inheritance define; `outside` are the
    bases that the project does not define.
    """

    symbol: str
    is_class: bool
    methods: Mapping[str, Signature]
    attributes: frozenset[str]
    signature: Signature | None
    outside: frozenset[str] = frozenset()

    def offers(self, name: str) -> bool:
        """Whether the class has a method or attribute of that name, or may have it from a base outside the project."""
        if name in self.methods or name in self.attributes:
            return True
        return name in MEMBERS_OF_A_MODULE if self.outside <= MODULES else True


MODULES = frozenset(
    {"object", "abc.ABC", "typing.Protocol", "typing.Generic", "torch.nn.Module", "torch.nn.modules.module.Module"}
)
"""Bases outside the project whose members are known."""

MEMBERS_OF_A_MODULE = frozenset(
    {"add_module", "apply", "bfloat16", "buffers", "children", "compile", "cpu", "cuda", "double", "eval", "extra_repr"}
    | {"float", "forward", "get_buffer", "get_parameter", "get_submodule", "half", "load_state_dict", "modules"}
    | {"named_buffers", "named_children", "named_modules", "named_parameters", "parameters", "register_buffer"}
    | {"register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook", "register_module"}
    | {"register_parameter", "requires_grad_", "share_memory", "state_dict", "to", "to_empty", "train", "training", "type"}
    | {"xpu", "zero_grad", "_parameters", "_buffers", "_modules"}
)
"""What every torch module has."""

CONSTRUCTOR_WITHOUT_PARAMETERS = frozenset(
    {"object", "abc.ABC", "typing.Protocol", "torch.nn.Module", "torch.nn.modules.module.Module"}
)
"""Bases outside the project whose constructor takes nothing, so that a class without `__init__` takes nothing either."""


def signature_of(project: Project, dotted_path: str, modules: Modules | None = None) -> Signature | None:
    """The parameters of a class or function of the project; None if it is not there, or its base lies outside and hides them.

    Follows re-exports. Nothing is imported.
    """
    shape = shape_of(modules or modules_of(project), dotted_path)
    return shape.signature if shape else None


def shape_of(modules: Modules, dotted_path: str) -> Shape | None:
    """Everything that the sources say about a class or function; None if the project does not define it."""
    symbol = modules.canonical(dotted_path)
    module, _, name = symbol.rpartition(".")
    info = modules.load(module) if module else None
    definition = _definition(info, name) if info else None
    if info is None or definition is None:
        return None
    if not isinstance(definition, ast.ClassDef):
        return Shape(symbol, False, {}, frozenset(), _signature(symbol, definition, is_class=False, bound=False))
    return _class_shape(modules, info, definition, symbol, frozenset())


def _definition(info: ModuleInfo, name: str) -> ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | None:
    found: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | None = None
    for node in _definitions(info.tree.body):
        if node.name == name:
            found = node
    return found


def _definitions(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            for block in ("body", "orelse", "finalbody"):
                yield from _definitions(getattr(statement, block, []))


def _class_shape(modules: Modules, info: ModuleInfo, node: ast.ClassDef, symbol: str, seen: frozenset[str]) -> Shape:
    methods: dict[str, Signature] = {}
    attributes: set[str] = set(_class_level(node))
    outside: set[str] = set()
    inherited: list[Signature | None] = []
    for base in node.bases:
        shape = _base_shape(modules, info, base, seen | {symbol})
        if isinstance(shape, Shape):
            methods = {**shape.methods, **methods}
            attributes |= shape.attributes
            outside |= shape.outside
            inherited.append(shape.signature)
        else:
            outside.add(shape)
            inherited += [] if shape in CONSTRUCTOR_WITHOUT_PARAMETERS else [None]
    for member in node.body:
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            methods[member.name] = _signature(f"{symbol}.{member.name}", member, is_class=False, bound=_is_bound(member))
            attributes |= set(_stored_on_self(member))
    constructor = _constructor(node, symbol, methods, inherited)
    return Shape(symbol, True, methods, frozenset(attributes), constructor, frozenset(outside))


def _constructor(
    node: ast.ClassDef, symbol: str, methods: Mapping[str, Signature], inherited: list[Signature | None]
) -> Signature | None:
    if "__init__" in methods:
        return Signature(symbol, True, methods["__init__"].parameters)
    if _is_dataclass(node):
        return Signature(symbol, True, tuple(_fields(node)))
    return (inherited[0] if inherited else Signature(symbol, True, ())) if None not in inherited else None


def _base_shape(modules: Modules, info: ModuleInfo, base: ast.expr, seen: frozenset[str]) -> Shape | str:
    """The shape of a base class of the project; the dotted path of one outside."""
    chain = dotted_chain(base.value if isinstance(base, ast.Subscript) else base)
    if chain is None:
        return ast.unparse(base)
    head, _, rest = chain.partition(".")
    origin = modules.origin(info, head)
    dotted = chain if origin is None else f"{origin}.{rest}" if rest else origin
    symbol = modules.canonical(dotted)
    module, _, name = symbol.rpartition(".")
    owner = modules.load(module) if module and symbol not in seen else None
    node = _definition(owner, name) if owner else None
    if owner is None or not isinstance(node, ast.ClassDef):
        return symbol
    return _class_shape(modules, owner, node, symbol, seen)


def _is_bound(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return not any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)


def _is_dataclass(node: ast.ClassDef) -> bool:
    names = (dotted_chain(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list)
    return any(name in ("dataclass", "dataclasses.dataclass") for name in names)


def _fields(node: ast.ClassDef) -> Iterator[Parameter]:
    for member in node.body:
        if (
            isinstance(member, ast.AnnAssign)
            and isinstance(member.target, ast.Name)
            and "ClassVar" not in ast.unparse(member.annotation)
        ):
            yield Parameter(member.target.id, "either", None if member.value is None else ast.unparse(member.value))


def _class_level(node: ast.ClassDef) -> Iterator[str]:
    for member in node.body:
        targets = (
            member.targets if isinstance(member, ast.Assign) else [member.target] if isinstance(member, ast.AnnAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id


def _stored_on_self(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Names that a method stores on its first parameter, `register_buffer("x", ...)` and `setattr(self, "x", ...)` included."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    if not arguments:
        return
    me = arguments[0].arg
    for node in ast.walk(function):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr, ctx=ast.Store()) if name == me:
                yield attr
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[ast.Constant(value=str(attr)), *_]) if (
                name == me and method in ("register_buffer", "register_parameter", "add_module", "register_module")
            ):
                yield attr
            case _:
                pass


def _signature(symbol: str, node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_class: bool, bound: bool) -> Signature:
    return Signature(symbol, is_class, tuple(parameters_of(node.args, bound=bound)))


def parameters_of(arguments: ast.arguments, *, bound: bool) -> Iterator[Parameter]:
    """The parameters in order; the first is left out for a bound method."""
    listed = [*arguments.posonlyargs, *arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(listed) - len(arguments.defaults)) + list(arguments.defaults)
    for index, (arg, default) in enumerate(zip(listed, defaults, strict=True)):
        if not (bound and index == 0):
            kind: Kind = "positional" if index < len(arguments.posonlyargs) else "either"
            yield Parameter(arg.arg, kind, None if default is None else ast.unparse(default))
    if arguments.vararg:
        yield Parameter(arguments.vararg.arg, "args")
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield Parameter(arg.arg, "keyword", None if default is None else ast.unparse(default))
    if arguments.kwarg:
        yield Parameter(arguments.kwarg.arg, "kwargs")
