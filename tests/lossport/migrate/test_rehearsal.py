"""Which tests touch an edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from lossport.migrate.rehearsal import touching_tests
from lossport.project.config import Project, parse_project

FILES = {
    "app/__init__.py": "",
    "app/model.py": "from app.metric import half\n\ndef run():\n    return half(4)\n",
    "app/metric.py": "def half(x):\n    return x // 2\n",
    "app/other.py": "def nothing():\n    return None\n",
    "scripts/train.py": "from app.metric import half\nprint(half(2))\n",
    "tests/conftest.py": "",
    "tests/test_direct.py": "from app.metric import half\n\ndef test_half():\n    assert half(4) == 2\n",
    "tests/test_through.py": "import app.model\n\ndef test_run():\n    assert app.model.run() == 2\n",
    "tests/test_other.py": "from app.other import nothing\n\ndef test_nothing():\n    assert nothing() is None\n",
    "tests/test_script.py": (
        "import subprocess, sys\n\ndef test_script():\n    subprocess.run([sys.executable, 'scripts/train.py'], check=True)\n"
    ),
    "tests/test_folder.py": "FOLDER = 'scripts/'\n\ndef test_folder():\n    assert FOLDER\n",
    "tests/test_packages.py": "NAME = '__init__.py'\n\ndef test_name():\n    assert NAME\n",
    "tests/broken_test.py": "def (\n",
    "tests/test_word.py": "KEYS = {'app': 1, 'scripts': 2, 'metric': 3, 'train': 4}\n\ndef test_keys():\n    assert KEYS\n",
    "tests/test_joined.py": (
        "from pathlib import Path\n\nSCRIPT = Path(__file__).parents[1] / 'scripts' / 'train.py'\n\n"
        "def test_it_is_there():\n    assert SCRIPT.is_file()\n"
    ),
    "tests/test_patched.py": (
        "def test_half(monkeypatch):\n    monkeypatch.setattr('app.metric.half', round)\n    import app.other\n"
    ),
    "tests/test_by_name.py": (
        "import importlib\n\ndef test_package():\n    assert importlib.import_module('app').__name__ == 'app'\n"
    ),
    "tests/sub/conftest.py": "from lent import thing\n",
    "tests/sub/lent.py": "from app.other import nothing as thing\n",
    "tests/sub/test_lent.py": "def test_nothing():\n    pass\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return parse_project(tmp_path, {"test-command": ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider"]})


def files(project: Project) -> list[Path]:
    return [project.root / name for name in FILES]


def touching(project: Project, *names: str) -> list[str]:
    found = touching_tests(project, files(project), [project.root / name for name in names])
    return [path.name for path in found]


def test_importing_a_file_touches_it_directly_and_through_other_modules(project: Project) -> None:
    assert touching(project, "app/metric.py") == ["test_direct.py", "test_patched.py", "test_through.py"]


def test_a_package_is_imported_with_its_modules(project: Project) -> None:
    importing = ["test_direct.py", "test_other.py", "test_patched.py", "test_through.py"]
    assert set(importing) <= set(touching(project, "app/__init__.py"))


def test_the_name_that_every_package_file_has_touches_none(project: Project) -> None:
    assert "test_packages.py" not in touching(project, "app/__init__.py")


def test_naming_a_script_or_its_folder_touches_it(project: Project) -> None:
    assert touching(project, "scripts/train.py") == ["test_folder.py", "test_joined.py", "test_script.py"]


@pytest.mark.parametrize("name", ["app/metric.py", "app/__init__.py", "scripts/train.py"])
def test_a_word_that_is_also_the_name_of_a_file_or_folder_touches_nothing(project: Project, name: str) -> None:
    assert "test_word.py" not in touching(project, name)


def test_a_single_word_is_a_module_where_modules_are_imported_by_name(project: Project) -> None:
    assert "test_by_name.py" in touching(project, "app/__init__.py")
    assert "test_by_name.py" not in touching(project, "app/metric.py")


def test_what_a_conftest_imports_from_beside_it_touches_the_tests_below_it(project: Project) -> None:
    assert "test_lent.py" in touching(project, "app/other.py")
    assert "test_lent.py" not in touching(project, "app/metric.py")


def test_a_conftest_touches_the_tests_below_it(project: Project) -> None:
    (project.root / "tests" / "conftest.py").write_text("import app.other\n")
    assert "test_direct.py" in touching(project, "app/other.py")


def test_a_test_that_is_itself_edited_runs(project: Project) -> None:
    assert touching(project, "tests/test_other.py") == ["test_other.py"]
