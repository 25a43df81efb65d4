"""Modules that a program holds as values, names that are given on demand or by a star, code and paths in texts."""

# a long line is what some of them are about

from __future__ import annotations

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "mod_computed": {
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('old_losses.triplet')
name = 'Triplet' + 'Loss'
print(getattr(m, name)(T=2)(1,2)['loss'])
""",
    },
    "mod_mixed": {
        "main.py": """\
import importlib
from importlib import import_module
import sys
flag=True
if flag:
    m = import_module('old_losses.triplet')
else:
    m = import_module('json')
print(m.TripletLoss(T=2)(1,2)['loss'])
""",
    },
    "mod_passed": {
        "main.py": """\
import importlib
from importlib import import_module
def build(m, n): return getattr(m, n)()
print(build(import_module('old_losses.plain'), 'PlainLoss')(2))
""",
    },
    "mod_returned": {
        "main.py": """\
import importlib
from importlib import import_module
def load(): return import_module('old_losses.plain')
print(load().PlainLoss(2)(2))
""",
    },
    "mod_attr": {
        "main.py": """\
import importlib
from importlib import import_module
class A:
    def __init__(self): self.m = import_module('old_losses.plain')
    def go(self): return self.m.PlainLoss(2)(3)
print(A().go())
""",
    },
    "mod_dict": {
        "main.py": """\
import importlib
from importlib import import_module
M = {'plain': import_module('old_losses.plain')}
print(M['plain'].PlainLoss(2)(3))
""",
    },
    "mod_dict_text": {
        "main.py": """\
import importlib
from importlib import import_module
M = {'plain': 'old_losses.plain'}
print(import_module(M['plain']).PlainLoss(2)(3))
""",
    },
    "mod_list_loop": {
        "main.py": """\
import importlib
from importlib import import_module
for n in ['old_losses.plain']:
    m = import_module(n)
    print(m.PlainLoss(2)(3))
""",
    },
    "mod_other_attr": {
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('old_losses.triplet')
print(m.LIMIT)
""",
    },
    "mod_vars": {
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('old_losses.triplet')
print(vars(m)['TripletLoss'](T=2)(1,2)['loss'])
""",
    },
    "mod_dict_attr": {
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('old_losses.triplet')
print(m.__dict__['TripletLoss'](T=2)(1,2)['loss'])
""",
    },
    "mod_dir": {
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('old_losses.triplet')
print([n for n in dir(m) if n.endswith('Loss')])
""",
    },
    "mod_try_none": {
        "main.py": """\
import importlib
from importlib import import_module
try:
    m = import_module('old_losses.plain')
except ImportError:
    m = None
if m is not None:
    print(m.PlainLoss(2)(3))
""",
    },
    "mod_walrus": {
        "main.py": """\
import importlib
from importlib import import_module
if (m := import_module('old_losses.plain')):
    print(m.PlainLoss(2)(3))
""",
    },
    "mod_reload": {
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('old_losses.plain')
importlib.reload(m)
print(m.PlainLoss(2)(3))
""",
    },
    "mod_two": {
        "main.py": """\
import importlib
from importlib import import_module
a, b = import_module('old_losses.plain'), import_module('old_losses.pair')
print(a.PlainLoss(2)(3), b.PairLoss()(1,2)[0])
""",
    },
    "mod_rel": {
        "pkg/__init__.py": "",
        "pkg/a.py": """\
from old_losses.plain import PlainLoss
""",
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('.a', 'pkg')
print(m.PlainLoss(2)(3))
""",
    },
    "mod_rel_old": {
        "main.py": """\
import importlib
from importlib import import_module
m = import_module('.plain', package='old_losses')
print(m.PlainLoss(2)(3))
""",
    },
    "dunder_import": {
        "main.py": """\
m = __import__('old_losses.plain', fromlist=['PlainLoss'])
print(m.PlainLoss(2)(3))
""",
    },
    "dunder_import2": {
        "main.py": """\
m = __import__('old_losses.plain')
print(m.plain.PlainLoss(2)(3))
""",
    },
    "sys_modules_by_text": {
        "main.py": """\
import sys
import old_losses.plain
print(sys.modules['old_losses.plain'].PlainLoss(2)(3))
""",
    },
    "spec_file": {
        "main.py": """\
import importlib.util
s = importlib.util.spec_from_file_location('x', 'old_losses/plain.py')
m = importlib.util.module_from_spec(s)
s.loader.exec_module(m)
print(m.PlainLoss(2)(3))
""",
    },
    "runpy_path": {
        "main.py": """\
import runpy
print(runpy.run_path('old_losses/plain.py')['PlainLoss'](2)(3))
""",
    },
    "runpy_mod": {
        "main.py": """\
import runpy
print(runpy.run_module('old_losses.plain')['PlainLoss'](2)(3))
""",
    },
    "find_spec": {
        "main.py": """\
import importlib.util
if importlib.util.find_spec('old_losses.plain') is not None:
    from old_losses.plain import PlainLoss
    print(PlainLoss(2)(3))
""",
    },
    "find_spec_top": {
        "main.py": """\
import importlib.util
if importlib.util.find_spec('old_losses'):
    from old_losses.plain import PlainLoss
    print(PlainLoss(2)(3))
""",
    },
    "pkgutil": {
        "main.py": """\
import pkgutil, old_losses, importlib
found = {}
for i in pkgutil.iter_modules(old_losses.__path__):
    m = importlib.import_module('old_losses.' + i.name)
    found.update({k: v for k, v in vars(m).items() if k.endswith('Loss')})
print(sorted(found))
""",
    },
    "lazy_table": {
        "pkg/__init__.py": """\
import importlib
_LAZY = {'PlainLoss': 'old_losses.plain', 'TripletLoss': 'old_losses.triplet'}
def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(name)
""",
        "main.py": """\
import pkg
print(pkg.PlainLoss(2)(3))
""",
    },
    "lazy_getattr2": {
        "pkg/__init__.py": """\
def __getattr__(name):
    if name == 'PlainLoss':
        from old_losses.plain import PlainLoss
        return PlainLoss
    raise AttributeError(name)
""",
        "main.py": """\
from pkg import PlainLoss
print(PlainLoss(2)(3))
""",
    },
    "lazy_getattr3": {
        "pkg/__init__.py": """\
def __getattr__(name):
    if name == 'TripletLoss':
        from old_losses.triplet import TripletLoss
        return TripletLoss
    raise AttributeError(name)
""",
        "main.py": """\
from pkg import TripletLoss
print(TripletLoss(T=3)(2, 3)['accuracy'])
""",
    },
    "lazy_getattr4": {
        "pkg/__init__.py": """\
import importlib
_L = {'TripletLoss': '.loss'}
def __getattr__(name):
    return getattr(importlib.import_module(_L[name], __name__), name)
""",
        "pkg/loss.py": """\
from old_losses.triplet import TripletLoss
""",
        "main.py": """\
from pkg import TripletLoss
print(TripletLoss(T=3)(2, 3)['accuracy'])
""",
    },
    "exec_import": {
        "main.py": """\
exec('from old_losses.triplet import TripletLoss')
print(TripletLoss(T=2)(1,2)['accuracy'])
""",
    },
    "subprocess": {
        "main.py": """\
import subprocess, sys
code = "import sys; sys.path[:0] = sys.argv[1:]; from old_losses.plain import PlainLoss; print(PlainLoss(2)(1))"
print(subprocess.run([sys.executable, "-S", "-c", code, *sys.path[:2]], capture_output=True, text=True).stdout)
""",
    },
    "star_all": {
        "a/__init__.py": """\
from .b import *
__all__ = ['TripletLoss', 'helper']
""",
        "a/b.py": """\
from old_losses.triplet import TripletLoss
def helper(): return 1
__all__ = ['TripletLoss', 'helper']
""",
        "main.py": """\
from a import *
print(TripletLoss(T=2)(1, 2)['accuracy'])
print(helper())
""",
    },
    "star_all2": {
        "a/__init__.py": """\
from .b import *
__all__ = ['TripletLoss']
""",
        "a/b.py": """\
from old_losses.triplet import *
""",
        "main.py": """\
from a import *
print(TripletLoss(T=2)(1, 2)['accuracy'])
""",
    },
    "star_all3": {
        "a/__init__.py": """\
from .b import *
from .b import __all__
""",
        "a/b.py": """\
from old_losses.triplet import TripletLoss
__all__ = ['TripletLoss']
""",
        "main.py": """\
from a import TripletLoss
print(TripletLoss(T=2)(1, 2)['accuracy'])
""",
    },
    "star_all4": {
        "a/__init__.py": """\
from . import b
from .b import *
__all__ = b.__all__ + ['x']
x = 1
""",
        "a/b.py": """\
from old_losses.triplet import TripletLoss
__all__ = ['TripletLoss']
""",
        "main.py": """\
from a import *
print(TripletLoss(T=2)(1, 2)['accuracy'])
""",
    },
    "star_chain": {
        "a/__init__.py": """\
from .b import *
""",
        "a/b.py": """\
from .c import *
""",
        "a/c.py": """\
from old_losses.triplet import *
""",
        "main.py": """\
from a import *
print(TripletLoss(T=2)(1, 2)['accuracy'])
""",
    },
    "star_alias": {
        "a/__init__.py": """\
from .b import *
""",
        "a/b.py": """\
from old_losses.triplet import TripletLoss as Trip
""",
        "main.py": """\
from a import *
print(Trip(T=2)(1, 2)['accuracy'])
""",
    },
    "star_alias2": {
        "a/__init__.py": """\
from .b import *
""",
        "a/b.py": """\
from old_losses.triplet import TripletLoss as Trip
""",
        "main.py": """\
from a import Trip
print(Trip(T=2)(1, 2)['accuracy'])
""",
    },
    "star_alias3": {
        "a/__init__.py": """\
from .b import *
""",
        "a/b.py": """\
from old_losses.triplet import TripletLoss as Trip
""",
        "main.py": """\
import a as q
print(q.Trip(T=2)(1, 2)['accuracy'])
""",
    },
    "star_inst": {
        "a/__init__.py": """\
from .b import *
""",
        "a/b.py": """\
from old_losses.triplet import TripletLoss
crit = TripletLoss(T=2)
""",
        "main.py": """\
from a import crit
print(crit(1, 2)['accuracy'])
""",
    },
    "class_name_key": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(T=2)
logs = {type(c).__name__: 1}
print(logs['TripletLoss'])
""",
    },
    "hasattr_new": {
        "main.py": """\
from old_losses.triplet import TripletLoss
print(hasattr(TripletLoss(T=2), 'temperature'))
""",
    },
    "getattr_default": {
        "main.py": """\
from old_losses.triplet import TripletLoss
c = TripletLoss(T=2)
print(getattr(c, 'T', None), getattr(c, 'missing', 5), hasattr(c, 'T'), hasattr(c, 'temperature'))
""",
    },
    "all_by_getattr": {
        "a/__init__.py": """\
from old_losses.triplet import TripletLoss
__all__ = ["TripletLoss"]
""",
        "main.py": """\
import a
for n in a.__all__:
    print(getattr(a, n)(T=2)(1, 2)["loss"])
""",
    },
}

