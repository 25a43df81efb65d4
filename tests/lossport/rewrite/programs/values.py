"""Where losses and results travel: variables of all kinds, containers, classes, functions. Each runs before and after its rewrite."""

# ruff: noqa: E501  # a long line is what some of them are about

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "global_none_then_func": {
        "main.py": """\
from old_losses.triplet import TripletLoss
_crit = None
def get():
    global _crit
    if _crit is None:
        _crit = TripletLoss()
    return _crit
print(get()(1, 2)["accuracy"])
print(_crit(1, 2)["accuracy"])
""",
    },
    "nonlocal_outer_read": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def outer():
    crit = None
    def setup():
        nonlocal crit
        crit = TripletLoss(T=0.1)
    setup()
    return crit(1, 2)["accuracy"]
print(outer())
""",
    },
    "nonlocal_two_up": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def outer():
    crit = None
    def mid():
        def setup():
            nonlocal crit
            crit = TripletLoss(T=0.1)
        setup()
    mid()
    def read():
        return crit(1, 2)["accuracy"]
    return read()
print(outer())
""",
    },
    "match_as": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def f(x):
    match x:
        case TripletLoss() as c:
            return c(1, 2)["accuracy"]
    return x
import sys
print(f(getattr(sys, "nope", None)), f(eval("TripletLoss()")))
""",
    },
    "setattr_module": {
        "app.py": """\
crit = None
def go():
    return crit(1, 2)['accuracy']
""",
        "main.py": """\
import app
from old_losses.triplet import TripletLoss
app.crit = TripletLoss()
print(app.go())
""",
    },
    "class_attr_other_method": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class A:
    crit = None
    def build(self):
        self.crit = TripletLoss(T=0.1)
        return self
    def step(self):
        out = self.crit(1, 2)
        acc = out["accuracy"]
        return acc
print(A().build().step())
""",
    },
    "class_attr_inherited": {
        "base.py": """\
class Base:
    def run(self):
        out = self.criterion(1, 2)
        return out["accuracy"]
""",
        "main.py": """\
from base import Base
from old_losses.triplet import TripletLoss
class T(Base):
    def __init__(self):
        self.criterion = TripletLoss()
print(T().run())
""",
    },
    "class_attr_outside": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class T:
    pass
t = T()
t.criterion = TripletLoss()
print(t.criterion(1, 2)["accuracy"])
""",
    },
    "simple_namespace": {
        "main.py": """\
from types import SimpleNamespace
from old_losses.triplet import TripletLoss
ns = SimpleNamespace(crit=TripletLoss())
print(ns.crit(1, 2)["accuracy"])
""",
    },
    "dict_store": {
        "main.py": """\
from old_losses.triplet import TripletLoss
d = {}
d["crit"] = TripletLoss()
print(d["crit"](1, 2)["accuracy"])
""",
    },
    "list_append": {
        "main.py": """\
from old_losses.triplet import TripletLoss
ls = []
for t in (0.1, 0.2):
    ls.append(TripletLoss(T=t))
print(sum(l(1, 2)["accuracy"] for l in ls))
""",
    },
    "register_decorator": {
        "main.py": """\
from old_losses.triplet import TripletLoss
REG = {}
def register(name):
    def deco(cls):
        REG[name] = cls
        return cls
    return deco
register("triplet")(TripletLoss)
print(REG["triplet"](T=0.1)(1, 2)["accuracy"])
""",
    },
    "registry_class": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Registry(dict):
    def register(self, name, cls):
        self[name] = cls
R = Registry()
R.register("t", TripletLoss)
print(R["t"](T=0.1)(1, 2)["accuracy"])
""",
    },
    "result_kept_on_self": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class T:
    def __init__(self):
        self.c = TripletLoss()
    def step(self):
        self.out = self.c(1, 2)
        return self
    def show(self):
        print(self.out["accuracy"])
        return {k: v for k, v in sorted(self.__dict__.items()) if k == "x"}
print(T().step().show())
""",
    },
    "result_list": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
outs = []
for i in range(3):
    outs.append(c(i, 2))
print(sum(o["accuracy"] for o in outs) / len(outs))
""",
    },
    "result_star_star": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
log = {"step": 1, **c(1, 2)}
print(sorted(log))
""",
    },
    "result_update": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
log = {}
log.update(c(1, 2))
print(sorted(log))
""",
    },
    "result_or": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
