"""Annotations, replacements in tests, names that are looked up while the program runs, arguments from elsewhere. Each runs before and after its rewrite."""

# ruff: noqa: E501  # a long line is what some of them are about

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "fields_by_name": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Trainer:
    def __init__(self, name):
        self.name = name
        self.criterion = TripletLoss(T=0.1)
    def step(self):
        return self.__dict__["criterion"](1, 2)["accuracy"]
trainer = Trainer("a")
print(trainer.step(), vars(trainer)["criterion"](1, 2)["accuracy"], vars(trainer)["name"])
""",
    },
    "fields_set_by_name": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Trainer:
    def __init__(self):
        self.__dict__["criterion"] = TripletLoss(T=0.1)
trainer = Trainer()
print(trainer.criterion(1, 2)["accuracy"])
""",
    },
    "fields_listed": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Trainer:
    def __init__(self):
        self.criterion = TripletLoss(T=0.1)
trainer = Trainer()
for name, value in vars(trainer).items():
    print(name, value(1, 2)["accuracy"])
""",
    },
    "fields_got": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Trainer:
    def __init__(self):
        self.criterion = TripletLoss(T=0.1)
trainer = Trainer()
print(vars(trainer).get("criterion")(1, 2)["accuracy"])
""",
    },
    "fields_copied": {
        "main.py": """\
import copy
from old_losses.triplet import TripletLoss
class Trainer:
    def __init__(self):
        self.criterion, self.lock = TripletLoss(T=0.1), object()
    def __getstate__(self):
        state = self.__dict__.copy()
        del state["lock"]
        return state
    def __setstate__(self, state):
        self.__dict__.update(state)
        self.lock = None
trainer = copy.copy(Trainer())
print(trainer.lock, trainer.criterion(1, 2)["accuracy"])
""",
    },
    "fields_updated": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Trainer:
    def __init__(self, **options):
        self.__dict__.update(options)
trainer = Trainer(criterion=TripletLoss(T=0.1))
print(trainer.criterion(1, 2)["accuracy"])
""",
    },
    "ann_type_param": {
        "lib.py": """\
from typing import Type
from old_losses.triplet import TripletLoss
def build(cls: Type[TripletLoss]):
    return cls(T=0.1)
def acc(loss: TripletLoss):
    return loss(1, 2)["accuracy"]
""",
        "main.py": """\
import lib, old_losses.triplet as t
print(getattr(lib, "ac" + "c")(t.TripletLoss(T=2.0)))
print(getattr(lib, "buil" + "d")(t.TripletLoss)(1, 2)["loss"])
""",
    },
    "ann_union_param": {
        "lib.py": """\
from typing import Union
from old_losses.triplet import TripletLoss
class Other:
    def __call__(self, a, b): return {"accuracy": 3.0}
def acc(loss: Union[TripletLoss, Other]):
    return loss(1, 2)["accuracy"]
""",
        "main.py": """\
import lib
print(getattr(lib, "ac" + "c")(lib.Other()))
""",
    },
    "ann_union_param2": {
        "lib.py": """\
from __future__ import annotations
from old_losses.triplet import TripletLoss
class Other:
    def __call__(self, a, b): return {"accuracy": 3.0}
def acc(loss: TripletLoss | Other):
    return loss(1, 2)["accuracy"]
""",
        "main.py": """\
import lib
print(getattr(lib, "ac" + "c")(lib.Other()))
""",
    },
    "ann_optional": {
        "lib.py": """\
from typing import Optional
from old_losses.triplet import TripletLoss
def acc(loss: Optional[TripletLoss] = None):
    if loss is None:
        return 0
    return loss(1, 2)["accuracy"]
""",
        "main.py": """\
import lib
print(getattr(lib, "ac" + "c")())
""",
    },
    "ann_list": {
        "lib.py": """\
from __future__ import annotations
from typing import Sequence, Mapping
from old_losses.triplet import TripletLoss
def total(losses: list[TripletLoss]):
    return sum(l(1, 2)["accuracy"] for l in losses)
def total2(losses: Sequence[TripletLoss]):
    s = 0
    for i, l in enumerate(losses):
        s += i * l(1, 2)["accuracy"]
    return s
