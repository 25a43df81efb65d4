"""Running one case on one side and seeing everything: results, gradients, state, attributes, randomness, exceptions, warnings.

The only place where project code runs. Compares nothing.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import logging
import time
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lossport.observe.call_recorder import Built, Called
from lossport.observe.float64 import computed_in_float64, paused
from lossport.observe.gradients import GradientTargets, differentiate, fields_of, first_gradients, only_builtin
from lossport.observe.instance import SAVED, instance, why_not_saved
from lossport.observe.observation import InstanceState, Observation, Step
from lossport.observe.random_streams import drawn_from, seed_all, streams_kept
from lossport.observe.rounding import Rounding, rounding_moved
from lossport.observe.settings import Settings, settings_kept
from lossport.observe.side import Side
from lossport.observe.ties import held_by, parts_in, tied, ties_of, ties_since
from lossport.observe.value import Node, Raised, Warned, is_still, snapshot, type_name
from lossport.project.inputs import PLAIN, Inputs, Variation
from lossport.project.pause import collection_paused

LEARNING_RATE = 0.1
"""Of the plain gradient steps between repetitions: large enough to move parameters visibly, small enough to stay finite."""

MOST_STEPS = 1000
"""A case that yields more often does not end."""


@dataclass(frozen=True)
class Run:
    """How a case is run: the variation, the device, whether in float64, and with which sample of moved rounding, 0 for none.

    `moved_by` is how far values move, relatively; None moves them by one unit in their last place. `stream` chooses the seeds of
    the global random streams.
    """

    variation: Variation = PLAIN
    device: str = "cpu"
    in_float64: bool = False
    sample: int = 0
    moved_by: float | None = None
    stream: int = 0

    @property
    def precision(self) -> torch.dtype:
        """The dtype that numbers of this run are rounded to."""
        if self.variation.mode == "autocast":
            return torch.bfloat16 if torch.device(self.device).type == "cpu" else torch.float16
        found: torch.dtype = getattr(torch, self.variation.dtype)
        return found

    def inputs(self, seed: int) -> Inputs:
        """The inputs of one repetition."""
        return Inputs(
            seed,
            device=self.device,
            variation=self.variation,
            in_float64=self.in_float64,
            undisturbed=paused if self.in_float64 or self.sample else contextlib.nullcontext,
        )


@contextmanager
def steady(device: str = "cpu") -> Iterator[None]:
    """One thread, no TF32, deterministic algorithms on CUDA, every warning shown; all streams and settings restored after."""
    threads, always = torch.get_num_threads(), torch.is_warn_always_enabled()
    with ExitStack() as stack:
        stack.enter_context(streams_kept())
        stack.enter_context(collection_paused())
        torch.set_num_threads(1)
        torch.set_warn_always(True)
        stack.callback(torch.set_num_threads, threads)
        stack.callback(torch.set_warn_always, always)
        if torch.device(device).type == "cuda":
            stack.enter_context(_steady_cuda())
        yield


@contextmanager
def _steady_cuda() -> Iterator[None]:
    deterministic = torch.are_deterministic_algorithms_enabled()
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


@dataclass
class Trace:
    """What one run of a case used: its inputs, the losses it built, and every call with the step it was made in."""

    inputs: Inputs | None = None
    built: list[Built] = field(default_factory=list)
    calls: list[tuple[int, Called]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)


def observe(side: Side, case: str, run: Run, trace: Trace | None = None) -> Observation:
    """Run one case on one side, as `run` says, and freeze what is seen; a trace is filled on the way."""
    with side.scope.active(), ExitStack() as stack:
        rounding = Rounding(run.sample, run.moved_by) if run.sample else None
        if run.in_float64:
            stack.enter_context(computed_in_float64(getattr(torch, run.variation.dtype), rounding))
        elif rounding is not None:
            stack.enter_context(rounding_moved(rounding))
        settings = stack.enter_context(settings_kept())
        return _Runner(side, case, run, trace or Trace(), settings).observe()


class _Runner:
    """The state of one run of one case."""

    def __init__(self, side: Side, case: str, run: Run, trace: Trace, settings: Settings) -> None:
        self.side, self.case, self.run, self.trace, self.settings = side, case, run, trace, settings
        self.device = torch.device(run.device)
        self.steps: list[Step] = []
        self.just_built: dict[str, InstanceState] = {}
        self.carried: list[dict[str, Any]] = []
        self.carry_raised: Raised | None = None
        self.returned: list[list[object]] = []
        self.used: set[str] = set()
        self.as_given: dict[str, Node] = {}

    def observe(self) -> Observation:
        for repetition in range(self.run.variation.repeats):
            self.side.watch.reset()
            self.side.watch.on_built = self._built
            self.side.watch.without = {self.side.options.get(name, name) for name in self.run.variation.without}
            self.side.watch.around = torch.inference_mode if self.run.variation.mode == "inference" else contextlib.nullcontext
            try:
                self._repeat(self.run.inputs(repetition))
            finally:
                self.side.watch.on_built, self.side.watch.around = lambda _: None, contextlib.nullcontext
            if self.steps and self.steps[-1].raised is not None:
                break
            self.carried = [vars(item.instance) for item in self.side.watch.built]
        self.trace.built = list(self.side.watch.built)
        if self.run == Run(device=self.run.device) and self.steps:
            self._save_whole()
        self.side.watch.reset()
        return Observation(tuple(self._as_they_stayed()), frozenset(self.used))

    def _repeat(self, inputs: Inputs) -> None:
        self.trace.inputs, self.as_given = inputs, {}
        function = self.side.cases[self.case]
        if not inspect.isgeneratorfunction(function):
            self._step(inputs, lambda: function(inputs))
            return
        steps = function(inputs)
        for _ in range(self.run.variation.steps or MOST_STEPS):
            if not self._step(inputs, lambda: next(steps)):
                break
            if self.run.variation.carry:
                for built in self.side.watch.built:
                    self._carry(built)

    # ---- one step

    def _step(self, inputs: Inputs, advance: Callable[[], object]) -> bool:
        """Run up to the next yield; False when the case has ended, by itself or by an exception."""
        number = len(self.steps)
        seed = zlib.crc32(f"{self.case}:{number}:{self.run.stream}".encode())
        streams = seed_all(seed, self.device)
        made = len(self.side.watch.calls)
        clock = time.process_time if self.device.type == "cpu" else time.perf_counter  # other programs do not count
        began = clock()
        raised: Raised | None = None
        result: object = None
        with _captured() as (texts, caught):
            try:
                with self._mode():
                    result = advance()
            except StopIteration:
                return False
            except (Exception, SystemExit) as error:  # whatever the loss raises is an observation
                raised = Raised(type_name(type(error)), str(error))
            settings = self.settings.changed()
        seconds = clock() - began
        self.trace.seeds.append(seed)
        self.trace.calls += [(number, item) for item in self.side.watch.calls[made:]]
        step = Step(
            result=None,
            raised=raised,
            random=drawn_from(streams, self.device),
            warnings=_warned(caught),
            seconds=seconds,
            printed=texts.getvalue(),
            carried=self.carry_raised,
            settings=settings,
        )
        self.steps.append(self._seen(step, inputs, result))
        self.just_built, self.carry_raised = {}, None
        self.returned.append([part.detach() if isinstance(part, Tensor) else part for part in parts_in(result)])
        if raised is None:
            self.used |= {item.symbol for item in self.side.watch.built} | {item.symbol for item in self.side.watch.calls[made:]}
        return raised is None

    def _save_whole(self) -> None:
        """Note which losses cannot be saved whole when the case has ended. Asked once a case, as it does not depend on inputs."""
        instances = dict(self.steps[-1].instances)
        with self.side.watch.ignoring(), _captured():
            for built in self.side.watch.built:
                why = why_not_saved(built.instance)
                if why and built.label in instances:
                    before = instances[built.label]
                    instances[built.label] = replace(before, burdens={**before.burdens, SAVED: (why,)})
        self.steps[-1] = replace(self.steps[-1], instances=instances)

    def _as_they_stayed(self) -> Iterator[Step]:
        """The steps; results that a later step changed, as a view of a buffer is changed, are tied to it."""
        for number, (step, kept) in enumerate(zip(self.steps, self.returned, strict=True)):
            last = number == len(self.steps) - 1
            yield step if last or step.result is None else replace(step, result=tied(step.result, ties_since(step.result, kept)))

    def _seen(self, step: Step, inputs: Inputs, result: object) -> Step:
        targets = self._targets(inputs)
        fields = fields_of(targets)
        node: Node | None = None
        if step.raised is None:
            node = snapshot(result, self.side.watch.called)
            if not self.run.in_float64 and not self.run.sample:  # those runs are asked for numbers alone
                node = tied(node, ties_of(list(parts_in(result)), self._held(inputs)))
            if not fields:
                with self._backward_mode(result, node), _captured():
                    node = differentiate(result, node, targets, second=self.run.variation.second)
        seen = replace(
            step,
            result=node,
            built=self.just_built,
            instances={item.label: instance(item) for item in self.side.watch.built},
            inputs=self._changed(inputs),
            fields=fields,
        )
        if node is not None and self.run.variation.repeats > 1:
            self._learn(node)
        return seen

    def _changed(self, inputs: Inputs) -> dict[str, Node]:
        """The inputs that are no longer what they were, then other arguments that a call changed."""
        for name, (_, before) in inputs.given.items():
            if name not in self.as_given:
                self.as_given[name] = snapshot(before)
        changed = {name: snapshot(value) for name, (value, _) in inputs.given.items() if not is_still(value, self.as_given[name])}
        tracked = {id(value) for value, _ in inputs.given.values()}
        others = {id(value): value for value in self.side.watch.changed if id(value) not in tracked}
        return changed | {f"argument {number}": snapshot(value) for number, value in enumerate(others.values())}

    def _held(self, inputs: Inputs) -> Iterator[object]:
        """The tensors and containers that a result could share: those of inputs, of losses, and of earlier results."""
        yield from parts_in([value for value, _ in inputs.given.values()])
        for built in self.side.watch.built:
            yield from held_by(built.instance)
        yield from (part for parts in self.returned for part in parts if not isinstance(part, Tensor))

    def _mode(self) -> contextlib.AbstractContextManager[Any]:
        if self.run.variation.mode == "no-grad":
            return torch.no_grad()
        if self.run.variation.mode == "autocast" and not self.run.in_float64:
            return torch.autocast(self.device.type, self.run.precision)
        return contextlib.nullcontext()

    def _backward_mode(self, result: object, node: Node) -> contextlib.AbstractContextManager[Any]:
        """torch's own formulas stay in float64 by themselves; to see each of their operations would take half the time."""
        if self.run.in_float64 and not self.run.sample and only_builtin(result, node):
            return paused()
        return contextlib.nullcontext()

    def _targets(self, inputs: Inputs) -> GradientTargets:
        tensors: dict[str, Tensor] = dict(inputs.leaves)
        for item in self.side.watch.built:
            if isinstance(item.instance, nn.Module):
                for name, parameter in item.instance.named_parameters():
                    tensors[f"parameter {item.label}{name}"] = parameter
        return {name: tensor for name, tensor in tensors.items() if tensor.requires_grad and not is_lazy(tensor)}

    def _learn(self, node: Node) -> None:
        """One plain gradient step on the parameters, as an optimiser takes it."""
        gradients = first_gradients(node)
        for item in self.side.watch.built:
            if isinstance(item.instance, nn.Module):
                for name, parameter in item.instance.named_parameters():
                    gradient = gradients.get(f"parameter {item.label}{name}")
                    if gradient is not None:
                        with torch.no_grad():
                            parameter.add_(gradient.to(parameter), alpha=-LEARNING_RATE)

    # ---- what happens to a loss as soon as it is built

    def _built(self, built: Built) -> None:
        position = len(self.side.watch.built) - 1
        loss = built.instance
        if position < len(self.carried):
            _take_over(loss, self.carried[position])
        elif isinstance(loss, nn.Module):
            _move(loss, self.run, self.device)
        if self.run.variation.carry:
            self._carry(built)
        if not self.run.variation.training and isinstance(loss, nn.Module):
            loss.eval()
        self.just_built[built.label] = instance(built)

    def _carry(self, built: Built) -> None:
        """Continue with a deep copy, or with a fresh loss that loaded this one's state."""
        try:
            with self.side.watch.ignoring(), _captured():
                if self.run.variation.carry == "deepcopy":
                    _take_over(built.instance, vars(copy.deepcopy(built.instance)))
                elif isinstance(built.instance, nn.Module):
                    fresh = built.again()
                    _move(fresh, self.run, self.device)
                    fresh.load_state_dict(built.instance.state_dict())
                    fresh.train(built.instance.training)
                    _take_over(built.instance, vars(fresh))
        except Exception as error:  # what a copy raises is an observation too
            self.carry_raised = Raised(type_name(type(error)), str(error))


def _take_over(loss: Any, inner: Mapping[str, Any]) -> None:
    kept = dict(inner)
    vars(loss).clear()
    vars(loss).update(kept)


def _move(loss: nn.Module, run: Run, device: torch.device) -> None:
    """To the device and precision of the run, as training code does with `.to(...)`; nothing for float32 on the CPU."""
    dtype = getattr(torch, run.variation.dtype)
    if dtype != torch.float32:
        loss.to(dtype)
    if run.in_float64:
        loss.to(torch.float64)
    if device.type != "cpu":
        loss.to(device)


def _warned(caught: Sequence[warnings.WarningMessage]) -> Warned:
    return Warned(
        tuple(sorted({type_name(item.category) for item in caught})), tuple(sorted({str(item.message) for item in caught}))
    )


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, list[warnings.WarningMessage]]]:
    """Keep prints, log lines and warnings of the loss off the terminal."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, [logging.NullHandler()]
    texts = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(texts),
            contextlib.redirect_stderr(texts),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            yield texts, caught
    finally:
        root.handlers = handlers
