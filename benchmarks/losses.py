"""How fast our losses are beside those of other libraries, and how much memory they take: ratios from one run.

    python -m pip install -e '.[bench]'
    python -m pip install --no-deps open_clip_torch==3.3.0 lightly==1.6.0 solo-learn==1.0.2
    python benchmarks/losses.py --case clip --memory

A step is forward and backward from fresh leaves. Contenders of a case take turns in one process, in an order that turns round;
what counts is processor time (`time.process_time`) with one thread, and of a contender the median of its ratios to the fastest
peer in the same round. Peak memory is how much the high-water mark of a fresh process grows during one step.

Peers are the installed packages' own files. They are loaded below bare parent packages, without the `__init__` files that import
torchvision or lightning, which these formulas do not need (lightly's NT-Xent does, so it isn't here). A peer that isn't installed
is left out, and said so.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import losses  # noqa: E402 - the project's root has to be on the path first

Loss = Callable[[Tensor, Tensor], Tensor]
BARE = (
    "open_clip",
    "lightly",
    "lightly.loss",
    "lightly.models",
    "lightly.models.modules",
    "lightly.utils",
    "solo",
    "solo.losses",
    "solo.utils",
)
"""Packages of peers of which only single files are loaded."""
QUEUE = 16_384
ROUNDS = {256: 21, 512: 15, 1024: 11, 4096: 3, 8192: 2}
"""Rounds of each batch size; the first is not counted."""


def peer(module: str) -> ModuleType:
    """A module of an installed package, without running its parents' `__init__` files."""
    names = module.split(".")
    for depth in range(1, len(names)):
        parent = ".".join(names[:depth])
        if parent in sys.modules or parent not in BARE:
            continue
        if depth == 1:
            spec = importlib.util.find_spec(parent)
            if spec is None or not spec.submodule_search_locations:
                raise ImportError(f"{parent} is not installed")
            path = list(spec.submodule_search_locations)
        else:
            above = sys.modules[".".join(names[: depth - 1])]
            path = [f"{folder}/{names[depth - 1]}" for folder in above.__path__]
        bare = ModuleType(parent)
        bare.__path__ = path
        sys.modules[parent] = bare
    return importlib.import_module(module)


def unit(loss: Loss) -> Loss:
    """A peer's loss after the scaling to length 1 that it leaves to its caller."""
    return lambda a, b: loss(F.normalize(a, dim=1), F.normalize(b, dim=1))


def ours(name: str, **options: Any) -> Callable[[], Loss]:
    def build() -> Loss:
        loss = losses.create(name, **options)
        return lambda a, b: loss(a, b)["loss"]

    return build


def labels(rows: int) -> Tensor:
    """Classes of four rows each."""
    return torch.arange(rows) // 4


def open_clip() -> Loss:
    loss = peer("open_clip.loss").ClipLoss()
    return unit(lambda a, b: loss(a, b, 1 / 0.07))


def open_clip_siglip() -> Loss:
    loss = peer("open_clip.loss").SigLipLoss()
    scale, bias = torch.tensor(10.0, requires_grad=True), torch.tensor(-10.0, requires_grad=True)
    return unit(lambda a, b: loss(a, b, scale, bias))


def solo_nt_xent() -> Loss:
    return partial(peer("solo.losses.simclr").simclr_loss_func, temperature=0.07)


def our_nt_xent() -> Loss:
    return unit(partial(losses.nt_xent_loss, temperature=0.07))


def our_supcon() -> Loss:
    return unit(lambda a, b: losses.supervised_contrastive_loss(a, b, labels(len(a)), 0.07))


def pml_supcon() -> Loss:
    loss = importlib.import_module("pytorch_metric_learning.losses").SupConLoss(temperature=0.07)
    return lambda a, b: loss(torch.cat((a, b)), labels(len(a)).repeat(2))


def our_moco() -> Loss:
    torch.manual_seed(0)
    nothing = torch.nn.Identity()
    loss = losses.MoCoLoss(nothing, nothing, dim=256, queue_size=QUEUE, symmetric=False, update_key_encoder=False)
    return lambda a, b: loss(a, b.detach())["loss"]


def solo_moco() -> Loss:
    loss, queue = peer("solo.losses.moco").moco_loss_func, F.normalize(torch.randn(256, QUEUE), dim=0)
    return unit(lambda a, b: loss(a, b.detach(), queue, 0.07))


def lightly_vicreg() -> Loss:
    loss: Loss = peer("lightly.loss.vicreg_loss").VICRegLoss()
    return loss


def solo_vicreg() -> Loss:
    loss: Loss = peer("solo.losses.vicreg").vicreg_loss_func
    return loss


