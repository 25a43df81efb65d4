"""The mistakes that people make when they rewrite a loss, as a catalogue of operators.

Each is a small function from a syntax node to replacement texts. Plants nothing; see `faults`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Replacement: TypeAlias = tuple[ast.AST, str]
"""A node and the text that takes its place."""


@dataclass(frozen=True)
class Context:
    """The text and, for every node, the one above it."""

    text: str
    lines: tuple[str, ...]
    starts: tuple[int, ...]
    above: dict[ast.AST, ast.AST]
    parameters: dict[str, ast.expr | None]

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Character offsets of a node; `ast` counts columns in bytes."""
        place: Any = node
        return self._offset(place.lineno, place.col_offset), self._offset(place.end_lineno, place.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        text = self.lines[line - 1]
        return self.starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode()))

    def source(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]


Operator: TypeAlias = Callable[[ast.AST, Context], Iterator[Replacement]]

OPERATORS: dict[str, Operator] = {}


def operator(name: str) -> Callable[[Operator], Operator]:
    """Put an operator into the catalogue under the name of the mistake."""

    def register(function: Operator) -> Operator:
        OPERATORS[name] = function
        return function

    return register


# ---- arithmetic


@operator("sign")
def sign(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`a - b` -> `a + b`, `a + b` -> `a - b`, `-a` -> `a`"""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = "-" if isinstance(node.op, ast.Add) else "+"
        yield node, f"({context.source(node.left)} {other} ({context.source(node.right)}))"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield node, f"({context.source(node.operand)})"


@operator("multiplied for divided")
def multiplied(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`a / b` -> `a * b`, `a * b` -> `a / b`"""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        other = "/" if isinstance(node.op, ast.Mult) else "*"
        yield node, f"({context.source(node.left)} {other} ({context.source(node.right)}))"


@operator("a part left out")
def part_left_out(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`a + b` -> `a`, and `b`: one direction of two, a term of the loss, a factor, one of two masks"""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Mod | ast.Pow | ast.FloorDiv):
        yield node, f"({context.source(node.left)})"
        if isinstance(node.op, ast.Add | ast.Mult | ast.BitAnd | ast.BitOr | ast.MatMult):
            yield node, f"({context.source(node.right)})"


@operator("another constant")
def constant(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`1e-8` -> `1e-2`, `0.5` -> `0.75`, `2` -> `3`, `True` -> `False`: eps, weights, offsets, defaults"""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node.value, int):
        yield node, str(node.value + 1)
        if node.value > 0:
            yield node, str(node.value - 1)
    elif isinstance(node.value, float):
        small = 0 < abs(node.value) < 1e-3
        yield node, "1e-2" if small else repr(node.value * 1.5 if node.value else 0.5)


@operator("a modulus dropped")
def modulus(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`(pointer + rows) % size` -> `(pointer + rows)`, and off by one"""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and not isinstance(node.left, ast.Constant):
        left, right = context.source(node.left), context.source(node.right)
        yield node, f"({left})"
        yield node, f"(({left} + 1) % ({right}))"


# ---- calls

SWAPPED_NAMES = {
    "mean": "sum",
    "sum": "mean",
    "log_softmax": "softmax",
    "argmax": "argmin",
    "argmin": "argmax",
    "amax": "amin",
    "amin": "amax",
    "max": "min",
    "min": "max",
    "triu": "tril",
    "tril": "triu",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "any": "all",
    "all": "any",
    "cov": "corrcoef",
    "std": "var",
    "var": "std",
    "exp": "expm1",
    "log": "log1p",
    "logsumexp": "sum",
    "float": "double",
    "eval": "train",
    "mse_loss": "l1_loss",
    "cos": "sin",
    "cumsum": "cumprod",
    "minimum": "maximum",
    "maximum": "minimum",
}
_METHODS = """
detach masked_fill masked_fill_ fill_diagonal_ clamp clamp_min clamp_max exp log abs sqrt square pow relu softplus sigmoid tanh t
flip roll round float to sub_ mul_ add_ div_ copy_ neg sum mean log1p softmax log_softmax
"""
DROPPED_METHODS = frozenset(_METHODS.split())
_FUNCTIONS = "normalize normalize_features where masked_fill clamp exp log abs sqrt relu softplus sigmoid"
DROPPED_FUNCTIONS = frozenset(_FUNCTIONS.split())
SYMMETRIC = frozenset({"max", "min", "maximum", "minimum", "add", "mul", "equal", "isclose", "logaddexp"})
"""Functions of two arguments that come to the same in either order."""
LOOKED_AT = frozenset({"len", "isinstance", "type", "range", "zeros_like", "ones_like", "full_like", "empty_like", "randn_like"})
"""Functions that look at a tensor's shape or type alone: detached or not is all the same to them."""
CHECKS = ("check", "_check", "require", "validate", "ensure", "assert")
"""How functions begin that look at arguments and raise."""
SAME_HERE = frozenset({"device", "strict"})
"""Keywords whose loss changes no number where everything is on one device."""


def _called(node: ast.AST) -> tuple[ast.Call, str, ast.expr | None] | None:
    """A call, the name it goes by, and the object that the method belongs to."""
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute):
        return node, node.func.attr, node.func.value
    return (node, node.func.id, None) if isinstance(node.func, ast.Name) else None


@operator("another function")
def another_function(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`x.mean()` -> `x.sum()`, `triu` -> `tril`, `argmax` -> `argmin`"""
    called = _called(node)
    if called is not None and called[1] in SWAPPED_NAMES:
        function = context.source(called[0].func)
        yield called[0].func, function[: len(function) - len(called[1])] + SWAPPED_NAMES[called[1]]


@operator("a call dropped")
def call_dropped(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`x.detach()` -> `x`, `normalize(x)` -> `x`, `s.masked_fill(mask, v)` -> `s`"""
    called = _called(node)
    if called is None:
        return
    call, name, owner = called
    is_module = isinstance(owner, ast.Name) and owner.id in ("torch", "F", "functional", "utils", "nn", "math")
    if owner is not None and not is_module and name in DROPPED_METHODS:
        yield call, context.source(owner)
    elif name in DROPPED_FUNCTIONS and call.args:
        yield call, context.source(call.args[1] if name == "where" and len(call.args) == 3 else call.args[0])


@operator("arguments swapped")
def arguments_swapped(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`f(a, b)` -> `f(b, a)`, for neighbours; keywords by value"""
    if not isinstance(node, ast.Call):
        return
    called = _called(node)
    if called is not None and called[1] in SYMMETRIC:
        return
    for first, second in zip(node.args, node.args[1:], strict=False):
        if not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
            between = context.text[context.span(first)[1] : context.span(second)[0]]
            whole = context.source(node)
            pair = context.source(first) + between + context.source(second)
            yield node, whole.replace(pair, context.source(second) + between + context.source(first), 1)


@operator("a keyword left out")
def keyword_left_out(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`f(x, dim=1)` -> `f(x)`"""
    if isinstance(node, ast.Call):
        for given in node.keywords:
            if given.arg is not None and given.arg not in SAME_HERE:
                kept = [context.source(item) for item in (*node.args, *node.keywords) if item is not given]
                yield node, f"{context.source(node.func)}({', '.join(kept)})"


@operator("another word")
def another_word(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`"mean"` -> `"sum"`, a dictionary key misspelt; words for people, which may be better than the old ones, aside"""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value and not _is_told(node, context):
        words = {"mean": "sum", "sum": "mean", "none": "mean"}
        yield node, repr(words.get(node.value, f"{node.value}_"))


def _is_told(node: ast.Constant, context: Context) -> bool:
    """Whether a text is a sentence, or names an argument that is checked: `check("margin", margin)`."""
    parent = context.above.get(node)
    called = _called(parent) if parent is not None else None
    return " " in str(node.value) or (called is not None and called[1].startswith(CHECKS) and called[0].args[:1] == [node])


# ---- tensors and state


@operator("a detach too many")
def detached(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`f(x)` -> `f(x.detach())` for a plain name, `x + y` -> `x.detach() + y`"""
    parent = context.above.get(node)
    called = _called(parent) if parent is not None else None
    if called is not None and (called[1] in LOOKED_AT or called[1].startswith(CHECKS)):
        return
    argument = isinstance(parent, ast.Call) and node in parent.args
    operand = isinstance(parent, ast.BinOp)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and (argument or operand):
        yield node, f"{node.id}.detach()"


@operator("another axis")
def another_axis(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`dim=1` -> `dim=0`"""
    if isinstance(node, ast.keyword) and node.arg in ("dim", "axis") and isinstance(node.value, ast.Constant):
        yield node.value, "0" if node.value.value != 0 else "1"
    if isinstance(node, ast.keyword) and node.arg in ("dim", "axis") and isinstance(node.value, ast.UnaryOp):
        yield node.value, "0"


@operator("not transposed")
def not_transposed(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`x.T` -> `x`, `x.mT` -> `x`"""
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT", "H") and isinstance(node.ctx, ast.Load):
        yield node, context.source(node.value)


@operator("a dead parameter")
def dead_parameter(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`self.temperature` -> its default, so that the option does nothing"""
    own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    if own and isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]  # an Attribute
        default = context.parameters.get(node.attr)  # type: ignore[attr-defined]
        if default is not None:
            yield node, context.source(default)


@operator("state not kept")
def state_not_kept(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """A statement that changes `self`, or calls a method for its effect, left out"""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) and not _in_constructor(node, context):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        changes_self = any(context.source(target).startswith("self.") for target in targets)
        if changes_self or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)) or isinstance(node, ast.AugAssign):
            yield node, "pass"


def _in_constructor(node: ast.AST, context: Context) -> bool:
    parent = context.above.get(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef):
        parent = context.above.get(parent)
    return isinstance(parent, ast.FunctionDef) and parent.name == "__init__"


# ---- decisions


@operator("a condition turned")
def condition_turned(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`if x:` -> `if not (x):`, also in expressions; and never, and always"""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node.test, f"not ({context.source(node.test)})"


COMPARED = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
}


@operator("a comparison off")
def comparison_off(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`a < b` -> `a <= b`, `a == b` -> `a != b`: a mask off by one, a mask turned"""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
        right = context.source(node.comparators[0])
        yield node, f"({context.source(node.left)} {COMPARED[type(node.ops[0])]} {right})"


@operator("a mask turned")
def mask_turned(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`~mask` -> `mask`, `a & b` -> `a | b`, `not x` -> `x`, `and` -> `or`"""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
        yield node, f"({context.source(node.operand)})"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        other = "|" if isinstance(node.op, ast.BitAnd) else "&"
        yield node, f"(({context.source(node.left)}) {other} ({context.source(node.right)}))"
    if isinstance(node, ast.BoolOp):
        other = "or" if isinstance(node.op, ast.And) else "and"
        yield node, f"({f' {other} '.join(f'({context.source(value)})' for value in node.values)})"


@operator("without no_grad")
def without_no_grad(node: ast.AST, context: Context) -> Iterator[Replacement]:
    """`with torch.no_grad():` -> `with torch.enable_grad():`"""
    if isinstance(node, ast.Call) and context.source(node.func) in ("torch.no_grad", "no_grad"):
        yield node.func, context.source(node.func).replace("no_grad", "enable_grad")
