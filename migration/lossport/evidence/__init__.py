"""Evidence: recording a legacy loss, proving the new one against it, and showing that the proof would fail if it had to.

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
    from lossport.evidence.detection import power as power
    from lossport.evidence.fingerprint import Fingerprint as Fingerprint
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
    from lossport.evidence.shims import prove_shims as prove_shims
    from lossport.evidence.tried import Power as Power
    from lossport.evidence.tried import caught_by as caught_by
    from lossport.evidence.tried import outcomes_of_all as outcomes_of_all
    from lossport.evidence.tried import survivors_of_all as survivors_of_all
    from lossport.evidence.tried import told as told
    from lossport.evidence.verdict import Finding as Finding
    from lossport.evidence.verdict import Proof as Proof
    from lossport.evidence.verdict import Verdict as Verdict

_HOMES = {
    "power": "detection",
    "Power": "tried",
    "caught_by": "tried",
    "outcomes_of_all": "tried",
    "survivors_of_all": "tried",
    "told": "tried",
    "CapsuleError": "capsule",
    "Header": "capsule",
    "read_header": "capsule",
    "Fingerprint": "fingerprint",
    "Golden": "golden",
    "load_golden": "golden",
    "read_golden": "golden",
    "record": "golden",
    "costs": "proving",
    "prove_shims": "shims",
    "current_fingerprint": "proving",
    "devices_here": "proving",
    "junit_xml": "junit",
    "Searched": "searching",
    "search": "searching",
    "prove": "proving",
    "replay": "proving",
    "revive": "proving",
    "Finding": "verdict",
    "Proof": "verdict",
    "Verdict": "verdict",
}


def __getattr__(name: str) -> Any:
    """Import the part that holds a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