def total3(losses: Mapping[str, TripletLoss]):
    return {k: l(1, 2)["accuracy"] for k, l in losses.items()}
def first(losses: tuple[TripletLoss, ...]):
    return losses[0](1, 2)["accuracy"]
""",
        "main.py": """\
import lib
from old_losses.triplet import TripletLoss
ls = [TripletLoss()]
print(getattr(lib, "tota" + "l")(ls))
""",
    },
    "ann_list2": {
        "lib.py": """\
from __future__ import annotations
from typing import Sequence, Mapping
from old_losses.triplet import TripletLoss
def total(losses: list[TripletLoss]):
    return sum(l(1, 2)["accuracy"] for l in losses)
def total2(losses: Sequence[TripletLoss]):
    s = 0
    for i, l in enumerate(losses):
        s += i * l(1, 2)["accuracy"]
    return s
def total3(losses: Mapping[str, TripletLoss]):
    return {k: l(1, 2)["accuracy"] for k, l in losses.items()}
def first(losses: tuple[TripletLoss, ...]):
    return losses[0](1, 2)["accuracy"]
def f4(losses: "dict[str, TripletLoss]"):
    return losses["a"](1, 2)["accuracy"]
""",
        "main.py": """\
import lib
print(getattr(lib, "tota" + "l")([]))
""",
    },
    "ann_attr": {
        "main.py": """\
from dataclasses import dataclass
from typing import Optional, List
from old_losses.triplet import TripletLoss
@dataclass
class Cfg:
    loss: TripletLoss
    more: Optional[TripletLoss] = None
    def acc(self):
        return self.loss(1, 2)["accuracy"] + self.more(1, 2)["accuracy"]
c = Cfg(TripletLoss(), more=TripletLoss(T=2))
print(c.acc(), c.loss(1, 2)["accuracy"])
""",
    },
    "ann_return": {
        "lib.py": """\
from old_losses.triplet import TripletLoss
def make(name) -> TripletLoss:
    return eval("TripletLoss")() if name == "x" else TripletLoss()
""",
        "main.py": """\
from lib import make
print(make("y")(1, 2)["accuracy"])
""",
    },
    "nested_table_escape": {
        "main.py": """\
import collections
from old_losses.triplet import TripletLoss
q = collections.deque([(TripletLoss(T=0.1), 1.0)])
l, w = q[0]
print(l(1, 2)["accuracy"])
""",
    },
    "globals_computed": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def build(name, **kw):
    return globals()[name](**kw)
print(build("Triplet" + "Loss", T=2)(1, 2)["accuracy"])
""",
    },
    "eval_computed": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def build(name, **kw):
    return eval(name)(**kw)
print(build("Triplet" + "Loss", T=2)(1, 2)["accuracy"])
""",
    },
    "sysmod_getattr": {
        "main.py": """\
import sys
from old_losses.triplet import TripletLoss
def build(name, **kw):
    return getattr(sys.modules[__name__], name)(**kw)
print(build("Triplet" + "Loss", T=2)(1, 2)["accuracy"])
""",
    },
    "globals_get": {
        "main.py": """\
from old_losses.plain import PlainLoss
def build(name, **kw):
    cls = globals().get(name)
    return cls(**kw)
print(build("PlainLoss", scale=2)(1))
""",
    },
    "eval_expr": {
        "main.py": """\
from old_losses.plain import PlainLoss
print(eval("PlainLoss(scale=2)")(1))
exec("x = PlainLoss()")
""",
    },
    "mock_fake": {
        "app.py": """\
from old_losses.triplet import TripletLoss
def go():
    return TripletLoss(T=2)(1, 2)['accuracy']
""",
        "main.py": """\
from unittest import mock
import app
class Fake:
    def __init__(self, T): self.T = T
    def __call__(self, a, b): return {"accuracy": self.T}
with mock.patch("app.TripletLoss", Fake):
    print(app.go())
""",
    },
    "mock_return": {
        "app.py": """\
from old_losses.triplet import TripletLoss
def go():
    return TripletLoss(T=2)(1, 2)['accuracy']
