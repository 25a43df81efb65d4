"""An independent figure for the power of parity: mutants of a general library, cosmic-ray, planted in the lines that cases run.

    pip install '.[bench]'
    python benchmarks/mutation.py vicreg clip --most 60

`lossport power` has a catalogue of mistakes that people make in losses; this one knows nothing of losses. Mutants are drawn by
seed from all that the library's operators give, tried in memory as the catalogue's faults are, and told with those that survive.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
from collections.abc import Collection
from pathlib import Path

from lossport import current, evidence
from lossport.config import find_project
from lossport.evidence.faults import Fault, fault_between
from lossport.parity import processors
from lossport.terminal import Terminal

SEED = 5
BESIDE_THE_POINT = ("RemoveDecorator", "ExceptionReplacer", "VariableReplacer", "VariableInserter")
"""Operators that leave numbers alone, and those that have to be told which variables to change."""


def mutants(path: str, text: str, lines: Collection[int]) -> list[Fault]:
    """Every mutant of a file that changes a line which runs."""
    from cosmic_ray.mutating import mutate_code  # noqa: PLC0415  # said in words where it is missing
    from cosmic_ray.plugins import get_operator, operator_names  # noqa: PLC0415  # as above

    found: dict[str, Fault] = {}
    for name in operator_names():
        if name.endswith(BESIDE_THE_POINT):
            continue
        occurrence = 0
        operator = get_operator(name)()
        while (changed := mutate_code(text, operator, occurrence)) is not None:
            occurrence += 1
            fault = fault_between(name.removeprefix("core/"), path, text, changed)
            if fault is not None and fault.line in lines:
                found.setdefault(changed, fault)
    return list(found.values())


def drawn(most: int, path: str, text: str, lines: Collection[int]) -> list[Fault]:
    """At most so many of them, the same ones every time."""
    every = mutants(path, text, lines)
    return random.Random(SEED).sample(every, min(most, len(every)))


def main() -> None:
    """Plant and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("losses", nargs="*", metavar="LOSS", default=["combined"], help="default: combined")
    options.add_argument("--most", type=int, default=60, help="mutants of each file (default: 60)")
    given = options.parse_args()
    if importlib.util.find_spec("cosmic_ray") is None:
        print("not run: mutants need cosmic-ray: pip install '.[bench]'")
        return
    project, terminal = find_project(Path()), Terminal()
    losses = [project.loss(name) for name in given.losses]
    built = current.built_in_tree(project, losses)
    found: list[evidence.Power] = []
    for loss in losses:
        golden, _ = current.provable_golden(project, loss, terminal.busy, built)
        with terminal.busy(f"planting mutants in {loss.name}") as progress:
            tried = evidence.power(
                project,
                loss,
                golden,
                golden.header.rewritten,
                progress=progress,
                jobs=processors(),
                plant=lambda path, text, lines: drawn(given.most, path, text, lines),
                elsewhere=evidence.caught_by(found),
                kept=project.state / "mutation",
            )
        found.append(tried)
        terminal.step(loss.name, tried.headline, tried.seconds)
    for fault, _ in evidence.survivors_of_all(found):
        terminal.line(f"    {fault.diff()}")
    terminal.line(f"together {evidence.told(evidence.outcomes_of_all(found))}")


if __name__ == "__main__":
    main()
