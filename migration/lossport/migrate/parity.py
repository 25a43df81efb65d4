"""Parity of one loss or many: recorded if need be, proven on every device, searched; many in fresh processes side by side.

Writes nothing: what was found comes back with the golden and the events that are to be kept. The caller needs no torch.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossport.migrate import evidence_of
from lossport.project import ledger
from lossport.project.config import Project
from lossport.project.errors import InputError
from lossport.project.progress import Progress, no_progress

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor
    from multiprocessing.context import BaseContext

    from lossport.evidence import Proof, Searched
    from lossport.judge.configurations import Construction
    from lossport.judge.variants import Extent

SECONDS_BETWEEN_LOOKS = 0.2
"""How often the bar moves while processes work."""

PRELOADED = ("torch", "lossport.migrate.parity", "lossport.evidence.proving", "lossport.evidence.golden")
"""Imported once for all processes: importing torch costs seconds, each time."""


@dataclass(frozen=True)
class ParityRequest:
    """What to compare: devices, which variants, and for how many seconds to search beyond them."""

    devices: tuple[str, ...]
    extent: Extent = "chosen"
    search: float = 0.0


@dataclass(frozen=True)
class Compared:
    """What was found for one loss: a proof a device, a search a device that passed, and what is to be kept of it."""

    loss: str
    golden: bytes
    events: tuple[ledger.Event, ...]
    proofs: tuple[Proof, ...]
    searched: tuple[tuple[str, Searched], ...] = ()

    def cost(self, device: str) -> Mapping[str, float]:
        """Time and memory of the new loss on a device, in units of the legacy one; empty where nothing can be said."""
        return dict(self._facts(device).get("cost") or {})

    def not_measured(self, device: str) -> tuple[str, ...]:
        """Why time and memory are not known, if measuring them failed."""
        why = self._facts(device).get("not_measured")
        return (str(why),) if why else ()

    def _facts(self, device: str) -> Mapping[str, Any]:
        return next((event.facts for event in self.events if event.facts.get("device") == device), {})

    @property
    def failed(self) -> bool:
        """Whether a device differs. One that is not here does not."""
        differs = any(not proof.passed and not proof.skipped for proof in self.proofs)
        return differs or any(not found.passed for _, found in self.searched)


def compare(project: Project, name: str, wanted: ParityRequest, built: Sequence[Construction], progress: Progress) -> Compared:
    """Compare one loss in this process; `built` is what the tree builds of it, as `evidence_of.built_in_tree` finds it."""
    from lossport import evidence  # noqa: PLC0415  # torch is paid for by those who run losses

    loss = project.loss(name)
    golden, event = evidence_of.provable_golden(project, loss, lambda text: contextlib.nullcontext(progress), built)
    proofs, searched = [], []
    for device in wanted.devices:
        proof = evidence_of.prove_on(project, loss, golden, device, progress, wanted.extent)
        proofs.append(proof)
        if wanted.search and proof.passed:
            text = golden.header.rewritten
            searched.append((device, evidence.search(project, loss, golden, text, wanted.search, device, progress=progress)))
    events = [] if event is None else [event]
    events += [evidence_of.proof_event(project, loss, golden, proof) for proof in proofs if not proof.skipped]
    return Compared(name, golden.content, tuple(events), tuple(proofs), tuple(searched))


def compare_all(
    project: Project, names: Sequence[str], wanted: ParityRequest, jobs: int, progress: Progress
) -> Iterator[Compared]:
    """Compare losses, several at a time, in the order of their names here.

    Raises:
        InputError: a process died, or a loss cannot be compared.
    """
    jobs = min(jobs, len(names))
    with _interrupts_held():
        context = _context() if jobs > 1 else None
    progress("looking for configurations")
    built = evidence_of.built_in_tree(project, [project.loss(name) for name in names])
    if context is None:
        for name in names:
            yield compare(project, name, wanted, built, progress)
        return
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415  # needed where processes are

    with _processes(jobs, context) as pool:
        with _interrupts_held():
            waiting = {name: pool.submit(_quietly, project, name, wanted, built) for name in names}
        for name, future in waiting.items():
            _watch(future, waiting, progress)
            try:
                yield future.result()
            except BrokenProcessPool as error:
                told = f"{name}: its process died, perhaps for want of memory; lossport parity {name} --jobs 1 shows more"
                raise InputError(told) from error


def processors() -> int:
    """How many processes can work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quietly(project: Project, name: str, wanted: ParityRequest, built: Sequence[Construction]) -> Compared:
    return compare(project, name, wanted, built, no_progress)


def _watch(future: Future[Compared], everything: dict[str, Future[Compared]], progress: Progress) -> None:
    """Wait for one loss and tell how far all of them are."""
    from concurrent.futures import wait  # noqa: PLC0415  # as above

    while not future.done():
        done = sum(item.done() for item in everything.values())
        working = [name for name, item in everything.items() if item.running() and not item.done()]
        progress(", ".join(working[: processors()]), done, len(everything))
        wait([future], timeout=SECONDS_BETWEEN_LOOKS)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes that are started within never see Ctrl-C, which a terminal sends to all: this one ends them, and says so once."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _processes(jobs: int, context: BaseContext) -> Iterator[ProcessPoolExecutor]:
    """Fresh processes, which are ended at once if the work is given up."""
    import multiprocessing  # noqa: PLC0415  # as above
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415  # as above

    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=context)
    try:
        yield pool
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _context() -> BaseContext:
    """Processes that start from one that has torch loaded but has run nothing; where there is no such thing, from nothing.

    That one starts now, and loads torch while the caller reads the tree.
    """
    import multiprocessing  # noqa: PLC0415  # as above

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver  # noqa: PLC0415  # as above

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()
    return context
