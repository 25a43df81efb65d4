"""The codemod: rewrites call sites from ports, refuses what it cannot prove, and says why. Writes no files."""

from lossport.rewrite.check import check_port
from lossport.rewrite.outcome import Refusal
from lossport.rewrite.plan import (
    A_USE,
    FileRewrite,
    PlannedSite,
    RewritePlan,
    RewriteRefused,
    plan_rewrite,
    rewrite_case_file,
)
from lossport.rewrite.render import refusal_lines, to_json, to_sarif

__all__ = [
    "A_USE",
    "FileRewrite",
    "PlannedSite",
    "Refusal",
    "RewritePlan",
    "RewriteRefused",
    "check_port",
    "plan_rewrite",
    "refusal_lines",
    "rewrite_case_file",
    "to_json",
    "to_sarif",
]
