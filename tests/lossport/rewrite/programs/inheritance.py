"""What classes have of one another, over files. Each runs before and after its rewrite."""

# a long line is what some of them are about

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "inh_same_file": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Base:
    criterion = None
    def run(self):
        out = self.criterion(1, 2)
        return out["accuracy"]
class T(Base):
    def __init__(self):
        self.criterion = TripletLoss()
print(T().run())
""",
    },
    "inh_other_file": {
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
    "inh_method_other_file": {
        "base.py": """\
class Base:
    def __init__(self):
        self.crit = self.build()
    def build(self):
        raise NotImplementedError
    def run(self):
        out = self.crit(1, 2)
        return out["accuracy"]
""",
        "main.py": """\
from base import Base
from old_losses.triplet import TripletLoss
class T(Base):
    def build(self):
        return TripletLoss()
print(T().run())
""",
    },
    "inh_two_kinds": {
        "base.py": """\
class Base:
    def run(self):
        out = self.criterion(1, 2)
        return out["accuracy"]
""",
        "other.py": """\
from base import Base
class O(Base):
    def __init__(self):
        self.criterion = lambda a, b: {"accuracy": 3.0}
""",
        "main.py": """\
from base import Base
from other import O
from old_losses.triplet import TripletLoss
class T(Base):
    def __init__(self):
        self.criterion = TripletLoss()
print(T().run(), O().run())
""",
    },
    "inh_class_attr": {
        "base.py": """\
class Base:
    loss_cls = None
    def run(self):
        return self.loss_cls(T=0.1)(1, 2)["accuracy"]
""",
        "main.py": """\
from base import Base
from old_losses.triplet import TripletLoss
class T(Base):
    loss_cls = TripletLoss
print(T().run())
""",
    },
    "inh_three": {
        "base.py": """\
class Base:
    def run(self):
        return self.compute()["accuracy"]
class Mid(Base):
    def compute(self):
        return self.criterion(1, 2)
""",
        "main.py": """\
from base import Mid
from old_losses.triplet import TripletLoss
class T(Mid):
    def __init__(self):
        self.criterion = TripletLoss()
print(T().run())
""",
    },
    "inh_mixin": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class LossMixin:
    def setup(self):
        self.criterion = TripletLoss()
class Run:
    def run(self):
        return self.criterion(1, 2)["accuracy"]
class T(LossMixin, Run):
    pass
t = T(); t.setup(); print(t.run())
""",
    },
    "inh_property": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Base:
    @property
    def criterion(self):
        raise NotImplementedError
    def run(self):
        return self.criterion(1, 2)["accuracy"]
class T(Base):
    @property
    def criterion(self):
        return TripletLoss()
print(T().run())
""",
    },
    "inh_sub_reads_base_other_file": {
        "base.py": """\
from old_losses.triplet import TripletLoss
class Base:
    def __init__(self):
        self.criterion = TripletLoss()
""",
        "main.py": """\
from base import Base
class T(Base):
    def run(self):
        return self.criterion(1, 2)["accuracy"]
print(T().run())
""",
    },
    "inh_pkg": {
        "tr/__init__.py": """\
from .base import Base
""",
        "tr/base.py": """\
import abc
class Base(abc.ABC):
    def step(self, a, b):
        losses = self.loss_fn(a, b)
        self.log(losses["accuracy"])
        return losses["loss"]
    def log(self, x): print(x)
""",
        "main.py": """\
import tr
from old_losses import triplet
class T(tr.Base):
    def __init__(self):
        self.loss_fn = triplet.TripletLoss(margin=.5)
print(T().step(1, 2))
""",
    },
    "inh_forward_override": {
        "base.py": """\
class Base:
    def run(self, a, b):
        return self.compute_loss(a, b)["accuracy"]
""",
        "main.py": """\
from base import Base
from old_losses.triplet import TripletLoss
C = TripletLoss()
class T(Base):
    def compute_loss(self, a, b):
        return C(a, b)
print(T().run(1, 2))
""",
    },
}

REFUSED = {
    "inh_two_kinds": ["base.py:4"],
}
"""What needs a person, and where; every other program is rewritten."""
