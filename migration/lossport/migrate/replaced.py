"""What is deleted is replaced: which names would be lost with a legacy file, and what still names the file.

Reads the tree and a plan. Decides nothing: `pipeline` stops a migration, or leaves the file where it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lossport.measure import git
from lossport.migrate import stages
from lossport.migrate.sides import imported_modules
from lossport.project.config import Loss, Project
from lossport.project.snapshot import snapshot_of
from lossport.rewrite import Refusal, RewritePlan
from lossport.source.files import source_files
from lossport.source.modules import describe, modules_of

MAKES_NOTHING_TO_KEEP = frozenset({"getLogger", "TypeVar", "ParamSpec", "TypeVarTuple"})
"""What a module makes for itself by a call of one of these is of no use to another one."""


def lost_names(project: Project, loss: Loss) -> tuple[Refusal, ...]:
    """The public names that would go with the loss's legacy files, and that its port says nothing about."""
    owners = {symbol: other.name for other in project.losses() if other.name != loss.name for symbol in other.symbols}
    ported = frozenset(loss.symbols)
    return tuple(
        _lost(project, loss, path, name, line, owners.get(f"{module}.{name}"))
        for path in stages.legacy_files(project, loss)
        for module in [project.module_name(path) or ""]
        for name, line in public_names(module, path, snapshot_of(project).content(path) or b"")
        if f"{module}.{name}" not in ported
    )


def _lost(project: Project, loss: Loss, path: Path, name: str, line: int, owner: str | None) -> Refusal:
    symbol = f"{project.module_name(path)}.{name}"
    if owner is None:
        reason = f"{name} would go with the file, and no port says what becomes of it"
        todo = f'add a Port or Gone("{symbol}", reason=...) to {project.relative(loss.port_file)}, or move it to another module'
    else:
        reason = f"{name} would go with the file, and the port of {owner} speaks of it"
        todo = f"a file goes at once: write the ports of both into one port file, or move {name} to another module"
    code = (snapshot_of(project).content(path) or b"").decode("utf-8", "replace").splitlines()[line - 1].strip()
    return Refusal(project.relative(path), line, 1, code, reason, todo, symbol)


def public_names(module: str, path: Path, content: bytes) -> Iterator[tuple[str, int]]:
    """The names that a module defines for others, each with its line: those without an underscore, and those in `__all__`."""
    tree = ast.parse(content)
    tree.body = [statement for statement in tree.body if not _is_main_guard(statement)]
    info = describe(module, path, tree)
    lines = {name: line for node in ast.walk(tree) for name, line in _bound_by(node)}
    listed = info.exported or ()
    own = (name for name, origin in info.names.items() if origin is None and not name.startswith("_"))
    kept_private = {name for node in tree.body for name in _made_for_itself(node)}
    for name in dict.fromkeys([*own, *listed]):
        if name in listed or name not in kept_private:
            yield name, lines.get(name, 1)


def unsaved_files(project: Project, loss: Loss) -> tuple[str, ...]:
    """The legacy files that git could not give back: changed since the last commit, or never added. Nothing outside git."""
    try:
        return git.unsaved(project.root, [project.relative(path) for path in stages.legacy_files(project, loss)])
    except git.GitError:
        return ()


def _is_main_guard(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test)


def _bound_by(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name, node.lineno
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((name.id, node.lineno) for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _made_for_itself(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function)):
            if ast.unparse(function).rpartition(".")[2] in MAKES_NOTHING_TO_KEEP:
                yield name


def still_named(project: Project, plan: RewritePlan, removed: Iterable[Path]) -> Mapping[Path, tuple[str, ...]]:
    """Which of the files that are to go are named by what stays, each with the places: by an import that is not rewritten, or
    by a place that is acknowledged and uses the module itself."""
    gone = {path: module for path in removed if (module := project.module_name(path)) is not None}
    by_module = {module: path for path, module in gone.items()}
    found: dict[Path, list[str]] = {}
    for refusal in plan.acknowledged:
        if refusal.symbol in by_module:
            found.setdefault(by_module[refusal.symbol], []).append(f"{refusal.path}:{refusal.line} (acknowledged)")
    after = {file.path: file.after for file in plan.files}
    words = {module.rpartition(".")[2].encode() for module in by_module}
    modules = modules_of(project)
    for path in source_files(project):
        if path.suffix not in (".py", ".pyi") or path in gone:
            continue
        content = after.get(path) if path in after else snapshot_of(project).content(path)
        if content is not None and any(word in content for word in words):
            for module, line in imported_modules(project, path, content):
                if (target := modules.path(module, path.parent)) in gone and target is not None:
                    found.setdefault(target, []).append(f"{project.relative(path)}:{line}")
    return {path: tuple(dict.fromkeys(places)) for path, places in found.items()}


def withdrawn_names(project: Project, plan: RewritePlan, removed: Sequence[Path]) -> tuple[str, ...]:
    """The dotted names that packages of the legacy folder offer today and will not offer any more."""
    after = {file.path: file.after for file in plan.files} | dict.fromkeys(removed, b"")
    told: list[str] = []
    for path, content in after.items():
        package = project.module_name(path)
        if path.name == "__init__.py" and path.is_relative_to(project.legacy) and package is not None:
            left = set(_offered(package, path, content))
            told += [
                f"{package}.{name}"
                for name in _offered(package, path, snapshot_of(project).content(path) or b"")
                if name not in left
            ]
    return tuple(sorted(told))


def _offered(package: str, path: Path, content: bytes) -> tuple[str, ...]:
    try:
        return tuple(name for name in describe(package, path, ast.parse(content)).names if not name.startswith("_"))
    except (SyntaxError, ValueError):
        return ()
