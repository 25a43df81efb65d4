"""Names that are looked up while the program runs: `eval`, `globals()[name]`, `type(x).__name__ == "Old"`.

No syntax says what such a lookup finds, so a file that has a legacy name and looks names up is left to a person.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from lossport.follow.values import Table
from lossport.rewrite.names import Names
from lossport.rewrite.references import Surroundings
from lossport.source.nodes import walk

LOOKS_UP = re.compile(r"\b(?:globals|locals|vars|eval|exec)\s*\(|\bsys\s*\.\s*modules\b|\bimport_module\s*\(\s*__name__")
_CLASS_NAME = re.compile(r"\.__(?:qual)?name__\b")
CLASS_NAMES = frozenset({"__name__", "__qualname__"})
WRITE_OUT = "use the class itself, or a dictionary of classes"


def lookups(names: Names, around: Surroundings) -> None:
    """Refuse lookups that may find a legacy symbol of the file."""
    view = names.view
    held = _held(names, around)
    if held and LOOKS_UP.search(view.source.text):
        for node in walk(view.tree):
            if isinstance(node, ast.Call | ast.Subscript):
                _lookup(names, around, held, node)
    for statement in view.flow.hot_statements():
        for node in walk(statement):
            if isinstance(node, ast.Compare):
                _class_name(names, around, node)
            elif isinstance(node, ast.Call):
                _of_unknown(names, around, node)
            elif isinstance(node, ast.Subscript):
                _class_name_as_key(names, around, node)
    if any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in view.tree.body):
        _on_demand(names, around)


def _held(names: Names, around: Surroundings) -> dict[str, str]:
    """The names that the file has for ported symbols, by its imports: those of stars included."""
    view = names.view
    held = {i.alias.asname or i.alias.name: i.target for i in view.imports if i.kind == "symbol" and i.target in around.contracts}
    for star in view.flow.info.stars:
        other = view.modules.load(star, view.path.parent)
        for name in view.modules.public(other) if other is not None else ():
            symbol = view.modules.member(star, name, view.path.parent)
            if symbol in around.contracts:
                held.setdefault(name, symbol)
    return held


def _lookup(names: Names, around: Surroundings, held: Mapping[str, str], node: ast.Call | ast.Subscript) -> None:
    match node:
        case ast.Call(func=ast.Name(id="eval" | "exec"), args=[code]):
            _run_text(names, around, held, code)
        case ast.Subscript(value=space, slice=key) if _is_namespace(space):
            _by_key(names, around, held, key)
        case ast.Call(func=ast.Attribute(value=space, attr="get" | "pop"), args=[key, *_]) if _is_namespace(space):
            _by_key(names, around, held, key)
        case ast.Call(func=ast.Name(id="getattr"), args=[module, key, *_]) if _is_this_module(module):
            _by_key(names, around, held, key, kept=False)
        case _:
            pass


def _run_text(names: Names, around: Surroundings, held: Mapping[str, str], code: ast.expr) -> None:
    text = code.value if isinstance(code, ast.Constant) else None
    if not isinstance(text, str):
        if not _is_plain_value(names, code):
            names.draft.refuse(code, f"runs computed text where {_listed(held)} can be named", WRITE_OUT)
        return
    for name in sorted(set(re.findall(r"\w+", text)) & set(held)):
        if text != name or around.contracts[held[name]].symbol_changes:
            names.draft.refuse(code, f"runs text that names {name}", "write the code out", held[name])


def _is_plain_value(names: Names, code: ast.expr) -> bool:
    """Whether what `eval` gives is kept in a variable that nothing calls or takes an attribute of: `mean = eval(opt.mean)`."""
    assigned = (node for node in ast.walk(names.view.tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call))
    match next((node for node in assigned if isinstance(node.value, ast.Call) and node.value.args == [code]), None):
        case ast.Assign(targets=[ast.Name(id=name)]):
            return re.search(rf"\b{re.escape(name)}\s*[.(]", names.view.source.text) is None and isinstance(
                code, ast.Name | ast.Attribute
            )
        case _:
            return False


def _by_key(names: Names, around: Surroundings, held: Mapping[str, str], key: ast.expr, *, kept: bool = True) -> None:
    """A lookup by key; with `kept`, a name that the file has as text keeps its name."""
    if not isinstance(key, ast.Constant):
        names.draft.refuse(key, f"looks up a computed name in a file that imports {_listed(held)}", WRITE_OUT)
    elif key.value in held and not (kept and not around.contracts[held[str(key.value)]].symbol_changes):
        names.draft.refuse(key, f"looks up {key.value!r} by its name", WRITE_OUT, held[str(key.value)])


def _is_namespace(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and not node.args and getattr(node.func, "id", "") in ("globals", "locals", "vars")


def _is_this_module(node: ast.expr) -> bool:
    return ast.unparse(node) in ("sys.modules[__name__]", "importlib.import_module(__name__)", "import_module(__name__)")


def _listed(held: Mapping[str, str]) -> str:
    return ", ".join(sorted(held))


def _class_name(names: Names, around: Surroundings, node: ast.Compare) -> None:
    """`type(x).__name__ == "Old"` is false once the class is called otherwise."""
    sides = [node.left, *node.comparators]
    if not any(isinstance(side, ast.Attribute) and side.attr in CLASS_NAMES for side in sides):
        return
    for side in sides:
        for literal in _texts(side):
            for symbol, contract in around.contracts.items():
                if literal.value == symbol.rpartition(".")[2] and contract.port.new.rpartition(".")[2] != literal.value:
                    reason = f"compares the name of a class with {literal.value!r}, which is another name now"
                    names.draft.refuse(literal, reason, "compare the class itself, with isinstance()", symbol)


def _class_name_as_key(names: Names, around: Surroundings, node: ast.Subscript) -> None:
    """`counts["Old"]` of what is filled by `counts[type(x).__name__]`, as far as one file shows it."""
    key = node.slice
    if not isinstance(key, ast.Constant) or _CLASS_NAME.search(names.view.source.text) is None:
        return
    known = names.view.flow.values.get(node.value, frozenset())
    if any(isinstance(value, Table) and key.value in names.view.flow.world.tables[value.node] for value in known):
        return
    for symbol, contract in around.contracts.items():
        if key.value == symbol.rpartition(".")[2] != contract.port.new.rpartition(".")[2]:
            reason = f"reads {key.value!r} where keys may be names of classes, and that is another name now"
            names.draft.refuse(node, reason, "write the new name, or acknowledge this place in the port", symbol)


def _of_unknown(names: Names, around: Surroundings, call: ast.Call) -> None:
    """`something.Old(...)` and `getattr(something, "Old")`: nobody knows of what, but few classes share a name."""
    flow = names.view.flow
    match call:
        case ast.Call(func=ast.Attribute(value=base, attr=name) as taken):
            pass
        case ast.Call(func=ast.Name(id="getattr") as taken, args=[base, ast.Constant(value=str(name)), *_]):
            pass
        case _:
            return
    if base in flow.values or taken in flow.values or flow.named.get(base) or call in flow.values:
        return
    for symbol in sorted(names.view.targets.classes & around.contracts.keys()):
        if symbol.rpartition(".")[2] == name:
            reason = f"takes {name} from something that cannot be followed; it may be the legacy class"
            names.draft.refuse(call, reason, "import it by name, or acknowledge this place in the port", symbol)


def _on_demand(names: Names, around: Surroundings) -> None:
    """A module that gives names when they are asked for, out of a table of texts."""
    parents = names.view.parents
    by_name = {symbol.rpartition(".")[2]: symbol for symbol in around.contracts}
    listed = {display for display in names.draft.listed}
    for node in (node for statement in names.view.flow.hot_statements() for node in walk(statement)):
        if isinstance(node, ast.Constant) and node.value in by_name:
            table = parents.get(node)
            if isinstance(table, ast.Dict | ast.List | ast.Set | ast.Tuple) and table not in listed:
                reason = f"{node.value} is given on demand by __getattr__, out of a table of texts"
                names.draft.refuse(
                    node, reason, "write what it gives as imports, or rewrite it by hand", by_name[str(node.value)]
                )


def _texts(node: ast.expr) -> Iterator[ast.Constant]:
    listed = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return (item for item in listed if isinstance(item, ast.Constant) and isinstance(item.value, str))
