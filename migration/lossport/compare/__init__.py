"""Ways to write one loss, side by side: the same measures of each, as rows of values, as JSON and as a table in a document.

Start at `measuring`; `report.compared` holds the values. Stands beside the house: uses it, and no room but `cli` imports it.

    comparison = compare(project)                         # minutes: runs tests, parity and timing in processes of their own
    comparison.rows, comparison.to_json()
    update_document(text, comparison)                     # docs/decision.md with its generated block made anew
    read_comparison(comparison.to_json())                 # later, without measuring

The options are `[[tool.lossport.options]]`. Judges none of them: a row says which way is better, and that is all.
"""

from lossport.compare.document import render_markdown, update_document
from lossport.compare.measuring import compare
from lossport.report.compared import FILE, Cell, Comparison, Row, read_comparison, sources_digest

__all__ = [
    "FILE",
    "Cell",
    "Comparison",
    "Row",
    "compare",
    "read_comparison",
    "render_markdown",
    "sources_digest",
    "update_document",
]
