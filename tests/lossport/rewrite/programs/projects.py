"""Modules, configuration, notebooks, pages, layouts of source code. Each runs before and after its rewrite."""

# ruff: noqa: E501  # a long line is what some of them are about

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "patch_object_module": {
        "app.py": """\
from old_losses.triplet import TripletLoss
def go():
    return TripletLoss(T=2)(1, 2)['accuracy']
""",
        "main.py": """\
from unittest import mock
import app
with mock.patch.object(app, "TripletLoss") as M:
    M.return_value.return_value = {"accuracy": 0.5}
    print(app.go())
""",
    },
    "monkeypatch_setattr_module": {
        "app.py": """\
from old_losses.plain import PlainLoss
def go():
    return PlainLoss(scale=2)(1)
""",
        "main.py": """\
import app
setattr(app, "PlainLoss", lambda scale: (lambda x: 7))
print(app.go())
""",
    },
    "app_attr_read": {
        "app.py": """\
from old_losses.plain import PlainLoss
def go():
    return PlainLoss(scale=2)(1)
""",
        "main.py": """\
import app
print(app.PlainLoss(2)(1), app.go(), hasattr(app, "PlainLoss"))
""",
    },
    "class_attr_default": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Trainer:
    loss_class = TripletLoss
    loss_kwargs = {"T": 0.1, "use_hard": True}
    def __init__(self):
        self.loss = self.loss_class(**self.loss_kwargs)
    def step(self):
        return self.loss(1, 2)["accuracy"]
class Other(Trainer):
    loss_kwargs = dict(T=3)
print(Trainer().step(), Other().step())
""",
    },
    "enum": {
        "main.py": """\
from enum import Enum
from old_losses.plain import PlainLoss
from old_losses.triplet import TripletLoss
class Kind(Enum):
    PLAIN = PlainLoss
    TRIPLET = TripletLoss
print(Kind.TRIPLET.value(T=2)(1, 2)["accuracy"])
""",
    },
    "namedtuple": {
        "main.py": """\
from typing import NamedTuple
from old_losses.triplet import TripletLoss
class Term(NamedTuple):
    loss: TripletLoss
    weight: float = 1.0
t = Term(TripletLoss(T=2))
print(t.loss(1, 2)["accuracy"] * t.weight)
""",
    },
    "dataclass_fields": {
        "main.py": """\
from dataclasses import dataclass, field
from old_losses.triplet import TripletLoss
@dataclass
class Cfg:
    loss: TripletLoss = field(default_factory=TripletLoss)
    other: object = field(default_factory=lambda: TripletLoss(T=3))
c = Cfg()
print(c.loss(1, 2)["accuracy"], c.other(1, 2)["accuracy"])
""",
    },
    "decorated_train": {
        "main.py": """\
import functools
from old_losses.triplet import TripletLoss
def logged(f):
    @functools.wraps(f)
    def inner(*a, **k):
        return f(*a, **k)
    return inner
@logged
def make(T=1):
    return TripletLoss(T=T)
print(make(2)(1, 2)["accuracy"])
""",
    },
    "tuple_return": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
def step(a, b):
    out = c(a, b)
    return out["loss"], out["accuracy"], out
l, acc, o = step(1, 2)
print(l, acc, o["recalls"]["r@1"])
""",
    },
    "dict_return": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
def step(a, b):
    out = c(a, b)
    return {"loss": out["loss"], "log": {"acc": out["accuracy"], "r1": out["recalls"]["r@1"]}}
r = step(1, 2)
print(r["loss"], r["log"])
""",
    },
    "meter": {
        "main.py": """\
from collections import defaultdict
from old_losses.triplet import TripletLoss
c = TripletLoss()
meters = defaultdict(list)
for i in range(2):
    out = c(i, 2)
    for name in ["loss", "accuracy"]:
        meters[name].append(float(out[name]))
print(dict(meters))
""",
    },
    "generator_expr_sum": {
        "main.py": """\
from old_losses.triplet import TripletLoss
losses = {"a": TripletLoss(), "b": TripletLoss(T=2)}
outs = {k: l(1, 2) for k, l in losses.items()}
print(sum(o["loss"] for o in outs.values()), max(o["accuracy"] for o in outs.values()))
print(sorted(outs.items(), key=lambda kv: kv[0])[0][0])
""",
    },
    "list_of_results_sorted": {
        "main.py": """\
