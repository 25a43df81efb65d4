"""The forms in which training code names, builds and reads a loss. Each runs before and after its rewrite."""

# a long line is what some of them are about

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "type_checking": {
        "main.py": """\
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from old_losses.triplet import TripletLoss  # only for types
def use(loss: TripletLoss) -> float:
    out = loss(1.0, 2.0)
    return out["accuracy"]
def make():
    from old_losses.triplet import TripletLoss
    return TripletLoss(0.4, True, T=0.5)
print(use(make()))
""",
    },
    "try_except": {
        "main.py": """\
try:
    from old_losses.triplet import TripletLoss
except ImportError:
    TripletLoss = None
if TripletLoss is not None:
    crit = TripletLoss(T=2.0)
    print(crit(1, 2)["loss"])
""",
    },
    "try_except_fallback_import": {
        "main.py": """\
try:
    from fast_losses import TripletLoss
except ImportError:  # not there on CI
    from old_losses.triplet import TripletLoss
crit = TripletLoss(T=2.0)
print(crit(1, 2)["loss"])
""",
    },
    "reexports": {
        "pkg/__init__.py": """\
from .a import *
from .a import __all__ as _a
__all__ = list(_a)
""",
        "pkg/a/__init__.py": """\
from .b import TripletLoss as _T, make
TripletLoss = _T
__all__ = ['TripletLoss', 'make']
""",
        "pkg/a/b.py": """\
from old_losses.triplet import TripletLoss
__all__ = ('TripletLoss', 'make')
def make():
    return TripletLoss()
""",
        "main.py": """\
import pkg
from pkg import TripletLoss, make
print(TripletLoss(T=3)(1,2)['recalls']['r@1'], make()(1,1)['loss'], pkg.TripletLoss.__mro__[-1])
""",
    },
    "reexport_all_public": {
        "pkg/__init__.py": """\
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss

__all__ = [
    'PlainLoss',  # plain
    'TripletLoss',
]
""",
        "main.py": """\
from pkg import *
print(TripletLoss(T=3)(1,2)['recalls']['r@1'])
print(PlainLoss(2)(1))
""",
    },
    "star": {
        "main.py": """\
from old_losses.triplet import *
crit = TripletLoss(0.2, False, 0.5, "sum", 0.1)
print(crit(1,2)["loss"])
""",
    },
    "star_and_nn": {
        "main.py": """\
from old_losses.plain import *
class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = PlainLoss()
    def forward(self, x):
        return self.l(x)
print(M()(2))
""",
    },
    "alias": {
        "main.py": """\
from old_losses.triplet import TripletLoss as TL
Loss = TL
Crit = Loss
c = Crit(T=.5, use_hard=True)
print(c(1, 2)["accuracy"])
print(isinstance(c, TL), type(c) is Loss)
""",
    },
    "partial": {
        "main.py": """\
from functools import partial
import functools as ft
from old_losses.triplet import TripletLoss
make = partial(TripletLoss, 0.5, T=0.1)
make2 = ft.partial(TripletLoss, reduction="sum")
print(make()(1, 2)["loss"], make(reduction="sum")(1, 2)["loss"], make2(0.7)(1,1)["loss"])
""",
    },
    "partial_rest_positional": {
        "main.py": """\
from functools import partial
from old_losses.triplet import TripletLoss
make = partial(TripletLoss, 0.5)
print(make(True, 0.5, "sum")(1, 2)["loss"])
""",
    },
    "dict_of_classes": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss
