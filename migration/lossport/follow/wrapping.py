"""Decorators that change nothing of how a function is called and of what it returns, told from their syntax."""

from __future__ import annotations

import ast

from lossport.source.variables import FUNCTIONS


def passes_on(decorator: ast.AST) -> bool:
    """Whether a decorator returns a wrapper by `functools.wraps` that takes any arguments, hands them on, and returns the value.

    >>> inner = "    @wraps(f)\\n    def inner(*a, **k):\\n        out = f(*a, **k)\\n        return out\\n"
    >>> timed = f"def timed(f):\\n{inner}    return inner"
    >>> passes_on(ast.parse(timed).body[0])
    True
    """
    if not isinstance(decorator, ast.FunctionDef) or len(decorator.args.args) != 1:
        return False
    function = decorator.args.args[0].arg
    match decorator.body:
        case [*_, ast.FunctionDef() as inner, ast.Return(value=ast.Name(id=name))] if name == inner.name:
            return _wraps(inner, function) and _returns_it(inner, function)
        case _:
            return False


def _wraps(inner: ast.FunctionDef, function: str) -> bool:
    arguments = inner.args
    anything = arguments.vararg is not None and arguments.kwarg is not None and not arguments.args and not arguments.kwonlyargs
    match inner.decorator_list:
        case [ast.Call(func=ast.Name(id="wraps") | ast.Attribute(attr="wraps"), args=[ast.Name(id=name)])]:
            return anything and name == function
        case _:
            return False


def _returns_it(inner: ast.FunctionDef, function: str) -> bool:
    nodes = [node for statement in inner.body for node in ast.walk(statement)]
    if any(isinstance(node, FUNCTIONS) for node in nodes):
        return False
    kept = {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign) and _hands_on(inner, node.value, function)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    stored = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    returned = [node.value for node in nodes if isinstance(node, ast.Return)]
    once = {name for name in kept if stored.count(name) == 1}
    return bool(returned) and all(
        value is not None and (_hands_on(inner, value, function) or (isinstance(value, ast.Name) and value.id in once))
        for value in returned
    )


def _hands_on(inner: ast.FunctionDef, value: ast.expr, function: str) -> bool:
    """`f(*args, **kwargs)`."""
    match value:
        case ast.Call(
            func=ast.Name(id=name),
            args=[ast.Starred(value=ast.Name(id=some))],
            keywords=[ast.keyword(arg=None, value=ast.Name(id=rest))],
        ):
            assert inner.args.vararg is not None
            assert inner.args.kwarg is not None
            return (name, some, rest) == (function, inner.args.vararg.arg, inner.args.kwarg.arg)
        case _:
            return False
