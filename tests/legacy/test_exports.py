"""What importing the legacy package promises, collisions of names included.

The promises stand in `exports.json`. One about a module that has been retired is void; the others must hold.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from torch import nn

from tests import warm
from tests.legacy.recording import stands

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "legacy"
PROMISES: dict[str, Any] = json.loads(Path(__file__).with_name("exports.json").read_text(encoding="utf-8"))
STANDING = sorted(path.stem for path in (ROOT / PACKAGE).glob("[!_]*.py") if stands(ROOT, PACKAGE, path.stem))


def standing(promises: list[list[str]]) -> list[list[str]]:
    """The promises about modules that stand."""
    return [[home, name] for home, name in promises if home in STANDING]


def shadowed(name: str) -> bool:
    """Whether a submodule has that name too: whoever imports it replaces the export, so who comes first decides."""
    return name in STANDING


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{name}")


def needs(*names: str) -> pytest.MarkDecorator:
    gone = sorted(set(names) - set(STANDING))
    return pytest.mark.skipif(bool(gone), reason=f"retired: {', '.join(gone)}")


def in_a_fresh_process(code: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run code with only that root on the path; what other tests imported does not count there."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return warm.run("-c", code, cwd=root, env=env)


@pytest.mark.parametrize(("home", "name"), standing(PROMISES["exported"]))
def test_the_package_exports_the_object_of_its_module(home: str, name: str) -> None:
    package = importlib.import_module(PACKAGE)
    assert name in package.__all__
    assert shadowed(name) or getattr(package, name) is getattr(module(home), name)


@pytest.mark.skipif(not STANDING, reason="every module is retired")
def test_the_exports_have_their_order() -> None:
    promised = [name for _, name in PROMISES["exported"]]
    exported = importlib.import_module(PACKAGE).__all__
    assert [name for name in exported if name in promised] == [name for name in promised if name in exported]
    if len(standing(PROMISES["exported"])) == len(promised):
        assert exported == promised


@pytest.mark.parametrize(("home", "name"), standing(PROMISES["by_module_only"]))
def test_some_losses_are_reached_by_their_module_alone(home: str, name: str) -> None:
    assert hasattr(module(home), name)
    assert not hasattr(importlib.import_module(PACKAGE), name)


@needs(*PROMISES["equal_twice"]["modules"])
@pytest.mark.parametrize("name", PROMISES["equal_twice"]["names"])
def test_functions_defined_twice_have_the_same_code(name: str) -> None:
    first, second = (getattr(module(home), name) for home in PROMISES["equal_twice"]["modules"])
    assert first is not second
    assert first.__code__.co_code == second.__code__.co_code
    assert inspect.signature(first) == inspect.signature(second)


@pytest.mark.parametrize(
    ("name", "exported", "other"),
    [pytest.param(*item, marks=needs(*item[1:])) for item in PROMISES["different_twice"]],
)
def test_classes_of_one_name_differ_and_the_package_exports_one(name: str, exported: str, other: str) -> None:
    exported_class, other_class = getattr(module(exported), name), getattr(module(other), name)
    assert exported_class is not other_class
    assert (
        inspect.signature(exported_class) != inspect.signature(other_class) or exported_class.forward is not other_class.forward
    )
    assert getattr(importlib.import_module(PACKAGE), name) is exported_class


@needs(PROMISES["function_called_like_a_module"][0])
def test_a_function_is_exported_until_the_submodule_of_its_name_is_imported() -> None:
    home, name = PROMISES["function_called_like_a_module"]
    code = f"import {PACKAGE} as p; import {PACKAGE}.{home} as home; assert p.{name} is home.{name}, p.{name}; print('function')"
    assert in_a_fresh_process(code).stdout == "function\n"
    if name in STANDING:
        code = f"import {PACKAGE}.{name}; from {PACKAGE} import {name} as found; print(type(found).__name__)"
        assert in_a_fresh_process(code).stdout == "module\n"


@needs(PROMISES["called_like_torchs"][0])
def test_a_class_called_like_torchs_is_another_one() -> None:
    home, name = PROMISES["called_like_torchs"]
    assert getattr(module(home), name) is not getattr(nn, name)


@pytest.mark.parametrize("name", STANDING)
def test_the_metadata_function_describes_the_file_or_fails_for_want_of_an_import(name: str) -> None:
    promised = PROMISES["metadata"]
    describe = getattr(module(name), promised["name"])
    assert not hasattr(importlib.import_module(PACKAGE), promised["name"])
    if name in promised["raises_name_error"]:
        with pytest.raises(NameError):
            describe()
    else:
        description = describe()
        assert set(promised["keys"]) <= set(description)
        assert description["filename"] == f"{name}.py"


@needs(PROMISES["imports_by_absolute_path"])
def test_the_package_works_under_its_own_name_alone(tmp_path: Path) -> None:
    """One module imports its siblings by their absolute path."""
    renamed, name = f"other_{PACKAGE}", PROMISES["imports_by_absolute_path"]
    shutil.copytree(ROOT / PACKAGE, tmp_path / renamed, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / renamed / "__init__.py").write_text("")
    result = in_a_fresh_process(f"import {renamed}.{name}", tmp_path)
    assert f"ModuleNotFoundError: No module named '{PACKAGE}'" in result.stderr
