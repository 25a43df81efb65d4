"""What is left of the legacy package once its last module goes: `__init__` files that hold nothing, and that nothing needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lossport.follow.survey import NOTEBOOK, PYTHON
from lossport.project.config import Project
from lossport.project.snapshot import Snapshot, snapshot_of
from lossport.source.configtext import SUFFIXES
from lossport.source.files import all_files
from lossport.source.leads import imports_of, taken_by
from lossport.source.source import SourceError, decode, parse

NEEDS = PYTHON | SUFFIXES | {NOTEBOOK}
"""Kinds of files that may need a package: code and configuration, not prose."""

_LEGACY_KEY = re.compile(rb"(?m)^[ \t]*legacy[ \t]*=.*$")


@dataclass(frozen=True)
class Emptied:
    """The files that can go, in order; or why they stay, if they hold nothing and something still names the package."""

    files: tuple[Path, ...] = ()
    kept: str = ""


def emptied(project: Project, after: Mapping[Path, bytes | None]) -> Emptied:
    """What can go of the legacy package after some changes, given as the content of each file or None.

    Nothing, as long as it holds a module, a file of another kind, or an `__init__` that does anything.
    """
    snapshot = snapshot_of(project)
    known = [path for path in all_files(project) if after.get(path, b"") is not None]
    inside = tuple(path for path in known if path.is_relative_to(project.legacy))
    if not inside or not all(path.name == "__init__.py" and _is_blank(_content(snapshot, path, after)) for path in inside):
        return Emptied()
    package = (project.module_name(project.legacy / "x.py") or "").rpartition(".")[0]
    for path in known:
        own = any(path.is_relative_to(owned) for owned in project.own_paths)
        if (
            path.suffix in NEEDS
            and path not in inside
            and not own
            and _needs(project, path, _content(snapshot, path, after), package)
        ):
            return Emptied(kept=f"{project.relative(path)} names {package}")
    return Emptied(inside)


def _content(project: Snapshot, path: Path, after: Mapping[Path, bytes | None]) -> bytes:
    content = after.get(path)
    return (project.content(path) or b"") if content is None else content


def _is_blank(raw: bytes) -> bool:
    """Whether a module does nothing: a docstring, an empty `__all__`, imports from `__future__`."""
    try:
        body = parse(decode(raw)).body
    except SourceError:
        return False
    return all(_does_nothing(statement) for statement in body)


def _does_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.ImportFrom(module="__future__") | ast.Pass():
            return True
        case (
            ast.Assign(targets=[ast.Name(id="__all__")], value=value) | ast.AnnAssign(target=ast.Name(id="__all__"), value=value)
        ):
            return isinstance(value, ast.List | ast.Tuple) and not value.elts
        case _:
            return False


def _needs(project: Project, path: Path, raw: bytes, package: str) -> bool:
    """Whether a file may need the package: it imports it, or has its dotted name as text."""
    dotted = re.escape(package.encode())
    if re.search(rb"""["']""" + dotted + rb"""["'.]""", _LEGACY_KEY.sub(b"", raw)):
        return True
    return any(f"{taken}.".startswith(f"{package}.") for taken in taken_by(project, path, imports_of(raw)))
