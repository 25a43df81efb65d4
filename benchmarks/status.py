"""What a look at the project costs: `lossport status` and `lossport report --check`, over the time that Python takes to start.

    python benchmarks/status.py --turns 3

Runs each command in turns with an empty Python on this project as it lies here, so that a busy machine slows all alike, and
prints the ratios of their processor seconds (children included), with the share of the search for call sites. The first turn
fills the cache and is not counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from lossport.project.config import find_project
from lossport.rewrite import plan_rewrite

ROOT = Path(__file__).resolve().parent.parent

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "status": [sys.executable, "-m", "lossport", "status"],
    "report_check": [sys.executable, "-m", "lossport", "report", "--check"],
}


def seconds(command: list[str]) -> float:
    """Processor seconds of a command and its children. An exit status is no failure: a gate may be lost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def search() -> float:
    """Processor seconds of the search for call sites and of planning their rewrite, without starting Python."""
    project = find_project(ROOT)
    losses = list(project.losses())
    began = time.process_time()
    plan_rewrite(project, losses)
    return time.process_time() - began


def main() -> None:
    """Run all commands in turns, print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    turns = [{name: seconds(command) for name, command in COMMANDS.items()} for _ in range(parser.parse_args().turns + 1)][1:]
    middle = {name: statistics.median(turn[name] for turn in turns) for name in COMMANDS}
    told = {f"{name}_over_python": round(middle[name] / middle["python"], 1) for name in COMMANDS if name != "python"}
    print(json.dumps({**told, "status_cpu_s": round(middle["status"], 2), "search_share": round(search() / middle["status"], 2)}))


if __name__ == "__main__":
    main()
