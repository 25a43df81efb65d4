"""A pytest plugin, installed with the package: `pytest --lossport` shows every parity case as a test.

Takes goldens as they are and the rewritten cases that they hold; records nothing. Without the option it does nothing, and it
imports torch only when the first of its tests runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lossport.evidence.capsule import read_header
from lossport.project.config import ConfigError, Loss, Project, find_project
from lossport.project.errors import InputError

if TYPE_CHECKING:
    from lossport.evidence import Proof, Verdict

OF_THE_PORT = "port"
"""The test that is about no case of its own."""

ENVIRONMENT_OF_A_RUN = "LOSSPORT_PYTEST_LOSSES"
"""Names of losses, separated by commas, for who cannot pass `--lossport-loss`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("lossport")
    group.addoption("--lossport", action="store_true", help="run the parity cases of the project's losses as tests")
    group.addoption("--lossport-loss", action="append", default=[], metavar="LOSS", help="only this loss (may be repeated)")
    group.addoption("--lossport-device", action="append", default=[], metavar="DEVICE", help="cpu (default) or cuda")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the cases of every loss that has a golden."""
    if not config.getoption("--lossport"):
        return
    try:
        project = find_project(Path(str(config.rootpath)))
        losses = [project.loss(name) for name in _wanted(config, project)]
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    devices = config.getoption("--lossport-device") or ["cpu"]
    for loss in losses:
        if loss.golden_file.is_file():
            collector = LossCollector.from_parent(
                session, name=f"parity of {loss.name}", project=project, loss=loss, devices=devices
            )
            items.extend(collector.collect())


def _wanted(config: pytest.Config, project: Project) -> list[str]:
    given = config.getoption("--lossport-loss") or [name for name in os.environ.get(ENVIRONMENT_OF_A_RUN, "").split(",") if name]
    return list(given or project.loss_names)


class LossCollector(pytest.Collector):
    """The cases of one loss; proven together, once a device, when the first of them runs."""

    def __init__(self, *, project: Project, loss: Loss, devices: list[str], **more: Any) -> None:
        super().__init__(**more)
        self.project, self.loss, self.devices = project, loss, devices
        self._proofs: dict[str, Proof] = {}

    def collect(self) -> Iterator[pytest.Item]:
        """One test a case and device, one more for what the port declares and no case shows: divergences, whole symbols."""
        try:
            names = list(read_header(self.loss.golden_file, self.project.relative(self.loss.golden_file)).data["observations"])
        except InputError as error:
            yield CaseItem.from_parent(self, name="golden", case="", device="", broken=str(error))
            return
        for device in self.devices:
            for name in (*names, OF_THE_PORT):
                yield CaseItem.from_parent(self, name=f"{name}[{device}]", case=name, device=device, broken="")

    def proof(self, device: str) -> Proof:
        """The proof on a device, made once."""
        if device not in self._proofs:
            from lossport import evidence  # noqa: PLC0415  # torch is paid for by those who run losses

            golden = evidence.load_golden(self.project, self.loss)
            given = evidence.current_fingerprint(self.loss)
            self._proofs[device] = evidence.prove(self.project, self.loss, golden, None, device, fingerprint=given)
        return self._proofs[device]


class Differs(Exception):
    """A case did not pass; the message is what a person needs."""


class CaseItem(pytest.Item):
    """One case with its variants, as a test."""

    def __init__(self, *, case: str, device: str, broken: str, **more: Any) -> None:
        super().__init__(**more)
        self.case, self.device, self.broken = case, device, broken

    def runtest(self) -> None:
        """Pass if every verdict on the case does."""
        if self.broken:
            raise Differs(self.broken)
        assert isinstance(self.parent, LossCollector)
        try:
            proof = self.parent.proof(self.device)
        except InputError as error:
            raise Differs(str(error)) from error
        if proof.skipped:
            pytest.skip(f"{self.device}: {proof.skipped}")
        if self.case == OF_THE_PORT:
            symbols = {port.legacy for port in self.parent.loss.ports}
            told = [f"divergence {name}: no case shows it any more" for name in proof.unused]
            told += [line for verdict in proof.failures if verdict.case in symbols for line in _told(verdict)]
        else:
            told = [line for verdict in proof.failures if verdict.case.partition("@")[0] == self.case for line in _told(verdict)]
        if told:
            raise Differs("\n".join(told))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The difference alone; a traceback of the harness would tell nothing."""
        return str(excinfo.value) if isinstance(excinfo.value, Differs) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case is written."""
        assert isinstance(self.parent, LossCollector)
        return self.parent.loss.case_file, 0, f"{self.parent.loss.name}::{self.name}"


def _told(verdict: Verdict) -> list[str]:
    lines = [line for finding in verdict.findings if finding.divergence is None for line in finding.lines()]
    return lines or [f"{verdict.case}: {verdict.reason or verdict.kind}"]
