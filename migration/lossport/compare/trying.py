"""The process that runs options: parity of one, or the time of a step of all. A file asks, a file gets the answer.

Started by `running`, never imported: it imports torch and runs the project.
"""

from __future__ import annotations

import json
import logging
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lossport.evidence.golden import Golden, load_golden, record
from lossport.evidence.opening import open_pair
from lossport.evidence.proving import prove
from lossport.observe.random_streams import seed_all
from lossport.observe.run import steady
from lossport.observe.side import Side
from lossport.project.config import Loss, Project, find_project
from lossport.project.errors import InputError
from lossport.project.inputs import Inputs, Variation
from lossport.project.port import Port
from lossport.rewrite import RewriteRefused, rewrite_case_file

BATCH = 64
"""Rows of a timed step: large enough that the losses' own work counts, small enough for loops over the batch."""

ROUNDS = 7
"""Times that each case is run on each side, in turns; the median of them is not moved by a burst of other work."""

SECONDS_A_CASE = 20.0
"""A case that takes longer for all rounds gets fewer, but at least one."""


def main(arguments: Sequence[str]) -> int:
    """Answer the question of the first file in the second."""
    question, answer = map(Path, arguments)
    asked = json.loads(question.read_text(encoding="utf-8"))
    project = find_project(Path(asked["root"]))
    try:
        found = _prove(project, asked["options"][0]) if asked["what"] == "prove" else _time(project, asked["options"])
    except (InputError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    answer.write_text(json.dumps(found), encoding="utf-8")
    return 0


def _prove(project: Project, wanted: Mapping[str, str]) -> dict[str, Any]:
    loss, golden = _open(project, wanted)
    proof = prove(project, loss, golden, _rewritten(project, loss, golden), "cpu")
    summary = proof.summary()
    first = proof.first.lines() if proof.first is not None else []
    return {
        "headline": summary["headline"],
        "different": summary["counts"]["different"] + summary["counts"]["not provable"],
        "unused": summary["unused"],
        "divergences": summary["divergences"],
        "first": " ".join(line.strip() for line in first),
    }


def _open(project: Project, wanted: Mapping[str, str]) -> tuple[Loss, Golden]:
    """The loss with a port that leads to the option, and what the legacy loss did."""
    known = project.loss(wanted["loss"])
    if len(known.ports) != 1:
        raise InputError(f"{known.name} has {len(known.ports)} legacy classes; options can be compared for a loss that has one")
    port = known.ports[0]
    port = replace(port, new=wanted["new"]) if wanted["interface"] == "new" else Port(legacy=port.legacy, new=wanted["new"])
    return replace(known, ports=(port,)), _golden(project, known.name)


@cache
def _golden(project: Project, name: str) -> Golden:
    """What the legacy loss did: the capsule, which outlives the legacy file, or a new recording where there is none yet."""
    loss = project.loss(name)
    return load_golden(project, loss) if loss.golden_file.is_file() else record(project, loss)


def _rewritten(project: Project, loss: Loss, golden: Golden) -> str:
    modules = {_module(path): text for path, text in golden.header.sources.items()}
    gone = {name: text for name, text in modules.items() if project.module_path(name) is None}
    try:
        return rewrite_case_file(project, loss, golden.header.cases, sources=gone or None)
    except RewriteRefused as refused:
        reasons = "; ".join(f"{item.path}:{item.line}: {item.reason}" for item in refused.refusals)
        raise InputError(f"the cases cannot be rewritten for {loss.ports[0].new}: {reasons}") from refused


def _module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def _time(project: Project, options: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The ratios of each option to the legacy loss, case by case."""
    logging.getLogger().addHandler(logging.NullHandler())
    with ExitStack() as stack:
        stack.enter_context(steady())
        old, pair = _sides(stack, project, options)
        ratios: dict[str, dict[str, float]] = {name: {} for name in pair}
        for case in old.cases:
            for name, ratio in _ratios(old, pair, case):
                ratios[name][case] = ratio
    return {name: _summary(found) for name, found in ratios.items()}


def _sides(stack: ExitStack, project: Project, options: Sequence[Mapping[str, str]]) -> tuple[Side, dict[str, Side]]:
    """The legacy loss, and every option by name."""
    opened = {}
    for wanted in options:
        loss, golden = _open(project, wanted)
        rewritten = _rewritten(project, loss, golden)
        opened[wanted["name"]] = open_pair(stack, project, loss, golden, rewritten=rewritten, device="cpu")
    return next(iter(opened.values())).legacy, {name: pair.new for name, pair in opened.items()}


def _ratios(old: Side, pair: Mapping[str, Side], case: str) -> Iterator[tuple[str, float]]:
    """The options that can run the case, with their time over that of the legacy loss."""
    every = {"": old, **pair}
    able = {name: side for name, side in every.items() if _seconds(side, case) is not None}
    if "" not in able:
        return
    seen: dict[str, list[float]] = {name: [] for name in able}
    began = time.perf_counter()
    for turn in range(ROUNDS):
        if turn and time.perf_counter() - began > SECONDS_A_CASE:
            break
        for name, side in able.items():
            seen[name].append(_seconds(side, case) or math.nan)
    legacy = statistics.median(seen.pop(""))
    yield from ((name, statistics.median(found) / legacy) for name, found in seen.items())


def _seconds(side: Side, case: str) -> float | None:
    """The time of all steps of a case, forward and backward; None if it raises."""
    seed_all(0, torch.device("cpu"))
    with side.scope.active(), side.watch.ignoring():
        inputs = Inputs(0, variation=Variation("timed", batch=BATCH))
        began = time.perf_counter()
        try:
            for result in _steps(side.cases[case], inputs):
                _backward(result)
        except Exception:  # whatever a case raises, it is not a step that can be timed
            return None
        return time.perf_counter() - began


def _steps(case: Callable[[Inputs], Any], inputs: Inputs) -> Iterator[Any]:
    found = case(inputs)
    if hasattr(found, "__next__"):
        yield from found
    else:
        yield found


def _backward(result: Any) -> None:
    """Through the loss: the first tensor with a graph that the result holds."""
    for tensor in _tensors(result):
        if tensor.requires_grad:
            torch.autograd.backward(tensor.sum())
            return


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _summary(ratios: Mapping[str, float]) -> dict[str, Any]:
    if not ratios:
        return {"cases": 0}
    mean = math.exp(statistics.fmean(map(math.log, ratios.values())))
    ranked = sorted(ratios.items(), key=lambda item: item[1])
    return {"cases": len(ratios), "batch": BATCH, "mean": mean, "least": ranked[0], "most": ranked[-1]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
