"""The report as JSON: the figures of the page under stable names, for other programs and for comparing weeks.

Keys are only ever added; a key that changes its meaning raises `SCHEMA`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple
from typing import Any

from lossport.measure import MIN_LINES, MIN_TOKENS, Architecture, Corpus, FileCoverage
from lossport.measure.history import Moment, TreeFigures
from lossport.report.claims import CheckedClaim
from lossport.report.facts import ParityCell
from lossport.report.forecast import Forecast
from lossport.report.gates import Gate
from lossport.report.model import LossRow, Report
from lossport.report.past import RetiredFile
from lossport.report.risks import risks
from lossport.report.series import shared_pairs
from lossport.report.trends import Trend
from lossport.report.weeks import Week

SCHEMA = 1
"""The meaning of the keys below."""
MOST_PAIRS = 1000
"""Pairs of files that share lines, the most first: their number grows with the square of the files."""


def metrics_json(report: Report) -> bytes:
    """The bytes of `metrics.json`: sorted, indented, one figure a line, so that two of them compare well."""
    return (json.dumps(metrics(report), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def metrics(report: Report) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "schema": SCHEMA,
        "project": report.project,
        "date": report.today.isoformat(),
        "week": report.week,
        "retired": report.retired,
        "retired_with_a_current_proof": report.retired_now,
        "risks": [asdict(risk) for risk in risks(report.losses, report.gates, report.gates_lost)],
        "weeks": [_week(week) for week in report.weeks],
        "losses": {row.facts.name: _loss(row) for row in report.losses},
        "gates": {gate.name: _gate(gate, report.trends.get(gate.name)) for gate in report.gates},
        "gates_lost": [gate.name for gate in report.gates_lost],
        "thresholds": {"duplication_min_tokens": MIN_TOKENS, "duplication_min_lines": MIN_LINES},
        "legacy": _corpus(report.legacy, report.legacy_architecture, report.coverage),
        "new": _corpus(report.new, report.new_architecture, report.coverage),
        "git_problem": report.git_problem or None,
        "since": report.since.isoformat(),
        "forecast": _forecast(report.forecast) if report.forecast else None,
        "claims": [_claim(item) for item in report.claims],
        "gone": [_gone(item) for item in report.gone],
        "history": [_moment(moment) for moment in _where_it_moved(report.moments)],
        "history_columns": list(TreeFigures.__dataclass_fields__),
        "notes": list(report.notes),
        "options": asdict(report.facts.options) if report.facts.options else None,
    }


def _week(week: Week) -> dict[str, Any]:
    return {
        "week": week.name,
        "complete": week.complete,
        "losses": len(week.standing.losses),
        "retired": len(week.standing.retired),
        "retired_with_a_current_proof": week.standing.retired_with("current"),
        "steps": [
            {
                "at": step.at.isoformat(),
                "kind": step.kind,
                "loss": step.loss,
                "commit": step.commit or None,
                "by": step.author or None,
            }
            for step in week.steps
        ],
        "legacy_lines": week.after.legacy.lines if week.after else None,
        "legacy_tokens": week.after.legacy.tokens if week.after else None,
        "gates_won": list(week.gates_won),
        "gates_lost": list(week.gates_lost),
    }


def _forecast(end: Forecast) -> dict[str, Any]:
    days = {"early": end.early, "middle": end.middle, "late": end.late}
    return {
        **{name: date.isoformat() if date else None for name, date in days.items()},
        "events": end.events,
        "days": end.days,
    }


def _claim(item: CheckedClaim) -> dict[str, Any]:
    return {
        "date": item.claim.date.isoformat(),
        "text": item.claim.text,
        "source": item.claim.source,
        "metric": item.claim.metric,
        "claimed": item.claim.value,
        "measured": _rounded(item.measured),
        "holds": item.holds,
        "note": item.note,
    }


def _gone(item: RetiredFile) -> dict[str, Any]:
    return {
        "loss": item.loss,
        "path": item.path,
        "at": item.at.isoformat(),
        "commit": item.commit,
        "subject": item.subject,
        "lines": item.lines,
    }


def _where_it_moved(moments: Sequence[Moment]) -> Iterator[Moment]:
    """The moments that measured something else than the one before, and the last."""
    before = None
    for index, moment in enumerate(moments):
        if (moment.legacy, moment.new) != before or index == len(moments) - 1:
            yield moment
        before = moment.legacy, moment.new


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "commit": moment.commit or None,
        "at": moment.at.isoformat(),
        "legacy": _tree(moment.legacy),
        "new": _tree(moment.new),
    }


def _tree(tree: TreeFigures) -> list[float | None]:
    """The figures in the order of `history_columns`: names on each of thousands would make most of the file."""
    return [_rounded(value) for value in astuple(tree)]


def _gate(gate: Gate, trend: Trend | None) -> dict[str, Any]:
    return {
        "trend": {"since": trend.since.isoformat(), "before": _rounded(trend.before), "better": trend.better} if trend else None,
        "title": gate.title,
        "value": _rounded(gate.value),
        "sense": gate.sense,
        "target": gate.target,
        "unit": gate.unit,
        "met": gate.met,
        "command": gate.command,
        "note": gate.note,
    }


def _loss(row: LossRow) -> dict[str, Any]:
    facts = row.facts
    return {
        "stage": facts.stage,
        "why": facts.why,
        "owners": list(row.owners),
        "legacy_files": list(facts.legacy_files),
        "new_files": list(facts.new_files),
        "lines_before": row.lines_before,
        "lines_after": row.lines_after,
        "coverage": _rounded(row.coverage.percent) if row.coverage else None,
        "branches": [row.coverage.branches_run, row.coverage.branches] if row.coverage else None,
        "hours_to_proof": _rounded(row.hours_to_proof),
        "tests": row.tests,
        "sites_left": dict(facts.sites_left),
        "waiting": [f"{item.path}:{item.line}:{item.column}: {item.reason}" for item in facts.waiting],
        "parity": [_cell(cell) for cell in facts.parity],
        "started_at": facts.started_at.isoformat() if facts.started_at else None,
        "proven_at": facts.proven_at.isoformat() if facts.proven_at else None,
        "retired_at": facts.retired_at.isoformat() if facts.retired_at else None,
    }


def _cell(cell: ParityCell) -> dict[str, Any]:
    return {
        "device": cell.device,
        "dtype": cell.dtype,
        "state": cell.state,
        "equal": cell.equal,
        "close": cell.close,
        "intended": cell.intended,
        "different": cell.different,
        "seconds": _rounded(cell.seconds),
        "at": cell.at.isoformat() if cell.at else None,
        "time_ratio": _rounded(cell.time_ratio),
        "memory_ratio": _rounded(cell.memory_ratio),
        "why": cell.why,
    }


def _corpus(corpus: Corpus, score: Architecture | None, coverage: Mapping[str, FileCoverage]) -> dict[str, Any]:
    worst = corpus.worst
    return {
        "files": {path: _file(corpus, path, coverage.get(path)) for path in corpus.files},
        "lines": corpus.total,
        "source": corpus.source,
        "duplicated": corpus.duplication.count,
        "duplication": _rounded(corpus.duplication.percent),
        "exact_duplicated": corpus.exact.count,
        "exact_duplication": _rounded(corpus.exact.percent),
        "shared": [list(pair) for pair in shared_pairs(corpus.duplication.shared)[:MOST_PAIRS]],
        "inheritance": corpus.depth,
        "complexity": worst[1].complexity if worst else None,
        "most_complex": f"{worst[0]}:{worst[1].line} {worst[1].name}" if worst else None,
        "import_circles": [list(group) for group in corpus.cycles],
        "architecture": _rounded(score.score) if score else None,
        "architecture_parts": {
            part.name: {"weight": part.weight, "value": _rounded(part.value), "found": part.found}
            for part in (score.parts if score else ())
        },
        "problems": {path: f"line {problem.line}: {problem.reason}" for path, problem in corpus.problems.items()},
    }


def _file(corpus: Corpus, path: str, coverage: FileCoverage | None) -> dict[str, Any]:
    file = corpus.files[path]
    return {
        "lines": file.total,
        "source": file.source,
        "duplicated": len(corpus.duplication.lines.get(path, ())),
        "exact_duplicated": len(corpus.exact.lines.get(path, ())),
        "complexity": file.worst,
        "maintainability": _rounded(corpus.maintainability[path]),
        "inheritance": max((item.depth for item in corpus.classes if item.path == path), default=0),
        "coverage": _rounded(coverage.percent) if coverage else None,
        "branches": [coverage.branches_run, coverage.branches] if coverage else None,
        "problem": f"line {file.problem.line}: {file.problem.reason}" if file.problem else None,
    }


def _rounded(value: float | None) -> float | None:
    """Enough digits to compare, few enough to read."""
    return None if value is None else round(value, 3)
