"""Every example is run by a test and described on the page, and every legacy module that is left is used by one."""

from __future__ import annotations

import re
from pathlib import Path

from tests.examples.conftest import ROOT
from tests.legacy.recording import stands

EXAMPLES = ROOT / "examples"
PAGE = ROOT / "docs" / "examples.md"
STARTS = 'if __name__ == "__main__":'


def runnable() -> list[str]:
    """Scripts, packages that can be started, and notebooks, as a path from the project's folder."""
    scripts = [path for path in EXAMPLES.glob("*.py") if STARTS in path.read_text(encoding="utf-8")]
    packages = [path.parent for path in EXAMPLES.glob("*/__main__.py")]
    return sorted(path.relative_to(ROOT).as_posix() for path in [*scripts, *packages, *EXAMPLES.glob("*.ipynb")])


def test_every_example_is_run_by_a_test() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert runnable()
    assert [path for path in runnable() if f'"{path}"' not in tests] == []


def test_every_example_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [path for path in runnable() if f"| `{Path(path).name}` |" not in page] == []


def test_every_legacy_module_that_is_left_is_used_by_an_example() -> None:
    """Through the package, too: what it exports is asked for by the name of the class."""
    files = [path for kind in ("py", "ipynb", "yaml", "toml") for path in EXAMPLES.rglob(f"*.{kind}")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    exported = dict(re.findall(r"^from \.(\w+) import (\w+)", _package_init(), flags=re.MULTILINE))
    modules = sorted(path.stem for path in (ROOT / "legacy").glob("[!_]*.py") if stands(ROOT, "legacy", path.stem))
    used = [name for name in modules if f".{name}" in text or re.search(rf"from legacy import .*\b{exported.get(name)}\b", text)]
    assert [name for name in modules if name not in used] == []


def _package_init() -> str:
    path = ROOT / "legacy" / "__init__.py"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
