"""Plays a recorded case: builds the object, makes the calls, and lists every difference from what was recorded.

Numbers are judged as parity judges them, by its own judge.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import random
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lossport.judge.arbiter import Arbiter, Looked, Sample
from lossport.judge.closeness import Close, Different, Numbers
from lossport.judge.equality import as_numbers
from lossport.observe.float64 import computed_in_float64, paused
from lossport.observe.rounding import Rounding, rounding_moved
from tests.legacy.comparing import Comparison, Figures, Found
from tests.legacy.recording import FIXTURE, Case, Encoded, Step, tensor_of

PLAIN = Sample(in_float64=False)
"""As the module runs by itself."""


class DictLinear(nn.Module):
    """A model that takes a dictionary, as text models do: one linear layer applied to `batch["x"]`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        encoded: Tensor = self.linear(batch["x"])
        return encoded


def play(case: Case, package: str) -> list[str]:
    """Every difference between the case and what the module of that name in `package` does now; empty if there is none.

    Numbers are judged as parity judges them: the module itself runs again in float64, and with its rounding moved.
    """
    live = seen(case, package)
    return list(differences(live, arbiter_of(case, package)))


def differences(live: Iterable[Found], arbiter: Arbiter) -> Iterator[str]:
    """What differs in form, and numbers that the judge finds different, in words."""
    for found in live:
        outcome = found if isinstance(found, str) else judged(found, arbiter)
        if isinstance(found, str):
            yield found
        elif isinstance(outcome, Different):
            where = f", element {', '.join(map(str, outcome.index))}" if outcome.index else ""
            yield f"{found.place}{where}: {outcome.legacy} instead of {outcome.new}"


def judged(figures: Figures, arbiter: Arbiter) -> Close | Different | None:
    """The outcome for numbers at one place: it is the recorded ones that have to stand up to the module as it runs here."""
    outcome = figures.outcome
    return arbiter.judge(0, figures.place, outcome) if isinstance(outcome, Numbers) else outcome


def arbiter_of(case: Case, package: str) -> Arbiter:
    """The judge of a case's numbers, which plays the case again when it has to."""

    def again(sample: Sample) -> Looked:
        numbers = {found.place: found.live for found in seen(case, package, sample) if isinstance(found, Figures)}
        return lambda step, place: as_numbers(numbers.get(place))

    return Arbiter(again, torch.float32, elsewhere=True)


def seen(case: Case, package: str, sample: Sample = PLAIN) -> list[Found]:
    """One play of the case: what differs in form, and all numbers.

    A case in float64 is its own reference: with all else in float64, too, a module may take another way through its code.
    """
    widened = sample.in_float64 and not case.is_in_float64
    rounding = Rounding(sample.number, sample.moved_by, draws=True) if sample.number else None
    with ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if widened:
            stack.enter_context(computed_in_float64(torch.float32, rounding))
        elif rounding is not None:
            stack.enter_context(rounding_moved(rounding))
        return list(_Player(package, widened).play(case))