REFUSED: dict[str, list[str]] = {
    "all_by_getattr": ["main.py:3"],
    "mod_computed": ["main.py:5"],
    "mod_mixed": ["main.py:9"],
    "mod_passed": ["main.py:3", "main.py:4"],
    "mod_returned": ["main.py:3", "main.py:4"],
    "mod_dict": ["main.py:3", "main.py:4"],
    "mod_dict_text": ["main.py:3"],
    "mod_list_loop": ["main.py:3"],
    "mod_other_attr": ["main.py:4"],
    "mod_vars": ["main.py:4"],
    "mod_dict_attr": ["main.py:4"],
    "mod_dir": ["main.py:4"],
    "mod_reload": ["main.py:4", "main.py:5"],
    "mod_rel_old": ["main.py:3", "main.py:4"],
    "dunder_import": ["main.py:1", "main.py:2"],
    "dunder_import2": ["main.py:1", "main.py:2"],
    "sys_modules_by_text": ["main.py:3"],
    "spec_file": ["main.py:2", "main.py:5"],
    "runpy_path": ["main.py:2"],
    "runpy_mod": ["main.py:2"],
    "find_spec": ["main.py:2"],
    "pkgutil": ["main.py:4"],
    "lazy_table": ["pkg/__init__.py:2"],
    "lazy_getattr3": ["pkg/__init__.py:4"],
    "lazy_getattr4": ["pkg/__init__.py:2"],
    "exec_import": ["main.py:1"],
    "subprocess": ["main.py:2"],
    "class_name_key": ["main.py:4"],
    "hasattr_new": ["main.py:2"],
    "getattr_default": ["main.py:3"],
}
"""What needs a person, and where; every other program is rewritten."""
