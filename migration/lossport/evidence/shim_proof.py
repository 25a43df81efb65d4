"""Whether a shim behaves as the legacy loss that it stands for: the cases as they are written, run on the shim."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import torch

from lossport.evidence.environment import environment
from lossport.evidence.golden import Golden, from_tree, import_path
from lossport.judge.mapping import Ports, mapped_result
from lossport.judge.pair import Pair
from lossport.judge.verdict import Proof
from lossport.observe.isolation import Sources
from lossport.observe.observation import Observation
from lossport.observe.run import Run, observe, steady
from lossport.observe.side import legacy_side, new_side
from lossport.observe.value import Call, Items, Node, Number, Plain, Warned, array
from lossport.project.config import Loss, Project
from lossport.project.inputs import PLAIN
from lossport.project.progress import Progress, no_progress
from lossport.source.fingerprint import Fingerprint


def prove_shims(
    project: Project, loss: Loss, golden: Golden, shims: Mapping[Path, str], *, progress: Progress = no_progress
) -> Proof:
    """Compare the legacy loss of the golden with shims, by file, on every written case.

    Both results are read through the port, so that its divergences say where the shim may differ: where the new loss may.
    """
    began = time.perf_counter()
    texts = {import_path(project, path): text for path, text in shims.items()}
    legacy = Sources(golden.header.sources)
    shimmed = Sources({**golden.header.sources, **texts}, fallback=lambda module: from_tree(project, module))
    cases = (golden.header.cases_path, golden.header.cases)
    symbols = tuple(port.legacy for port in loss.ports)
    ports = {port.legacy: port for port in loss.ports}
    verdicts = []
    with ExitStack() as stack:
        stack.enter_context(steady())
        pair = Pair(
            stack.enter_context(legacy_side(legacy, symbols, (), cases)),
            stack.enter_context(new_side(project.import_roots, frozenset(legacy.tops), symbols, cases, shimmed)),
            ports,
            tuple(item for port in loss.ports for item in port.divergences),
            "cpu",
        )
        for done, case in enumerate(golden.cases):
            progress(case, done, len(golden.cases))
            old, new = observe(pair.legacy, case, Run()), observe(pair.new, case, Run())
            verdicts.append(pair.compare(case, case, PLAIN, _quiet(old), _in_new_words(_quiet(new), ports)).verdict)
    return Proof(loss.name, "cpu", tuple(verdicts), Fingerprint(), environment(), seconds=time.perf_counter() - began)


def _quiet(seen: Observation) -> Observation:
    """Without deprecation warnings: a shim has to give one."""
    return replace(seen, steps=tuple(replace(step, warnings=_without_deprecation(step.warnings)) for step in seen.steps))


def _without_deprecation(warned: Warned) -> Warned:
    return replace(warned, kinds=tuple(name for name in warned.kinds if name != DeprecationWarning.__name__))


def _in_new_words(seen: Observation, ports: Ports) -> Observation:
    results = [None if step.result is None else _read(step.result, ports) for step in seen.steps]
    return replace(seen, steps=tuple(replace(s, result=found) for s, found in zip(seen.steps, results, strict=True)))


def _read(node: Node, ports: Ports) -> Node:
    if isinstance(node, Call):
        port = ports.get(node.symbol)
        return node if port is None or not port.returns else Call(node.symbol, _as_tensors(mapped_result(node.node, port)))
    if isinstance(node, Items):
        return replace(node, entries=tuple((key, _read(item, ports)) for key, item in node.entries))
    return node


def _as_tensors(node: Node) -> Node:
    """Numbers as the tensors that a shim read them from, as far as one can tell: those of the run's precision."""
    if isinstance(node, Number) and isinstance(node.node, Plain) and isinstance(node.node.value, bool | int | float):
        value = node.node.value
        return array(torch.tensor(value, dtype=torch.float32 if isinstance(value, float) else None))
    if isinstance(node, Items):
        return replace(node, entries=tuple((key, _as_tensors(item)) for key, item in node.entries))
    return node
