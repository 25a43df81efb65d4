"""What the pages and docstrings say is so: examples run, links lead somewhere, commands exist, configuration is read as shown."""

from __future__ import annotations

import doctest
import importlib
import re
import tomllib
from pathlib import Path

import pytest

from lossport.cli.main import parser
from lossport.project.config import parse_project

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "migration" / "lossport"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

WITH_EXAMPLES = [path for path in sorted(HOUSE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_the_examples_in_docstrings_run(path: Path) -> None:
    module = importlib.import_module(module_name(path))
    tried = doctest.testmod(module)
    assert tried.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]+`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_and_targets_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets
    named = set(re.findall(r"`(?:\.venv/bin/)?lossport ([a-z]+)[ `]", text))
    usage = next(iter(parser()._subparsers._group_actions)).choices  # type: ignore[union-attr]
    assert named <= set(usage or ())


def test_the_configuration_page_shows_the_defaults(tmp_path: Path) -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    table = tomllib.loads(block)["tool"]["lossport"]
    shown = parse_project(tmp_path, table)
    bare = parse_project(tmp_path, {})
    for key in set(table) - {"exclude", "shim-until", "claims"}:
        name = key.replace("-", "_")
        assert getattr(shown, name) == getattr(bare, name), key


def test_the_tests_that_recorded_faults_name_are_there() -> None:
    """A fault beyond the legacy loss is looked for by a test of the new one; a name that leads nowhere says nothing."""
    data = tomllib.loads((ROOT / "migration" / "cases" / "equivalent.toml").read_text(encoding="utf-8"))
    places = [place for item in data["beyond"] for place in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", item["reason"])]
    assert len(places) > 50
    lost = {f"{file}::{name}" for file, name in places if f"def {name}" not in (ROOT / file).read_text(encoding="utf-8")}
    assert not lost
