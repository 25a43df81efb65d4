"""The notebook, in a kernel of its own."""

from __future__ import annotations

import math
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.examples.conftest import ROOT, TIME_LIMIT, Run

pytestmark = pytest.mark.slow


def test_the_notebook_builds_two_losses_and_plots_them() -> None:
    text = Path(ROOT, "examples/temperature.ipynb").read_text(encoding="utf-8")
    notebook: NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]  # declares its types in part
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(notebook, timeout=TIME_LIMIT, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}})
    client.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs), "a plot"
    printed = Run("".join(output["text"] for output in outputs if output.get("name") == "stdout"))
    assert len(printed.numbers) == 4
    assert all(math.isfinite(number) and number > 0 for number in printed.numbers)
