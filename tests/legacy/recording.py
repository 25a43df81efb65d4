"""Recordings of what the legacy losses did: reading them, and telling which of them can still be played.

A recording is figures, not code: what went in and what came out, case by case. Playing one is done elsewhere.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

Encoded: TypeAlias = Any
"""A recorded value: JSON, in which a dictionary with a `$` key stands for a tensor, a tuple, an object to build ..."""


@dataclass(frozen=True)
class Build:
    """How an object came about: the seed, the arguments, and the exception if there was one."""

    seed: int
    args: list[Encoded]
    kwargs: dict[str, Encoded]
    raises: str | None


@dataclass(frozen=True)
class Step:
    """One call of the object or of a method, and what was seen. `seen` has only the entries that were recorded."""

    op: str
    seed: int
    args: list[Encoded]
    kwargs: dict[str, Encoded]
    backward: str | int | None
    raises: str | None
    seen: Mapping[str, Encoded]


@dataclass(frozen=True)
class Case:
    """One recorded case of one symbol."""

    module: str
    name: str
    why: str
    symbol: str
    build: Build
    steps: tuple[Step, ...] = ()
    shared: Mapping[str, Encoded] = field(default_factory=dict)
    shared_state: Mapping[str, Encoded] = field(default_factory=dict)
    state_before: Encoded = None
    state_after: Encoded = None
    attributes_after: Mapping[str, Encoded] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """How the case is called in a list of tests."""
        return f"{self.module}-{self.name}"

    @property
    def modules(self) -> frozenset[str]:
        """The legacy modules that playing the case imports itself: its own, and those of the parts that it builds."""
        parts = {symbol.partition(":")[0] for symbol in _built_symbols([self.shared, vars(self.build), *map(vars, self.steps)])}
        return frozenset({self.module, *(part for part in parts if "." not in part and part != FIXTURE)})

    @property
    def is_in_float64(self) -> bool:
        """Whether an argument is in float64: the module then computes in float64 by itself, as far as it accepts it."""
        return '"float64"' in json.dumps([self.shared, vars(self.build), *([step.args, step.kwargs] for step in self.steps)])


FIXTURE = "fixture"
"""The module name under which a recording names a class that the player itself provides."""


def read_recording(path: Path) -> tuple[Case, ...]:
    """All cases of one file, in order."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return tuple(parse_case(data["module"], item) for item in data["cases"])


def parse_case(module: str, item: Mapping[str, Encoded]) -> Case:
    """One case, as the file has it."""
    construct = item["construct"]
    return Case(
        module=module,
        name=item["name"],
        why=item["why"],
        symbol=item["symbol"],
        build=Build(construct["seed"], construct["args"], construct["kwargs"], _raised(construct)),
        steps=tuple(_parse_step(step) for step in item.get("steps", [])),
        shared=item.get("shared", {}),
        shared_state=item.get("shared_state", {}),
        state_before=item.get("state_before"),
        state_after=item.get("state_after"),
        attributes_after=item.get("attrs_after", {}),
    )


def _parse_step(item: Mapping[str, Encoded]) -> Step:
    recorded = ("returns", "rng_consumed", "input_grads", "param_grads")
    seen = {name: item[name] for name in recorded if name in item}
    return Step(item["op"], item["seed"], item["args"], item["kwargs"], item["backward"], _raised(item), seen)


def _raised(item: Mapping[str, Encoded]) -> str | None:
    return str(item["raises"]["type"]) if "raises" in item else None


def tensor_of(record: Mapping[str, Any]) -> Tensor:
    """The tensor of a `$tensor` record. Text stands for what JSON has no number for."""
    dtype = getattr(torch, record["dtype"])
    numbers = [float(item) if isinstance(item, str) else item for item in record["data"]]
    wide = torch.tensor(numbers, dtype=torch.float64 if dtype.is_floating_point else None)
    return wide.to(dtype).reshape(record["shape"])


def _built_symbols(value: object) -> Iterator[str]:
    """Every `$new` in a value, at any depth."""
    if isinstance(value, Mapping):
        if "$new" in value:
            yield value["$new"]["symbol"]
        for item in value.values():
            yield from _built_symbols(item)
    elif isinstance(value, list):
        for item in value:
            yield from _built_symbols(item)


def stands(root: Path, package: str, module: str) -> bool:
    """Whether `package/module.py` is still what was recorded: there, and built from modules of `package` alone.

    A file that imports another package of the project has been pointed at new code; its recording does not describe it any more.
    """
    path = root / package / f"{module}.py"
    if not path.is_file():
        return False
    own = {folder.parent.name for folder in root.glob("*/__init__.py")} - {package}
    return not own & {name.partition(".")[0] for name in _absolute_imports(ast.parse(path.read_bytes()))}


def _absolute_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
