"""Which branches of the modules being retired the cases reach, run as they are written: `python reach.py project module...`.

A process of its own, so that coverage is measured whoever else measures. Prints JSON: for each module that still has a file, the
number of its branches, and those that none of its own cases takes, each as `function: text of the line that it leaves`.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import coverage
import torch

from lossport.inputs import Inputs
from lossport.project.config import Loss, Project, find_project


def reached(project: Project, loss: Loss) -> dict[str, dict[str, Any]]:
    """The branches of the modules of one loss, by module, and those that its own cases leave out."""
    files = {module: path for module in loss.modules if (path := project.module_path(module)) is not None}
    if not files:
        return {}
    for name in [name for name in sys.modules if name.partition(".")[0] == project.legacy.name]:
        del sys.modules[name]
    measured = coverage.Coverage(data_file=None, branch=True, include=[str(path) for path in files.values()], config_file=False)
    with measured.collect():
        for case in cases_of(loss.case_file):
            run(case)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(report))
        found = json.loads(report.read_text(encoding="utf-8"))["files"]
    by_path = {Path(name).resolve(): entry for name, entry in found.items()}
    return {module: _branches(path, by_path[path.resolve()]) for module, path in files.items()}


def cases_of(path: Path) -> Iterator[Any]:
    """The public functions of a case file."""
    module = load(path)
    for name, value in list(vars(module).items()):  # a case that warns leaves a registry in its module
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__ and callable(value):
            yield value


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"cases_of_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(case: Any) -> None:
    """A case to its end; what it raises is what it shows."""
    torch.manual_seed(0)
    with contextlib.suppress(Exception), contextlib.redirect_stdout(sys.stderr):
        for _ in case(Inputs()) or ():
            pass


def _branches(path: Path, entry: dict[str, Any]) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    lines, tree = text.splitlines(), ast.parse(text)
    missed = [f"{_function(tree, start)}: {lines[start - 1].strip()}" for start, _ in entry["missing_branches"]]
    return {"branches": entry["summary"]["num_branches"], "missed": missed}


def _function(tree: ast.Module, line: int) -> str:
    """The dotted name of the innermost function or class that a line lies in."""
    names: list[str] = []
    for node in ast.walk(tree):  # outer ones come first
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.lineno <= line <= (node.end_lineno or 0):
            names.append(node.name)
    return ".".join(names)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    root = find_project(Path(sys.argv[1]))
    sys.path[:0] = map(str, root.import_roots)
    result: dict[str, Any] = {}
    for wanted in sys.argv[2:]:
        result |= reached(root, root.loss(wanted))
    print(json.dumps(result))