from old_losses.triplet import TripletLoss
outs = [TripletLoss(T=t)(1, 2) for t in (3, 1)]
outs.sort(key=lambda o: o["accuracy"])
print(outs[0]["accuracy"])
""",
    },
    "min_key": {
        "main.py": """\
from old_losses.triplet import TripletLoss
outs = [TripletLoss(T=t)(1, 2) for t in (3, 1)]
best = min(outs, key=lambda o: o["accuracy"])
print(best["accuracy"])
""",
    },
    "setup_stringpath": {
        "main.py": """\
import importlib
LOSS = "old_losses.plain:PlainLoss"
mod, name = LOSS.split(":")
print(getattr(importlib.import_module(mod), name)(2)(1))
""",
    },
    "hydra": {
        "conf/loss.yaml": """\
# loss
loss:
  _target_: old_losses.plain.PlainLoss  # plain
  scale: 2
""",
        "main.py": """\
import importlib
t = [l for l in open("conf/loss.yaml") if "_target_" in l][0].split(":")[1].split("#")[0].strip()
m, n = t.rsplit(".", 1)
print(getattr(importlib.import_module(m), n)(scale=2)(1))
""",
    },
    "hydra_params": {
        "conf/loss.yaml": """\
loss:
  _target_: old_losses.triplet.TripletLoss
  T: 2
""",
        "main.py": """\
print(1)
""",
    },
    "toml_json_ini": {
        "a.toml": """\
[loss]
class_path = "old_losses.plain.PlainLoss"  # x
other = 'old_losses.plain.PlainLoss'
""",
        "b.json": '{\n\t"loss": {"_target_": "old_losses.plain.PlainLoss", "scale": 2}\n}',
        "c.ini": """\
[x]
; old_losses.plain.PlainLoss
loss = old_losses.plain.PlainLoss
""",
        "main.py": """\
import json, tomllib, configparser, importlib
def build(p):
    m, n = p.rsplit(".", 1)
    return getattr(importlib.import_module(m), n)()
print(build(json.load(open("b.json"))["loss"]["_target_"])(1))
t = tomllib.load(open("a.toml", "rb"))["loss"]
print(build(t["class_path"])(1), build(t["other"])(1))
c = configparser.ConfigParser(); c.read("c.ini")
print(build(c["x"]["loss"])(1))
""",
    },
    "readme": {
        "README.md": """\
# Use

```python
from old_losses.triplet import TripletLoss

crit = TripletLoss(T=2)
out = crit(1, 2)
print(out['accuracy'])
```

The class `TripletLoss` is nice. `old_losses.triplet.TripletLoss`.

~~~py
from old_losses.plain import PlainLoss
~~~

    indented = TripletLoss

```console
$ python -c 'from old_losses.plain import PlainLoss'
```
""",
        "main.py": """\
