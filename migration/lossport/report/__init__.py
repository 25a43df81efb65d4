"""The report: one page that says what is true, its figures as JSON, and the gates.

Start at `build` (measures) and `page` (renders); `gates` holds the success criteria. May import `project`, `source`, `measure`.

    facts = Facts(losses=(LossFacts("clip", "proven", ...), ...), gates_met=...)   # what only the pipeline knows
    report = build_report(project, facts, today=dt.date(2026, 11, 23))             # measures the tree and git
    files = render_report(report)          # {"index.html": b"...", "2026-W48.html": b"...", "metrics.json": b"..."}
    report.gates_lost                      # not empty: `report --check` exits 1
    report.gates_newly_met                 # {gate: target} to remember; comes back as Facts.gates_met

Nothing here writes into the tree: `render_report` gives bytes and the caller writes them. Only a cache below `.lossport/`
is kept, by content, so that nothing is measured twice. Never imports torch.
"""

from lossport.report.build import build_report, measure_gates
from lossport.report.compared import options_of
from lossport.report.facts import (
    STAGES,
    Declared,
    Facts,
    LossFacts,
    MappingRow,
    OptionCell,
    OptionRow,
    OptionTable,
    ParityCell,
    PlaceLeft,
    Stage,
    Waiting,
)
from lossport.report.gates import Gate, lost
from lossport.report.glance import next_step
from lossport.report.metrics import metrics
from lossport.report.model import LossRow, Report
from lossport.report.page import render_report

__all__ = [
    "STAGES",
    "Declared",
    "Facts",
    "Gate",
    "LossFacts",
    "LossRow",
    "MappingRow",
    "OptionCell",
    "OptionRow",
    "OptionTable",
    "ParityCell",
    "PlaceLeft",
    "Report",
    "Stage",
    "Waiting",
    "build_report",
    "lost",
    "measure_gates",
    "metrics",
    "next_step",
    "options_of",
    "render_report",
]
