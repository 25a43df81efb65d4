"""`**options`: the literal dictionary behind it, if it is in reach and nothing else needs it as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lossport.follow.file_facts import FileFacts
from lossport.follow.uses import parents_of
from lossport.follow.values import NOTHING, Symbol, Table, Values
from lossport.follow.view import View
from lossport.rewrite.arguments import Options, Unmapped

WRITE_OUT = "write the arguments out by name, or build the dictionary from a literal beside the call"


def options_in_reach(view: View, node: ast.expr, symbol: str) -> Options | Unmapped:
    """The dictionary that an argument unpacks, given the symbol that is called."""
    values = view.flow.values.get(node, frozenset())
    tables = [value for value in values if isinstance(value, Table)]
    if len(tables) != 1 or len(values) != 1:
        return Unmapped(node, "arguments unpacked with ** come from elsewhere", WRITE_OUT)
    display = tables[0].node
    entries = tuple(_entries(display)) if isinstance(display, ast.Dict | ast.Call) else ()
    if not isinstance(display, ast.Dict | ast.Call) or None in [name for name, _ in entries]:
        return Unmapped(node, "arguments unpacked with ** have computed names", WRITE_OUT)
    named = tuple((name, value) for name, value in entries if name is not None)
    if set(view.flow.world.tables[display]) != {name for name, _ in named}:
        return Unmapped(node, "arguments unpacked with ** are added to the dictionary later", WRITE_OUT)
    for flow in view.flow.world.flows.values():
        fault = _other_use(flow, display, symbol)
        if fault is not None:
            line = fault.lineno
            return Unmapped(
                node, f"the dictionary unpacked with ** is also used in line {line}", "give the call its own dictionary"
            )
    return Options(display, named)


def _entries(display: ast.Dict | ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    if isinstance(display, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in display.keywords)
        yield from ((None, arg) for arg in display.args)
        return
    for key, value in zip(display.keys, display.values, strict=True):
        literal = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
        yield literal, value


def _other_use(flow: FileFacts, display: ast.expr, symbol: str) -> ast.expr | None:
    """A place that uses the dictionary for anything but calls of the symbol."""
    parents = parents_of(flow)
    for node, values in flow.values.items():
        if node is not display and any(isinstance(value, Table) and value.node is display for value in values):
            if isinstance(getattr(node, "ctx", None), ast.Store):
                continue
            parent = parents.get(node)
            call = parents.get(parent) if isinstance(parent, ast.keyword) else None
            unpacked = isinstance(parent, ast.keyword) and parent.arg is None and isinstance(call, ast.Call)
            if not (unpacked and isinstance(call, ast.Call) and _calls(flow, call, symbol)):
                return node
    return None


def _calls(flow: FileFacts, call: ast.Call, symbol: str) -> bool:
    values: Values = flow.values.get(call.func, frozenset()) - NOTHING
    if values and all(isinstance(value, Symbol) and value.path == symbol for value in values):
        return True
    first = flow.values.get(call.args[0], frozenset()) if call.args else frozenset()
    partial = flow.named.get(call.func) == "functools.partial"
    return partial and any(isinstance(value, Symbol) and value.path == symbol for value in first)
