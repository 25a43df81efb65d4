"""The abstract run of statements: what variables may stand for after each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence

from lossport.follow.annotations import annotated
from lossport.follow.assign import assign, define_function, grow_table, is_fixture, items_of, narrowed, store_name
from lossport.follow.calls import Arguments, call
from lossport.follow.file_facts import ClassFacts, Env, FunctionFacts
from lossport.follow.flow import MAX_LOOP_ROUNDS, Frame, decorator_names, escape, evaluate, run_block, run_top, step
from lossport.follow.values import EMPTY, OTHER, Class, Function, Instance, Named, Symbol, Table, Values
from lossport.follow.wrapping import passes_on
from lossport.source.modules import absolute


def join_env(first: Env, second: Env) -> Env:
    """What holds after either of two ways."""
    if first is second:
        return first
    joined = dict(first)
    for name, values in second.items():
        joined[name] = joined.get(name, EMPTY) | values
    return joined


def _leaves(body: Sequence[ast.stmt]) -> bool:
    """Whether a block always leaves the function."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, ast.If):
        return _leaves(last.body) and _leaves(last.orelse)
    if isinstance(last, ast.Continue | ast.Break):
        return len(body) == 1  # with more in the block, the next turn or the end of the loop would see what that leaves
    return isinstance(last, ast.Return | ast.Raise)


@step(ast.Assign)
def _assign(frame: Frame, node: ast.Assign, env: Env) -> Env:
    values = evaluate(frame, node.value, env)
    for target in node.targets:
        assign(frame, target, values, env)
    return env


@step(ast.AnnAssign)
def _annotated(frame: Frame, node: ast.AnnAssign, env: Env) -> Env:
    held = annotated(frame, node.annotation, env)
    if node.value is not None:
        assign(frame, node.target, evaluate(frame, node.value, env), env)
    elif held:
        assign(frame, node.target, held, env)
    return env


@step(ast.AugAssign)
def _augmented(frame: Frame, node: ast.AugAssign, env: Env) -> Env:
    added = evaluate(frame, node.value, env)
    held: Values = EMPTY
    if isinstance(node.target, ast.Name | ast.Attribute):
        loaded = copy.copy(node.target)
        loaded.ctx = ast.Load()
        held = evaluate(frame, loaded, env)
        frame.flow.record(node.target, held)
    tables = [value for value in held if isinstance(value, Table)]
    for table in tables:
        grow_table(frame, table.node, {None: items_of(frame, added)})
    assign(frame, node.target, frozenset(tables) or OTHER, env)
    return env


@step(ast.If)
def _if(frame: Frame, node: ast.If, env: Env) -> Env:
    evaluate(frame, node.test, env)
    then = run_block(frame, node.body, dict(narrowed(frame, node.test, env)))
    other = run_block(frame, node.orelse, dict(narrowed(frame, node.test, env, holds=False)))
    if _leaves(node.body):
        return other
    return then if _leaves(node.orelse) else join_env(then, other)


@step(ast.For, ast.AsyncFor)
def _for(frame: Frame, node: ast.For | ast.AsyncFor, env: Env) -> Env:
    values = items_of(frame, evaluate(frame, node.iter, env))
    return _loop(frame, node.body, node.orelse, env, lambda inner: assign(frame, node.target, values, inner))


@step(ast.While)
def _while(frame: Frame, node: ast.While, env: Env) -> Env:
    return _loop(frame, node.body, node.orelse, env, lambda inner: evaluate(frame, node.test, inner))


def _loop(frame: Frame, body: list[ast.stmt], orelse: list[ast.stmt], env: Env, start: Callable[[Env], object]) -> Env:
    for _ in range(MAX_LOOP_ROUNDS):
        inner = dict(env)
        start(inner)
        after = join_env(env, run_block(frame, body, inner))
        if after == env:
            break
        env = after
    return run_block(frame, orelse, env)


