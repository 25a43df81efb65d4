"""Files of a project by what they are: sources that may hold call sites, everything that git knows, the home of a symbol."""

from __future__ import annotations

from pathlib import Path

from lossport.project.config import Project
from lossport.project.snapshot import snapshot_of
from lossport.source.modules import modules_of
from lossport.source.walk import walk


def source_files(project: Project) -> tuple[Path, ...]:
    """The files that are searched for call sites and may be written."""
    return tuple(Path(text) for text, foreign in walk(project).files.items() if not foreign)


def all_files(project: Project) -> tuple[Path, ...]:
    """Everything that git knows or would track; outside git, everything but hidden folders. What a copy of the tree holds."""
    snapshot = snapshot_of(project)
    if not snapshot.by_git:
        found = (path for path in project.root.rglob("*") if path.is_file())
        return tuple(sorted(path for path in found if not _hidden(path.relative_to(project.root))))
    return snapshot.once("all files", lambda: tuple(p for name in snapshot.listing if (p := project.root / name).is_file()))


def defining_file(project: Project, symbol: str) -> Path | None:
    """The file that defines a dotted symbol, through any re-exports; None if the project has none."""
    modules = modules_of(project)
    return modules.path(modules.canonical(symbol).rpartition(".")[0])


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)
