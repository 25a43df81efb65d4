"""Reads of what a loss returns: keys that moved, numbers that became tensors, tuples that became dictionaries."""

from __future__ import annotations

import ast
import re

from lossport.follow.uses import Use
from lossport.follow.values import Result, ResultMember
from lossport.project.port import Key
from lossport.rewrite.contract import Contract, changed
from lossport.rewrite.import_statements import separator
from lossport.rewrite.literals import like
from lossport.rewrite.outcome import Draft


def rewrite_result(draft: Draft, use: Use, contract: Contract, *, whole_may_escape: bool = False) -> None:
    """Make one use of a result right for the new side, or refuse it."""
    value = use.value
    result = value.result if isinstance(value, ResultMember) else value
    assert isinstance(result, Result)
    if result.method or not contract.keys or contract.is_entry(result.path):
        return
    if isinstance(value, ResultMember) and use.kind != "get":
        _escape(draft, use, contract, result)
    elif use.kind == "read":
        _read(draft, use, contract, result)
    elif use.kind == "write":
        _write(draft, use, contract, result)
    elif use.kind == "get":
        _get(draft, use, contract, result)
    elif use.kind == "contains":
        _contains(draft, use, contract, result)
    elif use.kind == "unpack":
        _unpack(draft, use, contract, result)
    elif use.kind in ("escape", "attribute") and not (whole_may_escape and not result.path and _leaves_the_case(draft, use.node)):
        _escape(draft, use, contract, result)


def _leaves_the_case(draft: Draft, node: ast.expr) -> bool:
    """Whether a case hands the whole result to the harness, which reads it through the port."""
    around: ast.AST | None = draft.view.parents.get(node)
    while isinstance(around, ast.Tuple | ast.List | ast.Dict):
        around = draft.view.parents.get(around)
    return isinstance(around, ast.Yield | ast.Return)


def read_value(draft: Draft, use: Use, contract: Contract, *, case: bool) -> None:
    """A value that became an entry of a dictionary, or a number that became a tensor, is read where the call stands.

    In a case, a call whose whole value goes to the harness is left to the harness.
    """
    call, key = use.around, contract.keys[""]
    assert isinstance(call, ast.Call)
    is_class = contract.legacy is not None and contract.legacy.is_class
    if (use.kind == "construct" and is_class) or isinstance(draft.view.parents.get(call), ast.Expr):
        return
    read = (f'["{key.new}"]' if key.new else "") + (".item()" if key.kind == "number" else "")
    whole = _handed_whole(draft, call) if case else False
    if key.new is None:
        draft.refuse(call, f"what {contract.port.name} returned is gone: {key.reason}", "stop using it", contract.port.legacy)
    elif whole is None:
        draft.refuse(call, "its value is yielded whole and used otherwise", "make two calls", contract.port.legacy)
    elif read and not whole and _certain(draft, use, contract):
        end = draft.view.source.span(call)[1]
        draft.replace(end, end, read)


def _handed_whole(draft: Draft, call: ast.Call) -> bool | None:
    """Whether all that becomes of a call's value in a case is that it is yielded; None if that is a part of it."""
    if _leaves_the_case(draft, call):
        return True
    parent = draft.view.parents.get(call)
    targets = parent.targets if isinstance(parent, ast.Assign) else []
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    held = draft.view.flow.values.get(call, frozenset())
    reads = [
        node
        for node, values in draft.view.flow.values.items()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names and values & held
    ]
    leaving = [_leaves_the_case(draft, node) for node in reads]
    return None if any(leaving) and not all(leaving) else any(leaving)


def _certain(draft: Draft, use: Use, contract: Contract) -> bool:
    if use.certain:
        return True
    draft.refuse(
        use.node,
        f"may be what {contract.port.name} returns or something else, and the two have to be read differently",
        "give the two their own variables",
        contract.port.legacy,
    )
    return False


