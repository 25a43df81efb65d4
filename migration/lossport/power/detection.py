"""Detection power: faults planted in the new loss one by one, each in a process of its own, and whether parity notices.

The changed text lives in memory; no file of the project is written. A verdict travels back through a pipe, never as an exit code.
"""

from __future__ import annotations

import ast
import multiprocessing
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from lossport.evidence.golden import Golden, from_tree, import_path
from lossport.evidence.opening import open_pair
from lossport.judge.pair import Pair
from lossport.judge.variants import Extent
from lossport.observe.isolation import Sources
from lossport.observe.observation import Observation
from lossport.observe.run import Run, observe, steady
from lossport.observe.side import new_side
from lossport.power.equivalents import Key, Kind, in_a_line, key_of, known_equivalents, stale
from lossport.power.faults import Fault, faults_of
from lossport.power.outcomes import OPEN, Journal, Outcome, Power, Tried
from lossport.power.reached import Reached, lines_of
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError, failure_in_words
from lossport.project.inputs import Variation
from lossport.project.progress import Progress, no_progress

SLOWER = 10.0
"""A fault may make the loss this many times slower before its process is stopped; the fault then counts as not tried."""

SECONDS_TO_START = 20.0
"""Added to the time limit: a forked process on a busy machine."""

PLAIN_MISTAKES = ("AttributeError", "NameError", "TypeError", "UnboundLocalError", "ImportError", "SyntaxError")
"""Exceptions that any run of the changed code would have shown: such faults say nothing about parity and are counted apart."""

NONE_ELSEWHERE: Mapping[Key, str] = MappingProxyType({})

Plant: TypeAlias = Callable[[str, str, Collection[int]], list[Fault]]
"""From a path, its text and the lines that run to faults in these."""


@dataclass(frozen=True)
class _Planned:
    """One run that every fault has to pass: the legacy observation, and what the right new loss showed."""

    case: str
    variation: Variation
    old: Observation
    digest: str
    divergences: tuple[str, ...]
    reached: Reached


