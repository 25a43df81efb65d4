"""Whether a variant applies to a case: decided by what the case is given, never by the last bits of what a loss makes of it."""

from __future__ import annotations

from typing import TypeAlias

from torch import Tensor

from lossport.judge.variants import changes_inputs, changes_width
from lossport.observe.observation import Observation
from lossport.observe.run import Run, Trace, observe
from lossport.observe.side import Side
from lossport.observe.value import raw_bytes
from lossport.project.config import Loss

Given: TypeAlias = tuple[object, ...]
"""The inputs of a run: their names, values and layouts."""


def given_to(trace: Trace) -> Given:
    """What a run was given, before the loss could change it."""
    given = {} if trace.inputs is None else trace.inputs.given
    return tuple((name, _told(value, before)) for name, (value, before) in given.items())


def _told(value: object, before: object) -> object:
    if isinstance(value, Tensor) and isinstance(before, Tensor):
        return before.dtype, tuple(before.shape), value.stride(), raw_bytes(before)
    return repr(before)


def observe_variant(side: Side, case: str, run: Run, plain: Observation, given: Given) -> Observation | None:
    """What the legacy loss shows in a variant of a case; None if the variant does not apply.

    `plain` and `given` are what the loss shows in the case as written, and what it is given there. A variant of inputs that
    leaves these as they are, and what is shown of numbers drawn beside them, has nothing to run.
    """
    trace = Trace()
    seen = observe(side, case, run, trace)
    if changes_width(run.variation) and seen.raised:
        return None
    if changes_inputs(run.variation) and given_to(trace) == given and seen.digest == plain.digest:
        return None
    return seen


def named_variants(loss: Loss) -> frozenset[str]:
    """The variants that a divergence of the loss names, such as `diagonal@nan`."""
    return frozenset(name for port in loss.ports for item in port.divergences for name in item.cases)
