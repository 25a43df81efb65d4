"""A difference as a few lines of Python that run when pasted, and as a pytest file: plain calls of both losses on literal inputs.

Built from what the smallest run did: which losses it built, what it called them with. Where that is not all there is to it, the
lines run the case itself instead.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from lossport.judge.pair import Pair
from lossport.judge.shrink import Smallest
from lossport.judge.verdict import Counterexample, Finding
from lossport.observe.run import Run, Trace, observe
from lossport.project.config import Loss, Project
from lossport.project.inputs import PLAIN, Variation
from lossport.project.port import Key, Port

DIGITS = 9
"""Digits that tell any two float32 numbers apart: torch prints four."""

MOST_LITERALS = 64
"""A tensor of more numbers cannot be read; the lines then run the case, which makes its inputs by itself."""


class NotPlain(Exception):
    """The run cannot be told as plain calls on literals."""


def counterexample(project: Project, loss: Loss, pair: Pair, smallest: Smallest) -> Counterexample:
    """Tell the smallest run as Python."""
    try:
        body = _plain_calls(project, loss, pair, smallest)
    except NotPlain:
        body = _whole_case(loss, pair, smallest)
    name = re.sub(r"\W+", "_", f"{loss.name}_{smallest.case}")
    doc = f"{smallest.finding.case}: {smallest.finding.place} differed between the legacy and the new loss."
    indented = "\n".join(f"    {line}" if line else "" for line in (*body.lines, *body.assertion))
    test = "\n".join((f'"""{doc}"""', "", *body.lasting_imports, "", "", f"def test_{name}():", indented, ""))
    return Counterexample(smallest.words, (*body.imports, "", *body.lines, *body.prints), test, f"test_{name}.py")


@dataclass(frozen=True)
class _Body:
    """`lasting_imports` are for a file that stays: they take the legacy loss from its golden, as its own file will go."""

    imports: tuple[str, ...]
    lasting_imports: tuple[str, ...]
    lines: tuple[str, ...]
    prints: tuple[str, ...]
    assertion: tuple[str, ...]


# ---- plain calls


def _plain_calls(project: Project, loss: Loss, pair: Pair, smallest: Smallest) -> _Body:
    variation = smallest.variation
    if _has_departures_of_the_harness(variation) or pair.device != "cpu":
        raise NotPlain
    limits = _limits(smallest.finding)
    old, new = Trace(), Trace()
    run = Run(variation, pair.device)
    seen = observe(pair.legacy, smallest.case, run, old)
    observe(pair.new, smallest.case, run, new)
    draws = any(step.random for step in seen.steps)
    names = _input_names(old)
    inputs = [f"{name} = {_numbers(value)}" for name, value in names.values() if isinstance(value, Tensor)]
    inputs += [f"{name} = {_literal(value, {})}" for name, value in names.values() if not isinstance(value, Tensor)]
    legacy_lines, legacy_value = _side("legacy", old, smallest, names, ports=pair.ports, draws=draws)
    renamed = {id(value): names[key] for key, value in zip(names, _values(new), strict=True)}
    new_lines, new_value = _side("new", new, smallest, renamed, ports={}, draws=draws)
    symbols = _symbols(old), _symbols(new)
    imports = ["import torch", *_imports(project, loss, *symbols, {name for name in symbols[0] if _is_here(project, name)})]
    lasting = ["import torch", *_imports(project, loss, *symbols, set())]
    prints = (f"torch.set_printoptions(precision={DIGITS})",) if smallest.finding.relative is not None else ()
    prints = (*prints, f'print("legacy", {legacy_value})', f'print("new   ", {new_value})')
    assertion = (f"torch.testing.assert_close({new_value}, {legacy_value}, equal_nan=True{limits})",)
    return _Body(tuple(imports), tuple(lasting), (*inputs, *legacy_lines, *new_lines), prints, assertion)


def _limits(finding: Finding) -> str:
    """What a test has to allow to fail on this difference, and on none that is half as large.

    Raises:
        NotPlain: comparing two values would not show it, as with a graph, an order or digits beyond those that are told.
    """
    if finding.place.startswith("values of") or (finding.detail and not finding.detail.startswith(("dtype:", "shape:"))):
        raise NotPlain
    if finding.relative is None:
        return ""
    apart = abs(float(finding.new) - float(finding.legacy))
    if not 0 < apart < math.inf:
        raise NotPlain
    return f", rtol=0, atol={apart / 2:.2g}"


def _has_departures_of_the_harness(variation: Variation) -> bool:
    beside_inputs = ("mode", "training", "carry", "repeats", "second", "layout", "dtype")
    return any(getattr(variation, name) != getattr(PLAIN, name) for name in beside_inputs)


def _values(trace: Trace) -> list[Any]:
    return [value for value, _ in trace.inputs.given.values()] if trace.inputs is not None else []


def _input_names(trace: Trace) -> dict[int, tuple[str, Any]]:
    """Inputs by identity: the name they get and their value before the run."""
    if trace.inputs is None:
        return {}
    given = trace.inputs.given
    return {id(value): (_identifier(name), _as_before(value, before)) for name, (value, before) in given.items()}


def _as_before(value: Any, before: Any) -> Any:
    return before.requires_grad_(value.requires_grad) if isinstance(value, Tensor) and isinstance(before, Tensor) else before


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _is_here(project: Project, symbol: str) -> bool:
    return project.module_path(symbol.rpartition(".")[0]) is not None


def _imports(project: Project, loss: Loss, legacy: set[str], new: set[str], here: set[str]) -> list[str]:
    """The legacy symbols from their files, where `here`, else from the golden; the new ones as call sites import them."""
    plain: dict[str, list[str]] = {}
    revived = []
    for symbol in (*sorted(legacy), *sorted(new)):
        module, _, name = symbol.rpartition(".")
        if symbol in new or symbol in here:
            plain.setdefault(module, []).append(name)
        else:
            revived.append(f'{name} = revive("{project.relative(loss.golden_file)}", "{symbol}")')
    if revived:
        plain.setdefault("lossport.evidence", []).append("revive")
    return [*(f"from {module} import {', '.join(names)}" for module, names in plain.items()), *revived]


def _symbols(trace: Trace) -> set[str]:
    """What a side has to import: the classes it builds and the functions it calls."""
    return {built.symbol for built in trace.built} | {call.symbol for _, call in trace.calls if call.built is None}


def _side(
    side: str, trace: Trace, smallest: Smallest, names: Mapping[int, tuple[str, Any]], *, ports: Mapping[str, Port], draws: bool
) -> tuple[list[str], str]:
    """The lines of one side, and the expression for what differs."""
    lines, results = [], []
    for number, built in enumerate(trace.built):
        lines.append(f"{_instance(side, number)} = {_call(_short(built.symbol), built.args, built.kwargs, names)}")
    if draws and trace.built:
        lines = [f"torch.manual_seed({trace.seeds[0]})", *lines]
    for count, (step, call) in enumerate(trace.calls):
        if draws and (step > 0 or not trace.built):
            lines.append(f"torch.manual_seed({trace.seeds[step]})")
        target = _short(call.symbol) if call.built is None else _instance(side, call.built)
        result = f"{side}_result" if len(trace.calls) == 1 else f"{side}_result_{count + 1}"
        lines.append(f"{result} = {_call(target, call.args, call.kwargs, names)}")
        results.append((step, call.symbol, result))
    if not results:
        raise NotPlain
    return lines, _value(smallest, results, ports, names)


def _instance(side: str, number: int) -> str:
    return side if number == 0 else f"{side}_{number + 1}"


def _short(symbol: str) -> str:
    return symbol.rpartition(".")[2]


def _call(target: str, args: Sequence[Any], kwargs: Mapping[str, Any], names: Mapping[int, tuple[str, Any]]) -> str:
    given = [_literal(value, names) for value in args]
    given += [f"{name}={_literal(value, names)}" for name, value in kwargs.items()]
    return f"{target}({', '.join(given)})"


RETURNED = re.compile(r'(values of )?returns(\["(?P<key>[^"]+)"\])?\Z')
GRADIENT = re.compile(r"gradients\[(?P<leaf>\w+)\]\Z")


def _value(
    smallest: Smallest, results: Sequence[tuple[int, str, str]], ports: Mapping[str, Port], names: Mapping[int, tuple[str, Any]]
) -> str:
    """The expression for the place that differs, on one side."""
    place = smallest.finding.place
    step = int("".join(character for character in smallest.finding.moment if character.isdigit()) or 1) - 1
    of_step = [(symbol, result) for number, symbol, result in results if number == step]
    if len(of_step) != 1:
        raise NotPlain
    symbol, result = of_step[0]
    port = ports.get(symbol)
    returned, gradient = RETURNED.match(place), GRADIENT.match(place)
    if returned is not None:
        return _entry(result, returned.group("key"), port)
    leaf = gradient.group("leaf") if gradient is not None else None
    if leaf is not None and leaf in {name for name, _ in names.values()}:
        return f"torch.autograd.grad({_entry(result, 'loss', port)}.sum(), {leaf}, allow_unused=True)[0]"
    raise NotPlain


def _entry(result: str, key: str | None, port: Port | None) -> str:
    """One entry of a result: by its new key, or by the path that the port gives on the legacy side."""
    if key is None:
        return result
    if port is None or not port.returns:
        return f'{result}["{key}"]'
    rule = next((item for item in port.returns if item.new == key), Key(key, key, "tensor"))
    steps = "".join(f"[{part}]" if part.isdigit() else f'["{part}"]' for part in rule.path)
    entry = f"{result}{steps}"
    return f"torch.tensor({entry})" if rule.kind == "number" else entry


# ---- literals


def _literal(value: Any, names: Mapping[int, tuple[str, Any]]) -> str:
    """A value as Python source: inputs by name, the rest written out."""
    if id(value) in names:
        return names[id(value)][0]
    if value is None or isinstance(value, bool | int | str):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f'float("{value}")'
    if type(value) in (list, tuple):
        inner = ", ".join(_literal(item, names) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if type(value) is dict:
        return "{" + ", ".join(f"{_literal(key, names)}: {_literal(item, names)}" for key, item in value.items()) + "}"
    if isinstance(value, Tensor) and value.grad_fn is None:
        return _numbers(value)
    raise NotPlain


def _numbers(value: Tensor) -> str:
    if value.numel() > MOST_LITERALS:
        raise NotPlain
    if value.numel() == 0:
        more = ", requires_grad=True" if value.requires_grad else ""
        return f"torch.zeros({tuple(value.shape)}, dtype={value.dtype}{more})"
    dtype = "" if value.dtype in (torch.float32, torch.int64, torch.bool) else f", dtype={value.dtype}"
    grad = ", requires_grad=True" if value.requires_grad else ""
    return f"torch.tensor({_nested(value.detach())}{dtype}{grad})"


def _nested(value: Tensor) -> str:
    if value.dim() == 0:
        return _shortest(value)
    return "[" + ", ".join(_nested(item) for item in value) + "]"


def _shortest(value: Tensor) -> str:
    """The fewest digits that give the same number in the tensor's dtype."""
    number = value.item()
    if not isinstance(number, float):
        return repr(number)
    if not math.isfinite(number):
        return f'float("{number}")'
    for digits in range(1, 17):
        text = f"{number:.{digits}g}"
        if torch.tensor(float(text), dtype=value.dtype).item() == number:
            return repr(float(text))
    return repr(number)


# ---- the case itself


def _whole_case(loss: Loss, pair: Pair, smallest: Smallest) -> _Body:
    changed = {item.name: getattr(smallest.variation, item.name) for item in fields(Variation)}
    departures = ", ".join(
        f"{name}={value!r}" for name, value in changed.items() if value != getattr(PLAIN, name) and name != "name"
    )
    call = f'replay(project, "{loss.name}", "{smallest.case}", Variation({departures}), "{pair.device}", rewritten=cases)'
    imports = (
        "from pathlib import Path",
        "",
        "from lossport.project.config import find_project",
        "from lossport.migrate.evidence_of import with_rewritten_cases",
        "from lossport.evidence import load_golden, replay",
        "from lossport.project.inputs import Variation",
    )
    lines = (
        "project = find_project(Path.cwd())",
        f'loss = project.loss("{loss.name}")',
        "cases = with_rewritten_cases(project, loss, load_golden(project, loss)).header.rewritten",
        f"verdict = {call}",
    )
    prints = ('print("\\n".join(line for finding in verdict.findings for line in finding.lines()))',)
    return _Body(imports, imports, lines, prints, ("assert verdict.passed, verdict.findings",))