@step(ast.Try, ast.TryStar)
def _try(frame: Frame, node: ast.Try, env: Env) -> Env:
    after = run_block(frame, node.body, dict(env))
    interrupted = join_env(env, after)
    ends = [] if _leaves(node.body) else [run_block(frame, node.orelse, after)]
    for handler in node.handlers:
        if handler.type is not None:
            evaluate(frame, handler.type, env)
        end = run_block(frame, handler.body, dict(interrupted))
        if not _leaves(handler.body):
            ends.append(end)
    env = interrupted if not ends else ends[0]
    for end in ends[1:]:
        env = join_env(env, end)
    return run_block(frame, node.finalbody, env)


@step(ast.With, ast.AsyncWith)
def _with(frame: Frame, node: ast.With | ast.AsyncWith, env: Env) -> Env:
    for item in node.items:
        evaluate(frame, item.context_expr, env)
        if item.optional_vars is not None:
            assign(frame, item.optional_vars, OTHER, env)
    return run_block(frame, node.body, env)


@step(ast.Match)
def _match(frame: Frame, node: ast.Match, env: Env) -> Env:
    subject = evaluate(frame, node.subject, env)
    result = env
    for case in node.cases:
        inner = dict(env)
        for part in ast.walk(case.pattern):
            if isinstance(part, ast.expr):
                evaluate(frame, part, inner)
        for part in ast.walk(case.pattern):
            if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                values = _matched(frame, part, subject) if part is case.pattern else OTHER
                store_name(frame, part.name, values, inner)
        if isinstance(node.subject, ast.Name):
            inner[node.subject.id] = _of_pattern(frame, case.pattern) or subject
        if case.guard is not None:
            evaluate(frame, case.guard, inner)
        result = join_env(result, run_block(frame, case.body, inner))
    return result


def _matched(frame: Frame, pattern: ast.MatchAs | ast.MatchStar, subject: Values) -> Values:
    """What the name at the end of a pattern holds: `case Old() as x`, `case x`."""
    inside = pattern.pattern if isinstance(pattern, ast.MatchAs) else None
    return subject if inside is None else _of_pattern(frame, inside) or subject


def _of_pattern(frame: Frame, pattern: ast.pattern) -> Values:
    """What matches a class pattern; EMPTY for a pattern that says nothing about the class."""
    match pattern:
        case ast.MatchAs(pattern=ast.pattern() as inside):
            return _of_pattern(frame, inside)
        case ast.MatchOr(patterns=parts):
            found = [_of_pattern(frame, part) for part in parts]
            return frozenset().union(*found) if all(found) else EMPTY
        case ast.MatchClass(cls=cls):
            symbols = frame.flow.values.get(cls, EMPTY)
            return frozenset(Instance(value.path) for value in symbols if isinstance(value, Symbol)) or OTHER
        case _:
            return EMPTY


@step(ast.Return)
def _return(frame: Frame, node: ast.Return, env: Env) -> Env:
    if node.value is not None:
        values = evaluate(frame, node.value, env)
        if frame.function is not None:
            frame.flow.grow_returns(frame.function, values)
    return env


@step(ast.Import)
def _import(frame: Frame, node: ast.Import, env: Env) -> Env:
    for alias in node.names:
        path = alias.name if alias.asname else alias.name.partition(".")[0]
        store_name(frame, alias.asname or path, frame.world.resolve(frame.flow, path), env)
        if alias.asname:
            _heat_module(frame, alias.asname, frame.world.resolve(frame.flow, path))
    return env


@step(ast.ImportFrom)
def _import_from(frame: Frame, node: ast.ImportFrom, env: Env) -> Env:
    module = absolute(frame.flow.info.package, node.module, node.level)
    for alias in node.names:
        if alias.name != "*":
            known = module is not None
            values = frame.world.resolve(frame.flow, f"{module}.{alias.name}") if known else OTHER
            store_name(frame, alias.asname or alias.name, values, env)
            _heat_module(frame, alias.asname or alias.name, values)
    return env


def _heat_module(frame: Frame, name: str, values: Values) -> None:
    """Whatever uses a legacy module by a name of its own is looked at."""
    near = frame.flow.info.path.parent if frame.flow.info.path else None
    for value in values:
        legacy = frame.world.retired | frame.world.packages
        if isinstance(value, Named) and frame.world.modules.canonical(value.path, near) in legacy:
            frame.flow.heat({name})