from old_losses.pair import PairLoss
LOSSES = {"triplet": TripletLoss, "plain": PlainLoss, "pair": PairLoss}
c = LOSSES["triplet"](T=0.2)
print(c(1, 2)["loss"])
print(LOSSES["plain"](scale=3)(1))
loss, parts = LOSSES["pair"]()(1, 2)
print(loss, parts["diagonal"])
""",
    },
    "dict_of_classes_kwargs": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss
LOSSES = {"triplet": (TripletLoss, {"T": 0.2, "use_hard": False}), "plain": (PlainLoss, {"scale": 2})}
def build(name):
    cls, kw = LOSSES[name]
    return cls(**kw)
print(build("triplet")(1, 2)["loss"])
""",
    },
    "getattr_module": {
        "main.py": """\
import old_losses.triplet as m
cls = getattr(m, "TripletLoss")
print(cls(T=2)(1, 2)["loss"])
""",
    },
    "importlib": {
        "main.py": """\
import importlib
m = importlib.import_module("old_losses.triplet")
print(m.TripletLoss(T=2)(1, 2)["loss"])
""",
    },
    "importlib_getattr": {
        "main.py": """\
from importlib import import_module
print(getattr(import_module("old_losses.triplet"), "TripletLoss")(T=2)(1, 2)["loss"])
""",
    },
    "importlib_fstring": {
        "main.py": """\
from importlib import import_module
name = "triplet"
print(getattr(import_module(f"old_losses.{name}"), "TripletLoss")(T=2)(1, 2)["loss"])
""",
    },
    "locate_rsplit": {
        "main.py": """\
import importlib
def locate(path):
    mod, _, cls = path.rpartition(".")
    return getattr(importlib.import_module(mod), cls)
print(locate("old_losses.plain.PlainLoss")(2)(3))
""",
    },
    "locate_rsplit_params": {
        "main.py": """\
import importlib
def locate(path):
    mod, _, cls = path.rpartition(".")
    return getattr(importlib.import_module(mod), cls)
print(locate("old_losses.triplet.TripletLoss")(T=2)(1, 3)["loss"])
""",
    },
    "mock_patch": {
        "app.py": """\
from old_losses.triplet import TripletLoss
def go():
    return TripletLoss(T=2)
""",
        "main.py": """\
from unittest import mock
import app
with mock.patch("app.TripletLoss") as M:
    app.go()
    M.assert_called_once_with(T=2)
print("fine")
""",
    },
    "mock_patch2": {
        "app.py": """\
from old_losses.plain import PlainLoss
def go():
    return PlainLoss(scale=2)
""",
        "main.py": """\
from unittest.mock import patch
import app
@patch("app.PlainLoss")
def t(M):
    app.go()
    print(M.call_args)
t()
with patch("old_losses.plain.PlainLoss.forward", return_value=7):
    print(app.go()(1))
import old_losses.plain
with patch.object(old_losses.plain.PlainLoss, "forward", lambda self, x: 9):
    print(app.go()(1))
""",
    },
    "decorator": {
        "main.py": """\
from old_losses.plain import PlainLoss
def wrap(cls):
    def deco(f):
        def inner(x):
            return f(cls()(x))
        return inner
    return deco
@wrap(PlainLoss)
def go(x):
    return x
print(go(3))
""",
    },
    "base_super_kw": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def __init__(self, extra, T=0.3, **kw):
        super().__init__(margin=0.1, T=T, **kw)
        self.extra = extra
    def total(self, a, b):
        out = self(a, b)
        return out["loss"] * self.extra + out["accuracy"]
print(Mine(2)(1, 2)["loss"], Mine(2).total(1, 2))
""",
    },
    "base_super": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def __init__(self, extra, T=0.3):
        super().__init__(0.1, False, 0.5, "sum", T)
        self.extra = extra
    def total(self, a, b):
        out = self(a, b)
        return out["loss"] * self.extra + out["accuracy"] + self.T
print(Mine(2)(1, 2)["loss"], Mine(2).total(1, 2), Mine(1).T)
""",
    },
    "base_super_old_style": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def __init__(self, extra, T=0.3):
        TripletLoss.__init__(self, 0.1, T=T)
        self.extra = extra
    def forward(self, a, b):
        out = super(Mine, self).forward(a, b)
        return out["loss"] * self.extra
print(Mine(2)(1, 2))
""",
    },
    "base_forward_dict": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def forward(self, a, b, ids=None, **kwargs):
        out = super().forward(a, b, ids=ids)
        out["extra"] = 1.5
        return out
o = Mine()(1, 2)
print(o["loss"], o["accuracy"], o["extra"])
""",
    },
    "positional_order": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(0.1, False, 0.5, "sum", 0.2)
print(c(1,2)["loss"])
""",
    },
    "drop_side_effect": {
        "main.py": """\
from old_losses.triplet import TripletLoss
n = []
def f():
    n.append(1)
    return True
c = TripletLoss(0.1, f(), T=0.2)
print(c(1,2)["loss"], n)
""",
    },
    "eval_order": {
        "main.py": """\
from old_losses.triplet import TripletLoss
log = []
def say(x):
    log.append(x)
    return x
c = TripletLoss(T=say(0.2), margin=say(0.7), reduction=say("sum"))
print(c(1,2)["loss"], log)
""",
    },
    "kwargs_literal": {
        "main.py": """\