""",
        "main.py": """\
from unittest import mock
import app
with mock.patch("app.TripletLoss") as M:
    M.return_value.return_value = {"accuracy": 0.5}
    print(app.go())
""",
    },
    "mock_monkeypatch": {
        "app.py": """\
from old_losses.triplet import TripletLoss
def go():
    return TripletLoss(T=2)(1, 2)['accuracy']
""",
        "main.py": """\
import app
class Fake:
    def __init__(self, T): self.T = T
    def __call__(self, a, b): return {"accuracy": self.T}
app.TripletLoss = Fake
print(app.go())
""",
    },
    "isinstance_tuple": {
        "main.py": """\
from old_losses.pair import PairLoss
from old_losses.functional import hinge
out = PairLoss()(1, 2)
loss = out[0] if isinstance(out, (tuple, list)) else out
print(loss)
""",
    },
    "isinstance_dict": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
loss = out["loss"] if isinstance(out, dict) else out
print(loss, isinstance(out, tuple), type(out).__name__, bool(out))
""",
    },
    "type_is": {
        "main.py": """\
from old_losses.pair import PairLoss
out = PairLoss()(1, 2)
print(type(out) is tuple, type(out) == tuple)
""",
    },
    "len_tuple": {
        "main.py": """\
from old_losses.pair import PairLoss
out = PairLoss()(1, 2)
if out:
    print(len(out) == 2)
""",
    },
    "mixin_of_legacy": {
        "mix.py": """\
class Report:
    def report(self, a, b):
        print(self(a, b)["accuracy"], self.T)
""",
        "main.py": """\
from mix import Report
from old_losses.triplet import TripletLoss
class R(Report, TripletLoss):
    pass
R(T=2).report(1, 2)
""",
    },
    "partial_method": {
        "main.py": """\
from functools import partial
from old_losses.triplet import TripletLoss
c = TripletLoss()
f = partial(c, ids=[1])
print(f(1, 2)["accuracy"])
""",
    },
    "partial_dict": {
        "main.py": """\
from functools import partial
from old_losses.triplet import TripletLoss
F = {"a": partial(TripletLoss, T=2), "b": partial(TripletLoss, margin=1)}
for k in F:
    print(F[k]()(1, 2)["accuracy"])
print({k: f(reduction="sum")(1, 2)["loss"] for k, f in F.items()})
""",
    },
    "computed_key_same": {
        "main.py": """\
import sys
from old_losses.triplet import TripletLoss
F = {"a": TripletLoss(T=2), "b": TripletLoss(margin=1)}
k = "ab"[len(sys.argv) - 1]
print(F[k](1, 2)["accuracy"])
""",
    },
    "inplace_mod": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
out["loss"] = out["loss"] * 2
out["accuracy"] = 3
print(out["loss"], out["accuracy"])
""",
    },
    "inplace_add": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
out["loss"] += 2
print(out["loss"])
""",
    },
    "starred_arg_dict": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def train(a, b, *, loss=None, **kw):
    return loss(a, b)["accuracy"]
print(train(1, 2, loss=TripletLoss(), x=3))
def train2(*losses):
    return [l(1, 2)["accuracy"] for l in losses]
print(train2(TripletLoss(), TripletLoss(T=2)))
def train3(**losses):
    return {k: l(1, 2)["accuracy"] for k, l in losses.items()}
print(train3(a=TripletLoss()))
""",
    },
    "closure_factory": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def make(**kw):
    def inner(a, b):
        return TripletLoss(**kw)(a, b)["accuracy"]
    return inner
print(make(T=2)(1, 2))
""",
    },
    "kw_passthrough": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def make(T=0.5, **kw):
    return TripletLoss(T=T, **kw)
print(make(margin=2)(1, 2)["accuracy"])
""",
    },
    "signature": {
        "main.py": """\
import inspect
from old_losses.triplet import TripletLoss
print(list(inspect.signature(TripletLoss).parameters)[:1])
""",
    },
    "pickle_name": {
        "main.py": """\
from old_losses.plain import PlainLoss
print(PlainLoss.__name__ != "")
x = {"PlainLoss": PlainLoss}["PlainLoss"]()(2)
print(x)
""",
    },
    "name_compare": {
        "main.py": """\