import re
t = open("README.md").read()
code = re.search("```python\\n(.*?)```", t, re.S).group(1)
exec(code)
""",
    },
    "notebook": {
        "n.ipynb": """\
{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 1,
   "id": "a",
   "metadata": {},
   "outputs": [],
   "source": [
    "%load_ext autoreload\\n",
    "!pip install x\\n",
    "from old_losses.triplet import TripletLoss\\n",
    "%matplotlib inline"
   ]
  },
  {
   "cell_type": "markdown",
   "metadata": {},
   "source": [
    "Use TripletLoss"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 2,
   "id": "b",
   "metadata": {},
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "TripletLoss\\n"
     ]
    }
   ],
   "source": [
    "%%time\\n",
    "crit = TripletLoss(T=2)\\n",
    "out = crit(1, 2)\\n",
    "files = !ls\\n",
    "x = %timeit -o 1\\n",
    "out?\\n",
    "print(out['accuracy'])"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "metadata": {},
   "outputs": [],
   "source": [
    "%%bash\\n",
    "python -c 'from old_losses.triplet import TripletLoss'"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "metadata": {},
   "outputs": [],
   "source": [
    "await foo(crit(1,2)['loss'])\\n"
   ]
  }
 ],
 "metadata": {
  "kernelspec": {
   "name": "python3"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
""",
        "main.py": """\
import json
d = json.load(open("n.ipynb"))
src = "\\n".join("".join(c["source"]) for c in d["cells"][:3] if c["cell_type"] == "code")
src = "\\n".join(l for l in src.split("\\n") if l[:1] not in "%!" and "!ls" not in l and "%time" not in l and "?" not in l)
exec(src)
""",
    },
    "conditional_alias": {
        "main.py": """\
import os
from old_losses.triplet import TripletLoss as _T
from old_losses.plain import PlainLoss
Loss = _T
if os.environ.get("X"):
    Loss = PlainLoss
print(Loss(T=2)(1, 2)["accuracy"])
""",
    },
    "self_dict_update": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class A:
    def __init__(self, **kw):
        self.__dict__.update(kw)
a = A(crit=TripletLoss())
print(a.crit(1, 2)["accuracy"])
""",
    },
    "setattr_self": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class A:
    def __init__(self):
        setattr(self, "crit", TripletLoss())
    def go(self):
        return self.crit(1, 2)["accuracy"]
print(A().go())
""",
    },
    "add_module": {
        "main.py": """\
import torch.nn as nn
from old_losses.triplet import TripletLoss
class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module("crit", TripletLoss())
    def add_module(self, n, m): setattr(self, n, m)
    def go(self):
        return self.crit(1, 2)["accuracy"]
print(A().go())
""",
    },
    "sequential": {
        "main.py": """\
import torch.nn as nn
from old_losses.plain import PlainLoss
s = nn.Sequential(PlainLoss(2), PlainLoss(3))
print(s(1), s.l[0].scale)
""",
    },
    "slots_prop_setter": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class A:
    __slots__ = ("_c",)
    @property
    def crit(self):
        return self._c
    @crit.setter
    def crit(self, v):
        self._c = v
a = A()
a.crit = TripletLoss()
print(a.crit(1, 2)["accuracy"])
""",
    },
    "multi_assign": {
        "main.py": """\
from old_losses.triplet import TripletLoss
a = b = TripletLoss()
c, d = TripletLoss(T=2), TripletLoss(T=3)
[e, *f] = [TripletLoss(), TripletLoss(T=4)]
print(a(1, 2)["accuracy"], b(1, 2)["accuracy"], c(1, 2)["accuracy"], d(1, 2)["accuracy"], e(1, 2)["accuracy"])
x = y = c(1, 2)
print(x["accuracy"], y["recalls"]["r@1"])
""",
    },
    "del_result": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
acc = out.pop("accuracy")
print(acc)
""",
    },
    "result_copy": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = dict(TripletLoss()(1, 2))
print(out["accuracy"])
""",
    },
    "result_dict_comp": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
