"""What an expression can stand for, as far as call sites go: a legacy symbol, an instance of it, what a call of it returned."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Other:
    """Anything that is not followed."""


@dataclass(frozen=True)
class Handed:
    """Anything that is not followed, and from which something legacy may be had: a library was given what holds it.

    With `entries`, what it has by key may be what a legacy call returned; else only its attributes are in question.
    """

    entries: bool = True


@dataclass(frozen=True)
class Nothing:
    """`None`: what a variable holds before the real value; a call or read of it would have failed before, too."""


@dataclass(frozen=True)
class Text:
    """A literal string or number, which may be a key."""

    value: str | int


@dataclass(frozen=True)
class Named:
    """A module or an object by its dotted path; nothing more is known of it."""

    path: str


@dataclass(frozen=True)
class Symbol:
    """The legacy class or function itself."""

    path: str


@dataclass(frozen=True)
class Instance:
    """An instance of the legacy class."""

    symbol: str


@dataclass(frozen=True)
class Member:
    """A method or attribute of an instance, or (`unbound`) of the class itself."""

    symbol: str
    name: str
    unbound: bool = False


@dataclass(frozen=True)
class Result:
    """What a call returned, or a part of it. `method` is empty for a call of the instance or function itself."""

    symbol: str
    method: str = ""
    path: tuple[str, ...] = ()

    def part(self, key: str | int) -> Result:
        """The entry `key` of it."""
        return Result(self.symbol, self.method, (*self.path, str(key)))


@dataclass(frozen=True)
class ResultMember:
    """A method of a result that is a dictionary, such as `.get`."""

    result: Result
    name: str


@dataclass(frozen=True)
class Function:
    """A function or lambda of the same file; `bound` if `self` is already given."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    bound: bool = False


@dataclass(frozen=True)
class Class:
    """A class of the project; `mine` if it is the one that a class method was called on, which may be a subclass."""

    node: ast.ClassDef
    mine: bool = False


@dataclass(frozen=True)
class Object:
    """An instance of a class of the project; `mine` if it is `self` in a method, which may be an instance of a subclass."""

    node: ast.ClassDef
    mine: bool = False


@dataclass(frozen=True)
class Super:
    """`super()` in a class of the same file."""

    node: ast.ClassDef


@dataclass(frozen=True)
class Table:
    """A literal dictionary, list, set or tuple of the same file."""

    node: ast.expr


@dataclass(frozen=True)
class TableMember:
    """A method of such a table, such as `.get`."""

    table: Table
    name: str


@dataclass(frozen=True)
class Wrapped:
    """What `DataParallel` and its kin make of a module, by the call: it is called as the module is, and has it as `.module`."""

    node: ast.Call


@dataclass(frozen=True)
class Inherited:
    """A method that torch gives every module, of an object of a class of the project or of a wrapped module."""

    owner: Object | Wrapped
    name: str


@dataclass(frozen=True)
class Prepared:
    """`functools.partial` of a legacy symbol, and the call that made it."""

    symbol: str
    node: ast.Call


Value: TypeAlias = (
    Other
    | Handed
    | Nothing
    | Text
    | Named
    | Symbol
    | Instance
    | Member
    | Result
    | ResultMember
    | Function
    | Class
    | Object
    | Super
    | Table
    | TableMember
    | Wrapped
    | Inherited
    | Prepared
)
Values: TypeAlias = frozenset[Value]
Legacy: TypeAlias = Symbol | Instance | Member | Result | ResultMember | Prepared

OTHER: Values = frozenset({Other()})
NOTHING: Values = frozenset({Nothing()})
HANDED: Values = frozenset({Other(), Handed()})
EMPTY: Values = frozenset()
LEGACY = (Symbol, Instance, Member, Result, ResultMember, Prepared)
FOLLOWED = (*LEGACY, Handed, Function, Class, Object, Super, Table, TableMember, Wrapped, Inherited)


def legacy(values: Values) -> tuple[Legacy, ...]:
    """Those of the values that belong to a legacy symbol, in a stable order."""
    return tuple(sorted((value for value in values if isinstance(value, LEGACY)), key=_order))


def _order(value: Legacy) -> tuple[str, ...]:
    if isinstance(value, Prepared):
        return ("Prepared", value.symbol, str(value.node.lineno))
    return (type(value).__name__, repr(value))


def sure(values: Values) -> Legacy | None:
    """The one legacy value that the expression stands for, if it can stand for nothing else (but `None`)."""
    real = [value for value in values if not isinstance(value, Nothing)]
    return real[0] if len(real) == 1 and isinstance(real[0], LEGACY) else None