def _key(draft: Draft, use: Use, contract: Contract, path: tuple[str, ...]) -> Key | None:
    """The port's entry for a path. Refuses paths that the port does not know."""
    name = ".".join(path)
    key = contract.keys.get(name)
    if key is None and (path in draft.added_keys.get(contract.port.legacy, ()) or not use.certain):
        return None  # where it may be something else, it is: this would have failed
    if key is None:
        draft.refuse(
            use.node,
            f"reads {name!r}, which the port does not list among what {contract.port.name} returns",
            f"add tensor({name!r}), number({name!r}) or gone_key({name!r}, reason=...) to returns= of the port",
            contract.port.legacy,
        )
        return None
    if key.new is None:
        draft.refuse(use.node, f"reads {name!r}, which is gone: {key.reason}", "stop reading it", contract.port.legacy)
        return None
    return key


def _is_container(contract: Contract, path: tuple[str, ...]) -> bool:
    start = ".".join(path) + "."
    return any(name.startswith(start) for name in contract.keys)


def _read(draft: Draft, use: Use, contract: Contract, result: Result) -> None:
    around = use.around
    assert isinstance(around, ast.Subscript)
    parts = [v for v in draft.view.flow.values[around] if isinstance(v, Result) and v.path[: len(result.path)] == result.path]
    path = next(v.path for v in parts if len(v.path) == len(result.path) + 1)
    if _is_container(contract, path) and ".".join(path) not in contract.keys:
        if contract.changes_below(path) and _certain(draft, use, contract):
            base_end = draft.view.source.span(around.value)[1]
            opening = _bracket(draft, around, base_end)
            draft.replace(opening, draft.view.source.span(around)[1], "")
        return
    key = _key(draft, use, contract, path)
    if key is None or not changed(key) or not _certain(draft, use, contract):
        return
    if key.new != path[-1] and not _replace_key(draft, use, around.slice, str(key.new)):
        return
    if key.kind == "number":
        end = draft.view.source.span(around)[1]
        draft.replace(end, end, ".item()")


def _write(draft: Draft, use: Use, contract: Contract, result: Result) -> None:
    """An entry that call sites add to a result: fine as long as neither side has one of that name."""
    around = use.around
    assert isinstance(around, ast.Subscript)
    assert isinstance(around.slice, ast.Constant)
    name = str(around.slice.value)
    mine = {key.new for key in contract.keys.values()} | {key.path[0] for key in contract.keys.values()}
    if result.path or name in mine:
        _escape(draft, use, contract, result, f"changed: its entry {name!r} is set")


def _bracket(draft: Draft, subscript: ast.Subscript, base_end: int) -> int:
    text = draft.view.source.text
    return text.rindex("[", base_end, draft.view.source.span(subscript.slice)[0])


def _replace_key(draft: Draft, use: Use, node: ast.expr, new: str) -> bool:
    if not isinstance(node, ast.Constant):
        draft.refuse(use.node, f"the key {new!r} is read through a variable", "write the key out where it is read")
        return False
    draft.replace(*draft.view.source.span(node), like(draft.text_of(node), new))
    return True


def _get(draft: Draft, use: Use, contract: Contract, result: Result) -> None:
    call = use.around
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    if not call.args or not isinstance(call.args[0], ast.Constant):
        _escape(draft, use, contract, result, "read by a computed key")
        return
    path = (*result.path, str(call.args[0].value))
    if _is_container(contract, path):
        if contract.changes_below(path):
            draft.refuse(use.node, f"reads {'.'.join(path)!r} by .get()", "read it with [...]", contract.port.legacy)
        return
    key = _key(draft, use, contract, path)
    if key is None or not changed(key) or not _certain(draft, use, contract):
        return
    new = like(draft.text_of(call.args[0]), str(key.new))
    if key.kind != "number":
        draft.replace(*draft.view.source.span(call.args[0]), new)
        return
    if not isinstance(call.func.value, ast.Name | ast.Attribute):
        draft.refuse(use.node, "reads a number by .get() from an expression", "put the result into a variable first")
        return
    base = draft.text_of(call.func.value)
    missing = draft.text_of(call.args[1]) if len(call.args) > 1 else "None"
    draft.replace(*draft.view.source.span(call), f"({base}[{new}].item() if {new} in {base} else {missing})")