def seed_everything(seed: int) -> None:
    """Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@dataclass
class _Player:
    """One play of one case; `shared` are the objects that several arguments refer to."""

    package: str
    in_float64: bool = False
    shared: dict[str, Any] = field(default_factory=dict)

    def play(self, case: Case) -> Iterator[Found]:
        for name, item in case.shared.items():
            self.shared[name] = self.decode(item)
        for name, state in case.shared_state.items():
            yield from Comparison().differences(state, dict(self.shared[name].state_dict()), f"shared {name}")
        target = self.find(f"{case.module}:{case.symbol}")
        if not isinstance(target, type):
            yield from self._steps(case, target, None)
            return
        built, differences = self._build(case, target)
        yield from differences
        if built is not None:
            yield from _state(case.state_before, built, "state before")
            yield from self._steps(case, built, built)
            yield from _state(case.state_after, built, "state after")
            yield from Comparison(itself=built).attributes(case.attributes_after, built, "attributes after")

    def find(self, symbol: str) -> Any:
        """The object called `module:Name`: torch's, the player's own, or the package's."""
        module, _, name = symbol.partition(":")
        if module == FIXTURE:
            return {"DictLinear": DictLinear}[name]
        return getattr(importlib.import_module(module if module.startswith("torch") else f"{self.package}.{module}"), name)

    def decode(self, value: Encoded) -> Any:
        """The live value of a recorded argument."""
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        for form, make in _FORMS.items():
            if form in value:
                return make(self, value[form])
        return {name: self.decode(item) for name, item in value.items()}

    def _tensor(self, record: Mapping[str, Any]) -> Tensor:
        with paused():  # an input is what was recorded, whatever is computed from it
            tensor = tensor_of(record)
            if self.in_float64 and tensor.is_floating_point():
                tensor = tensor.to(torch.float64)
        return tensor.requires_grad_(record.get("requires_grad", False))

    def _new(self, record: Mapping[str, Any]) -> Any:
        make = self.find(record["symbol"])
        torch.manual_seed(record["seed"])
        return make(*self.decode(record["args"]), **self.decode(record["kwargs"]))

    def _build(self, case: Case, target: type) -> tuple[Any, list[str]]:
        """The object, or None if there is none to go on with."""
        build = case.build
        seed_everything(build.seed)
        args, kwargs = self.decode(build.args), self.decode(build.kwargs)
        drawn = torch.get_rng_state()
        seed_everything(build.seed)
        if "$new" in str([build.args, build.kwargs]):  # the recorder seeded torch before it built the parts, and not again
            torch.set_rng_state(drawn)
        try:
            built = target(*args, **kwargs)
        except Exception as error:  # which one is what is compared
            return None, _exception(build.raises, error, "construction")
        return (built, []) if build.raises is None else (None, _exception(build.raises, None, "construction"))

    def _steps(self, case: Case, target: Any, built: Any) -> Iterator[Found]:
        for number, step in enumerate(case.steps):
            yield from self._step(step, target, built, f"step {number}")

    def _step(self, step: Step, target: Any, built: Any, place: str) -> Iterator[Found]:
        args, kwargs = self.decode(step.args), self.decode(step.kwargs)
        inputs = dict(_leaves("kwargs", kwargs)) | dict(_leaves("args", args))
        if isinstance(built, nn.Module):
            built.zero_grad(set_to_none=True)
        seed_everything(step.seed)
        before = torch.get_rng_state()
        try:
            returned = (target if step.op == "call" else getattr(built, step.op))(*args, **kwargs)
            consumed = not torch.equal(before, torch.get_rng_state())
            found = _differentiate(returned, step.backward)
        except Exception as error:  # which one is what is compared
            yield from _exception(step.raises, error, place)
            return
        yield from _exception(step.raises, None, place)
        if "returns" in step.seen:
            yield from Comparison(itself=built).differences(step.seen["returns"], returned, f"{place}, returns")
        if step.seen.get("rng_consumed", consumed) != consumed:
            yield f"{place}: random numbers were {'' if consumed else 'not '}drawn"
        if step.backward is not None and "input_grads" in step.seen and not found:
            yield f"{place}: the loss has no graph"
        if found:
            yield from _gradients(step.seen.get("input_grads", {}), inputs, f"{place}, gradient of")
            # Asked only now: a call may replace parameters.
            parameters = dict(built.named_parameters()) if isinstance(built, nn.Module) else {}
            yield from _gradients(step.seen.get("param_grads", {}), parameters, f"{place}, gradient of parameter")


_FORMS: dict[str, Callable[[_Player, Any], Any]] = {
    "$tensor": _Player._tensor,
    "$float": lambda _, text: float(text),
    "$tuple": lambda player, items: tuple(player.decode(items)),
    "$namespace": lambda player, items: types.SimpleNamespace(**{name: player.decode(item) for name, item in items.items()}),
    "$ref": lambda player, name: player.shared[name],
    "$new": _Player._new,
}


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors in the arguments that want a gradient, each with its path."""
    if isinstance(value, Tensor):
        if value.requires_grad and value.is_leaf:
            yield place, value
    elif isinstance(value, Mapping | list | tuple):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, item in items:
            yield from _leaves(f"{place}.{name}", item)


def _differentiate(returned: Any, entry: str | int | None) -> bool:
    """Sum and differentiate the named entry of what a call returned; whether it has a graph at all."""
    if entry is None:
        return False
    loss = returned
    if isinstance(entry, int):
        loss = returned[entry]
    elif entry:
        loss = returned.get(entry) if isinstance(returned, Mapping) else None
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        return False
    loss.sum().backward()  # type: ignore[no-untyped-call]  # torch declares no types for it
    return True


def _gradients(wanted: Mapping[str, Encoded], tensors: Mapping[str, Tensor], place: str) -> Iterator[Found]:
    """A gradient that is missing is not one that is zero."""
    for name, item in wanted.items():
        found = tensors[name].grad if name in tensors else None
        if item is None and found is not None:
            yield f"{place} {name}: there is one, where none was recorded"
        elif item is not None and found is None:
            yield f"{place} {name}: there is none"
        elif item is not None:
            yield from Comparison().differences(item, found, f"{place} {name}")


def _state(wanted: Encoded, built: Any, place: str) -> Iterator[Found]:
    if wanted is not None and isinstance(built, nn.Module):
        yield from Comparison().differences(wanted, dict(built.state_dict()), place)


def _exception(wanted: str | None, error: Exception | None, place: str) -> list[str]:
    """Types count, messages do not: they are worded by torch, or by whoever wrote the module."""
    found = None if error is None else type(error).__name__
    if found == wanted:
        return []
    return [f"{place}: raised {found or 'nothing'}{f' ({error})' if error else ''} instead of {wanted or 'nothing'}"]
