"""Legacy names written as text in Python code: `import_module("a.b")`, `patch("a.b.Old")`, `{"_target_": "a.b.Old"}`.

What reads the text decides: a module that is imported by literal is followed, a name that is patched is patched under its new
path, and text that goes where it cannot be followed counts as a symbol that does. Computed names are refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lossport.rewrite.contract import Contract
from lossport.rewrite.held import LOOKS_UP
from lossport.rewrite.literals import like
from lossport.rewrite.names import Names
from lossport.rewrite.patching import WHAT_TO_DO, is_patch, module_members, speaks_of_calls
from lossport.rewrite.references import Surroundings
from lossport.source.dotted import Meaning, meaning_of
from lossport.source.nodes import walk

IMPORTS = frozenset({"importlib.import_module", "pytest.importorskip"})


def texts(names: Names, around: Surroundings) -> None:
    """Rewrite or refuse every legacy path that the file has as text, and every computed one."""
    for node in _nodes(names):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and names.view.flow.quoted(node) is None:
            meaning = _meaning(names, node)
            if meaning is not None:
                _text(names, around, node, meaning)
            elif "import " in node.value:
                _code(names, around, node)
            elif "/" in node.value or "\\" in node.value:
                _file(names, around, node, node.value.replace("\\", "/"))
        elif isinstance(node, ast.Call):
            _computed(names, around, node)
            module_members(names, around, node)
        elif isinstance(node, ast.Attribute) and node.attr == "__dict__":
            _namespace(names, node)


def _nodes(names: Names) -> Iterator[ast.AST]:
    for statement in names.view.flow.hot_statements():
        nodes = list(walk(statement))
        docstrings = {node.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
        yield from (node for node in nodes if node not in docstrings)


def _meaning(names: Names, node: ast.Constant) -> Meaning | None:
    view = names.view
    return meaning_of(str(node.value), view.modules, view.targets.symbols, view.targets.modules, view.path.parent)


def _text(names: Names, around: Surroundings, node: ast.Constant, meaning: Meaning) -> None:
    call = names.view.parents.get(node)
    if isinstance(call, ast.keyword):
        call = names.view.parents.get(call)
    function = call if isinstance(call, ast.Call) and node is not call.func else None
    if meaning.kind == "symbol" and meaning.target in around.contracts:
        contract = around.contracts[meaning.target]
        patched = function is not None and is_patch(function, node)
        changes = contract.symbol_changes
        how = speaks_of_calls(names, function, contract) if function is not None and patched else ""
        if how and changes:
            names.draft.refuse(node, f"{contract.port.name} is {how}, and {changes}", WHAT_TO_DO, meaning.target)
        if not patched and changes:
            names.draft.refuse(
                node,
                f"names {contract.port.name} as text, which is read where it cannot be followed, and {changes}",
                "look at what reads it; then acknowledge this place in the port, or rewrite it by hand",
                meaning.target,
            )
        _write(names, node, new_path(meaning, around, contract))
    elif meaning.kind == "module" and function is not None and names.view.flow.named.get(function.func) in IMPORTS:
        _imported_module(names, around, node, meaning)
    else:
        _refuse(names, around, node, meaning)


def new_path(meaning: Meaning, around: Surroundings, contract: Contract) -> str:
    """The new path of a symbol: through the module that keeps offering it, else where the port says."""
    kept = around.kept(meaning.provider, meaning.name)
    if kept is not None:
        return f"{meaning.provider}{meaning.separator}{kept}"
    module, _, name = contract.port.new.rpartition(".")
    return f"{module}{meaning.separator}{name}"


def _write(names: Names, node: ast.Constant, text: str) -> None:
    names.draft.replace(*names.view.source.span(node), like(names.draft.text_of(node), text))


def _imported_module(names: Names, around: Surroundings, node: ast.Constant, meaning: Meaning) -> None:
    if meaning.target in names.stuck:
        return  # refused where it is used
    modules = {c.port.new.rpartition(".")[0] for c in around.contracts.values() if c.port.module == meaning.target}
    if len(modules) == 1:
        _write(names, node, modules.pop())
    else:
        names.draft.refuse(
            node, f"the symbols of {meaning.target} move to several modules", "import each by name", meaning.target
        )


_FROM = re.compile(r"\bfrom\s+([\w.]+)\s+import\s+\(?([\w\s,]+)")
_IMPORT = re.compile(r"\bimport\s+([\w.]+)")


def _code(names: Names, around: Surroundings, node: ast.Constant) -> None:
    """Code in a text, which is run elsewhere: by `exec`, or by another Python."""
    text = str(node.value)
    taken = [(match[1], name) for match in _FROM.finditer(text) for name in re.findall(r"\w+", match[2])]
    modules, near = names.view.modules, names.view.path.parent
    found = {modules.member(module, name, near) for module, name in taken} | {modules.canonical(m, near) for m, _ in taken}
    found |= {modules.canonical(match[1], near) for match in _IMPORT.finditer(text)}
    for target in sorted(found & (names.view.targets.symbols | names.view.targets.modules))[:1]:
        if not around.elsewhere(target):
            todo = "rewrite the code in the text by hand; then acknowledge this place in the port"
            names.draft.refuse(node, f"holds code that imports {target}", todo, target)


def _file(names: Names, around: Surroundings, node: ast.Constant, text: str) -> None:
    """The path of a legacy module's file, as `runpy.run_path` takes it."""
    for module in names.view.targets.modules:
        path = f"{module.replace('.', '/')}.py"
        if (text == path or text.endswith(f"/{path}")) and not around.elsewhere(module):
            todo = "name what the program needs of it by its import; or acknowledge this place in the port"
            names.draft.refuse(node, f"names the file of {module}, which goes", todo, module)