def power(
    project: Project,
    loss: Loss,
    golden: Golden,
    rewritten: str,
    *,
    progress: Progress = no_progress,
    jobs: int = 2,
    extent: Extent = "chosen",
    faults: Sequence[Fault] | None = None,
    plant: Plant | None = None,
    elsewhere: Mapping[Key, str] = NONE_ELSEWHERE,
    kept: Path | None = None,
) -> Power:
    """Plant the catalogue's faults in the lines of the new loss that the cases run, and see which ones parity catches.

    A fault that is recorded as one that parity cannot see is tried on the written cases alone: one that is seen there is no such.

    Args:
        faults: take the place of the catalogue's.
        plant: takes the place of the catalogue itself.
        elsewhere: faults that another loss has caught, with its name: in lines that losses share, one of them has to see a fault.
        kept: a folder for outcomes; a run that was stopped goes on where it was.

    Raises:
        InputError: parity fails without any fault, or processes cannot be forked here.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise InputError("power needs to fork processes, which this system cannot; run it on Linux or macOS")
    began = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(steady())
        fresh = Sources({}, fallback=lambda module: from_tree(project, module))
        pair = open_pair(stack, project, loss, golden, rewritten=rewritten, device="cpu", new_sources=fresh)
        progress("running the cases")
        before = time.monotonic()
        planned = _plan(pair, golden, extent)
        reached = Reached()
        for run in planned:
            if not run.variation.name:
                reached.add(run.reached)
        limit = (time.monotonic() - before) * SLOWER + SECONDS_TO_START
        planted = list(faults) if faults is not None else _faults(project, fresh, reached, plant)
        known = known_equivalents(project)
        journal = Journal.of(kept, loss.name, [golden.content, rewritten, loss.port_file.read_bytes(), extent, *_texts(fresh)])
        tried = [found for item in planted if (found := _decided(item, elsewhere) or journal.outcome(item))]
        bench = _Bench(project, pair, golden.header.cases_path, rewritten, tuple(planned), limit, frozenset(known))
        decided = {item.fault.id for item in tried}
        possible = planted if faults is not None else [*planted, *_possible(known, fresh)]
        wrong = [f"no such fault is planted any more: {in_a_line(key)}" for key in stale(known, possible, fresh.texts)]
        for item in bench.run([item for item in planted if item.id not in decided], jobs, progress):
            key = key_of(item.fault)
            if key not in known:
                journal.note(item)
            elif item.outcome not in OPEN:
                wrong.append(f"{loss.name} sees it ({item.seen}): {in_a_line(key)}")
            tried.append(item)
    ends = tuple(_with_reason(item, known) for item in tried)
    return Power(loss.name, ends, time.monotonic() - began, sum(map(len, reached.lines.values())), tuple(wrong))


def _decided(fault: Fault, elsewhere: Mapping[Key, str]) -> Tried | None:
    """The outcome of a fault that need not be tried."""
    key = key_of(fault)
    return Tried(fault, "caught", seen=f"by {elsewhere[key]}") if key in elsewhere else None


def _with_reason(tried: Tried, known: Mapping[Key, tuple[Kind, str]]) -> Tried:
    """A survivor that people have recorded, as what they recorded it."""
    found = known.get(key_of(tried.fault))
    return tried if found is None or tried.outcome != "survives" else replace(tried, outcome=found[0], reason=found[1])


def _texts(sources: Sources) -> list[str]:
    return [f"{path}\0{text}" for path, text in sorted(sources.texts.items())]


# ---- what the right loss shows


def _plan(pair: Pair, golden: Golden, extent: Extent) -> list[_Planned]:
    planned = []
    for case in golden.cases:
        for variation, seen in pair.runs(case, golden, extent):
            if seen.verdict.passed:
                reached = _reached(pair, case, variation)
                planned.append(_Planned(case, variation, seen.old, seen.new.digest, seen.verdict.divergences, reached))
            elif not variation.name:
                raise InputError(f"{case}: parity fails without a fault; power is measured on a loss that passes")
    return sorted(planned, key=lambda item: bool(item.variation.name))  # cases as written see most faults, and soonest


def _reached(pair: Pair, case: str, variation: Variation) -> Reached:
    """What of the new package runs in one run."""
    reached = Reached()
    with reached.noting():
        observe(pair.new, case, Run(variation))
    return reached


def _faults(project: Project, fresh: Sources, reached: Reached, plant: Plant | None) -> list[Fault]:
    roots = {import_path(project, project.new)} if project.new.is_dir() else set()
    lines = reached.with_headers(fresh.texts)
    found: list[Fault] = []
    for path in sorted(lines):
        if any(path.startswith(f"{root}/") for root in roots):
            text = fresh.texts[path]
            catalogue = partial(faults_of, without_gradient=reached.without_gradient(path))
            found += (plant or catalogue)(path, text, lines[path])
    return found


def _possible(known: Iterable[Key], fresh: Sources) -> list[Fault]:
    """All that the catalogue has for the files of records: what this loss does not run, or no gradient reaches, another may."""
    paths = sorted({path for path, _, _ in known if path in fresh.texts})
    return [fault for path in paths for fault in faults_of(path, fresh.texts[path])]


# ---- one process a fault


@dataclass(frozen=True)
class _Bench:
    """What every process needs; forked, so that nothing is copied or written."""

    project: Project
    pair: Pair
    cases_path: str
    rewritten: str
    planned: tuple[_Planned, ...]
    limit: float
    recorded: frozenset[Key]

    def run(self, faults: Sequence[Fault], jobs: int, progress: Progress) -> Iterator[Tried]:
        """Try every fault, several at a time; results come as they are ready."""
        waiting, done = list(reversed(faults)), 0
        running: dict[Connection, tuple[Any, Fault, float]] = {}
        while waiting or running:
            while waiting and len(running) < max(jobs, 1):
                self._start(waiting.pop(), running)
            now = time.monotonic()
            ready = {item for item in wait(list(running), timeout=1.0) if isinstance(item, Connection)}
            late = {item for item, (_, _, since) in running.items() if now - since > self.limit}
            for connection in ready | late:
                process, fault, since = running.pop(connection)
                yield _collected(connection, process, fault, time.monotonic() - since, connection in ready)
                done += 1
                progress(f"{fault.operator} in {fault.path}:{fault.line}", done, len(faults))

    def _start(self, fault: Fault, running: dict[Connection, tuple[Any, Fault, float]]) -> None:
        fork = multiprocessing.get_context("fork")
        here, there = fork.Pipe(duplex=False)
        process = fork.Process(target=_child, args=(self, fault, there), daemon=True)
        process.start()
        there.close()
        running[here] = (process, fault, time.monotonic())

    def verdict(self, fault: Fault) -> tuple[Outcome, str]:
        """In the process of its own: run the faulty loss until parity notices."""
        sources = Sources({fault.path: fault.text}, fallback=lambda module: from_tree(self.project, module))
        symbols = self.pair.new.watch.symbols
        tops = self.pair.new.scope.tops
        with ExitStack() as stack:
            side = new_side(self.project.import_roots, tops, symbols, (self.cases_path, self.rewritten), sources)
            try:
                new = stack.enter_context(side)
            except InputError as error:
                return "crashes", str(error)
            return self._first_seen(replace(self.pair, new=replace(new, options=self.pair.new.options)), fault)

    def _first_seen(self, pair: Pair, fault: Fault) -> tuple[Outcome, str]:
        """The first run that shows the fault. One that the changed line has no part in cannot."""
        lines = lines_of(ast.parse(fault.text), fault.line)
        written_alone = key_of(fault) in self.recorded
        shown: set[str] = set()
        for item in self.planned:
            if (written_alone and item.variation.name) or not item.reached.touch(fault.path, lines):
                shown.update(item.divergences)
                continue
            new = observe(pair.new, item.case, Run(item.variation))
            if new.digest == item.digest:
                shown.update(item.divergences)
                continue
            name = f"{item.case}@{item.variation.name}" if item.variation.name else item.case
            verdict = pair.compare(name, item.case, item.variation, item.old, new).verdict
            if not verdict.passed:
                first = next((found for found in verdict.findings if found.divergence is None), None)
                return _kind(new, item.old), f"{name} · {first.place if first else verdict.kind}"
            shown.update(verdict.divergences)
        unused = sorted({name for item in self.planned for name in item.divergences} - shown)
        return ("caught", f"no case shows {', '.join(unused)} any more") if unused else ("survives", "")


def _kind(new: Observation, old: Observation) -> Outcome:
    raised = new.steps[-1].raised if new.raised else None
    return "crashes" if raised is not None and not old.raised and raised.type in PLAIN_MISTAKES else "caught"


def _child(bench: _Bench, fault: Fault, result: Connection) -> None:
    try:
        found: tuple[Outcome, str] = bench.verdict(fault)
    except BaseException as error:  # what the loss raises is observed: this came out of the harness, and says nothing
        found = ("not tried", failure_in_words(error))
    result.send(found)
    result.close()


def _collected(connection: Connection, process: Any, fault: Fault, seconds: float, ready: bool) -> Tried:
    outcome: Outcome = "not tried"
    said = ""
    if ready:
        with suppress(EOFError):  # the process ended without a word
            outcome, said = connection.recv()
    elif process.is_alive():
        process.terminate()
    process.join()
    connection.close()
    if outcome != "not tried":
        return Tried(fault, outcome, said, seconds=seconds)
    ended = f"the process ended with status {process.exitcode}" if ready else f"it did not end within {seconds:.0f} s"
    return Tried(fault, outcome, reason=said or ended, seconds=seconds)
