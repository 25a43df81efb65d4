"""Ordinary code that must not be refused, as one refusal stops every file."""

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "choices_sorted": {
        "main.py": """\
import argparse
from old_losses.plain import PlainLoss
from old_losses.triplet import TripletLoss
LOSSES = {"triplet": TripletLoss, "plain": PlainLoss}
parser = argparse.ArgumentParser()
parser.add_argument("--loss", default="triplet", choices=sorted(LOSSES))
parser.add_argument("--other", default="plain", choices=list(LOSSES.keys()))
args = parser.parse_args([])
print(LOSSES["triplet"](T=2.0)(1, 2)["accuracy"], ", ".join(sorted(LOSSES)), len(LOSSES))
"""
    },
    "number_of_outputs": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Evaluator:
    def __init__(self):
        self.loss = TripletLoss(T=2.0)
        self.outputs = []
    def step(self, a, b):
        self.outputs.append(self.loss(a, b))
    def end(self):
        mean = sum(out["accuracy"] for out in self.outputs) / len(self.outputs)
        self.outputs.clear()
        return mean
evaluator = Evaluator()
evaluator.step(1, 2)
evaluator.step(2, 2)
print(evaluator.end())
"""
    },
    "generic_class": {
        "main.py": """\
from typing import Generic, TypeVar
from old_losses.triplet import TripletLoss
L = TypeVar("L")
class Trainer(Generic[L]):
    def __init__(self, loss: L):
        self.loss = loss
trainer = Trainer[TripletLoss](TripletLoss(T=2.0))
print(trainer.loss(1, 2)["accuracy"])
"""
    },
    "match_on_a_name": {
        "main.py": """\
from old_losses.plain import PlainLoss
from old_losses.triplet import TripletLoss
def build(name):
    match name:
        case "triplet":
            return TripletLoss(T=2.0)
        case "plain" | "simple":
            return PlainLoss(2.0)
        case _:
            raise ValueError(name)
print(build("plain")(1))
"""
    },
    "match_on_keys": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss(T=2.0)(1, 2)
match out:
    case {"accuracy": float(value)}:
        print("accuracy", value)
    case _:
        print("none")
"""
    },
    "positions_unpacked": {
        "main.py": """\
from old_losses.triplet import TripletLoss
settings = (0.5, False)
criterion = TripletLoss(*settings, T=2.0)
print(criterion(*(1, 2))["accuracy"])
"""
    },
    "options_over_a_base": {
        "main.py": """\
from old_losses.triplet import TripletLoss
base = {"margin": 0.5, "use_hard": True}
criterion = TripletLoss(**{**base, "T": 2.0})
print(criterion(1, 2)["accuracy"])
"""
    },
    "options_updated": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def build(cold):
    kw = {"margin": 0.5}
    if cold:
        kw.update(T=0.1)
    kw["use_hard"] = False
    return TripletLoss(**kw)
print(build(True)(1, 2)["accuracy"], build(False).T)
"""
    },
    "options_passed_on": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def build(**kw):
    return TripletLoss(**kw)
print(build(T=2.0)(1, 2)["accuracy"], build(T=1.0, use_hard=True).T)
"""
    },
    "loss_in_a_log": {
        "main.py": """\
import logging
import sys
from old_losses.triplet import TripletLoss
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
log = logging.getLogger(__name__)
criterion = TripletLoss(T=2.0)
log.info("made %s", type(criterion(1, 2)["loss"]).__name__)
log.debug("criterion: %s", criterion)
logging.debug("criterion %r", criterion)
print(criterion(1, 2)["accuracy"])
"""
    },
    "compiled_step": {
        "main.py": """\
import torch
from old_losses.triplet import TripletLoss
def step(criterion, a, b):
    out = criterion(a, b)
    return out["loss"], out["accuracy"]
fast = torch.compile(step)
print(fast(TripletLoss(T=2.0), 1, 2), torch.compile(step)(TripletLoss(T=1.0), 1, 2))
"""
    },
    "wrapped_method": {
        "main.py": """\
import functools
from old_losses.triplet import TripletLoss
def timed(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner
class Step:
    def __init__(self):
        self.criterion = TripletLoss(T=2.0)
    @timed
    def loss(self, a, b):
        return self.criterion(a, b)["accuracy"]
print(Step().loss(1, 2))
"""
    },
    "gathered": {
        "main.py": """\
import asyncio
from old_losses.triplet import TripletLoss
criterion = TripletLoss(T=2.0)
async def score(a, b):
    return criterion(a, b)["accuracy"]
async def main():
    print(await asyncio.gather(score(1, 2), score(2, 3)))
asyncio.run(main())
"""
    },
    "eval_of_something_else": {
        "main.py": """\
import argparse
from old_losses.triplet import TripletLoss
opt = argparse.Namespace(mean="[0.5, 0.5]")
mean = eval(opt.mean)
print(mean, TripletLoss(T=2.0)(1, 2)["accuracy"])
"""
    },
    "plain_attribute_yielded": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def rounds():
    criterion = TripletLoss(T=2.0)
    for a in range(2):
        out = criterion(a, 2)
        yield out["loss"], criterion.margin, out["accuracy"]
print(list(rounds()))
"""
    },
    "criterion_of_several_kinds": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Three:
    def __call__(self, a, b, c):
        return {"total": a + b + c}
def build(mode):
    if mode == "one":
        criterion = TripletLoss(T=0.5)
    elif mode == "list":
        criterion = [None, TripletLoss(T=1.0)]
    else:
        criterion = Three()
    return criterion
def run(mode):
    criterion = build(mode)
    if mode == "one":
        return criterion(1, 2)["loss"]
    if mode == "list":
        return criterion[1](1, 2)["loss"]
    return criterion(1, 2, 3)["total"]
print(run("one"), run("list"), run("three"))
"""
    },
    "moved_along": {
        "main.py": """\
import torch
from old_losses.triplet import TripletLoss
criterion = TripletLoss(T=2.0).to("cpu").train()
history = {"loss": [], "accuracy": []}
for step in range(2):
    out = criterion(step, 2)
    for key in history:
        history[key].append(0)
    history["accuracy"].append(out["accuracy"])
print(history["accuracy"], bool(criterion), criterion is not None)
"""
    },
    "losses_in_a_module_list": {
        "main.py": """\
import torch
from old_losses.triplet import TripletLoss
losses = torch.nn.ModuleList([TripletLoss(T=t) for t in (1.0, 2.0)])
print(len(losses), [loss(1, 2)["accuracy"] for loss in losses], losses[0].T)
total = sum(loss(1, 2)["loss"] for loss in losses)
print(total)
"""
    },
    "zipped_with_weights": {
        "main.py": """\
from old_losses.triplet import TripletLoss
losses, weights = [TripletLoss(T=1.0), TripletLoss(T=2.0)], [0.5, 0.25]
print(sum(weight * loss(1, 2)["loss"] for weight, loss in zip(weights, losses)))
print([weight * loss(1, 2)["accuracy"] for loss, weight in zip(losses, weights)])
"""
    },
}

REFUSED: dict[str, list[str]] = {
    "match_on_a_name": ["main.py:11"],
    "match_on_keys": ["main.py:3"],
    "positions_unpacked": ["main.py:3"],
    "options_over_a_base": ["main.py:3"],
    "options_updated": ["main.py:7"],
    "options_passed_on": ["main.py:3"],
}
"""What needs a person, and where; every other program is rewritten."""