@step(ast.Global)
def _global(frame: Frame, node: ast.Global, env: Env) -> Env:
    if frame.function is not None:
        frame.function.globals.update(node.names)
    return env


@step(ast.Nonlocal)
def _nonlocal(frame: Frame, node: ast.Nonlocal, env: Env) -> Env:
    if frame.function is not None:
        frame.function.nonlocals.update(node.names)
    return env


TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "property", "cached_property", "cache", "lru_cache", "wraps", "override", "final", "overload"}
    | {"abstractmethod", "no_grad", "inference_mode", "enable_grad", "set_grad_enabled", "compile", "jit.ignore", "jit.export"}
    | {"fixture", "retry", "autocast"}
)
"""Decorators after which a function takes and returns what it did before, by the last part of their names."""


def _is_transparent(name: str) -> bool:
    return name.rpartition(".")[2] in TRANSPARENT or ".mark." in name or name.startswith("mark.") or name.endswith(".setter")


def _only_wraps(frame: Frame, decorator: ast.expr) -> bool:
    """Whether a decorator is a function of the project that gives a wrapper which passes everything on, and the value back."""
    values = frame.flow.values.get(decorator, EMPTY)
    nodes = [value.node for value in values if isinstance(value, Function)]
    return bool(nodes) and len(nodes) == len(values) and all(passes_on(node) for node in nodes)


@step(ast.FunctionDef, ast.AsyncFunctionDef)
def _function(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef, env: Env) -> Env:
    run = frame.function is not None or frame.flow.is_hot(node)
    value = define_function(frame, node, env, run=run)
    if run:
        for decorator in node.decorator_list:
            evaluate(frame, decorator, env)
        if node.returns is not None:
            _return_type(frame, node, annotated(frame, node.returns, env))
    if is_fixture(node):
        facts = frame.world.facts[node]
        assert isinstance(facts, FunctionFacts)
        facts.fixture = True
        frame.flow.fixtures[node.name] = facts
    elif not all(
        _is_transparent(name) or _only_wraps(frame, d) for name, d in zip(decorator_names(node), node.decorator_list, strict=True)
    ):
        escape(frame, value)
        value = OTHER
    store_name(frame, node.name, value, env)
    return env


def _return_type(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef, held: Values) -> None:
    facts = frame.world.facts[node]
    assert isinstance(facts, FunctionFacts)
    if held and not held & OTHER:
        facts.returns_typed = True
        facts.returns -= OTHER
        frame.flow.grow_returns(facts, held)


def _decorate(frame: Frame, decorator: ast.expr, values: Values, node: ast.ClassDef) -> None:
    """A class is handed to its decorator."""
    if any(isinstance(value, Function) for value in values):
        name = ast.copy_location(ast.Name(node.name, ast.Load()), decorator)
        given = ast.copy_location(ast.Call(decorator, [name], []), decorator)
        call(frame, values, Arguments(given, [frozenset({Class(node)})], []))


@step(ast.ClassDef)
def _class(frame: Frame, node: ast.ClassDef, env: Env) -> Env:
    facts = frame.world.facts.get(node)
    if not isinstance(facts, ClassFacts):
        facts = ClassFacts(node, frame.flow)
        frame.world.facts[node] = facts
    if frame.function is not None or frame.flow.is_hot(node):
        for part in (keyword.value for keyword in node.keywords):
            evaluate(frame, part, env)
        for decorator in node.decorator_list:
            _decorate(frame, decorator, evaluate(frame, decorator, env), node)
        bases = [evaluate(frame, base, env) for base in node.bases]
        if bases != facts.bases:
            facts.bases = bases
            for values in bases:
                frame.world.hold(node, values)
            frame.flow.touch()
    run = run_block if frame.function is not None else run_top
    run(Frame(frame.flow, frame.function, facts), node.body, dict(env))
    if frame.world.legacy_base(facts) is not None:
        frame.flow.heat({node.name})
        frame.flow.heat_methods(facts)
    frame.world.meet_relatives(frame.flow, facts)
    store_name(frame, node.name, frozenset({Class(node)}), env)
    return env