from old_losses.triplet import TripletLoss
opts = {"T": 0.2, "use_hard": True}
c = TripletLoss(0.3, **opts)
c2 = TripletLoss(**{"T": 0.1}, **dict(reduction="sum"))
print(c(1,2)["loss"], c2(1, 2)["loss"])
""",
    },
    "kwargs_literal_dict_call": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def go(flag):
    opts = dict(T=0.2, use_hard=True)
    if flag:
        opts["reduction"] = "sum"
    opts.update(margin=3)
    return TripletLoss(**opts)
print(go(1)(1,2)["loss"], go(0)(1,2)["loss"])
""",
    },
    "kwargs_cond": {
        "main.py": """\
from old_losses.triplet import TripletLoss
fast = True
c = TripletLoss(**({"T": 0.2} if fast else {"T": 0.4, "reduction": "sum"}))
print(c(1,2)["loss"])
""",
    },
    "kwargs_pop": {
        "main.py": """\
from old_losses.triplet import TripletLoss
cfg = {"name": "triplet", "T": 0.2, "margin": 0.9}
cfg.pop("name")
c = TripletLoss(**cfg)
print(c(1,2)["loss"])
""",
    },
    "kwargs_from_json": {
        "main.py": """\
import json
from old_losses.triplet import TripletLoss
cfg = json.loads('{"T": 0.2}')
print(TripletLoss(**cfg)(1,2)["loss"])
""",
    },
    "get": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1,2)
print(out.get("accuracy"), out.get("accuracy", 0.0), out.get("recalls", {}).get("r@1"), out.get("nothing", 5))
""",
    },
    "destruct": {
        "main.py": """\
from old_losses.pair import PairLoss
c = PairLoss(2)
loss, stats = c(1, 2)
print(loss, stats["diagonal"])
l3 = c(1,2)[0]
d = c(1,2)[1]["rest"]
print(l3, d)
loss, _ = c(3, 4)
print(loss)
""",
    },
    "destruct_star": {
        "main.py": """\
from old_losses.pair import PairLoss
loss, *rest = PairLoss(2)(1, 2)
print(loss, rest[0]["diagonal"])
""",
    },
    "items_loop": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1,2)
for k, v in out.items():
    print(k, v)
""",
    },
    "items_loop_pair": {
        "main.py": """\
from old_losses.pair import PairLoss
loss, stats = PairLoss()(1,2)
for k, v in stats.items():
    print(k, v)
""",
    },
    "logger": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Logger:
    def log(self, d): print(sorted(d))
out = TripletLoss()(1,2)
Logger().log(out)
""",
    },
    "logger_external": {
        "main.py": """\
import json
from old_losses.triplet import TripletLoss
out = TripletLoss()(1,2)
del out["loss"]
print(json.dumps(out))
""",
    },
    "backward": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
c(1,2)["loss"].backward()
out = c(1,2)
out["loss"].backward()
(out["loss"] / 2).backward()
""",
    },
    "walrus": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
if (out := c(1, 2))["accuracy"] > 0:
    print(out["recalls"]["r@5"])
print((acc := c(1,2)["accuracy"]), acc)
""",
    },
    "comprehension": {
        "main.py": """\
from old_losses.triplet import TripletLoss
cs = [TripletLoss(T=t) for t in (0.1, 0.2)]
print([c(1,2)["accuracy"] for c in cs], sum(c(1, 2)["accuracy"] for c in cs))
TL = [TripletLoss for TripletLoss in ["a", "b"]]
print(TL)
d = {k: c(1,2)["loss"] for k, c in zip("ab", cs)}
print(d["a"])
outs = [c(1, 2) for c in cs]
print(sum(o["accuracy"] for o in outs))
""",
    },
    "lambda": {
        "main.py": """\
