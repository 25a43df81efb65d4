"""The floors of the house: nothing imports what stands above it, and rooms of one floor do not know each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2] / "migration" / "lossport"

FLOORS = (
    {"project"},
    {"port", "inputs", "source", "measure"},
    {"observe", "follow"},
    {"judge", "rewrite"},
    {"evidence", "report"},
    {"power", "compare", "scaffold"},
    {"migrate"},
    {"cli"},
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

WITHOUT_TORCH = sorted(FLOOR_OF.keys() - {"inputs"})


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "lossport":
            yield from (alias.name for alias in node.names if alias.name in FLOOR_OF)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lossport."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("lossport."))


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(path) for path in HOUSE.rglob("*.py")} - {"__init__", "__main__"}
    assert rooms == FLOOR_OF.keys()


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=lambda p: str(p.relative_to(HOUSE)))
def test_nothing_imports_what_stands_above_or_beside_it(path: Path) -> None:
    room = room_of(path)
    for other in imported_rooms(path):
        if room != other and room in FLOOR_OF:
            assert FLOOR_OF[other] < FLOOR_OF[room], f"{room} imports {other}"


@pytest.mark.parametrize("folder", ["migration/lossport", "losses"])
def test_the_harness_and_the_losses_do_not_know_each_other(folder: str) -> None:
    strangers = {"migration/lossport": {"losses", "legacy"}, "losses": {"lossport", "legacy"}}[folder]
    for path in (HOUSE.parents[1] / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not {name.split(".")[0] for name in names} & strangers, path


@pytest.mark.parametrize("room", WITHOUT_TORCH)
def test_importing_a_room_that_needs_no_tensors_never_imports_torch(room: str) -> None:
    program = f"import sys, lossport.{room}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
