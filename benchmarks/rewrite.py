"""How long a rewrite takes in a large tree, beside the tools that one would take instead, in one run.

    python benchmarks/rewrite.py --files 12000 --sites 100

The tree is made of real Python files: those installed here, and big packages that pip puts into a temporary folder. Call sites
are planted at the end of some of them, by seed: half `from` imports, a quarter with `as`, a quarter `import a.b`. Times are
processor seconds of each tool and its children, which a busy machine falsifies least. rope and LibCST's own rename would take
hours; they run on a sample with the same share of call sites, and their figures are extrapolated by bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

SEED = 7
PACKAGES = ("django", "sympy", "networkx", "transformers", "pandas", "scikit-learn", "scipy", "matplotlib", "numpy")
"""Pure Python for the most part, and of many styles; installed without their dependencies."""

LEGACY, NEW = "QuadrupletStyleLoss", "QuadrupletLoss"
CURVE = (1000, 4000)
"""Smaller trees with as many call sites: what is paid for the tree shows beside what is paid for the sites."""

FILES = {
    "pyproject.toml": '[tool.lossport]\nlegacy = "retiring"\nnew = "staying"\n'
    'ports = "ports"\ncases = "cases"\ngoldens = "goldens"\n',
    "retiring/__init__.py": "",
    "retiring/quadruplet.py": f"class {LEGACY}:\n    def __init__(self, margin=0.2, T=1.0):\n        self.margin = margin\n",
    "staying/__init__.py": f"class {NEW}:\n    def __init__(self, margin=0.3, temperature=1.0):\n        self.margin = margin\n",
    "ports/quadruplet.py": "from lossport.port import Port, rename\n\nPORTS = (\n    Port(\n"
    f'        legacy="retiring.quadruplet.{LEGACY}",\n        new="staying.{NEW}",\n'
    '        parameters=(rename("T", "temperature"),),\n    ),\n)\n',
}
LOOKS_UP = re.compile(rb"\b(?:globals|eval|exec|locals|vars)\s*\(|sys\.modules")
"""Files that look names up while they run: a legacy name in one of these is left to a person, and would not be a rewrite."""

FORMS = (
    f"\nfrom retiring.quadruplet import {LEGACY}\n\n_criterion = {LEGACY}(T=0.1)\n",
    f"\nfrom retiring.quadruplet import {LEGACY}\n\n_criterion = {LEGACY}(0.5, T=2.0)\n",
    f"\nfrom retiring.quadruplet import {LEGACY} as _Loss\n\n_criterion = _Loss(0.5)\n",
    f"\nimport retiring.quadruplet\n\n_criterion = retiring.quadruplet.{LEGACY}(T=0.1)\n",
)

ROPE = """
import sys
from rope.base.project import Project
from rope.refactor.rename import Rename
project = Project(sys.argv[1], ignore_syntax_errors=True, ropefolder=None)
module = project.get_file("retiring/quadruplet.py")
project.do(Rename(project, module, module.read().index(sys.argv[2])).get_changes(sys.argv[3]))
"""


@dataclass(frozen=True)
class Figure:
    """One tool: processor seconds, files that it changed, and by how much its figure is extrapolated (1 if it is measured)."""

    tool: str
    cpu_s: float
    changed: int
    scale: float = 1.0


def sources(folder: Path, packages: Sequence[str]) -> list[Path]:
    """Python files to build from, in a stable order: those of the packages, then those of this environment."""
    target = folder / "packages"
    if packages:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-compile", "--target", str(target), *packages]
        subprocess.run(pip, check=True)
    return [
        path for root in (target, Path(sysconfig.get_path("purelib"))) for path in sorted(root.rglob("*.py")) if path.is_file()
    ]


def build(root: Path, files: Sequence[Path], sites: int) -> int:
    """A project under git with the files and the planted call sites; its size in bytes."""
    rng = random.Random(SEED)
    able = [number for number, source in enumerate(files) if not LOOKS_UP.search(source.read_bytes())]
    hit = set(rng.sample(able, sites))
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    size = planted = 0
    for number, source in enumerate(files):
        path = root / "src" / f"p{number // 100:03}" / f"m{number:05}_{source.name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = source.read_bytes()
        if number in hit:
            raw = raw.rstrip() + b"\n" + FORMS[planted % len(FORMS)].encode()
            planted += 1
        path.write_bytes(raw)
        size += len(raw)
    git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@b", "-c", "core.autocrlf=false"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "tree"], check=True)
    return size


def tell(text: str) -> None:
    """What is going on, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def cpu(command: Sequence[str], root: Path) -> float:
    """Processor seconds of a command and all its children. Python may keep what it compiled, as it does where it is installed."""
    before = os.times()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, env=environment)
    after = os.times()
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return after.children_user + after.children_system - before.children_user - before.children_system


