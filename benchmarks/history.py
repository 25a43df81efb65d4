"""How long the history takes: a repository of the size of this project with many commits, measured first and again.

    python benchmarks/history.py --commits 500

Each commit edits one file of copies of this project's own `legacy/` and `losses/`; every tenth is a merge, and legacy files are
deleted towards the end. The first run measures every content, the second finds all of it remembered, the third has one commit
more. Times are processor seconds, which a busy machine falsifies least; nothing outside a temporary folder is written.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lossport.measure.cache import Memory
from lossport.measure.history import read_history

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261123
EPOCH = 1_760_000_000
"""An arbitrary first commit date; commits follow at an hour each."""


def fast_import(commits: int) -> Iterator[bytes]:
    """A stream for `git fast-import`."""
    rng = random.Random(SEED)
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for folder in ("legacy", "losses")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    retired = [path for path in files if path.startswith("legacy/") and not path.endswith("__init__.py")]
    for number in range(1, commits + 1):
        parents = b"from :%d\n" % (number - 1) if number > 1 else b""
        if number % 10 == 0:
            parents += b"merge :%d\n" % (number - 2)
        yield b"commit refs/heads/main\nmark :%d\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % (number, EPOCH + 3600 * number)
        yield parents
        if number == 1:
            changed = list(files)
        elif number > commits // 2 and retired and rng.random() < 0.1:
            path = retired.pop()
            del files[path]
            yield f"D {path}\n".encode()
            continue
        else:
            changed = [rng.choice(list(files))]
            lines = files[changed[0]].splitlines(keepends=True)
            lines.insert(rng.randrange(len(lines) + 1) if lines else 0, b"# revision %d\n" % number)
            files[changed[0]] = b"".join(lines)
        for path in changed:
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(files[path]), files[path])


def one_more(root: Path) -> None:
    """A commit on top that changes one file."""
    path = next((root / "losses").glob("c*.py"))
    path.write_text(path.read_text() + "# one more\n")
    git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@b"]
    subprocess.run([*git, "commit", "-qam", "one more"], check=True)


def seconds(root: Path) -> tuple[float, int]:
    """Processor time for loading the memory, reading the history and saving what was learnt; and how many moments it has."""
    start = time.process_time()
    memory = Memory(root / ".lossport" / "cache")
    history = read_history(root, "legacy", "losses", memory, 2000)
    memory.save()
    return time.process_time() - start, len(history.moments)


def main() -> None:
    """Build the repository, measure it three times, print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--commits", type=int, default=500)
    commits = parser.parse_args().commits
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
        subprocess.run(["git", "-C", folder, "fast-import", "--quiet"], input=b"".join(fast_import(commits)), check=True)
        subprocess.run(["git", "-C", folder, "reset", "-q", "--hard"], check=True)
        first, moments = seconds(root)
        again, _ = seconds(root)
        one_more(root)
        then, _ = seconds(root)
        size = sum(path.stat().st_size for path in (root / ".lossport" / "cache").iterdir())
    result = {"commits": commits, "moments": moments, "first_cpu_s": first, "again_cpu_s": again, "one_commit_more_cpu_s": then}
    print(json.dumps({**{k: round(v, 2) for k, v in result.items()}, "memory_bytes": size}))


if __name__ == "__main__":
    main()