def _refuse(names: Names, around: Surroundings, node: ast.Constant, meaning: Meaning) -> None:
    if around.elsewhere(meaning.target):
        return
    if meaning.kind == "member":
        reason = f"names {meaning.name} as text: a part of a class that is replaced (monkeypatching)"
        todo = "subclass the new loss, or pass what varies as an argument"
    elif meaning.kind == "module":
        reason, todo = f"names the module {meaning.target} as text", "write the new module's name, or remove it"
    elif meaning.target in around.gone:
        reason, todo = f"{meaning.target} is gone: {around.gone[meaning.target].reason}", "remove what uses it"
    else:
        reason = f"names {meaning.target} as text, and no port says what becomes of it"
        todo = f"add a Port or Gone for {meaning.target}, or stop using it"
    names.draft.refuse(node, reason, todo, meaning.target)


def _computed(names: Names, around: Surroundings, call: ast.Call) -> None:
    """Names that are put together while the program runs."""
    flow = names.view.flow
    path = flow.named.get(call.func)
    if path in {*IMPORTS, "builtins.__import__"} and call.args and not _is_text(call.args[0]):
        _computed_import(names, call)
    elif path in LOOKS_UP and call.args and not (len(call.args) > 1 and _is_text(call.args[1])):
        module = flow.named.get(call.args[0])
        if module is not None and _offers(names, module):
            names.draft.refuse(call, f"looks up a computed name in {module}, which offers legacy symbols", "write the names out")


def _namespace(names: Names, node: ast.Attribute) -> None:
    """`module.__dict__`: whatever is looked up in it may be a legacy symbol."""
    module = names.view.flow.named.get(node.value)
    if module is not None and _offers(names, module):
        names.draft.refuse(node, f"looks up a computed name in {module}, which offers legacy symbols", "write the names out")


def _computed_import(names: Names, call: ast.Call) -> None:
    """A computed module name is refused unless everything that it can be is known, and none of it is a legacy module."""
    view = names.view
    start = _start_of(call.args[0])
    if start is None or not any(module.startswith(start) for module in view.targets.modules):
        return
    meant = view.flow.texts.get(call.args[0], frozenset())
    if not meant:
        names.draft.refuse(call, f"imports a computed module name that starts with {start!r}", "write the names out")
    elif any(view.modules.canonical(name, view.path.parent) in view.targets.modules for name in meant):
        shown = " or ".join(sorted(meant))
        names.draft.refuse(call, f"imports a computed module name: {shown}", "write the names out")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _start_of(node: ast.expr) -> str | None:
    """The literal text that a computed one starts with; None if it starts with something computed."""
    match node:
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return text
        case ast.BinOp(left=left):
            return _start_of(left)
        case ast.Constant(value=str(text)):
            return text.partition("{")[0].partition("%")[0]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return text.partition("{")[0]
        case _:
            return None


def _offers(names: Names, module: str) -> bool:
    """Whether a module that stays has a legacy symbol among its names. (Uses of a legacy module itself are refused as such.)"""
    modules = names.view.modules
    info = modules.load(module, names.view.path.parent)
    if info is None or modules.canonical(module, names.view.path.parent) in names.view.targets.modules:
        return False
    return any(modules.member(module, name) in names.view.targets.symbols for name in modules.public(info))
