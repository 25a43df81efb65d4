"""What parity costs, as ratios to `python -c "import torch"` in one run: one loss cold and warm, and all losses cold and warm.

    python benchmarks/parity.py --loss clip

Works on a copy of the project in a temporary folder. Processor seconds, which a busy machine falsifies least, are of one loss;
all losses are compared side by side in processes that outlive their parent's account, so of these the elapsed time counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.migrate.parity import processors

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("legacy", "losses", "migration", "examples", "tests", "pyproject.toml")
REPEATS = 3
"""Of the import of torch, the measure of all others; the least is taken."""


@dataclass(frozen=True)
class Cost:
    """Processor and elapsed seconds."""

    cpu: float
    wall: float


def cost(command: Sequence[str], folder: Path) -> Cost:
    """Run a command to its end and say what it cost with all its children."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(folder / "migration"), "OMP_NUM_THREADS": "1"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)


def measured(folder: Path, loss: str, everything: bool) -> dict[str, Cost]:
    """Each command cold, then warm; first of all the import of torch."""
    for name in COPIED:
        source = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__", "goldens", "ledger.jsonl")
        shutil.copytree(source, folder / name, ignore=ignored) if source.is_dir() else shutil.copy2(source, folder / name)
    imports = [cost(["-c", "import torch"], folder) for _ in range(REPEATS)]
    found = {"import torch": min(imports, key=lambda item: item.cpu)}
    wanted = {f"parity {loss}": [loss], **({"parity, all losses": []} if everything else {})}
    for name, losses in wanted.items():
        command = ["-m", "lossport", "parity", *losses, "--device", "cpu"]
        found[f"{name}, cold"] = cost(command, folder)
        found[f"{name}, warm"] = cost(command, folder)
    return found


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--loss", default="clip")
    options.add_argument("--one", action="store_true", help="leave the full matrix out, which takes minutes")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), given.loss, not given.one)
    unit = found["import torch"]
    ratios = {
        name: {"cpu": round(item.cpu / unit.cpu, 2), "wall": round(item.wall / unit.wall, 2)} for name, item in found.items()
    }
    if given.json:
        print(json.dumps({"processors": processors(), "ratios": ratios}, indent=2))
        return
    print(f"times importing torch ({unit.cpu:.1f} s of processor, {unit.wall:.1f} s elapsed), {processors()} processors")
    print(f"{'':28}{'processor':>10}{'elapsed':>10}")
    for name, ratio in ratios.items():
        print(f"{name:28}{ratio['cpu'] if 'all' not in name else '-':>10}{ratio['wall']:>10}")


if __name__ == "__main__":
    main()