log = {"a": 1} | c(1, 2)
print(sorted(log))
""",
    },
    "result_in": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
out = c(1, 2)
if "accuracy" in out and "recalls" in out:
    print(out["accuracy"])
print("r@1" in out["recalls"])
print("r@1" in out)
""",
    },
    "result_len": {
        "main.py": """\
from old_losses.triplet import TripletLoss
print(len(TripletLoss()(1, 2)))
""",
    },
    "key_variable": {
        "main.py": """\
from old_losses.triplet import TripletLoss
KEY = "accuracy"
out = TripletLoss()(1, 2)
print(out[KEY])
for k in ("loss", "accuracy"):
    print(out[k])
""",
    },
    "key_variable2": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
for k in (1, 5):
    print(out["recalls"][f"r@{k}"])
""",
    },
    "pair_loop": {
        "main.py": """\
from old_losses.pair import PairLoss
c = PairLoss()
for i in range(2):
    loss, d = c(i, 1)
    if i:
        print(f"{loss} {d['rest']:.2f}")
""",
    },
    "pair_return": {
        "main.py": """\
from old_losses.pair import PairLoss
class M:
    def __init__(self):
        self.c = PairLoss()
    def forward(self, x):
        return self.c(x, 1)
    def loss(self, x):
        l, _ = self.forward(x)
        return l
m = M()
print(m.loss(2), m.forward(2)[1]["rest"])
""",
    },
    "pair_return_external": {
        "main.py": """\
from old_losses.pair import PairLoss
class M:
    def __init__(self):
        self.c = PairLoss()
    def forward(self, x):
        return self.c(x, 1)
""",
    },
    "pair_swap": {
        "main.py": """\
from old_losses.pair import PairLoss
a = PairLoss()
loss, stats = a(1, 2)
stats, loss = loss, stats
print(stats)
""",
    },
    "pair_unused": {
        "main.py": """\
from old_losses.pair import PairLoss
loss = PairLoss()(1, 2)[0]
print(loss)
assert isinstance(PairLoss()(1, 2), tuple)
""",
    },
    "func_expr": {
        "main.py": """\
from old_losses.functional import soft_margin, hinge
def total(a, b):
    return soft_margin(a, b) + 2 * hinge(a, b)
print(total(1, 2))
print(max([soft_margin(1, 2), soft_margin(3, 4)], key=float))
print(list(map(hinge, [1, 2], [3, 4])))
""",
    },
    "func_map": {
        "main.py": """\
from old_losses.functional import soft_margin
print(list(map(soft_margin, [1, 2], [3, 4])))
""",
    },
    "func_default": {
        "main.py": """\
from old_losses.functional import soft_margin, hinge
def train(x, y, loss_fn=hinge):
    return loss_fn(x, y)
print(train(1, 2), train(1, 2, loss_fn=soft_margin))
""",
    },
    "func_pass_kw": {
        "main.py": """\
from old_losses.functional import soft_margin
def train(x, y, loss_fn):
    return loss_fn(x, y, "mean", 1e-3)
print(train(1, 2, soft_margin))
""",
    },
    "func_positional_eps": {
        "main.py": """\
from old_losses.functional import soft_margin
print(soft_margin(1, 2, "mean", 1e-3), soft_margin(x=1, y=2, reduction="mean"))
""",
    },
    "func_method_alias": {
        "main.py": """\
from old_losses.functional import soft_margin
class A:
    fn = staticmethod(soft_margin)
    def go(self):
        return self.fn(1, 2)
print(A().go())
""",
    },
    "conditional_expr_class": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss
hard = True
cls = TripletLoss if hard else PlainLoss
print(cls().__class__.__name__ != "")
""",
    },
    "conditional_same": {
        "main.py": """\
from old_losses.triplet import TripletLoss
hard = True
c = TripletLoss(T=0.1) if hard else TripletLoss(T=0.2)
print(c(1, 2)["accuracy"])
""",
    },
    "subclass_attr": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def anneal(self):
        self.T *= 0.5
        self.cache.clear() if False else None
        return self
print(Mine().anneal()(1, 2)["accuracy"])
""",
    },
    "subclass_attr2": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    \"\"\"Mine.\"\"\"
    def anneal(self):
        self.T *= 0.5
        return self
print(Mine().anneal()(1, 2)["accuracy"])
print(Mine(T=2).T)
""",
    },
    "getattr_T": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(T=0.5)
