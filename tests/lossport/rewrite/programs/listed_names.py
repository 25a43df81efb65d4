"""`__all__` in every form, half of a block, and names inside annotations that something reads."""

from __future__ import annotations

USES = "from pkg import *\nprint(TripletLoss(T=2.0)(1, 2)['accuracy'])\n"

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "all_grown_under_if": {
        "pkg/__init__.py": """\
import sys
__all__ = []
if sys.version_info >= (3, 8):
    from old_losses.triplet import TripletLoss
    __all__ += ["TripletLoss"]
""",
        "main.py": USES,
    },
    "all_appended": {
        "pkg/__init__.py": """\
from old_losses.triplet import TripletLoss
__all__ = ["VERSION"]
VERSION = 1
__all__.append("TripletLoss")
""",
        "main.py": USES,
    },
    "all_extended_under_try": {
        "pkg/__init__.py": """\
__all__ = ["VERSION"]
VERSION = 1
try:
    from old_losses.triplet import TripletLoss
except ImportError:
    pass
else:
    __all__.extend(("TripletLoss",))
""",
        "main.py": USES,
    },
    "all_split": {
        "pkg/__init__.py": """\
from old_losses.plain import PlainLoss
from old_losses.triplet import TripletLoss
__all__ = "PlainLoss TripletLoss".split()
""",
        "main.py": USES,
    },
    "all_put_together": {
        "pkg/__init__.py": """\
from old_losses.triplet import TripletLoss
from . import extra
from .extra import *
__all__ = extra.__all__ + ["TripletLoss"]
""",
        "pkg/extra.py": "__all__ = ['helper']\ndef helper(): return 1\n",
        "main.py": USES,
    },
    "all_unpacked": {
        "pkg/__init__.py": """\
from old_losses.triplet import TripletLoss
from . import extra
from .extra import helper
__all__ = [*extra.__all__, "TripletLoss"]
""",
        "pkg/extra.py": "__all__ = ['helper']\ndef helper(): return 1\n",
        "main.py": USES,
    },
    "all_a_constant_elsewhere": {
        "pkg/names.py": "PUBLIC = ['TripletLoss']\n",
        "pkg/__init__.py": """\
from old_losses.triplet import TripletLoss
from .names import PUBLIC
__all__ = PUBLIC
""",
        "main.py": USES,
    },
    "all_a_constant_above": {
        "pkg/__init__.py": """\
from old_losses.triplet import TripletLoss
_LOSSES = ["TripletLoss"]
__all__ = _LOSSES
""",
        "main.py": USES,
    },
    "all_computed": {
        "pkg/__init__.py": """\
from old_losses.triplet import TripletLoss
__all__ = [name for name in dir() if not name.startswith("_")]
""",
        "main.py": USES,
    },
    "quoted_in_an_alias": {
        "main.py": """\
from typing import Dict, get_type_hints
from old_losses.triplet import TripletLoss
Losses = Dict[str, "TripletLoss"]
class Box:
    items: Losses
print(len(get_type_hints(Box)), TripletLoss(T=2.0)(1, 2)["accuracy"])
""",
    },
    "quoted_bound": {
        "main.py": """\
from typing import TypeVar, Union, get_type_hints
from old_losses.triplet import TripletLoss
L = TypeVar("L", bound="TripletLoss")
Maybe = Union["TripletLoss", None]
def same(loss: L) -> L:
    return loss
print(same(TripletLoss(T=2.0))(1, 2)["accuracy"], L.__name__)
""",
    },
    "quotes_in_quotes": {
        "main.py": """\
from __future__ import annotations
from typing import List, get_type_hints
from old_losses.plain import PlainLoss
class Box:
    items: "List['PlainLoss']"
print(len(get_type_hints(Box)), PlainLoss(2.0)(1))
""",
    },
    "type_comment": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def use(loss):
    # type: (TripletLoss) -> float
    return loss(1, 2)["accuracy"]
print(use(TripletLoss(T=2.0)))
""",
    },
    "hints_build": {
        "main.py": """\
from typing import get_type_hints
from old_losses.triplet import TripletLoss
def train(criterion: TripletLoss, steps: int): ...
criterion = get_type_hints(train)["criterion"](T=2.0)
print(criterion(1, 2)["loss"])
""",
    },
    "signature_builds": {
        "main.py": """\
import inspect
from old_losses.triplet import TripletLoss
class Model:
    def __init__(self, loss: TripletLoss, width: int = 3):
        self.loss = loss
def build(cls, options):
    hints = inspect.signature(cls).parameters
    return cls(**{name: hints[name].annotation(**given) for name, given in options.items()})
print(build(Model, {"loss": {"T": 2.0}}).loss(1, 2)["loss"])
""",
    },
    "command_line_by_annotation": {
        "jsonargparse.py": """\
import typing
def CLI(function, args):
    hints = typing.get_type_hints(function)
    return function(**{name: hints[name](**given) for name, given in args.items()})
""",
        "main.py": """\
from jsonargparse import CLI
from old_losses.triplet import TripletLoss
def main(loss: TripletLoss):
    print(loss.T)
CLI(main, {"loss": {"T": 2.0}})
""",
    },
    "protocol": {
        "main.py": """\
from typing import Protocol, runtime_checkable
from old_losses.triplet import TripletLoss
@runtime_checkable
class Tempered(Protocol):
    T: float
def show(thing):
    print(isinstance(thing, Tempered))
show(TripletLoss(T=2.0))
""",
    },
    "typed_dict": {
        "main.py": """\
from typing import TypedDict
from old_losses.triplet import TripletLoss
class Out(TypedDict):
    loss: float
    accuracy: float
def read(out: Out) -> float:
    return out["accuracy"]
print(read(TripletLoss(T=2.0)(1, 2)))
""",
    },
    "debug_text": {
        "main.py": """\
from old_losses.triplet import TripletLoss
criterion = TripletLoss(T=2.0)
out = criterion(1, 2)
print(f"{out['accuracy']=} {criterion.T=:.2f} {out['loss']}")
""",
    },
    "debug_text_of_a_name": {
        "main.py": """\
from old_losses.triplet import TripletLoss
out = TripletLoss(T=2.0)(1, 2)
accuracy = out["accuracy"]
print(f"{accuracy=} {TripletLoss.__mro__[-1]=}")
""",
    },
    "half_of_a_block": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def build():
    return TripletLoss(T=2.0)
thing = build()
with open("main.py") as file:
    if isinstance(thing, TripletLoss):
        inner = thing
        inner.T = 4.0
        outer = inner
        outer.set_epoch(2, total=1)
        print(outer(1, 2)["accuracy"])
""",
    },
    "half_of_a_loop": {
        "main.py": """\
from old_losses.triplet import TripletLoss
candidates = [TripletLoss(T=2.0), 3]
for item in candidates:
    if not isinstance(item, TripletLoss):
        continue
    x = item
    y = x(1, 2)
    z = y["accuracy"]
    print(z, x.T)
""",
    },
}

REFUSED: dict[str, list[str]] = {
    "hints_build": ["main.py:4"],
    "signature_builds": ["main.py:7"],
    "command_line_by_annotation": ["main.py:4", "main.py:5"],
    "protocol": ["main.py:5"],
    "typed_dict": ["main.py:5"],
    "debug_text": ["main.py:4"],
    "debug_text_of_a_name": ["main.py:4"],
}
"""What needs a person, and where; every other program is rewritten."""