log = {k: float(out[k]) for k in ("loss", "accuracy")}
print(log)
""",
    },
    "long_line": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(margin=0.1, use_hard=True, T=0.2); d = [c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy'], c(1, 2)['accuracy']]
print(sum(d))
""",
    },
    "trailing_comma_comments": {
        "main.py": """\
from old_losses.triplet import (  # first
    # above
    TripletLoss,  # second
    # below
)  # last
c = TripletLoss(  # open
    # margin
    0.1,  # m
    # hard
    True,  # dropped comment

    T=(  # inner
        0.5
    ),  # t
    # end
)  # close
print(c(1, 2)["accuracy"])
""",
    },
    "import_sorted_merge": {
        "main.py": """\
import os
import sys

from collections import OrderedDict
from new_losses import hinge
from old_losses.triplet import TripletLoss
from old_losses.plain import PlainLoss

print(TripletLoss()(1, 2)["loss"], PlainLoss()(1), hinge(1, 2))
""",
    },
    "merge_two_losses_one_stmt": {
        "main.py": """\
from old_losses.functional import hinge, soft_margin as sm
print(hinge(1, 2), sm(1, 2))
""",
    },
    "guard_else": {
        "main.py": """\
FAST = False
if FAST:
    from old_losses.plain import PlainLoss as L
else:
    from old_losses.plain import PlainLoss as L, __doc__ as d
print(L(2)(1))
""",
    },
    "try_import_module_attr": {
        "main.py": """\
try:
    import old_losses.triplet as triplet
except ImportError:
    triplet = None
HAVE = triplet is not None
if HAVE:
    print(triplet.TripletLoss(T=2)(1, 2)["accuracy"])
""",
    },
    "in_function_module_import": {
        "main.py": """\
def f():
    import old_losses.triplet, old_losses.plain
    return old_losses.triplet.TripletLoss(T=2)(1, 2)["accuracy"], old_losses.plain.PlainLoss()(1)
print(f())
""",
    },
    "relative_pkg": {
        "pkg/__init__.py": """\
\
""",
        "pkg/a.py": """\
from old_losses.plain import PlainLoss as Base
class Mine(Base):
    pass
""",
        "pkg/sub/__init__.py": """\
\
""",
        "pkg/sub/b.py": """\
from ..a import Mine, Base
from .. import a
print(Mine(2)(1), Base(3)(1), a.Base(2)(2))
""",
        "main.py": """\
import pkg.sub.b
""",
    },
    "dunder_all_plus": {
        "lib/__init__.py": """\
from .x import *
from .x import __all__ as xa
from .y import *
from . import y
__all__ = xa + y.__all__ + ['z']
z = 1
""",
        "lib/x.py": """\
from old_losses.plain import PlainLoss
__all__ = ['PlainLoss']
""",
        "lib/y.py": """\
from old_losses.triplet import TripletLoss
__all__ = []
__all__ += ['TripletLoss']
""",
        "main.py": """\
from lib import *
import lib
print(PlainLoss(2)(1), TripletLoss(T=2)(1,2)['accuracy'], sorted(n for n in lib.__all__ if n == 'z'))
""",
    },
    "string_annotations_forward": {
        "main.py": """\
from __future__ import annotations
from typing import TYPE_CHECKING, Optional
if TYPE_CHECKING:
    import old_losses.triplet
    from old_losses import plain as P
def f(x: "old_losses.triplet.TripletLoss", y: Optional["P.PlainLoss"] = None) -> "P.PlainLoss | None":
    return y
print(f(1))
""",
    },
    "overload": {
        "main.py": """\
from typing import overload
from old_losses.plain import PlainLoss
@overload
def f(x: PlainLoss) -> int: ...
@overload
def f(x: str) -> str: ...
def f(x):
    return 1 if isinstance(x, PlainLoss) else "s"
print(f(PlainLoss()), f("x"))
""",
    },
    "raise_in": {
        "main.py": """\
from old_losses.plain import PlainLoss
class E(Exception):
    loss = PlainLoss
def g():
    raise E(PlainLoss.__doc__)
try:
    g()
except E as e:
    print(e.loss(2)(1))
""",
    },
    "threads": {
        "main.py": """\
from concurrent.futures import ThreadPoolExecutor
from old_losses.triplet import TripletLoss
c = TripletLoss()
def work(i):
    return c(i, 2)["accuracy"]
with ThreadPoolExecutor() as ex:
    print(list(ex.map(work, range(3))))
""",
    },
    "submit_callable": {
        "main.py": """\
from concurrent.futures import ThreadPoolExecutor
from old_losses.triplet import TripletLoss
c = TripletLoss()
with ThreadPoolExecutor() as ex:
    f = ex.submit(c, 1, 2)
    print(f.result()["accuracy"])
""",
    },
    "print_result": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
print(sorted(out))
""",
    },
    "assert_keys": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
assert set(out) == {"loss", "accuracy", "recalls", "note"}
""",
    },
    "assert_type": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss()(1, 2)
assert isinstance(out["accuracy"], float)
assert isinstance(out["recalls"], dict)
print("x")
""",
    },
    "kw_only_lambda_default": {
        "main.py": """\
from old_losses.triplet import TripletLoss
f = lambda x, c=TripletLoss(T=2): c(x, 2)["accuracy"]
print(f(1))
""",
    },
    "ternary_result": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss()
use = True
acc = c(1, 2)["accuracy"] if use else 0.0
out = c(1, 2) if use else {}
print(acc, out.get("accuracy"))
""",
    },
    "while_loop_state": {
        "main.py": """\
from old_losses.triplet import TripletLoss
crit = None
i = 0
while i < 2:
    if crit is not None:
        print(crit(i, 2)["accuracy"])
    crit = TripletLoss(T=i)
    i += 1
""",
    },
}

REFUSED = {
    "patch_object_module": ["main.py:3"],
    "class_attr_default": ["main.py:6"],
    "enum": ["main.py:7"],
    "meter": ["main.py:8"],
    "hydra_params": ["conf/loss.yaml:2"],
    "conditional_alias": ["main.py:7"],
    "self_dict_update": ["main.py:5"],
    "setattr_self": ["main.py:4"],
    "add_module": ["main.py:7"],
    "slots_prop_setter": ["main.py:12"],
    "del_result": ["main.py:3"],
    "result_copy": ["main.py:2"],
    "result_dict_comp": ["main.py:3"],
    "guard_else": ["main.py:5"],
    "submit_callable": ["main.py:5", "main.py:6"],
    "print_result": ["main.py:3"],
    "assert_keys": ["main.py:3"],
    "kw_only_lambda_default": ["main.py:2"],
    "ternary_result": ["main.py:6"],
}
"""What needs a person, and where; every other program is rewritten."""
