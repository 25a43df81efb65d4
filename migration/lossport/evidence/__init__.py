"""Evidence: record a legacy loss, prove the new one against it, and keep both.

Start at `golden` (what is recorded) and `proving` (the proof); `capsule` is the file that outlives the legacy loss, `remembered`
what a later run need not do again. May import `project`, `source`, `observe`, `judge`.

    >>> from lossport import evidence                                   # doctest: +SKIP
    >>> golden = evidence.record(project, loss)                         # doctest: +SKIP
    >>> golden.write(loss.golden_file)                                  # doctest: +SKIP
    >>> rewritten = rewrite_case_file(project, loss, golden.header.cases)  # doctest: +SKIP
    >>> proof = evidence.prove(project, loss, golden, rewritten, "cpu") # doctest: +SKIP
    >>> proof.passed, proof.headline                                    # doctest: +SKIP
    (True, '9 equal · 3 close, at most 2 ULP · 2 intended (clip-1)')
    >>> proof.explanation()                                             # doctest: +SKIP
    []

`record` runs the cases on the legacy loss of the tree. `prove` runs the capsule's legacy loss against the tree's new one; a
device that is missing gives a proof with `skipped` set, which has not passed. `proof.summary()` is plain JSON data. A damaged
capsule raises `CapsuleError`, an `InputError`. Importing this package does not import torch; using any of its names does, apart
from `CapsuleError`, `Fingerprint` and `read_header`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossport.evidence.capsule import CapsuleError as CapsuleError
    from lossport.evidence.capsule import Header as Header
    from lossport.evidence.capsule import read_header as read_header
    from lossport.evidence.golden import Golden as Golden
    from lossport.evidence.golden import load_golden as load_golden
    from lossport.evidence.golden import read_golden as read_golden
    from lossport.evidence.golden import record as record
    from lossport.evidence.junit import junit_xml as junit_xml
    from lossport.evidence.proving import costs as costs
    from lossport.evidence.proving import current_fingerprint as current_fingerprint
    from lossport.evidence.proving import devices_here as devices_here
    from lossport.evidence.proving import prove as prove
    from lossport.evidence.proving import replay as replay
    from lossport.evidence.proving import revive as revive
    from lossport.evidence.searching import Searched as Searched
    from lossport.evidence.searching import search as search
    from lossport.evidence.shim_proof import prove_shims as prove_shims
    from lossport.judge.verdict import Finding as Finding
    from lossport.judge.verdict import Proof as Proof
    from lossport.judge.verdict import Verdict as Verdict
    from lossport.source.fingerprint import Fingerprint as Fingerprint

_HOMES = {
    "CapsuleError": "evidence.capsule",
    "Header": "evidence.capsule",
    "read_header": "evidence.capsule",
    "Fingerprint": "source.fingerprint",
    "Golden": "evidence.golden",
    "load_golden": "evidence.golden",
    "read_golden": "evidence.golden",
    "record": "evidence.golden",
    "costs": "evidence.proving",
    "prove_shims": "evidence.shim_proof",
    "current_fingerprint": "evidence.proving",
    "devices_here": "evidence.proving",
    "junit_xml": "evidence.junit",
    "Searched": "evidence.searching",
    "search": "evidence.searching",
    "prove": "evidence.proving",
    "replay": "evidence.proving",
    "revive": "evidence.proving",
    "Finding": "judge.verdict",
    "Proof": "judge.verdict",
    "Verdict": "judge.verdict",
}


def __getattr__(name: str) -> Any:
    """Import the part that holds a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"lossport.{_HOMES[name]}"), name)