def _contains(draft: Draft, use: Use, contract: Contract, result: Result) -> None:
    around = use.around
    assert isinstance(around, ast.Compare)
    assert isinstance(around.left, ast.Constant)
    path = (*result.path, str(around.left.value))
    if _is_container(contract, path) and contract.changes_below(path):
        draft.refuse(use.node, f"asks for {'.'.join(path)!r}, which has no place of its own now", "ask for one of its entries")
        return
    key = contract.keys.get(".".join(path))
    if key is not None and key.new is None:
        draft.refuse(use.node, f"asks for {key.legacy!r}, which is gone: {key.reason}", "stop asking for it")
    elif key is not None and key.new != path[-1] and _certain(draft, use, contract):
        draft.replace(*draft.view.source.span(around.left), like(draft.text_of(around.left), str(key.new)))


def _escape(draft: Draft, use: Use, contract: Contract, result: Result, how: str = "") -> None:
    if not contract.changes_below(result.path):
        return
    draft.refuse(
        use.node,
        f"what {contract.port.name} returns is {how or use.how}, and the port changes what it returns",
        "read the entries here by their keys, and pass those on",
        contract.port.legacy,
    )


def _unpack(draft: Draft, use: Use, contract: Contract, result: Result) -> None:
    """`loss, parts = criterion(...)` becomes two statements."""
    statement = use.around
    target = use.node
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or not isinstance(target, ast.Tuple | ast.List):
        _escape(draft, use, contract, result, "taken apart where it is not the only thing assigned")
        return
    if not _certain(draft, use, contract):
        return
    whole: list[str] = []
    reads: list[tuple[str, str]] = []
    for number, element in enumerate(target.elts):
        path = (*result.path, str(number))
        text = draft.text_of(element)
        if isinstance(element, ast.Starred):
            draft.refuse(use.node, "takes the result apart with *", "name the parts", contract.port.legacy)
            return
        if text == "_":
            continue
        if _is_container(contract, path):
            whole.append(text)
            continue
        key = _key(draft, use, contract, path)
        if key is None:
            return
        reads.append((text, f'["{key.new}"]' + (".item()" if key.kind == "number" else "")))
    _write_unpacked(draft, statement, target, whole, reads)


def _write_unpacked(
    draft: Draft, statement: ast.Assign, target: ast.Tuple | ast.List, whole: list[str], reads: list[tuple[str, str]]
) -> None:
    source = draft.view.source
    start, value_start = source.span(statement)[0], _value_start(draft, statement)
    end = source.span(statement)[1]
    if not whole and len(reads) == 1:
        draft.replace(start, value_start, f"{reads[0][0]} = ")
        draft.replace(end, end, reads[0][1])
        return
    holder = whole[0] if whole else _fresh(draft, statement)
    draft.replace(start, value_start, f"{holder} = ")
    between = separator(draft, statement)
    follow = [f"{name} = {holder}{read}" for name, read in reads] + [f"{name} = {holder}" for name in whole[1:]]
    if follow:
        draft.replace(end, end, "".join(between + line for line in follow))


def _value_start(draft: Draft, statement: ast.Assign) -> int:
    """Where the right side starts, its brackets included."""
    text = draft.view.source.text
    after = draft.view.source.span(statement.targets[-1])[1]
    return re.compile(r"[\s)\\\]]*=\s*").match(text, after).end()  # type: ignore[union-attr]  # an assignment has an equals sign


def _fresh(draft: Draft, statement: ast.stmt) -> str:
    taken = set(re.findall(r"\w+", draft.view.source.text))
    return next(name for name in ("result", *(f"result_{n}" for n in range(2, 1000))) if name not in taken)
