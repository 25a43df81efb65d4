"""Legacy modules that a program holds as values: `module = importlib.import_module("a.b")`.

What is taken from one by name is rewritten. Where anything else is done with it, the module's name and all that goes through it
in the file stay: such a place must not be rewritten by halves. Names that import statements bind are seen to there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lossport.rewrite.names import Names, root_of
from lossport.rewrite.patching import MEMBER_CALLS
from lossport.rewrite.references import Surroundings

WRITE_OUT = "write out which symbols are used, or import them by name"

LOOKS_UP = frozenset(f"builtins.{name}" for name in ("getattr", "hasattr", "setattr", "delattr", "vars", "dir"))
LOOKED_AT = (ast.Expr, ast.AnnAssign, ast.NamedExpr, ast.IfExp, ast.BoolOp, ast.If, ast.UnaryOp, ast.Compare, ast.Assert)
"""What may be done with a module besides an assignment: it is there, or not."""


def held_modules(names: Names, around: Surroundings) -> frozenset[str]:
    """Refuse uses of held modules that cannot be followed; the modules that have such a use."""
    stuck: set[str] = set()
    for node, module in _held(names):
        fault = _relative(node, module) or _fault(names, around, node, module)
        if fault:
            names.draft.refuse(node, fault, WRITE_OUT, module)
            stuck.add(module)
    return frozenset(stuck)


def _held(names: Names) -> Iterator[tuple[ast.expr, str]]:
    view = names.view
    for node, modules in view.flow.modules.items():
        root = names.scopes.module.find(root_of(node)) if root_of(node) else None
        by_import = root is not None and any(isinstance(binder, ast.alias) for binder in root.binders)
        if not by_import and not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
            yield from ((node, module) for module in sorted(modules))


def _relative(node: ast.expr, module: str) -> str:
    match node:
        case ast.Call(args=[ast.Constant(value=str(text)), *_]) if text.startswith("."):
            return f"imports {module} by a relative name"
        case _:
            return ""


def _fault(names: Names, around: Surroundings, node: ast.expr, module: str) -> str:
    """Why the use of a module cannot be followed; empty if it can."""
    parent = names.view.parents.get(node)
    if isinstance(parent, ast.Attribute):
        taken = parent.attr
    elif isinstance(parent, ast.Call) and node in parent.args:
        taken = _named(names, parent, node)
        if not taken:
            looks_up = names.view.flow.named.get(parent.func) in LOOKS_UP
            return f"{'looks up a computed name in' if looks_up else 'hands on the module'} {module}, where it cannot be followed"
    else:
        return "" if _is_kept(names, node, parent) else f"hands on the module {module}, where it cannot be followed"
    symbol = f"{module}.{taken}"
    if symbol in around.contracts or around.elsewhere(symbol):
        return "" if names.view.flow.named.get(node) is not None else f"may take {taken} from {module} or from another module"
    if symbol in around.gone:
        return ""  # refused where it is taken
    return f"uses {symbol}, and no port says what becomes of it"


def _is_kept(names: Names, node: ast.expr, parent: ast.AST | None) -> bool:
    """Whether a module is kept under a name, or merely looked at."""
    if isinstance(parent, ast.Tuple):
        above = names.view.parents.get(parent)
        return isinstance(above, ast.Assign) and all(isinstance(target, ast.Tuple) for target in above.targets)
    if isinstance(parent, ast.Assign):
        return all(isinstance(target, ast.Name | ast.Attribute) for target in parent.targets)
    return isinstance(parent, LOOKED_AT)


def _named(names: Names, call: ast.Call, node: ast.expr) -> str:
    """The name that `getattr(module, "Old")` and its like take; empty for anything else."""
    takes = names.view.flow.named.get(call.func) == "builtins.getattr" or ast.unparse(call.func).endswith(MEMBER_CALLS)
    match call.args:
        case [first, ast.Constant(value=str(name)), *_] if first is node and takes:
            return name
        case _:
            return ""