print(getattr(c, "T"), getattr(c, "T", None), hasattr(c, "T"))
setattr(c, "T", 0.9)
c.T += 1
print(c.T)
""",
    },
    "set_epoch_kwargs": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
c.set_epoch(2, 10)
print(c(1, 1)["loss"])
f = c.set_epoch
f(3, total=6)
print(c(1, 1)["loss"])
""",
    },
    "hasattr_method": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss
for c in (TripletLoss(), PlainLoss()):
    if hasattr(c, "set_epoch"):
        c.set_epoch(1, total=2)
print("ok")
""",
    },
    "forward_direct": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
print(c.forward(1, 2)["accuracy"], c.__call__(1, b=2)["accuracy"], TripletLoss.forward(c, 1, 2)["loss"])
""",
    },
    "forward_kwargs": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
print(c(a=1, b=2, ids=[1, 2])["accuracy"], c(1, 2, epoch=4)["loss"])
""",
    },
    "forward_starargs": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
batch = (1, 2)
print(c(*batch)["accuracy"])
kw = {"a": 1, "b": 2}
print(c(**kw)["accuracy"])
""",
    },
    "type_alias_union": {
        "main.py": """\
from typing import Union, Dict, Callable
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss
AnyLoss = Union[TripletLoss, PlainLoss]
Table = Dict[str, "TripletLoss"]
Make = Callable[..., "TripletLoss | PlainLoss"]
def f(x: AnyLoss) -> "AnyLoss":
    return x
def g(x: "list[TripletLoss]", y: 'PlainLoss' = None): return x
print(f.__name__, isinstance(PlainLoss(), (TripletLoss, PlainLoss)))
""",
    },
    "typevar_generic": {
        "main.py": """\
from typing import TypeVar, Generic, cast
from old_losses.triplet import TripletLoss
T = TypeVar("T", bound=TripletLoss)
T2 = TypeVar("T2", bound="TripletLoss")
class Box(Generic[T]):
    def __init__(self, x: T): self.x = x
    def get(self) -> T: return self.x
b: Box[TripletLoss] = Box(TripletLoss())
print(cast("TripletLoss", b.get()) is not None, cast(TripletLoss, b.x) is not None)
""",
    },
    "typevar_used": {
        "main.py": """\
from typing import TypeVar, Generic, cast
from old_losses.triplet import TripletLoss
class Box:
    def __init__(self, x): self.x = x
    def get(self): return self.x
b = Box(TripletLoss())
print(b.get()(1, 2)["accuracy"])
""",
    },
    "comment_type": {
        "main.py": """\
from old_losses.triplet import TripletLoss  # noqa: F401
from old_losses.plain import PlainLoss  # type: ignore[import]
x = None  # type: TripletLoss
def f(a):
    # type: (PlainLoss) -> TripletLoss
    return a
print(x)
""",
    },
    "semicolons": {
        "main.py": """\
import os; from old_losses.triplet import TripletLoss; import sys
c = TripletLoss(T=1); print(c(1, 2)["accuracy"]); del c
""",
    },
    "backslash": {
        "main.py": """\
from old_losses.triplet \\
    import TripletLoss as TL, \\
    TripletLoss
from old_losses.plain import \\
    PlainLoss
c = TL(0.1, \\
    T=3)
print(c(1, 2) \\
    ["accuracy"], PlainLoss()(1))
""",
    },
    "backslash2": {
        "main.py": """\
from old_losses.triplet \\
    import TripletLoss as TL
from old_losses.plain import \\
    PlainLoss
c = TL(0.1, \\
    T=3)
print(c(1, 2) \\
    ["accuracy"], PlainLoss()(1))
""",
    },
    "tabs_ff": {
        "main.py": "import os\n\x0c\nfrom old_losses.triplet import TripletLoss\n\x0c\nclass A:\n\tdef f(self):\n\t\tc = TripletLoss(\n\t\t\tmargin=0.1,\t# m\n\t\t\tuse_hard=True,\t# h\n\t\t\tT=3,\n\t\t)\n\t\treturn c(1, 2)['accuracy']\nprint(A().f())",
    },
    "no_newline_import_only": {
        "main.py": b"from old_losses.triplet import TripletLoss as X",
    },
    "latin1": {
        "main.py": b"# -*- coding: latin-1 -*-\n# Gr\xf6\xdfe\nfrom old_losses.triplet import TripletLoss\ns = 'gr\xfc\xdf'; c = TripletLoss(T=2); print(c(1, 2)['accuracy'], len(s))\n",
    },
    "utf8_col": {
        "main.py": """\
from old_losses.triplet import TripletLoss
s = "größe 漢字 😀"; c = TripletLoss(T=2); print(s, c(1, 2)["accuracy"], "😀", c(1, 2)["recalls"]["r@1"])
""",
    },
    "cr_only": {
        "main.py": b"from old_losses.triplet import TripletLoss\rc = TripletLoss(T=2)\rprint(c(1, 2)['accuracy'])\r",
    },
    "mixed_eol": {
        "main.py": b"from old_losses.triplet import (\r\n    TripletLoss,\n)\r\nc = TripletLoss(\n  T=2\r\n)\nprint(c(1, 2)['accuracy'])\r\n",
    },
    "shadow": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def f(TripletLoss):
    return TripletLoss["accuracy"]
