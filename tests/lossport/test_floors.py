"""The floors of the house: no module imports what stands above or beside it, and none import each other in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2] / "migration" / "lossport"

FLOORS = (
    {"project"},
    {"source", "measure"},
    {"observe", "follow"},
    {"judge", "rewrite"},
    {"evidence", "report"},
    {"migrate"},
    {"cli"},
)
"""The floors of the house, from the ground up."""
BESIDE = {"power", "compare", "scaffold"}
"""These use the house up to `migrate`; of the house only the commands in `cli` use them."""
PUBLIC = {"port", "inputs"}
"""What port files and case files import: names from `project` under an address that does not change. The house uses `project`."""

FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ROOMS = FLOOR_OF.keys() | BESIDE | PUBLIC

WITHOUT_TORCH = sorted(ROOMS - {"inputs"})

MODULES = {
    ".".join(("lossport", *path.relative_to(HOUSE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(HOUSE.rglob("*.py"))
}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports_in(path: Path) -> Iterator[str]:
    """The modules of the house that a file imports anywhere: at the top, inside functions, and for type checkers alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import, which this test does not follow"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from ({name if name in MODULES else str(node.module) for name in names} & MODULES.keys()) - {"lossport"}
        elif isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & MODULES.keys()


IMPORTS = {module: set(imports_in(path)) for module, path in MODULES.items()}


def may_import(room: str, other: str) -> bool:
    if room == other or room in ("", "__main__"):
        return True
    if room in PUBLIC:
        return other == "project"
    if room in BESIDE:
        return other in FLOOR_OF and other != "cli"
    if other in BESIDE:
        return room == "cli"
    return other in FLOOR_OF and FLOOR_OF[other] < FLOOR_OF[room]


def circles(imports: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others: strongly connected components (Tarjan 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        path.append(module)
        for other in imports[module]:
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in path:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            at = path.index(module)
            group = path[at:]
            del path[at:]
            if len(group) > 1 or module in imports[module]:
                found.append(sorted(group))

    for module in imports:
        if module not in number:
            visit(module)
    return found


def test_every_room_has_a_floor() -> None:
    assert {room_of(module) for module in MODULES} - {"", "__main__"} == ROOMS


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_what_stands_above_or_beside_it(module: str) -> None:
    wrong = {other for other in IMPORTS[module] if not may_import(room_of(module), room_of(other))}
    assert not wrong, f"{module} imports {', '.join(sorted(wrong))}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(IMPORTS) == []


def test_a_circle_through_three_modules_is_found() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": [], "e": ["a"]}) == [["a", "b", "c"]]


@pytest.mark.parametrize(("room", "other"), [("judge", "rewrite"), ("judge", "evidence"), ("migrate", "power"), ("power", "cli")])
def test_a_step_up_or_aside_is_found(room: str, other: str) -> None:
    assert not may_import(room, other)
    assert may_import("cli", "power")


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


def test_a_class_name_finds_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_a_module_name_finds_one_module_apart_from_the_public_ones() -> None:
    homes: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        if path.name != "__init__.py" and room_of(module) not in PUBLIC:
            homes.setdefault(path.stem, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}
