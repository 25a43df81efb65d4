"""Proofs as a JUnit report, which every CI system shows: one suite a loss and device, one test a case or variant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from lossport.judge.verdict import Proof, Verdict

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold; a loss may put them into its messages."""


def junit_xml(proofs: Sequence[Proof]) -> str:
    """The report as text."""
    root = ElementTree.Element("testsuites", name="lossport parity")
    for proof in proofs:
        suite = ElementTree.SubElement(root, "testsuite", name=f"{proof.loss} on {proof.device}")
        suite.set("tests", str(max(len(proof.verdicts), 1)))
        suite.set("failures", str(len(proof.failures) + len(proof.unused)))
        suite.set("errors", "0")
        suite.set("skipped", "1" if proof.skipped else "0")
        suite.set("time", f"{proof.seconds:.3f}")
        if proof.skipped:
            _case(suite, proof, proof.device, "skipped", proof.skipped, "")
        for verdict in proof.verdicts:
            _verdict(suite, proof, verdict)
        for name in proof.unused:
            _case(suite, proof, f"divergence {name}", "failure", "no case shows it any more", "")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _verdict(suite: ElementTree.Element, proof: Proof, verdict: Verdict) -> None:
    seconds = sum(verdict.seconds.values())
    if verdict.passed:
        _case(suite, proof, verdict.case, "", "", "", seconds)
        return
    lines = [line for finding in verdict.findings if finding.divergence is None for line in finding.lines()]
    _case(suite, proof, verdict.case, "failure", verdict.reason or verdict.kind, "\n".join(lines), seconds)


def _case(
    suite: ElementTree.Element, proof: Proof, name: str, outcome: str, message: str, text: str, seconds: float = 0.0
) -> None:  # fmt: skip
    case = ElementTree.SubElement(suite, "testcase", classname=f"{proof.loss}.{proof.device}", name=name, time=f"{seconds:.3f}")
    if outcome:
        told = ElementTree.SubElement(case, outcome, message=NOT_IN_XML.sub("?", message))
        told.text = NOT_IN_XML.sub("?", text)