class TL:
    TripletLoss = 3
    def TripletLossX(self): return self.TripletLoss
print(f({"accuracy": 1}), TL().TripletLossX())
""",
    },
    "shadow_import_local": {
        "main.py": """\
class TripletLoss:
    def __init__(self, T): self.T = T
def f():
    from old_losses.triplet import TripletLoss
    return TripletLoss(T=0.1)(1, 2)["accuracy"]
print(f(), TripletLoss(T=3).T)
""",
    },
    "del_rebind": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(T=3)
print(c(1, 2)["accuracy"])
del TripletLoss
class TripletLoss:
    def __init__(self, T): self.T = T
print(TripletLoss(T=4).T)
""",
    },
    "all_dunder": {
        "lib.py": """\
from old_losses.triplet import TripletLoss
__all__ = ['TripletLoss', 'go']
def go():
    return TripletLoss()(1,2)['accuracy']
""",
        "main.py": """\
from lib import *
print(go(), TripletLoss(T=4)(1,2)['accuracy'])
""",
    },
    "lazy_getattr": {
        "lib/__init__.py": """\
def __getattr__(name):
    if name == 'TripletLoss':
        from old_losses.triplet import TripletLoss
        return TripletLoss
    raise AttributeError(name)
""",
        "main.py": """\
import lib
print(lib.TripletLoss(T=4)(1,2)['accuracy'])
""",
    },
    "lazy_map": {
        "lib/__init__.py": """\
import importlib
_M = {'TripletLoss': 'old_losses.triplet', 'PlainLoss': 'old_losses.plain'}
def __getattr__(name):
    if name in _M:
        return getattr(importlib.import_module(_M[name]), name)
    raise AttributeError(name)
""",
        "main.py": """\
import lib
print(lib.PlainLoss(4)(1))
""",
    },
    "sys_modules": {
        "main.py": """\
import sys
import old_losses.triplet
print(sys.modules["old_losses.triplet"].TripletLoss(T=1)(1, 2)["accuracy"])
""",
    },
    "eval": {
        "main.py": """\
from old_losses.triplet import TripletLoss
print(eval("TripletLoss")(T=1)(1, 2)["accuracy"])
""",
    },
    "globals": {
        "main.py": """\
from old_losses.triplet import TripletLoss
print(globals()["TripletLoss"](T=1)(1, 2)["accuracy"])
""",
    },
    "vars_module": {
        "main.py": """\
import old_losses.triplet as m
print(vars(m)["TripletLoss"](T=1)(1, 2)["accuracy"], m.__dict__["TripletLoss"](T=1)(1, 2)["accuracy"])
""",
    },
    "module_alias_reassign": {
        "main.py": """\
import old_losses.triplet
L = old_losses.triplet
print(L.TripletLoss(T=1)(1, 2)["accuracy"])
""",
    },
    "import_pkg_attr": {
        "main.py": """\
import old_losses
import old_losses.triplet
import old_losses.plain as P
from old_losses import pair as PP
print(old_losses.triplet.TripletLoss(T=1)(1, 2)["accuracy"], P.PlainLoss()(1), PP.PairLoss()(1, 2)[0])
""",
    },
    "async_gen": {
        "main.py": """\
import asyncio
from old_losses.triplet import TripletLoss
async def make():
    return TripletLoss(T=1)
async def main():
    c = await make()
    print(c(1, 2)["accuracy"])
asyncio.run(main())
""",
    },
    "contextmanager": {
        "main.py": """\
from contextlib import contextmanager
from old_losses.triplet import TripletLoss
@contextmanager
def crit():
    yield TripletLoss(T=2)
with crit() as c:
    print(c(1, 2)["accuracy"])
""",
    },
    "generator": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def crits():
    for t in (1, 2):
        yield TripletLoss(T=t)
