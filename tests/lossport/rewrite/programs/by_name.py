"""Registries over modules: a class by a name that comes from a configuration."""

from __future__ import annotations

PACKAGE = "from .plain import PlainLoss\nfrom .triplet import TripletLoss\n"

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "getattr_of_the_package": {
        "old_losses/__init__.py": PACKAGE,
        "main.py": """\
import old_losses as losses
config = {"type": "TripletLoss", "args": {"T": 2.0}}
criterion = getattr(losses, config["type"])(**config["args"])
print(criterion(1, 2)["loss"])
""",
    },
    "getattr_of_the_module": {
        "main.py": """\
import old_losses.triplet as module_loss
def init_obj(config, module):
    return getattr(module, config["type"])(**config["args"])
print(init_obj({"type": "TripletLoss", "args": {"margin": 2.0}}, module_loss)(1, 2)["loss"])
""",
    },
    "import_module_of_the_package": {
        "old_losses/__init__.py": PACKAGE,
        "main.py": """\
from importlib import import_module
def build(name, **kw):
    return getattr(import_module("old_losses"), name)(**kw)
print(build("PlainLoss", scale=2.0)(3))
""",
    },
    "path_taken_apart": {
        "main.py": """\
import importlib
def instantiate(target, **kw):
    module, _, name = target.rpartition(".")
    return getattr(importlib.import_module(module), name)(**kw)
print(instantiate("old_losses.triplet.TripletLoss", margin=2.0)(1, 2)["loss"])
""",
    },
    "star_and_globals": {
        "main.py": """\
import sys
from old_losses.triplet import *
name = sys.argv[1] if len(sys.argv) > 1 else "TripletLoss"
print(globals()[name](margin=2.0)(1, 2)["loss"])
""",
    },
    "star_and_eval": {
        "main.py": """\
import sys
from old_losses.triplet import *
from old_losses.plain import *
def build(name):
    return eval(name)(2.0)
print(build("PlainLoss")(1))
""",
    },
    "star_of_the_package_and_eval": {
        "old_losses/__init__.py": PACKAGE,
        "main.py": """\
from old_losses import *
print(eval("Plain" + "Loss")(2.0)(1))
""",
    },
    "vars_of_the_package": {
        "old_losses/__init__.py": PACKAGE,
        "main.py": """\
import old_losses as losses
name = "".join(["Plain", "Loss"])
print(vars(losses)[name](2.0)(1), losses.__dict__[name](2.0)(1))
""",
    },
    "from_a_package_of_packages": {
        "old_losses/__init__.py": PACKAGE,
        "lib/__init__.py": "import old_losses as criteria\n",
        "main.py": """\
import lib
def build(name):
    return getattr(lib.criteria, name)(2.0)
print(build("PlainLoss")(1))
""",
    },
    "names_listed": {
        "old_losses/__init__.py": PACKAGE,
        "main.py": """\
import old_losses
classes = [getattr(old_losses, name) for name in dir(old_losses) if name.endswith("Loss")]
print(sorted(cls(2.0)(1) if cls.__name__ == "x" else 0 for cls in classes))
""",
    },
    "module_from_a_package": {
        "main.py": """\
from old_losses import plain
def build(kind):
    return getattr(plain, f"{kind}Loss")(2.0)
print(build("Plain")(1))
""",
    },
    "literal_getattr": {
        "old_losses/__init__.py": PACKAGE,
        "main.py": """\
import old_losses as losses
print(getattr(losses, "PlainLoss")(2.0)(1), hasattr(losses, "TripletLoss"))
""",
    },
    "own_registry": {
        "main.py": """\
from old_losses.triplet import TripletLoss
REGISTRY = {}
def register(cls):
    REGISTRY[cls.__name__] = cls
    return cls
register(TripletLoss)
print(REGISTRY["TripletLoss"](T=2.0)(1, 2)["accuracy"])
""",
    },
}

REFUSED: dict[str, list[str]] = {
    "getattr_of_the_package": ["main.py:3"],
    "getattr_of_the_module": ["main.py:3", "main.py:4"],
    "import_module_of_the_package": ["main.py:3"],
    "path_taken_apart": ["main.py:5"],
    "star_and_globals": ["main.py:4"],
    "star_and_eval": ["main.py:5"],
    "star_of_the_package_and_eval": ["main.py:2"],
    "vars_of_the_package": ["main.py:3"],
    "from_a_package_of_packages": ["main.py:3"],
    "names_listed": ["main.py:2"],
    "module_from_a_package": ["main.py:3"],
    "literal_getattr": ["main.py:2"],
    "own_registry": ["main.py:7"],
}
"""What needs a person, and where; every other program is rewritten."""
