"""Goldens: the legacy loss's observations with the source that made them, recorded into a capsule and read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import safetensors
import safetensors.torch
import torch

from lossport.evidence.capsule import FORMAT, KEY, NO_DIGEST, CapsuleError, Header, parse, read_bytes, seal
from lossport.evidence.environment import environment
from lossport.judge.applying import given_to, named_variants, observe_variant
from lossport.judge.configurations import Construction, Derived, only, with_configurations, without
from lossport.judge.variants import derived
from lossport.observe.encoding import Tensors
from lossport.observe.isolation import Sources
from lossport.observe.observation import Observation, decode_observation, encoded_digest
from lossport.observe.run import Run, Trace, observe, steady
from lossport.observe.side import Side, legacy_side
from lossport.observe.value import raw_bytes
from lossport.observe.work import work_counted
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError
from lossport.project.progress import Progress, no_progress
from lossport.project.replacing import replace_file
from lossport.project.snapshot import snapshot_of
from lossport.source.fingerprint import Fingerprint, file_digest

Refusal: TypeAlias = Callable[[str], str]
"""Why a case file cannot be rewritten for the new loss; empty if it can."""


MOST_WORK_DERIVED = 2_000_000_000
"""Work that a derived case may take, as `observe.work` counts it, about two seconds: a queue of full size says no more than a
small one, and parity runs it several times. Not timed, so that the same cases are derived on every machine."""


@dataclass(frozen=True)
class Golden:
    """A recorded loss. `observations` are those of the written cases, by name, on the CPU in float32.

    `just_seen` are the same and those of their variants as they were seen, where this process recorded them: parity need not look
    again.
    """

    header: Header
    content: bytes
    unsteady: tuple[str, ...] = ()
    just_seen: Mapping[str, Observation] = field(default_factory=dict, repr=False, compare=False)

    @property
    def cases(self) -> tuple[str, ...]:
        """The names of the written cases, in their order."""
        return tuple(self.header.data["observations"])

    @property
    def case_count(self) -> int:
        """How many written cases it holds."""
        return len(self.cases)

    @property
    def runs(self) -> frozenset[str] | None:
        """The variants that apply to the written cases, as `case@variant`; None in a golden that does not list them."""
        listed = self.header.data.get("runs")
        return None if listed is None else frozenset(listed)

    @property
    def not_derived(self) -> tuple[str, ...]:
        """Constructions in the tree that could not be made a case, and why."""
        return tuple(self.header.data.get("not_derived", ()))

    @property
    def fingerprint(self) -> Fingerprint:
        """What it was recorded from."""
        return self.header.fingerprint

    @cached_property
    def observations(self) -> Mapping[str, Observation]:
        """The recorded observations."""
        tensors = safetensors.torch.load(self.content)
        return {name: decode_observation(data, tensors) for name, data in self.header.data["observations"].items()}

    def digest(self, case: str) -> str:
        """The digest of a recorded observation."""
        return encoded_digest(self.header.data["observations"][case])

    def same_environment(self, now: Mapping[str, str]) -> bool:
        """Whether it was recorded where the same bits are to be expected."""
        return dict(self.header.environment) == dict(now)

    def with_rewritten(self, rewritten: str, fingerprint: Fingerprint) -> Golden:
        """The same golden with the cases as they read for the new loss, so that parity runs without the rewriter."""
        mixed = replace(self.fingerprint, port=fingerprint.port, rewriter=fingerprint.rewriter)
        data = {**self.header.data, "rewritten": rewritten, "fingerprint": mixed.as_dict()}
        return replace(_sealed(data, safetensors.torch.load(self.content), self.header.loss), just_seen=self.just_seen)

    def write(self, path: Path) -> None:
        """Write the capsule in the place of the old one."""
        replace_file(path, self.content)


def read_golden(path: Path, shown: str | None = None, content: bytes | None = None) -> Golden:
    """Read and check a capsule; `content` is what it holds, where it was read already.

    Raises:
        CapsuleError: it cannot be trusted or read; the message says why.
    """
    content = read_bytes(path, shown) if content is None else content
    golden = Golden(parse(content, shown or str(path)), content)
    golden = replace(golden, unsteady=tuple(golden.header.data.get("unsteady", ())))
    try:
        _ = golden.observations
    except Exception as error:  # safetensors has exceptions of its own
        raise CapsuleError(f"{shown or path}: its tensors cannot be read: {error}; record the loss again") from error
    return golden


def load_golden(project: Project, loss: Loss) -> Golden:
    """The recorded golden of a loss; see `read_golden`."""
    return read_golden(loss.golden_file, project.relative(loss.golden_file), snapshot_of(project).content(loss.golden_file))


def record(
    project: Project,
    loss: Loss,
    *,
    progress: Progress = no_progress,
    fingerprint: Fingerprint | None = None,
    rewritten: str = "",
    built: Sequence[Construction] = (),
    refusal: Refusal = lambda text: "",
) -> Golden:
    """Run the cases on the legacy loss in the tree and make its golden. Writes nothing; see `Golden.write`.

    `rewritten` is the case file as the rewriter turns it; it goes into the capsule. What is `built` in the tree of the loss's
    legacy classes becomes a case, too, unless `refusal` gives a reason why such a case file cannot be rewritten; what cannot be
    derived is in `Golden.not_derived`. Each case runs twice: one that differs from itself is in `unsteady`, and never proven.
    """
    shown = project.relative(loss.case_file)
    try:
        text = snapshot_of(project).text(loss.case_file)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shown}: cannot be read: {error}; a loss needs a case file") from error
    sources = Sources(_closure(project, loss), fallback=lambda module: from_tree(project, module))
    symbols = tuple(port.legacy for port in loss.ports)
    derived = Derived(text)
    with steady():
        own = [item for item in built if item.symbol in symbols]
        if own:
            derived = _configured(project, loss, sources, own, text, refusal)
        with legacy_side(sources, symbols, (), (shown, derived.text)) as side:
            observations, unsteady = _observed(side, progress)
            varied = _varied(side, observations, unsteady, named_variants(loss))
        here = environment()
    tensors = Tensors()
    given = fingerprint or Fingerprint(cases=file_digest(loss.case_file), port=loss.port_digest)
    data = {
        "format": FORMAT,
        "digest": NO_DIGEST,
        "loss": loss.name,
        "symbols": list(loss.symbols),
        "fingerprint": replace(given, new="").as_dict(),
        "environment": here,
        "sources": dict(sorted(sources.texts.items())),
        "cases_path": shown,
        "cases": derived.text,
        "rewritten": rewritten,
        "unsteady": unsteady,
        "runs": sorted(varied),
        "not_derived": list(derived.missing),
        "observations": {name: item.encoded(tensors) for name, item in observations.items()},
    }
    return replace(_sealed(data, tensors.stored, loss.name), just_seen={**observations, **varied})


def _observed(side: Side, progress: Progress) -> tuple[dict[str, Observation], list[str]]:
    """Every case, and the names of those that differ from themselves."""
    observations: dict[str, Observation] = {}
    unsteady: list[str] = []
    for done, name in enumerate(side.cases):
        progress(name, done, len(side.cases))
        observations[name] = observe(side, name, Run())
        if observations[name].digest != observe(side, name, Run()).digest:
            unsteady.append(name)
    progress("", len(side.cases), len(side.cases))
    return observations, unsteady


def _varied(
    side: Side, observations: Mapping[str, Observation], unsteady: Sequence[str], named: Collection[str]
) -> dict[str, Observation]:
    """The variants that apply to the cases, as `case@variant`, and what the legacy loss shows in them."""
    found: dict[str, Observation] = {}
    for case, plain in observations.items():
        if case in unsteady or plain.raised:
            continue
        trace = Trace()
        observe(side, case, Run(), trace)
        given = given_to(trace)
        for variation in derived(case, list(observations), "chosen", named):
            seen = observe_variant(side, case, Run(variation), plain, given)
            if seen is not None:
                found[f"{case}@{variation.name}"] = seen
    return found


def _configured(
    project: Project, loss: Loss, sources: Sources, built: Sequence[Construction], text: str, refusal: Refusal
) -> Derived:
    """The cases with those derived from the tree's constructions, as far as they run and end soon."""
    derived = with_configurations(text, built)
    if not derived.names:
        return derived
    if refusal(derived.text):  # one by one where it has to be
        derived = without(derived, text, {name: why for name in derived.names if (why := refusal(only(derived, text, name)))})
    if not derived.names:
        return derived
    failed: dict[str, str] = {}
    symbols = tuple(port.legacy for port in loss.ports)
    with legacy_side(sources, symbols, (), (project.relative(loss.case_file), derived.text)) as side:
        for name in derived.names:
            with work_counted() as work:
                seen = observe(side, name, Run())
            raised = seen.steps[-1].raised if seen.raised else None
            if raised is not None:
                failed[name] = f"does not fit the case that it was derived from ({raised.type}); write one"
            elif work.units > MOST_WORK_DERIVED:
                times = work.units / MOST_WORK_DERIVED
                failed[name] = f"takes {times:.0f} times the work that a derived case may; write a smaller case of it"
    return without(derived, text, failed)


