"""Every way in which the tree builds a legacy loss becomes a case: a written case with the constructor's arguments replaced.

Reads sources with `ast` alone. What cannot be derived - arguments that are not literals, a loss that no case builds - is named.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.project.config import Loss, Project
from lossport.project.snapshot import snapshot_of

PREFIX = "configuration_"
"""Of the names of derived cases; they get no variants, as their template has its own."""


@dataclass(frozen=True)
class Construction:
    """A call of a legacy class in the tree: `arguments` is its source, None if it is not made of literals."""

    symbol: str
    path: str
    line: int
    arguments: str | None
    code: str

    @property
    def where(self) -> str:
        """`examples/train.py:12`."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True)
class Derived:
    """The case file with derived cases at its end, their names, and what could not be derived."""

    text: str
    names: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def constructions(project: Project, losses: Sequence[Loss]) -> tuple[Construction, ...]:
    """Where the tree builds the legacy classes of losses, in the order of files and lines; legacy modules themselves aside."""
    from lossport.follow.sites import find_sites  # noqa: PLC0415  # a capsule runs where there is no tree to read

    retired = project.relative(project.legacy)
    classes = {port.legacy for loss in losses for port in loss.ports if _is_class(project, port.module, port.name)}
    found: list[Construction] = []
    parsed: dict[str, ast.Module | None] = {}
    for site in find_sites(project, losses).sites:
        if site.symbol in classes and site.path.endswith(".py") and not site.path.startswith(f"{retired}/"):
            if site.path not in parsed:
                parsed[site.path] = _parsed(project, site.path)
            call = _call_at(parsed[site.path], site.line, site.column)
            if call is not None:
                arguments = _literals(_with_constants(call, parsed[site.path]))
                found.append(Construction(site.symbol, site.path, site.line, arguments, site.code.strip()))
    return tuple(found)


def with_configurations(cases: str, found: Sequence[Construction]) -> Derived:
    """Add a case for every construction that no case has, on the first case that builds the same class once."""
    tree = ast.parse(cases)
    names = _imported_names(tree)
    seen = {(symbol, _literals(call)) for symbol, call in _built_anywhere(tree, names)}
    added: list[str] = []
    new_names: list[str] = []
    missing: list[str] = []
    for item in found:
        if item.arguments is None:
            missing.append(f"{item.where}: arguments that are no literals: {item.code}")
            continue
        if (item.symbol, item.arguments) in seen:
            continue
        seen.add((item.symbol, item.arguments))
        name = f"{PREFIX}{len(new_names) + 1}"
        text = _derived_case(cases, tree, names, item, name)
        if text is None:
            missing.append(f"{item.where}: no case builds {item.symbol} just once, to be varied: {item.code}")
        else:
            added.append(text)
            new_names.append(name)
    text = cases.rstrip("\n") + "\n" + "".join(f"\n\n{item}" for item in added)
    return Derived(text if added else cases, tuple(new_names), tuple(missing))


def uncovered(cases: str, found: Sequence[Construction]) -> tuple[Construction, ...]:
    """Those constructions, of the ones that could be derived, that no case has."""
    tree = ast.parse(cases)
    seen = {(symbol, _literals(call)) for symbol, call in _built_anywhere(tree, _imported_names(tree))}
    return tuple(item for item in found if item.arguments is not None and (item.symbol, item.arguments) not in seen)


def without(derived: Derived, original: str, failed: Mapping[str, str]) -> Derived:
    """The same without the cases that turned out not to run; `failed` gives the reason by name."""
    tree = ast.parse(derived.text)
    kept = [name for name in derived.names if name not in failed]
    told = {node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.FunctionDef)}
    pieces = [
        ast.get_source_segment(derived.text, node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name in kept
    ]
    text = original.rstrip("\n") + "\n" + "".join(f"\n\n{piece}\n" for piece in pieces)
    missing = (
        *derived.missing,
        *(f"{told[name].removeprefix('As built in ').rstrip('.')}: {why}" for name, why in failed.items()),
    )
    return Derived(text if pieces else original, tuple(kept), missing)


def only(derived: Derived, original: str, name: str) -> str:
    """The case file with one derived case alone."""
    return without(derived, original, {other: "" for other in derived.names if other != name}).text


def _is_class(project: Project, module: str, name: str) -> bool:
    path = project.module_path(module)
    if path is None:
        return False
    tree = _tree(project, path)
    return not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name for node in tree.body)