from old_losses.plain import PlainLoss
c = PlainLoss()
if type(c).__name__ == "PlainLoss":
    print("plain")
print(c.__class__.__name__, PlainLoss.__qualname__)
""",
    },
    "registry_by_name": {
        "main.py": """\
from old_losses.plain import PlainLoss
from old_losses.triplet import TripletLoss
REG = {cls.__name__: cls for cls in (PlainLoss, TripletLoss)}
print(REG["PlainLoss"](2)(1))
""",
    },
    "subclass_hook": {
        "main.py": """\
from old_losses.plain import PlainLoss
class Sub(PlainLoss, metaclass=type):
    def forward(self, x):
        return super().forward(x) * 2
print(Sub()(1), issubclass(Sub, PlainLoss), Sub.__mro__[1] is PlainLoss)
""",
    },
    "exception_args": {
        "main.py": """\
from old_losses.triplet import TripletLoss
try:
    TripletLoss(bogus=1)
except TypeError:
    print("no")
""",
    },
    "cond_import_func": {
        "main.py": """\
def get(kind):
    if kind == "t":
        from old_losses.triplet import TripletLoss as L
        kw = {"T": 2}
    else:
        from old_losses.plain import PlainLoss as L
        kw = {}
    return L(**kw)
print(get("t")(1, 2)["loss"], get("p")(2))
""",
    },
    "conditional_kwargs": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def get(hard):
    kw = {}
    if hard:
        kw["T"] = 2
        kw["use_hard"] = True
    return TripletLoss(**kw)
print(get(1)(1, 2)["loss"])
""",
    },
    "default_arg_instance": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def step(a, b, loss=TripletLoss(T=2)):
    return loss(a, b)["accuracy"]
print(step(1, 2))
""",
    },
    "default_arg_none": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def step(a, b, loss=None):
    loss = loss or TripletLoss(T=2)
    return loss(a, b)["accuracy"]
print(step(1, 2))
""",
    },
    "default_arg_external": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class S:
    def __init__(self, loss=None):
        self.loss = loss if loss is not None else TripletLoss(T=2)
    def step(self, a, b):
        return self.loss(a, b)["accuracy"]
print(S().step(1, 2), S(lambda a, b: {"accuracy": 9}).step(1, 2))
""",
    },
}

REFUSED = {
    "fields_updated": ["main.py:5"],
    "ann_type_param": ["main.py:2", "main.py:3"],
    "ann_union_param": ["lib.py:6"],
    "ann_union_param2": ["lib.py:6"],
    "ann_list": ["main.py:4"],
    "ann_return": ["lib.py:3"],
    "nested_table_escape": ["main.py:3", "main.py:5"],
    "globals_computed": ["main.py:3"],
    "eval_computed": ["main.py:3"],
    "sysmod_getattr": ["main.py:4"],
    "globals_get": ["main.py:3"],
    "eval_expr": ["main.py:2", "main.py:3"],
    "mock_fake": ["main.py:6"],
    "mock_return": ["main.py:3"],
    "mock_monkeypatch": ["main.py:5"],
    "isinstance_tuple": ["main.py:4", "main.py:5"],
    "isinstance_dict": ["main.py:4"],
    "type_is": ["main.py:3"],
    "len_tuple": ["main.py:4"],
    "partial_method": ["main.py:4"],
    "inplace_mod": ["main.py:3", "main.py:4"],
    "inplace_add": ["main.py:3"],
    "starred_arg_dict": ["main.py:10", "main.py:7"],
    "closure_factory": ["main.py:4"],
    "kw_passthrough": ["main.py:3"],
    "signature": ["main.py:3"],
    "name_compare": ["main.py:3"],
    "registry_by_name": ["main.py:4"],
    "exception_args": ["main.py:3"],
    "cond_import_func": ["main.py:8", "main.py:9"],
    "conditional_kwargs": ["main.py:7"],
    "default_arg_none": ["main.py:4"],
    "default_arg_external": ["main.py:6"],
}
"""What needs a person, and where; every other program is rewritten."""
