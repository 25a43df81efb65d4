"""An independent figure for the power of parity: mutants of a general library, cosmic-ray, planted in the lines that cases run.

    pip install '.[bench]'
    python benchmarks/mutation.py vicreg clip --most 60 --tests

`lossport power` has a catalogue of mistakes that people make in losses; this one knows nothing of losses. Mutants are drawn by
seed from all that the library's operators give, tried in memory as the catalogue's faults are, and told with those that survive.
Many are in what no legacy loss does: with `--tests`, what parity does not see is planted in a copy and the unit tests are run.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from lossport.cli.terminal import Terminal
from lossport.migrate import evidence_of
from lossport.migrate.parity import processors
from lossport.power import outcomes
from lossport.power.detection import power
from lossport.power.faults import Fault, fault_between
from lossport.project.config import find_project
from lossport.project.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".lossport", "__pycache__", ".*_cache")
SEED = 5
BESIDE_THE_POINT = ("RemoveDecorator", "ExceptionReplacer", "VariableReplacer", "VariableInserter")
"""Operators that leave numbers alone, and those that have to be told which variables to change."""


def places(text: str) -> Iterator[tuple[str, int]]:
    """Every operator with each of its occurrences in a text."""
    from cosmic_ray.ast import ast_nodes, get_ast  # noqa: PLC0415  # said in words where it is missing
    from cosmic_ray.plugins import get_operator, operator_names  # noqa: PLC0415  # as above

    nodes = list(ast_nodes(get_ast(text)))
    for name in operator_names():
        if not name.endswith(BESIDE_THE_POINT):
            operator = get_operator(name)()
            count = sum(1 for node in nodes for _ in operator.mutation_positions(node))
            yield from ((name, occurrence) for occurrence in range(count))


@cache
def drawn(most: int, path: str, text: str) -> tuple[Fault, ...]:
    """At most so many mutants of a file, for all losses that run it: what one does not see, another may."""
    from cosmic_ray.mutating import mutate_code  # noqa: PLC0415  # as above
    from cosmic_ray.plugins import get_operator  # noqa: PLC0415  # as above

    every = list(places(text))
    random.Random(SEED).shuffle(every)
    found: dict[str, Fault] = {}
    for name, occurrence in every:
        changed = mutate_code(text, get_operator(name)(), occurrence)
        fault = None if changed is None else fault_between(name.removeprefix("core/"), path, text, changed)
        if fault is not None:
            found.setdefault(fault.text, fault)
        if len(found) == most:
            break
    return tuple(found.values())


def unseen_by_tests(faults: Sequence[Fault], progress: Progress) -> list[Fault] | None:
    """The mutants with which every unit test of the losses passes, each planted in a copy; None if none pass without any."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(ROOT, Path(folder) / "copy", ignore=LEFT_OUT))
        progress("without a mutant", 0, len(faults))
        if not passes(copy):
            return None
        left = []
        for done, fault in enumerate(faults):
            progress(fault.path, done, len(faults))
            path = copy / fault.path
            before = path.read_text(encoding="utf-8")
            path.write_text(fault.text, encoding="utf-8")
            left += [fault] if passes(copy, first=f"test_{path.stem}.py") else []
            path.write_text(before, encoding="utf-8")
    return left


def passes(copy: Path, first: str = "") -> bool:
    """Whether the unit tests pass, those of one file asked first."""
    folder = copy / "tests" / "losses"
    tests = [path for path in dict.fromkeys((folder / first, folder)) if path.exists()]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-n", str(processors()), *map(str, tests)]
    return subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Plant and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("losses", nargs="*", metavar="LOSS", default=["combined"], help="default: combined")
    options.add_argument("--most", type=int, default=60, help="mutants of each file (default: 60)")
    options.add_argument("--tests", action="store_true", help="run the unit tests of losses/ on what parity does not see")
    given = options.parse_args()
    if importlib.util.find_spec("cosmic_ray") is None:
        print("not run: mutants need cosmic-ray: pip install '.[bench]'")
        return
    project, terminal = find_project(Path()), Terminal()
    losses = [project.loss(name) for name in given.losses]
    built = evidence_of.built_in_tree(project, losses)
    found: list[outcomes.Power] = []
    for loss in losses:
        golden, _ = evidence_of.provable_golden(project, loss, terminal.busy, built)
        with terminal.busy(f"planting mutants in {loss.name}") as progress:
            tried = power(
                project,
                loss,
                golden,
                golden.header.rewritten,
                progress=progress,
                jobs=processors(),
                plant=lambda path, text, lines: [item for item in drawn(given.most, path, text) if item.line in lines],
                elsewhere=outcomes.caught_by(found),
                kept=project.state / "mutation",
            )
        found.append(tried)
        terminal.step(loss.name, tried.headline, tried.seconds)
    survivors = [fault for fault, _ in outcomes.survivors_of_all(found)]
    terminal.line(f"together {outcomes.told(outcomes.outcomes_of_all(found))}")
    if given.tests:
        with terminal.busy("running the unit tests") as progress:
            left = unseen_by_tests(survivors, progress)
        if left is None:
            terminal.line("unit tests not asked: they do not pass without a mutant; python -m pytest -n 2 tests/losses shows why")
        else:
            terminal.line(f"of the {len(survivors)} that survive parity, {len(survivors) - len(left)} fail a unit test")
            survivors = left
    for fault in survivors:
        terminal.line(f"    {fault.diff()}")


if __name__ == "__main__":
    main()
