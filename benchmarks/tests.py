"""What the tests cost, in units of `import torch` on the same machine: no figure here depends on how fast that is.

    python benchmarks/tests.py            # quick and default, as `make test` runs them
    python benchmarks/tests.py all        # a tier by name

Counted is processor time of everything that a run starts, user and system together: what else runs on the machine does not
matter. `import torch` is the median of five fresh interpreters, after one that warms the disk. On N quiet processors a run takes
about its processor time divided by N.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORTS = 5


def processor_time(command: list[str]) -> tuple[float, str]:
    """Seconds that a command and all it started used, and the last line that it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = done.stdout.strip().splitlines()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, lines[-1] if lines else ""


def main() -> None:
    """Print a line a tier."""
    load = [sys.executable, "-c", "import torch"]
    processor_time(load)
    unit = statistics.median(processor_time(load)[0] for _ in range(IMPORTS))
    print(f"{'import torch':<14} {unit:8.1f} s of processor time")
    for tier in sys.argv[1:] or ["quick", "default"]:
        seconds, closing = processor_time(["make", "test", f"TESTS={tier}"])
        print(f"{tier:<14} {seconds:8.1f} s = {seconds / unit:6.0f} times import torch   {closing.strip('= ')}")


if __name__ == "__main__":
    main()
