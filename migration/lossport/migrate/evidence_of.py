"""The evidence of one loss as it stands today: goldens, made once and replaced by `record --again` alone, and proofs.

`built` is what `built_in_tree` gives for a loss and perhaps others, where the caller has searched already. Nothing is written
but by `save_evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lossport.evidence.cost import NotMeasured, cost_ratios
from lossport.migrate import stages
from lossport.project import ledger, transaction
from lossport.project.config import Loss, Project
from lossport.project.errors import InputError
from lossport.project.journal import read_or_none
from lossport.project.progress import Busy, Progress
from lossport.project.snapshot import snapshot_of
from lossport.rewrite import RewriteRefused, rewrite_case_file
from lossport.rewrite.render import refusal_lines
from lossport.rewrite.shim import is_shim

if TYPE_CHECKING:
    from lossport.evidence import Golden, Proof
    from lossport.judge.configurations import Construction
    from lossport.judge.variants import Extent


def golden_of(
    project: Project,
    loss: Loss,
    busy: Busy,
    built: Sequence[Construction] | None = None,
    *,
    again: bool = False,
) -> tuple[Golden, ledger.Event | None]:
    """A golden that fits the sources, and the event of recording it if it had to be recorded.

    Args:
        built: what `built_in_tree` gives for this loss and perhaps others, where the caller has searched already.
        again: record anew, whether or not there is a golden. Nothing else replaces one.

    Raises:
        InputError: there is a golden, and the tree has changed since.
    """
    from lossport import evidence  # noqa: PLC0415  # torch is paid for by those who run losses

    parts = stages.fingerprint(project, loss)
    standing = stages.standing(project, loss, stages.read_events(project), 0, parts)
    if again and not standing.legacy_files:
        raise InputError(f"{loss.name}: cannot be recorded again, its legacy file is gone; the golden holds what it did")
    found = built_in_tree(project, [loss]) if built is None else built
    if loss.golden_file.is_file() and not again:
        if standing.needs_recording:
            raise _replaced_by_hand(project, loss, standing.why)
        golden = evidence.load_golden(project, loss)
        if standing.legacy_files and (why := _not_as_in_the_tree(project, loss, golden, found)):
            raise _replaced_by_hand(project, loss, why)
        return golden, None
    with busy("recording the legacy loss") as progress:
        golden = evidence.record(
            project,
            loss,
            progress=progress,
            fingerprint=parts,
            built=found,
            refusal=lambda text: _refusal(project, loss, text),
        )
    return golden, ledger.event("recorded", loss.name, {"cases": golden.case_count, "fingerprint": parts.as_dict()})


def _replaced_by_hand(project: Project, loss: Loss, why: str) -> InputError:
    golden = project.relative(loss.golden_file)
    return InputError(f"{golden}: {why}. Look at what changed, then lossport record {loss.name} --again replaces the golden")


def _not_as_in_the_tree(project: Project, loss: Loss, golden: Golden, built: Sequence[Construction]) -> str:
    """What the golden holds that the tree has not, or lacks that the tree has; empty if they agree byte by byte."""
    from lossport.judge.configurations import uncovered  # noqa: PLC0415  # as above

    for path, text in golden.header.sources.items():
        now = project.module_path(_module_of(path))
        if now is not None and not is_shim(now) and snapshot_of(project).text(now) != text:
            return f"{project.relative(now)} is not what it was recorded from"
    cases = snapshot_of(project).text(loss.case_file) if loss.case_file.is_file() else golden.header.cases
    if not golden.header.cases.startswith(cases.rstrip("\n")):
        return f"{project.relative(loss.case_file)} is not what it was recorded from"
    own = [item for item in built if item.symbol in loss.symbols]
    known = [item.partition(": ")[0] for item in golden.not_derived]
    new = [item for item in uncovered(golden.header.cases, own) if item.where not in known]
    if new:
        return f"{new[0].where} builds {new[0].symbol.rpartition('.')[2]}({new[0].arguments}), which no case of it shows"
    return ""


def provable_golden(
    project: Project,
    loss: Loss,
    busy: Busy,
    built: Sequence[Construction] | None = None,
) -> tuple[Golden, ledger.Event | None]:
    """What `golden_of` gives, with the cases as the codemod rewrites them today: all that the new loss is run on."""
    golden, event = golden_of(project, loss, busy, built)
    return with_rewritten_cases(project, loss, golden), event


def built_in_tree(project: Project, losses: Sequence[Loss]) -> tuple[Construction, ...]:
    """Where the tree builds the legacy classes of the losses that are not retired: one search for all of them.

    Nothing on a machine that has torch and safetensors alone and can search no tree: it compares what the goldens hold.
    """
    from lossport.judge.configurations import constructions  # noqa: PLC0415  # needs no torch, but its room does

    wanted = [loss for loss in losses if stages.legacy_files(project, loss)]
    try:
        return constructions(project, wanted) if wanted else ()
    except ModuleNotFoundError:
        if any(not loss.golden_file.is_file() for loss in wanted):
            raise
        return ()


def with_rewritten_cases(project: Project, loss: Loss, golden: Golden) -> Golden:
    """The golden with its cases as the codemod rewrites them for the new loss today."""
    kept = {_module_of(path): text for path, text in golden.header.sources.items()}
    try:
        rewritten = rewrite_case_file(project, loss, golden.header.cases, sources=kept)
    except RewriteRefused as refused:
        lines = "\n  ".join(refusal_lines(refused.refusals))
        raise InputError(f"{project.relative(loss.case_file)}: the cases themselves cannot be rewritten:\n  {lines}") from refused
    return golden.with_rewritten(rewritten, stages.fingerprint(project, loss))


def _refusal(project: Project, loss: Loss, cases: str) -> str:
    """Why the codemod refuses a case file; empty if it does not."""
    try:
        rewrite_case_file(project, loss, cases)
    except RewriteRefused as refused:
        return refused.refusals[0].reason
    return ""


def _module_of(path: str) -> str:
    """The module that a capsule files under a path: `legacy/clip.py` -> `legacy.clip`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def prove_on(project: Project, loss: Loss, golden: Golden, device: str, progress: Progress, extent: Extent = "chosen") -> Proof:
    """The verdicts of one device; `skipped` says that there is no such device here."""
    from lossport import evidence  # noqa: PLC0415

    parts = stages.fingerprint(project, loss)
    kept = project.state / "verdicts"
    return evidence.prove(project, loss, golden, None, device, progress=progress, fingerprint=parts, extent=extent, cache=kept)


def proof_event(project: Project, loss: Loss, golden: Golden, proof: Proof) -> ledger.Event:
    """The proof, or the failure, as an event with all that it was made from; a proof with what the new loss costs."""
    facts = {name: value for name, value in proof.summary().items() if name not in ("loss", "skipped")}
    if not proof.passed:
        return ledger.event("failed", loss.name, facts)
    try:
        facts["cost"] = cost_ratios(project, loss, golden, proof.device, proof.fingerprint, stages.read_events(project))
    except NotMeasured as error:
        facts |= {"cost": {}, "not_measured": str(error)}
    return ledger.event("proven", loss.name, facts)


def save_evidence(project: Project, loss: Loss, golden: bytes, events: Sequence[ledger.Event]) -> None:
    """The golden and the events of `record` or `parity`, at once; nothing where they say what is known already."""
    with transaction.locked(project.state):
        known = ledger.read(read_or_none(project.ledger), where=project.relative(project.ledger))
        new = [event for event in events if not ledger.repeats(known, event)]
        changes = [transaction.written(loss.golden_file, golden), stages.events_added(project, new)]
        transaction.commit(project.root, project.state, [change for change in changes if change.before != change.after])
