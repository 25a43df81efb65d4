"""Which files import which: as Python would say, read on demand, and no file that the way does not lead to."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lossport.project.config import parse_project
from lossport.source.importing import Importing, imported_by

ROOT = Path(__file__).resolve().parents[3]

FILES = {
    "app/__init__.py": "",
    "app/model.py": "from app.metric import half\n",
    "app/metric.py": "def half(x):\n    from . import deep\n    return x // 2\n",
    "app/deep.py": "import app.circle\n",
    "app/circle.py": "import app.deep\nimport torch\n",
    "app/other.py": "def nothing():\n    return None\n",
    "app/far.py": "import app.other\n",
    "tests/test_direct.py": "from app.metric import half\n",
    "tests/test_through.py": "import app.model as m\n",
    "tests/test_other.py": "from app import other\n",
    "tests/test_text.py": "TEXT = '''\nimport app.metric\n'''  # import app.metric\n",
    "tests/test_beside.py": "import beside\n",
    "tests/beside.py": "from app import far\n",
    "tests/test_broken.py": "import app.metric\ndef (\n",
}


class Tree:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.read: list[str] = []
        self.importing = Importing(parse_project(root, {"legacy": "old"}), read=self.reading)

    def reading(self, path: Path) -> bytes:
        self.read.append(path.relative_to(self.root).as_posix())
        return path.read_bytes()

    def tests_importing(self, *targets: str) -> list[str]:
        tests = [self.root / name for name in FILES if "/test_" in name]
        found = self.importing.those_importing(tests, [self.root / target for target in targets])
        return sorted(path.name for path in found)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return Tree(tmp_path)


def test_a_file_imports_another_directly_through_others_and_in_functions(tree: Tree) -> None:
    assert tree.tests_importing("app/metric.py") == ["test_broken.py", "test_direct.py", "test_through.py"]
    assert tree.tests_importing("app/circle.py") == ["test_broken.py", "test_direct.py", "test_through.py"]


def test_a_module_beside_the_test_is_found(tree: Tree) -> None:
    assert tree.tests_importing("app/other.py") == ["test_beside.py", "test_other.py"]


def test_a_package_is_imported_with_its_modules(tree: Tree) -> None:
    imports = sorted(path.relative_to(tree.root).as_posix() for path in tree.importing.imports(tree.root / "app/model.py"))
    assert imports == ["app/__init__.py", "app/metric.py"]


def test_only_what_is_reached_is_read_and_only_once(tree: Tree) -> None:
    tests = [tree.root / "tests/test_direct.py"]
    for _ in range(2):
        assert tree.importing.those_importing(tests, [tree.root / "app/deep.py"]) == frozenset(tests)
    assert sorted(tree.read) == ["app/__init__.py", "app/circle.py", "app/deep.py", "app/metric.py", "tests/test_direct.py"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a", [(0, "a", ())]),
        ("import a.b.c as d, e", [(0, "a.b.c", ()), (0, "e", ())]),
        ("from .. import a", [(2, "", ("a",))]),
        ("from ...a . b import (\n    c as d,  # not (this)\n    e,\n)", [(3, "a.b", ("c", "e"))]),
        ("from a import \\\n    b, \\\n    c", [(0, "a", ("b", "c"))]),
        ("from a import *; import b", [(0, "a", ("*",)), (0, "b", ())]),
        ("if True: import a", [(0, "a", ())]),
        ("# import a\n'import b'\n'''\nimport c\n'''\nr'\\'; import d'", []),
        ("x = 'it\\'s'\nimport a", [(0, "a", ())]),
        ("importer = 1\nx.import_module('a')\nraise A from b", []),
        ("def f():\n    yield from x\n    import a", [(0, "a", ())]),
    ],
)
def test_import_statements_are_read_and_nothing_else(text: str, found: list[tuple[int, str, tuple[str, ...]]]) -> None:
    assert list(imported_by(text.encode())) == found
    assert list(imported_by(text.replace("\n", "\r\n").encode())) == found


@pytest.mark.parametrize("folder", ["migration/lossport", "tests", "legacy", "examples"])
def test_the_imports_of_real_files_are_those_of_the_parser(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        raw = path.read_bytes()
        parsed: set[tuple[int, str, tuple[str, ...]]] = set()
        for node in ast.walk(ast.parse(raw)):
            if isinstance(node, ast.Import):
                parsed |= {(0, alias.name, ()) for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                parsed.add((node.level, node.module or "", tuple(alias.name for alias in node.names)))
        assert set(imported_by(raw)) == parsed, path
