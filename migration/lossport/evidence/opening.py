"""Open a golden: load the legacy side out of its capsule and the new side from the tree, as a pair that is ready to run."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from lossport.evidence.capsule import CapsuleError
from lossport.evidence.golden import Golden
from lossport.judge.pair import Pair
from lossport.observe.isolation import Sources
from lossport.observe.side import legacy_side, new_side
from lossport.project.config import Loss, Project
from lossport.project.port import Rename


def open_pair(
    stack: ExitStack,
    project: Project,
    loss: Loss,
    golden: Golden,
    *,
    rewritten: str,
    device: str,
    new_sources: Sources | None = None,
) -> Pair:
    """Load both sides; they close with the stack. `new_sources` takes the place of the new modules in the tree."""
    ports = {port.legacy: port for port in loss.ports}
    sources = Sources(golden.header.sources)
    path = golden.header.cases_path
    legacy = stack.enter_context(legacy_side(sources, tuple(ports), (), (path, golden.header.cases)))
    new_symbols = tuple(dict.fromkeys(port.new for port in loss.ports))
    tops = frozenset(sources.tops)
    new = stack.enter_context(new_side(project.import_roots, tops, new_symbols, (path, rewritten), new_sources))
    missing = [name for name in golden.cases if name not in legacy.cases or name not in new.cases]
    if missing:
        names = ", ".join(missing)
        raise CapsuleError(f"{path}: the golden has the cases {names}, the rewritten cases do not; record {loss.name} again")
    divergences = tuple(item for port in loss.ports for item in port.divergences)
    renamed = {rule.old: rule.new for port in loss.ports for rule in port.parameters if isinstance(rule, Rename)}
    return Pair(legacy, replace(new, options=renamed), ports, divergences, device)
