"""Functions that are given on: key functions, `map`, `filter`, `reduce`, dispatch by class, and what calls them later."""

from __future__ import annotations

RUNS = """\
from old_losses.triplet import TripletLoss
outs = [TripletLoss(T=t)(1.0, 4.0) for t in (2.0, 1.0, 3.0)]
"""

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "sorted_by_key": {"main.py": RUNS + 'print([o["loss"] for o in sorted(outs, key=lambda o: o["accuracy"])])\n'},
    "sorted_by_function": {
        "main.py": RUNS
        + """\
def quality(out):
    return -out["recalls"]["r@1"]
best, *rest = [o["loss"] for o in sorted(outs, key=quality, reverse=True)]
print(best, rest)
"""
    },
    "list_sorted_in_place": {
        "main.py": RUNS
        + """\
outs.sort(key=lambda out: out["accuracy"])
print([out["loss"] for out in outs])
"""
    },
    "best_of_several": {
        "main.py": RUNS
        + """\
best = max(outs, key=lambda out: out["accuracy"])
worst = min(outs, key=lambda out: out["accuracy"])
print(best["loss"], worst["recalls"]["r@5"])
"""
    },
    "losses_sorted_by_attribute": {
        "main.py": """\
from old_losses.triplet import TripletLoss
losses = [TripletLoss(T=t) for t in (2.0, 1.0, 3.0)]
coldest = min(losses, key=lambda loss: loss.T)
for loss in sorted(losses, key=lambda loss: loss.T):
    print(loss(1, 2)["loss"])
print(coldest.T)
"""
    },
    "losses_sorted_by_attrgetter": {
        "main.py": """\
from operator import attrgetter
from old_losses.triplet import TripletLoss
losses = [TripletLoss(T=t) for t in (2.0, 1.0, 3.0)]
print([loss(1, 2)["loss"] for loss in sorted(losses, key=attrgetter("T"))])
"""
    },
    "sorted_by_itemgetter": {
        "main.py": "from operator import itemgetter\n"
        + RUNS
        + 'print([o["loss"] for o in sorted(outs, key=itemgetter("accuracy"))])\n'
    },
    "mapped": {"main.py": RUNS + 'print(list(map(lambda out: out["accuracy"], outs)))\n'},
    "mapped_function": {
        "main.py": RUNS
        + """\
def summary(out):
    return {"acc": out["accuracy"], "r1": out["recalls"]["r@1"]}
for row in map(summary, outs):
    print(row["acc"], row["r1"])
"""
    },
    "mapped_over_losses": {
        "main.py": """\
from old_losses.triplet import TripletLoss
losses = (TripletLoss(T=1.0), TripletLoss(T=2.0))
print([out["accuracy"] for out in map(lambda loss: loss(1, 2), losses)])
"""
    },
    "mapped_over_numbers": {
        "main.py": """\
from old_losses.triplet import TripletLoss
losses = list(map(lambda t: TripletLoss(T=t), [0.5, 1.0]))
print([loss(1, 2)["accuracy"] for loss in losses], losses[0].T)
"""
    },
    "filtered": {"main.py": RUNS + 'print([o["loss"] for o in filter(lambda out: out["accuracy"] > 2.5, outs)])\n'},
    "reduced": {
        "main.py": "from functools import reduce\n"
        + RUNS
        + 'print(reduce(lambda total, out: total + out["accuracy"], outs, 0.0))\n'
    },
    "summed": {"main.py": RUNS + 'print(sum(out["accuracy"] for out in outs), sum(map(lambda o: o["accuracy"], outs)))\n'},
    "dispatched": {
        "main.py": """\
from functools import singledispatch
from old_losses.triplet import TripletLoss
@singledispatch
def describe(thing):
    return "thing"
@describe.register
def _(thing: TripletLoss):
    return f"triplet at {thing.T}"
print(describe(TripletLoss(T=0.5)), describe(3))
"""
    },
    "in_a_pool": {
        "main.py": """\
from concurrent.futures import ThreadPoolExecutor
from old_losses.triplet import TripletLoss
def score(loss):
    return loss(1, 2)["accuracy"]
with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(score, [TripletLoss(T=1.0), TripletLoss(T=2.0)])))
"""
    },
    "next_of": {
        "main.py": RUNS + 'first = next(iter(outs))\nprint(first["accuracy"], next(o for o in outs)["recalls"]["r@1"])\n'
    },
    "grouped": {"main.py": "from itertools import chain\n" + RUNS + 'print([out["accuracy"] for out in chain(outs, outs)])\n'},
    "compared_by_cmp": {
        "main.py": "from functools import cmp_to_key\n"
        + RUNS
        + 'print([o["loss"] for o in sorted(outs, key=cmp_to_key(lambda a, b: a["accuracy"] - b["accuracy"]))])\n'
    },
}

REFUSED: dict[str, list[str]] = {
    "losses_sorted_by_attrgetter": ["main.py:4"],
    "sorted_by_itemgetter": ["main.py:4"],
    "dispatched": ["main.py:8", "main.py:9"],
    "in_a_pool": ["main.py:6"],
    "compared_by_cmp": ["main.py:4"],
}
"""What needs a person, and where; every other program is rewritten."""
