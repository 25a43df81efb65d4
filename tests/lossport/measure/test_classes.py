"""Depth of inheritance, mixins, diamonds and import circles across files."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from lossport.measure.classes import class_measures, import_cycles
from lossport.measure.outline import Outline, outline


def read(texts: Mapping[str, str]) -> dict[str, Outline]:
    return {path: outline(ast.parse(text)) for path, text in texts.items()}


def depths(texts: Mapping[str, str]) -> dict[str, int]:
    return {item.name: item.depth for item in class_measures(read(texts))}


def test_depth_counts_the_classes_of_the_tree_above_and_not_those_from_outside() -> None:
    assert depths(
        {
            "kit/base.py": "import torch.nn as nn\nclass Base(nn.Module): ...\nclass Family(Base): ...\n",
            "kit/one.py": "from kit.base import Family\nclass One(Family): ...\nclass Alone: ...\n",
        }
    ) == {"Base": 0, "Family": 1, "One": 2, "Alone": 0}


def test_bases_are_found_through_every_way_of_importing_them() -> None:
    base = {
        "src/kit/base.py": "class Base: ...\n",
        "src/kit/__init__.py": "from .base import Base as Root\nfrom .base import *\n",
    }
    ways = {
        "relative": ("from .base import Base\nclass C(Base): ...\n"),
        "renamed": ("from kit.base import Base as B\nclass C(B): ...\n"),
        "module": ("import kit.base\nclass C(kit.base.Base): ...\n"),
        "aliased": ("import kit.base as b\nclass C(b.Base): ...\n"),
        "package": ("from kit import Root\nclass C(Root): ...\n"),
        "star": ("from kit import *\nclass C(Base): ...\n"),
        "member": ("from kit import base\nclass C(base.Base): ...\n"),
        "dots": ("from . import Root\nclass C(Root): ...\n"),
        "generic": ("from .base import Base\nclass C(Base[int]): ...\n"),
        "late": ("def make():\n    from .base import Base\n    class C(Base): ...\n"),
    }
    for way, text in ways.items():
        measures = class_measures(read({**base, "src/kit/user.py": text}))
        assert [item.depth for item in measures if item.path.endswith("user.py")] == [1], way


def test_a_name_from_elsewhere_is_not_mistaken_for_a_class_of_the_tree() -> None:
    texts = {
        "old/losses.py": "class Base: ...\n",
        "old/__init__.py": "",
        "old/user.py": "from losses import Base\nclass C(Base): ...\n",
    }
    assert depths(texts) == {"Base": 0, "C": 0}


def test_mixins_and_diamonds_are_counted() -> None:
    text = "class A: ...\nclass B(A): ...\nclass C(A): ...\nclass D(B, C): ...\nclass E(B, C, A): ...\n"
    found = {item.name: (item.bases, item.diamonds) for item in class_measures(read({"a.py": text}))}
    assert found == {"A": (0, 0), "B": (1, 0), "C": (1, 0), "D": (2, 1), "E": (3, 1)}


def test_circles_of_inheritance_and_of_re_exports_end() -> None:
    assert depths({"a.py": "class A(B): ...\nclass B(A): ...\nclass C(C): ...\n"}).keys() == {"A", "B", "C"}
    loop = {"p/a.py": "from p.b import X\nclass C(X): ...\n", "p/b.py": "from p.a import X\n"}
    assert depths(loop) == {"C": 0}


def test_a_chain_of_a_thousand_classes_is_as_deep_as_it_is_long() -> None:
    text = "class C0: ...\n" + "".join(f"class C{n}(C{n - 1}): ...\n" for n in range(1, 1000))
    assert max(depths({"a.py": text}).values()) == 999


def test_files_that_import_each_other_are_a_circle_unless_they_do_it_late_or_for_types_only() -> None:
    circle = {"p/a.py": "import p.b\n", "p/b.py": "from p.c import x\n", "p/c.py": "from . import a\n", "p/d.py": "import p.a\n"}
    assert import_cycles(read(circle)) == (("p/a.py", "p/b.py", "p/c.py"),)
    late = {"p/a.py": "import p.b\n", "p/b.py": "def f():\n    import p.a\n"}
    typed = {"p/a.py": "import p.b\n", "p/b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.a\n"}
    assert import_cycles(read(late)) == import_cycles(read(typed)) == ()