from old_losses.triplet import TripletLoss
make = lambda T=0.3: TripletLoss(T=T)
acc = lambda o: o["accuracy"]
print(acc(make()(1, 2)))
""",
    },
    "nested_nonlocal": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def outer():
    crit = None
    def setup():
        nonlocal crit
        crit = TripletLoss(T=0.1)
    def go():
        return crit(1, 2)["accuracy"]
    setup()
    return go()
print(outer())
""",
    },
    "global": {
        "main.py": """\
from old_losses.triplet import TripletLoss
crit = None
def setup():
    global crit
    crit = TripletLoss(T=0.1)
setup()
print(crit(1,2)["accuracy"])
""",
    },
    "self_criterion": {
        "main.py": """\
import torch.nn as nn
from old_losses.triplet import TripletLoss
class Trainer(nn.Module):
    criterion: TripletLoss
    def __init__(self, cfg):
        super().__init__()
        self.criterion = TripletLoss(T=cfg["T"]).to("cpu")
        self.hist = []
    def training_step(self, batch, i):
        out = self.criterion(batch[0], batch[1])
        self.log("acc", out["accuracy"])
        self.hist.append(out["recalls"]["r@1"])
        return out["loss"]
    def on_epoch(self, e):
        self.criterion.set_epoch(e, 10)
        self.criterion.T = 0.5
    def log(self, k, v): print(k, v)
t = Trainer({"T": .1})
t.on_epoch(3)
print(t.training_step((1, 2), 0), t.hist, t.criterion.T)
""",
    },
    "dataclass_factory": {
        "main.py": """\
from dataclasses import dataclass, field
from typing import Optional, Type
from old_losses.triplet import TripletLoss
@dataclass
class Cfg:
    loss: TripletLoss = field(default_factory=TripletLoss)
    cls: Type[TripletLoss] = TripletLoss
    other: "Optional[TripletLoss]" = None
    make: object = field(default_factory=lambda: TripletLoss(T=0.1))
c = Cfg()
print(c.loss(1, 2)["accuracy"], c.cls(T=0.2)(1,2)["accuracy"], c.make(1, 2)["accuracy"])
""",
    },
    "module_dict": {
        "main.py": """\
import torch.nn as nn
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss
losses = nn.ModuleDict({"t": TripletLoss(T=0.1), "p": PlainLoss()})
print(losses["t"](1,2)["accuracy"])
print(losses["p"](1))
""",
    },
    "module_list_loop": {
        "main.py": """\
import torch.nn as nn
from old_losses.triplet import TripletLoss
losses = nn.ModuleList([TripletLoss(T=0.1), TripletLoss(T=0.2)])
tot = 0
for l in losses:
    tot = tot + l(1,2)["loss"]
print(tot)
for i, l in enumerate(losses):
    print(i, l(1, 2)["accuracy"])
""",
    },
    "weights_zip": {
        "main.py": """\
from old_losses.triplet import TripletLoss
terms = [(TripletLoss(T=0.1), 1.0), (TripletLoss(T=0.2), 0.5)]
tot = 0.0
for l, w in terms:
    o = l(1, 2)
    tot = tot + w * o["loss"]
    print(f"{o['accuracy']:.3f}")
print(tot)
""",
    },
    "match": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss
def kind(x):
    match x:
        case TripletLoss():
            return "t"
        case PlainLoss(scale=s):
            return f"p{s}"
    return "?"
print(kind(TripletLoss()), kind(PlainLoss(2)))
""",
    },
    "match_attr": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def kind(x):
    match x:
        case TripletLoss(T=t, margin=m):
            return t, m
print(kind(TripletLoss()))
""",
    },
    "match_mapping": {
        "main.py": """\
from old_losses.triplet import TripletLoss
match TripletLoss()(1, 2):
    case {"loss": loss, "accuracy": acc}:
        print(loss, acc)
""",
    },
    "fstring_keys": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1,2)
print(f"acc={out['accuracy']:.3f} r1={out['recalls']['r@1']!r} ".replace('"', ""))
""",
    },
    "percent_format": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1,2)
print("%.3f %s" % (out["accuracy"], out["recalls"]["r@1"]))
print("{accuracy:.2f}".format(**out))
""",
    },
    "percent_dict": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1,2)
print("%(accuracy).2f" % out)
""",
    },
}

REFUSED = {
    "try_except_fallback_import": ["main.py:5"],
    "star_and_nn": ["main.py:1"],
    "partial_rest_positional": ["main.py:4"],
    "importlib_fstring": ["main.py:3"],
    "locate_rsplit_params": ["main.py:5"],
    "mock_patch": ["main.py:3"],
    "mock_patch2": ["main.py:11", "main.py:8"],
    "base_super_kw": ["main.py:4"],
    "base_super_old_style": ["main.py:4", "main.py:6"],
    "base_forward_dict": ["main.py:3"],
    "drop_side_effect": ["main.py:6"],
    "kwargs_literal_dict_call": ["main.py:7"],
    "kwargs_cond": ["main.py:3"],
    "kwargs_pop": ["main.py:4"],
    "kwargs_from_json": ["main.py:4"],
    "get": ["main.py:3"],
    "destruct_star": ["main.py:2"],
    "items_loop": ["main.py:3"],
    "items_loop_pair": ["main.py:3"],
    "logger": ["main.py:3"],
    "logger_external": ["main.py:4", "main.py:5"],
    "match_attr": ["main.py:4"],
    "match_mapping": ["main.py:2"],
    "percent_format": ["main.py:4"],
    "percent_dict": ["main.py:3"],
}
"""What needs a person, and where; every other program is rewritten."""