def _sealed(data: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], shown: str) -> Golden:
    text = json.dumps({**data, "digest": NO_DIGEST}, separators=(",", ":"), ensure_ascii=True)
    content = seal(_serialized(dict(sorted(tensors.items())), {KEY: text}))
    return Golden(parse(content, shown), content, tuple(data.get("unsteady", ())))


def _serialized(tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    """What `safetensors.torch.save` writes; that one needs numpy, which a machine with torch alone does not have."""
    from_memory: Any = getattr(safetensors, "TensorSpec", None)  # since safetensors 0.8
    specs: dict[str, Any] = {}
    for name, tensor in tensors.items():
        told = {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}
        size = tensor.numel() * tensor.element_size()
        if from_memory is not None:
            specs[name] = from_memory(**told, data_ptr=tensor.data_ptr(), data_len=size)
        else:
            specs[name] = {**told, "data": raw_bytes(tensor)}
    return bytes(safetensors.serialize(specs, metadata=metadata))


def _closure(project: Project, loss: Loss) -> dict[str, str]:
    """The legacy modules and what they import, as the tree sees it; the rest is found while the cases run."""
    from lossport.source.closure import module_closure  # noqa: PLC0415  # a capsule runs where there is no tree to read

    paths = {path for module in loss.modules for path in module_closure(project, module)}
    return {import_path(project, path): snapshot_of(project).text(path) for path in sorted(paths)}


def from_tree(project: Project, module: str) -> tuple[str, str] | None:
    """A module that the closure leaves out: a package that re-exports, or one imported in a way that cannot be read."""
    path = project.module_path(module)
    if path is None:
        return None
    return import_path(project, path), snapshot_of(project).text(path)


def import_path(project: Project, path: Path) -> str:
    """The path below its import root: what the capsule files it under."""
    for root in project.import_roots:
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return project.relative(path)
