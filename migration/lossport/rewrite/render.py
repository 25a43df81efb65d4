"""A plan as JSON and as SARIF 2.1.0, the format in which code hosts take findings. Pure: a plan in, values out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

from lossport import __version__
from lossport.rewrite.outcome import Refusal
from lossport.rewrite.plan import PlannedSite, RewritePlan

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

RULES = {
    "rewritten": ("note", "A call site of a legacy symbol that the codemod rewrites."),
    "acknowledged": ("note", "A call site that the codemod cannot prove, and that the port lets stand."),
    "refused": ("warning", "A call site that needs a person: the codemod cannot prove what it would have to become."),
}
"""By what happens to a site: the level of the finding, and what it is."""


def to_json(plan: RewritePlan) -> dict[str, object]:
    """The plan as plain values: sites, refusals, and the files that would change."""
    return {
        "sites": [_site(planned) for planned in plan.sites],
        "refusals": [_refusal(refusal) for refusal in plan.refusals],
        "acknowledged": [_refusal(refusal) for refusal in plan.acknowledged],
        "told": [_refusal(refusal) for refusal in plan.told],
        "files": [file.path.relative_to(plan.root).as_posix() for file in plan.files],
        "searched": plan.searched,
        "parsed": plan.parsed,
        "not_searched": list(plan.not_searched),
    }


def _site(planned: PlannedSite) -> dict[str, object]:
    site = planned.site
    return {
        "path": site.path,
        "line": site.line,
        "column": site.column,
        "form": site.form,
        "symbol": site.symbol,
        "code": site.code,
        "fate": planned.fate,
        "reason": planned.reason,
    }


def _refusal(refusal: Refusal) -> dict[str, object]:
    return {
        "path": refusal.path,
        "line": refusal.line,
        "column": refusal.column,
        "code": refusal.code,
        "reason": refusal.reason,
        "todo": refusal.todo,
        "symbol": refusal.symbol,
    }


def to_sarif(plan: RewritePlan) -> str:
    """The plan as a SARIF log: one result a site, and one for each refusal."""
    rules = [
        {"id": f"lossport/{name}", "shortDescription": {"text": text}, "defaultConfiguration": {"level": level}}
        for name, (level, text) in RULES.items()
    ]
    results = [_result("refused", r.path, r.line, r.column, f"{r.reason}; {r.todo}") for r in plan.refusals]
    results += [_result("acknowledged", r.path, r.line, r.column, r.reason) for r in plan.acknowledged]
    results += [
        _result("rewritten", p.site.path, p.site.line, p.site.column, f"{p.site.form} of {p.site.symbol}")
        for p in plan.sites
        if p.fate == "rewritten"
    ]
    driver = {"name": "lossport", "semanticVersion": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _result(fate: str, path: str, line: int, column: int, text: str) -> dict[str, object]:
    place = {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": line, "startColumn": column}}
    return {
        "ruleId": f"lossport/{fate}",
        "level": RULES[fate][0],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }


def refusal_lines(refusals: Iterable[Refusal]) -> list[str]:
    """Each refusal as file:line:column and code, the reason, and what to do."""
    told = ((f"{r.path}:{r.line}:{r.column}: {r.code}", f"    {r.reason}", f"    -> {r.todo}") for r in refusals)
    return [line for lines in told for line in lines]
