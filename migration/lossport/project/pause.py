"""No collection of cycles while a tree is read, or cases run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the search for cycles of objects: it goes through millions of syntax nodes, which hold none.

    That costs as much as all the rest of reading a tree, and a tenth of running cases; pausing it costs a tenth more memory.
    Nested pauses end with the outer one.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
