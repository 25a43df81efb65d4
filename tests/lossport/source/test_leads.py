"""A file that has a legacy word in it is followed if it can lead to something legacy, however it gets there, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossport.project.config import parse_project
from lossport.source.leads import Leads
from lossport.source.modules import Modules
from lossport.source.targets import Targets

FILES = {
    "old/__init__.py": "",
    "old/losses.py": "class FooLoss: ...\ndef helper(): ...\n",
    "shop/__init__.py": "from old import losses\nfrom old.losses import FooLoss\n",
    "shop/deep.py": "from shop import *\n",
    "losses/__init__.py": "from losses.foo import FooLoss\n",
    "losses/foo.py": "class FooLoss: ...\n",
}


@pytest.fixture
def leads(tmp_path: Path) -> Leads:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    modules = Modules(parse_project(tmp_path, {"legacy": "old"}))
    return Leads(modules, Targets(frozenset({"old.losses.FooLoss"}), frozenset({"old.losses"}), {}), ("old",))


@pytest.mark.parametrize(
    "text",
    [
        "from old.losses import FooLoss",
        "from old import losses",
        "from old import (  # the (old) ones\n    other,\n    losses,\n)",
        "from old \\\n    import losses",
        "import old.losses as kept",
        "if True: import old.losses",
        "import a; from old import losses",
        "import old\nold.losses.FooLoss()",
        "from shop import losses\ngetattr(losses, name)",
        "from shop import FooLoss as Mine",
        "import shop\nshop.losses.helper()",
        "import shop as s\ns . losses",
        "from shop.deep import *\nFooLoss()",
        "from shop.deep import *\nregister(losses)",
        '"""\n>>> from shop import losses\n"""',
        'mock.patch("old.losses.helper")',
        'mock.patch("shop.losses.helper")',
        '{"_target_": "shop:FooLoss"}',
        'importlib.import_module(".losses", __package__)',
        'importlib.import_module(f"{package}.losses")',
        'importlib.import_module("old." + name)',
        'importlib.import_module("old")',
        'type(criterion).__name__ == "FooLoss"',
        'globals()["FooLoss"]',
        '_LAZY = {"FooLoss": "foo"}\ndef __getattr__(name): ...',
        "from old import losses +",
    ],
)
def test_followed(leads: Leads, tmp_path: Path, text: str) -> None:
    assert leads(tmp_path / "train.py", text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "from losses import FooLoss\nFooLoss()",
        "from losses.foo import FooLoss",
        "class FooLoss: ...\nFooLoss()",
        "losses = []\nlosses.append(1)  # the old losses, FooLoss",
        'out["losses"], out["FooLoss"]',
        "self.losses.append(step(old))",
        "# an old thing. getattr(x, name)\nlosses = 1",
        "from pages.losses import helper\nhelper()",
    ],
)
def test_not_followed(leads: Leads, tmp_path: Path, text: str) -> None:
    assert not leads(tmp_path / "train.py", text.encode())


def test_relative_imports_start_where_the_file_stands(leads: Leads, tmp_path: Path) -> None:
    assert leads(tmp_path / "old" / "other.py", b"from .losses import helper")
    assert leads(tmp_path / "old" / "__init__.py", b"from . import losses")
    assert leads(tmp_path / "shop" / "page.py", b"from . import losses")
    assert not leads(tmp_path / "losses" / "page.py", b"from .foo import FooLoss")