def measured(tool: str, command: Sequence[str], root: Path, times: int, scale: float = 1.0) -> Figure:
    """The median of some runs; the tree is put back after each."""
    git = ["git", "-C", str(root)]
    seconds, changed = [], 0
    for number in range(times):
        tell(f"  {tool}, run {number + 1} of {times}")
        seconds.append(cpu(command, root))
        names = subprocess.run([*git, "diff", "--name-only"], capture_output=True, text=True, check=True).stdout
        changed = len(names.splitlines())
        subprocess.run([*git, "checkout", "-q", "."], check=True)
    return Figure(tool, statistics.median(seconds) * scale, changed, scale)


def ours(root: Path, times: int) -> Figure:
    """`lossport rewrite`, with the start of Python and the transaction that writes."""
    return measured("lossport rewrite", [sys.executable, "-m", "lossport", "rewrite", "quadruplet"], root, times)


def peers(folder: Path, root: Path, size: int, files: Sequence[Path], options: argparse.Namespace) -> list[Figure]:
    """Those of the other tools that are installed."""
    found: list[Figure] = []
    beside = Path(sys.executable).parent

    def here(name: str) -> str | None:
        return str(beside / name) if (beside / name).is_file() else shutil.which(name)

    if rg := here("rg"):
        found.append(measured("ripgrep, search only", [rg, "-l", "-tpy", LEGACY, "."], root, options.times))
    if sg := here("ast-grep"):
        command = [sg, "run", "-l", "py", "-p", LEGACY, "-r", NEW, "-U", "."]
        found.append(measured("ast-grep run -U", command, root, 1))
    samples: list[tuple[str, str, int, Callable[[Path], list[str]]]] = [
        ("rope", "rope rename", options.rope_sample, lambda at: [sys.executable, "-c", ROPE, str(at), LEGACY, NEW]),
        ("libcst", "LibCST's RenameCommand", options.libcst_sample, _libcst),
    ]
    for package, tool, count, command_for in samples:
        if not _installed(package) or not count:
            continue
        some = random.Random(SEED + 4).sample(list(files), min(count, len(files)))
        at = folder / package
        part = build(at, some, max(1, round(options.sites * len(some) / len(files))))
        found.append(measured(tool, command_for(at), at, 1, size / part))
    return found


def _libcst(at: Path) -> list[str]:
    names = [f"--old_name=retiring.quadruplet.{LEGACY}", f"--new_name=staying.{NEW}"]
    return [sys.executable, "-m", "libcst.tool", "codemod", "rename.RenameCommand", "-j", "1", *names, str(at)]


def _installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def show(figures: Sequence[Figure]) -> None:
    """Aligned lines: processor seconds, and how many times as much as ours."""
    unit = figures[0].cpu_s
    print(f"{'tool':<28}{'CPU s':>10}{'x ours':>10}{'changed':>9}")
    for figure in figures:
        note = "" if figure.scale == 1 else f"   extrapolated by bytes, x{figure.scale:.0f}"
        print(f"{figure.tool:<28}{figure.cpu_s:>10.2f}{figure.cpu_s / unit:>10.2f}{figure.changed:>9}{note}")


def main() -> None:
    """Build the trees, run the tools, print the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=12_000, help="Python files in the tree, at most")
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--times", type=int, default=3, help="runs of the fast tools; the median counts")
    parser.add_argument("--packages", nargs="*", default=PACKAGES, help="what pip installs for the tree; none: this environment")
    parser.add_argument("--rope-sample", type=int, default=400, metavar="FILES", help="0 leaves rope out")
    parser.add_argument("--libcst-sample", type=int, default=40, metavar="FILES", help="0 leaves LibCST out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        tell("gathering files")
        known = sources(folder, options.packages)
        random.Random(SEED).shuffle(known)
        files = known[: options.files]
        curve = []
        for count in (*(n for n in CURVE if n < len(files)), len(files)):
            tell(f"a tree of {count} files")
            root = folder / f"tree{count}"
            size = build(root, files[:count], options.sites)
            curve.append((count, size, ours(root, options.times)))
        figures = [curve[-1][2], *peers(folder, root, size, files, options)]
    if options.json:
        rows = [{"files": n, "bytes": size, "cpu_s": round(figure.cpu_s, 3)} for n, size, figure in curve]
        print(json.dumps({"curve": rows, "tools": [vars(figure) for figure in figures]}))
        return
    print(f"{len(files)} Python files, {size / 1e6:.0f} MB, {options.sites} planted call sites\n")
    show(figures)
    print(f"\n{'files':<10}{'MB':>8}{'CPU s':>10}")
    for count, size, figure in curve:
        print(f"{count:<10}{size / 1e6:>8.0f}{figure.cpu_s:>10.2f}")


if __name__ == "__main__":
    main()
