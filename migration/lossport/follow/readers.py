"""Which files read something of an attribute, whatever object it belongs to: found by their bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lossport.project.snapshot import Snapshot
from lossport.source.prefilter import Wanted, pattern_of, search


def readers_of(snapshot: Snapshot, paths: Sequence[str], attributes: Iterable[str], members: Iterable[str]) -> Iterator[Path]:
    """The files in which an attribute is called, given a name, or has a member read, and that have the name of such a member.

    `module.criterion.T`, or `out = module.criterion(a, b)` with `out["accuracy"]` anywhere in the file.
    """
    names = tuple(sorted(attributes))
    words = b"|".join(re.escape(name.encode()) for name in names)
    read = re.compile(rb"\.(?:" + words + rb")\s*(?:[.(\[,)]|$|#)", re.MULTILINE)
    changed = pattern_of(members)
    for path in search(snapshot, paths, Wanted(names)).paths:
        raw = snapshot.content(path) or b""
        if read.search(raw) and changed.search(raw):
            yield path