def _parsed(project: Project, path: str) -> ast.Module | None:
    try:
        return _tree(project, project.root / path)
    except (SyntaxError, UnicodeDecodeError, OSError):
        return None


def _tree(project: Project, path: Path) -> ast.Module:
    snapshot = snapshot_of(project)
    return snapshot.of_file(path, "tree", lambda: ast.parse(snapshot.text(path)))


def _call_at(tree: ast.Module | None, line: int, column: int) -> ast.Call | None:
    for node in ast.walk(tree) if tree is not None else ():
        at_place = isinstance(node, ast.Call) and (node.func.lineno, node.func.col_offset + 1) == (line, column)
        if isinstance(node, ast.Call) and at_place and not isinstance(node.func, ast.Call):  # `Old(1)(x)`: the inner one
            return node
    return None


def _with_constants(call: ast.Call, tree: ast.Module | None) -> ast.Call:
    """The call with the module's constants in place of their names: `dim=DIM` where the file says `DIM = 32` once."""
    constants: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr | ast.For):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
                    constants.setdefault(target.id, []).append(value or ast.Name("?"))
    top = {target.id for node in (tree.body if tree else ()) if isinstance(node, ast.Assign) for target in _names_in(node)}
    known = {name: values[0] for name, values in constants.items() if len(values) == 1 and name in top}

    class Constants(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            value = known.get(node.id)
            return value if isinstance(value, ast.Constant) else node

    replaced = ast.parse(ast.unparse(call), mode="eval").body
    assert isinstance(replaced, ast.Call)
    replaced.args = [Constants().visit(item) for item in replaced.args]
    replaced.keywords = [ast.keyword(item.arg, Constants().visit(item.value)) for item in replaced.keywords]
    return replaced


def _names_in(node: ast.Assign) -> list[ast.Name]:
    return [target for target in node.targets if isinstance(target, ast.Name)]


def _literals(call: ast.Call) -> str | None:
    """The arguments as source in one spelling, or None if one of them is not a literal."""
    if any(isinstance(item, ast.Starred) for item in call.args) or any(item.arg is None for item in call.keywords):
        return None
    try:
        for value in (*call.args, *(item.value for item in call.keywords)):
            ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError):
        return None
    given = [ast.unparse(item) for item in call.args]
    named = sorted((f"{item.arg}={ast.unparse(item.value)}" for item in call.keywords), key=str)
    return ", ".join([*given, *named])


def _imported_names(tree: ast.Module) -> dict[str, str]:
    """What the names of the case file stand for."""
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Import):
            names.update({alias.asname or alias.name: alias.name for alias in node.names})
    return names


def _symbol(function: ast.expr, names: Mapping[str, str]) -> str | None:
    if isinstance(function, ast.Name):
        return names.get(function.id)
    if isinstance(function, ast.Attribute):
        owner = ast.unparse(function.value)
        return f"{names.get(owner, owner)}.{function.attr}"
    return None


def _built_anywhere(tree: ast.AST, names: Mapping[str, str]) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            symbol = _symbol(node.func, names)
            if symbol is not None:
                yield symbol, node


def _derived_case(cases: str, tree: ast.Module, names: Mapping[str, str], item: Construction, name: str) -> str | None:
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
            continue
        calls = [call for symbol, call in _built_anywhere(function, names) if symbol == item.symbol]
        if len(calls) == 1:
            return _varied(cases, function, calls[0], item, name)
    return None


def _varied(cases: str, function: ast.FunctionDef, call: ast.Call, item: Construction, name: str) -> str:
    """The function under another name, the constructor's arguments replaced, saying where they come from."""
    copied: ast.FunctionDef = ast.parse(ast.get_source_segment(cases, function) or "").body[0]  # type: ignore[assignment]
    target = (call.lineno - function.lineno + 1, call.col_offset)
    given: ast.Call = ast.parse(f"f({item.arguments})", mode="eval").body  # type: ignore[assignment]
    for node in ast.walk(copied):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == target and ast.unparse(node) == ast.unparse(call):
            node.args, node.keywords = given.args, given.keywords
    copied.name = name
    doc = ast.Expr(ast.Constant(f"As built in {item.where}."))
    has_doc = ast.get_docstring(copied) is not None
    copied.body = [doc, *(copied.body[1:] if has_doc else copied.body)]
    return ast.unparse(ast.fix_missing_locations(copied)) + "\n"
