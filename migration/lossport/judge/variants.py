"""The variants that the harness derives from a written case by itself, and which case gets which: the same on every machine.

A variant is a case run on other inputs or in another way: `diagonal@batch-0`. Says nothing about how it is run or judged.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Literal, TypeAlias

from lossport.judge.configurations import PREFIX
from lossport.project.inputs import PLAIN, Variation

Extent: TypeAlias = Literal["none", "chosen", "all"]
"""No variants, each case its share of them, or every case all of them."""

ONE_IN = 4
"""A case other than the first gets one variant in this many: with two dozen cases each variant still meets seven of them, and a
loss is proven in seconds."""

SIZES = (
    Variation("batch-0", batch=0),
    Variation("batch-1", batch=1),
    Variation("batch-2", batch=2),
    Variation("batch-7", batch=7),
    Variation("dim-1", dim=1),
    Variation("dim-7", dim=7),
)
VALUES = (
    Variation("zero-row", values="zero-row"),
    Variation("repeated-row", values="repeated-row"),
    Variation("scale-1e-6", scale=1e-6),
    Variation("scale-1e4", scale=1e4),
    Variation("nan", values="nan"),
    Variation("inf", values="inf"),
    Variation("other-values", seed=1),
)
LAYOUTS = (Variation("strided", layout="strided"), Variation("expanded", layout="expanded"))
DTYPES = (
    Variation("float16", dtype="float16"),
    Variation("bfloat16", dtype="bfloat16"),
    Variation("float64", dtype="float64"),
)
MODES = (
    Variation("autocast", mode="autocast"),
    Variation("no-grad", mode="no-grad"),
    Variation("inference", mode="inference"),
    Variation("eval", training=False),
    Variation("deepcopy", carry="deepcopy"),
    Variation("state-dict", carry="state-dict"),
    Variation("steps", repeats=3),
    Variation("second-backward", second=True),
)
ALL = (*SIZES, *VALUES, *LAYOUTS, *DTYPES, *MODES)

BY_NAME = {item.name: item for item in ALL}


def derived(case: str, cases: Sequence[str], extent: Extent = "chosen", named: Collection[str] = ()) -> tuple[Variation, ...]:
    """The variants of a case. The first case of the file gets all; another gets those that are `named`, such as `diagonal@nan`,
    and some that depend on its name alone.

    A case that was derived from a configuration gets none: its template has its own.
    """
    if extent == "none" or case.startswith(PREFIX):
        return ()
    if extent == "all" or (cases and case == cases[0]):
        return ALL
    names = {item: f"{case}@{item.name}" for item in ALL}
    return tuple(item for item, name in names.items() if name in named or zlib.crc32(name.encode()) % ONE_IN == 0)


def changes_inputs(variation: Variation) -> bool:
    """Whether the variant acts through the inputs alone: where these come out the same, there is nothing to run."""
    return replace(variation, name="", batch=None, dim=None, values="drawn", scale=1.0, layout="contiguous", seed=0) == PLAIN


def changes_width(variation: Variation) -> bool:
    """Whether the variant changes widths, which a loss may be built for: where the legacy loss then fails, it does not apply."""
    return variation.dim is not None


def parts_of(variation: Variation) -> tuple[str, ...]:
    """The names of the derived variants that any run is made of: a batch of none under autocast is both."""
    return tuple(item.name for item in ALL if item.seed == 0 and _departures(item) <= _departures(variation))


def _departures(variation: Variation) -> set[tuple[str, object]]:
    """How a run departs from the case as written."""
    names = [item.name for item in fields(Variation) if item.name not in ("name", "seed")]
    return {(name, getattr(variation, name)) for name in names if getattr(variation, name) != getattr(PLAIN, name)}
