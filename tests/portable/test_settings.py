"""Nothing passes or fails by the machine's settings: recordings, parity of all losses and the README's commands under each.

Each setting runs in processes of its own, as most are read when torch is loaded.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from lossport.project.config import find_project

pytestmark = pytest.mark.settings

ROOT = Path(__file__).resolve().parents[2]
PROJECT = find_project(ROOT)
COPIED = ("legacy", "losses", "migration", "examples", "tests/legacy", "tests/losses", "tests/examples")
FILES = ("pyproject.toml", "constraints.txt", "README.md", "Makefile", ".gitignore", "tests/conftest.py", "tests/warm.py")
YEAR = 31_536_000
TESTS = ("tests/legacy", "tests/losses/test_clip.py")


@dataclass(frozen=True)
class Setting:
    """Variables of the environment, what runs before anything else in each process, and the folder's name."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    first: str = ""
    folder: str = "project"

    @property
    def is_here(self) -> bool:
        """Whether this processor has the instructions that the setting asks for."""
        wanted = self.variables.get("ATEN_CPU_CAPABILITY", "default").upper()
        levels = ["DEFAULT", "AVX2", "AVX512"]
        native = os.environ.get("LOSSPORT_NATIVE_VECTORS", torch.backends.cpu.get_cpu_capability()).upper()
        return native not in levels or levels.index(wanted) <= levels.index(native)


SETTINGS = (
    Setting("native"),
    Setting("default", {"ATEN_CPU_CAPABILITY": "default"}),
    Setting("avx2", {"ATEN_CPU_CAPABILITY": "avx2"}),
    Setting("avx512", {"ATEN_CPU_CAPABILITY": "avx512"}),
    Setting("sse", {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}),
    Setting("one-thread", {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}),
    Setting("two-threads", {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}),
    Setting("flush-denormal", first="import torch; torch.set_flush_denormal(True)"),
    Setting("odd-folder", folder="my losses größer ß"),
    Setting("elsewhere", {"TZ": "Pacific/Kiritimati", "LANG": "C", "LC_ALL": "C"}),
    Setting("another-year", first=f"import time; now = time.time; time.time = lambda: now() + 7 * {YEAR}"),
)


IN_CI = ("native", "default", "sse")
"""Three kinds of rounding. The other settings cost as much each and take part in `make test TESTS=all` alone."""

PARAMETERS = [
    pytest.param(setting, id=setting.name, marks=() if setting.name in IN_CI else pytest.mark.matrix) for setting in SETTINGS
]


@pytest.fixture(params=PARAMETERS, scope="module")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Setting, Path]:
    """A copy of the project, in the folder that the setting asks for."""
    setting: Setting = request.param
    if not setting.is_here:
        pytest.skip(f"this processor has no {setting.name}")
    root = tmp_path_factory.mktemp("settings") / setting.folder
    left_out = shutil.ignore_patterns("__pycache__", "goldens", "ledger.jsonl")
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=left_out)
    for name in FILES:
        shutil.copy2(ROOT / name, root / name)
    if setting.first:
        (root / "first").mkdir()
        (root / "first" / "sitecustomize.py").write_text(setting.first + "\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *author, "commit", "--quiet", "--message", "as it is"], cwd=root, check=True)
    return setting, root


def run(place: tuple[Setting, Path], *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python there, under the setting."""
    setting, root = place
    path = os.pathsep.join([*([str(root / "first")] if setting.first else []), str(root / "migration"), str(root)])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **setting.variables, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def told(done: subprocess.CompletedProcess[str]) -> str:
    return f"exit status {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def test_the_setting_is_in_force(place: tuple[Setting, Path]) -> None:
    setting, root = place
    asked = "import json, os, time; from lossport.evidence.environment import environment; import lossport"
    done = run(place, "-c", f"{asked}; print(json.dumps([environment(), time.gmtime().tm_year, lossport.__file__]))")
    assert done.returncode == 0, told(done)
    if "ATEN_CPU_CAPABILITY" in setting.variables:
        assert f'"vectors": "{setting.variables["ATEN_CPU_CAPABILITY"].upper()}"' in done.stdout
    if setting.name == "flush-denormal":
        assert '"denormals": "flushed"' in done.stdout
    if setting.name == "sse":
        assert "SSE4_2" in done.stdout
        assert "SSE41" in done.stdout
    assert root.name.isascii() == (setting.folder == "project")


def test_the_recordings_are_met(place: tuple[Setting, Path]) -> None:
    done = run(place, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/legacy", "-m", "not slow")
    assert done.returncode == 0, told(done)


def test_parity_of_every_loss_holds(place: tuple[Setting, Path]) -> None:
    done = run(place, "-m", "lossport", "parity", "--device", "cpu", "--json")
    assert done.returncode == 0, told(done)
    assert {proof["loss"] for proof in json.loads(done.stdout)["proofs"]} == set(PROJECT.loss_names)


def test_the_commands_of_the_readme_pass(place: tuple[Setting, Path]) -> None:
    """`make migrate LOSS=clip`, then the tests of what stays, as `make` starts them."""
    done = run(place, "-m", "lossport", "migrate", "clip")
    assert done.returncode == 0, told(done)
    assert not (place[1] / "legacy" / "clip_style_loss.py").exists()
    done = run(
        place, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/legacy", "tests/losses/test_clip.py", "-m", "not slow"
    )
    assert done.returncode == 0, told(done)
