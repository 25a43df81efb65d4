"""Classes that derive from a loss, their objects, and what is handed on of them; records that hold a loss."""

# a long line is what some of them are about

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "sub_aug": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def cool(self):
        self.T *= .5
m = Mine(T=2)
m.cool()
print(m(1, 2)['accuracy'])
""",
    },
    "sub_read": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def score(self, a, b):
        return self(a, b)['recalls']['r@1'] + self.T
print(Mine(T=2).score(1,2))
""",
    },
    "sub_escape": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
def fit(c): return c(1, 2)['accuracy']
import functools
print(functools.reduce(lambda a, c: c(1, 2)['accuracy'], [Mine(T=2)], 0))
""",
    },
    "sub_fit": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
def fit(c): return c(1, 2)['accuracy']
print(fit(Mine(T=2)))
""",
    },
    "sub_list": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
L = [Mine, Mine]
print([c(T=2)(1,2)['accuracy'] for c in L])
""",
    },
    "sub_dict": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
L = {'m': Mine}
print(L['m'](T=2)(1,2)['accuracy'])
""",
    },
    "sub_dict_out": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
import collections
L = collections.ChainMap({'m': Mine})
print(L['m'](T=2)(1,2)['accuracy'])
""",
    },
    "sub_default": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
def f(cls=Mine): return cls(T=2)(1,2)['accuracy']
print(f())
""",
    },
    "sub_partial": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
import functools
f = functools.partial(Mine, T=2)
print(f()(1,2)['accuracy'])
""",
    },
    "sub_cond": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
c = Mine if True else None
print(c(T=2)(1,2)['accuracy'])
""",
    },
    "sub_deco": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def d(c): return c
@d
class Mine(TripletLoss):
    pass
print(Mine(T=2)(1,2)['accuracy'])
""",
    },
    "sub_passed": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
def build(cls): return cls(T=2)
print(build(Mine)(1,2)['accuracy'])
""",
    },
    "sub_type": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
m = Mine(T=2)
print(type(m)(T=3)(1,2)['accuracy'])
""",
    },
    "sub_ff": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
from dataclasses import dataclass, field
@dataclass
class C:
    c: Mine = field(default_factory=Mine)
print(C().c(1,2)['accuracy'])
""",
    },
    "sub_other_file": {
        "a.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
""",
        "main.py": """\
from a import Mine
print(Mine(T=2)(1,2)['accuracy'])
""",
    },
    "sub_other_escape": {
        "a.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
""",
        "main.py": """\
from a import Mine
import functools
print(functools.partial(Mine, T=2)()(1,2)['accuracy'])
""",
    },
    "sub_return_cls": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
def get(): return Mine
print(get()(T=2)(1,2)['accuracy'])
""",
    },
    "sub_cls_method": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    @classmethod
    def make(cls, t): return cls(T=t)
print(Mine.make(2)(1,2)['accuracy'])
""",
    },
    "sub_self_class": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def clone(self): return self.__class__(T=self.T)
print(Mine(T=2).clone()(1,2)['accuracy'])
""",
    },
    "sub_type_self": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    def clone(self): return type(self)(T=self.T)
print(Mine(T=2).clone()(1,2)['accuracy'])
""",
    },
    "sub_attr_outside": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
m = Mine(T=2)
m.T = 3
print(m.T, m(1,2)['accuracy'])
""",
    },
    "sub_print": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
print(Mine(T=2)(1,2))
""",
    },
    "sub_hasattr": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Mine(TripletLoss):
    pass
print(hasattr(Mine(T=2), 'temperature'))
""",
    },
    "registry_sub": {
        "main.py": """\
from old_losses.triplet import TripletLoss
R = {}
def register(cls):
    R[cls.__name__] = cls
    return cls
@register
class Mine(TripletLoss):
    pass
print(R['Mine'](T=2)(1,2)['accuracy'])
""",
    },
    "dunder_class": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(T=2)
d = c.__class__(T=3)
print(d(1,2)['accuracy'])
""",
    },
    "dict_inst": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(T=2)
print(c.__dict__['T'])
""",
    },
    "has_dict": {
        "main.py": """\
from old_losses.triplet import TripletLoss
print('T' in TripletLoss(T=2).__dict__)
""",
    },
    "namedtuple_by_number": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from typing import NamedTuple
class S(NamedTuple):
    crit: TripletLoss
    n: int = 1
s = S(TripletLoss(T=2))
print(s.crit(1,2)['accuracy'], s[0](1,2)['accuracy'])
""",
    },
    "nt_unpack": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from typing import NamedTuple
class S(NamedTuple):
    crit: TripletLoss
    n: int = 1
c, n = S(TripletLoss(T=2))
print(c(1,2)['accuracy'])
""",
    },
    "nt_for": {
        "main.py": """\
from old_losses.triplet import TripletLoss
from typing import NamedTuple
class S(NamedTuple):
    crit: TripletLoss
    n: int = 1
for x in S(TripletLoss(T=2)):
    if not isinstance(x, int): print(x(1,2)['accuracy'])
""",
    },
    "mixin": {
        "mix.py": """\
class Mix:
    def score(self, a, b): return self(a, b)['accuracy']
""",
        "main.py": """\
from old_losses.triplet import TripletLoss
from mix import Mix
class Mine(Mix, TripletLoss): pass
print(Mine(T=2).score(1,2))
""",
    },
    "trainer_base": {
        "base.py": """\
class Base:
    def step(self, a, b): return self.criterion(a, b)['accuracy']
""",
        "main.py": """\
from old_losses.triplet import TripletLoss
from base import Base
class Tr(Base):
    def __init__(self): self.criterion = TripletLoss(T=2)
print(Tr().step(1,2))
""",
    },
    "type_call": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(T=2)
d = type(c)(T=3)
print(d(1,2)['accuracy'])
""",
    },
}

REFUSED: dict[str, list[str]] = {
    "sub_aug": ["main.py:4"],
    "sub_dict_out": ["main.py:5", "main.py:6"],
    "sub_attr_outside": ["main.py:5"],
    "sub_print": ["main.py:4"],
    "sub_hasattr": ["main.py:4"],
    "dict_inst": ["main.py:3"],
    "has_dict": ["main.py:2"],
    "nt_for": ["main.py:7"],
}
"""What needs a person, and where; every other program is rewritten."""
