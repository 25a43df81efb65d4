"""What a dotted name leads to: re-exports and stars are followed; circles and missing files end the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lossport.follow.sites import find_sites
from lossport.project.config import parse_project
from lossport.source.modules import Modules

Make = Callable[[Mapping[str, str]], Modules]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def modules(files: Mapping[str, str]) -> Modules:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Modules(parse_project(tmp_path, {"legacy": "old"}))

    return modules


def test_a_name_is_followed_to_its_definition(make: Make) -> None:
    modules = make({"a/__init__.py": "from a.b import *\n", "a/b.py": "from a.c import x as y\n", "a/c.py": "def x(): ...\n"})
    assert modules.canonical("a.y") == "a.c.x"
    assert modules.member("a", "y") == "a.c.x"


def test_a_module_that_the_build_writes_is_where_the_way_ends(make: Make) -> None:
    modules = make({"pkg/__init__.py": "from .version import version\n", "user.py": "from pkg import version as used\n"})
    assert modules.canonical("pkg.version") == "pkg.version"
    assert modules.canonical("pkg.version.version") == "pkg.version.version"
    assert modules.member("pkg", "version") == "pkg.version.version"
    assert modules.canonical("user.used.major") == "pkg.version.major"


def test_the_same_way_ends_where_the_module_is_there(make: Make) -> None:
    modules = make({"pkg/__init__.py": "from .version import version\n", "pkg/version.py": "version = 1\n"})
    assert modules.canonical("pkg.version") == "pkg.version"
    assert modules.member("pkg", "version") == "pkg.version.version"


@pytest.mark.parametrize(
    ("files", "asked", "found"),
    [
        ({"a.py": "from b import x\n", "b.py": "from a import x\n"}, "a.x", "a.x"),
        ({"a.py": "from b import x\n", "b.py": "from a import x\n", "c.py": "from b import x\n"}, "c.x", "b.x"),
        ({"a.py": "from b import x\n", "b.py": "from c import x\n", "c.py": "from a import x\n"}, "a.x.y", "a.x.y"),
        ({"a/__init__.py": "from .x.y import y as x\nfrom .y.x import x as y\n"}, "a.x", "a.x"),
        ({"a/__init__.py": "from .b import c\nfrom .c import b\n"}, "a.b", "a.b"),
        ({"a.py": "from b import *\n__all__ = ['x']\n", "b.py": "from a import *\n__all__ = ['x']\n"}, "a.x", "a.x"),
        ({"a.py": "from a import x\n"}, "a.x", "a.x"),
        ({"a/__init__.py": "from . import a\n"}, "a.a.a", "a.a.a"),
    ],
)
def test_a_way_without_end_ends_where_it_comes_back(make: Make, files: Mapping[str, str], asked: str, found: str) -> None:
    assert make(files).canonical(asked) == found


def test_the_way_does_not_depend_on_what_was_asked_before(make: Make) -> None:
    files = {"a.py": "from b import x\n", "b.py": "from a import x\n"}
    first, second = make(files), make(files)
    assert [first.canonical("a.x"), first.canonical("b.x")] == [second.canonical("b.x"), second.canonical("a.x")][::-1]


def test_a_chain_longer_than_the_recursion_limit_is_followed(make: Make) -> None:
    files = {f"m{n}.py": f"from m{n + 1} import x\n" for n in range(1200)} | {"m1200.py": "def x(): ...\n"}
    assert make(files).canonical("m0.x") == "m1200.x"


def test_call_sites_are_found_in_a_project_whose_version_file_is_missing(make: Make, tmp_path: Path) -> None:
    project = make(
        {
            "old/__init__.py": "from .version import version\nfrom .pairs import PairLoss\n",
            "old/pairs.py": "class PairLoss: ...\n",
            "train.py": "from old import PairLoss, version\nimport old\nprint(old.version, version.major)\nPairLoss()\n",
            "fresh.py": "class Pairs: ...\n",
            "migration/ports/pairs.py": "from lossport.port import Port\n"
            'PORTS = (Port(legacy="old.pairs.PairLoss", new="fresh.Pairs"),)\n',
        }
    ).project
    found = [(site.path, site.line) for site in find_sites(project, project.losses()).sites]
    assert found == [("old/__init__.py", 2), ("train.py", 1), ("train.py", 4)]
