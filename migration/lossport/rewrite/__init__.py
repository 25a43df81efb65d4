"""The codemod: rewrite call sites from ports, refuse what cannot be proven, and say why. Writes no files.

Start at `plan` (all files of a project), then `fixers` (one use of a legacy value) and `arguments` (the arguments of a call).
`contract` is what a port says of one symbol, `outcome` what a fixer may answer. May import `project`, `source`, `follow`; never
imports torch.
"""

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