def lightly_barlow() -> Loss:
    loss: Loss = peer("lightly.loss.barlow_twins_loss").BarlowTwinsLoss()
    return loss


@dataclass(frozen=True)
class Case:
    """What is measured against what, and at which sizes (rows, width)."""

    ours: dict[str, Callable[[], Loss]]
    peers: dict[str, Callable[[], Loss]]
    sizes: tuple[tuple[int, int], ...]


SQUARE = ((256, 256), (1024, 256), (4096, 256))
CASES = {
    "clip": Case({"losses": ours("clip")}, {"open_clip": open_clip}, (*SQUARE, (8192, 256))),
    "nt_xent": Case({"losses": our_nt_xent}, {"solo": solo_nt_xent}, SQUARE),
    "supcon": Case({"losses": our_supcon}, {"pml": pml_supcon}, SQUARE),
    "moco": Case({"losses": our_moco}, {"solo": solo_moco}, SQUARE[:2]),
    "siglip": Case({"losses": ours("siglip")}, {"open_clip": open_clip_siglip}, SQUARE[:2]),
    "vicreg": Case(
        {"losses": ours("vicreg", sim_coeff=25.0, var_coeff=25.0, cov_coeff=1.0, curriculum=False)},
        {"lightly": lightly_vicreg, "solo": solo_vicreg},
        ((1024, 256), (256, 512), (256, 2048), (256, 8192)),
    ),
    "barlow": Case({"losses": ours("barlow_twins")}, {"lightly": lightly_barlow}, ((1024, 256), (256, 2048), (256, 8192))),
}


def step(loss: Loss, rows: int, width: int) -> float:
    """Processor seconds of forward and backward."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(rows, width, generator=generator).requires_grad_() for _ in range(2))
    began = time.process_time()
    torch.autograd.backward(loss(a, b))
    return time.process_time() - began


def built(makers: dict[str, Callable[[], Loss]]) -> Iterator[tuple[str, Loss]]:
    """The contenders that are there; of the others it is said why not."""
    for name, make in makers.items():
        try:
            yield name, make()
        except ImportError as error:
            print(f"  {name} is left out: {error}", file=sys.stderr)


def compare(case: Case, rows: int, width: int) -> dict[str, dict[str, float]]:
    """Median milliseconds of each contender, and the median of its ratios to the fastest peer of the round."""
    contenders = dict(built({**case.ours, **case.peers}))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS[rows] + 1):
        for name in list(contenders)[:: 1 if number % 2 else -1]:
            seconds[name].append(step(contenders[name], rows, width))
    peers = [name for name in contenders if name in case.peers]
    best = [min(seconds[name][number] for name in peers) if peers else float("nan") for number in range(1, ROUNDS[rows] + 1)]
    return {
        name: {
            "ms": 1000 * statistics.median(taken[1:]),
            "ratio": statistics.median(one / other for one, other in zip(taken[1:], best, strict=True)),
        }
        for name, taken in seconds.items()
    }


def _grown(case: str, name: str, rows: int, width: int, answer: Any) -> None:
    torch.set_num_threads(1)
    loss = {**CASES[case].ours, **CASES[case].peers}[name]()
    step(loss, 8, width)
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(rows, width, generator=generator).requires_grad_() for _ in range(2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    torch.autograd.backward(loss(a, b))
    answer.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def peak(case: str, name: str, rows: int, width: int) -> float:
    """MiB that one step adds to the high-water mark of a fresh process (on Linux, where it is counted in KiB)."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=_grown, args=(case, name, rows, width, answer))
    process.start()
    process.join()
    return float(answer.get()) if process.exitcode == 0 else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=CASES, action="append", help="measure this one (default: all; may be repeated)")
    parser.add_argument("--rows", type=int, action="append", help="measure batches of so many rows alone (may be repeated)")
    parser.add_argument("--memory", action="store_true", help="measure peak memory as well")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for name in options.case or CASES:
        for rows, width in CASES[name].sizes:
            if options.rows and rows not in options.rows:
                continue
            result = compare(CASES[name], rows, width)
            for contender, figures in result.items():
                memory = peak(name, contender, rows, width) if options.memory else None
                result[contender] |= {} if memory is None else {"peak_mib": memory}
                if not options.json:
                    size = f"{rows}x{width}"
                    more = "" if memory is None else f"{memory:9.0f} MiB"
                    print(f"{name:8} {size:10} {contender:10} {figures['ms']:9.2f} ms {figures['ratio']:7.3f}{more}", flush=True)
            found[f"{name} {rows}x{width}"] = result
    if options.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
