"""The variants that the harness derives from a written case by itself, and which case gets which, always the same."""

from __future__ import annotations

from collections.abc import Sequence

from lossport.inputs import PLAIN, Variation


def derived(case: str, cases: Sequence[str], device: str, variants: bool = True) -> tuple[Variation, ...]:
    """The case as written, then its variants."""
    del case, cases, device, variants
    return (PLAIN,)