for c in crits():
    print(c(1, 2)["accuracy"])
""",
    },
    "lru": {
        "main.py": """\
from functools import lru_cache
from old_losses.triplet import TripletLoss
@lru_cache(maxsize=None)
def crit(t):
    return TripletLoss(T=t)
print(crit(2)(1, 2)["accuracy"])
""",
    },
    "property": {
        "main.py": """\
from functools import cached_property
from old_losses.triplet import TripletLoss
class A:
    @cached_property
    def crit(self):
        return TripletLoss(T=2)
    @property
    def acc(self):
        return self.crit(1, 2)["accuracy"]
print(A().acc, A().crit(1, 2)["recalls"]["r@1"])
""",
    },
    "property_old": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class A:
    def _c(self):
        return TripletLoss(T=2)
    crit = property(_c)
print(A().crit(1, 2)["recalls"]["r@1"])
""",
    },
    "try_key": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
try:
    print(out["r@1"])
except KeyError as e:
    print("no", e)
""",
    },
    "out_reassigned": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
out = {"accuracy": 3}
for i in range(2):
    print(out["accuracy"])
    out = c(1, 2)
""",
    },
    "json_state": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
out = c(1, 2)
history = {"acc": [], "r1": []}
history["acc"].append(out["accuracy"])
history["r1"].append(round(out["recalls"]["r@1"], 3))
print(history, float(out["accuracy"]), out["accuracy"] * 100, -out["accuracy"], out["accuracy"] ** 2)
best = 0.0
if out["accuracy"] > best:
    best = out["accuracy"]
print(best)
total = 0
total += out["accuracy"]
print(total, f"{out['accuracy']}", str(out["accuracy"]), "%.2f" % out["accuracy"])
""",
    },
    "recalls_whole": {
        "main.py": """\
from old_losses.triplet import TripletLoss
r = TripletLoss()(1, 2)["recalls"]
print(r["r@1"], r["r@5"])
""",
    },
    "recalls_loop": {
        "main.py": """\
from old_losses.triplet import TripletLoss
for k, v in TripletLoss()(1, 2)["recalls"].items():
    print(k, v)
""",
    },
    "item_on_tensor_or_float": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
acc = out["accuracy"]
acc = acc.item() if hasattr(acc, "item") else acc
print(acc)
""",
    },
}

REFUSED = {
    "match_as": ["main.py:8"],
    "setattr_module": ["main.py:3"],
    "simple_namespace": ["main.py:3", "main.py:4"],
    "register_decorator": ["main.py:8"],
    "registry_class": ["main.py:4"],
    "result_star_star": ["main.py:3"],
    "result_update": ["main.py:4"],
    "result_or": ["main.py:3"],
    "result_in": ["main.py:4"],
    "result_len": ["main.py:2"],
    "key_variable": ["main.py:6"],
    "key_variable2": ["main.py:4"],
    "pair_return_external": ["main.py:6"],
    "pair_unused": ["main.py:4"],
    "func_map": ["main.py:2"],
    "func_default": ["main.py:3"],
    "func_method_alias": ["main.py:3"],
    "conditional_expr_class": ["main.py:5"],
    "subclass_attr": ["main.py:4", "main.py:5"],
    "subclass_attr2": ["main.py:5"],
    "set_epoch_kwargs": ["main.py:5"],
    "hasattr_method": ["main.py:4", "main.py:5"],
    "forward_direct": ["main.py:3"],
    "forward_kwargs": ["main.py:3"],
    "forward_starargs": ["main.py:6"],
    "type_alias_union": ["main.py:10", "main.py:8", "main.py:9"],
    "lazy_getattr": ["lib/__init__.py:4"],
    "lazy_map": ["lib/__init__.py:2"],
    "sys_modules": ["main.py:3"],
    "eval": ["main.py:2"],
    "globals": ["main.py:2"],
    "vars_module": ["main.py:2"],
    "module_alias_reassign": ["main.py:2"],
    "contextmanager": ["main.py:5"],
    "generator": ["main.py:4"],
    "property_old": ["main.py:4", "main.py:5"],
    "try_key": ["main.py:4"],
    "out_reassigned": ["main.py:5"],
    "recalls_loop": ["main.py:2"],
}
"""What needs a person, and where; every other program is rewritten."""
